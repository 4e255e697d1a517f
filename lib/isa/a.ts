/**
 * A: atomic memory operations. Load-reserved and store-conditional, and operations that read, change and write at once.
 *
 * Each exists in four orderings: plain, `.aq`, `.rl` and `.aqrl`. They are instructions of their own here, as assemblers
 * write them; on this machine, which reorders nothing, they do the same.
 */
import { type Execute, type Insn, type Operands, type SpecReference, trapping } from "./insn.ts";

/** How an ordering is written, and its two bits: acquire, release. */
const ORDERINGS = { "": "00", ".aq": "10", ".rl": "01", ".aqrl": "11" } as const;
type Ordering = keyof typeof ORDERINGS;

type AtomicForm = "atomic" | "loadReserved";
type AllOrderings<Name extends string, F extends AtomicForm> = {
  readonly [M in `${Name}${Ordering}`]: Insn<F>;
};

/** The four records of an instruction whose diagram has a place for the ordering. */
function inAllOrderings<Name extends string, F extends AtomicForm>(
  name: Name,
  form: F,
  diagram: string,
  spec: SpecReference,
  execute: Execute,
): AllOrderings<Name, F> {
  const records = Object.entries(ORDERINGS).map(([suffix, bits]) => [
    `${name}${suffix}`,
    trapping(form)(diagram.replace("aqrl", bits), spec, execute),
  ]);
  return Object.fromEntries(records) as AllOrderings<Name, F>;
}

/** Both widths of an instruction: words in `.w`, doublewords in `.d`. */
const WIDTHS = { w: { widthBytes: 4, bits: "010" }, d: { widthBytes: 8, bits: "011" } } as const;
type WidthLetter = keyof typeof WIDTHS;

/** What is written, from what was read and register `rs2`; both signed, as wide as the access. */
type Change = (old: bigint, operand: bigint) => bigint;

/** An operation on memory. @spec norm:amo_operand_size */
function amo<Name extends string, W extends WidthLetter>(
  name: Name,
  width: W,
  opcode: string,
  change: Change,
) {
  const { widthBytes, bits } = WIDTHS[width];
  const execute: Execute = (hart, { rd, rs1, rs2 }: Operands) => {
    const operand = BigInt.asIntN(widthBytes * 8, hart.x[rs2]);
    return hart.modifyMemory(rd, hart.x[rs1], widthBytes, (old) => change(old, operand));
  };
  const diagram = `${opcode} aqrl rs2 rs1 ${bits} rd 0101111`;
  return inAllOrderings(`amo${name}.${width}`, "atomic", diagram, "norm:amo_operand_size", execute);
}

function loadReserved<W extends WidthLetter>(width: W) {
  const { widthBytes, bits } = WIDTHS[width];
  const diagram = `00010 aqrl 00000 rs1 ${bits} rd 0101111`;
  return inAllOrderings(`lr.${width}`, "loadReserved", diagram, "norm:lr_w_op", (hart, { rd, rs1 }) =>
    hart.loadReserved(rd, hart.x[rs1], widthBytes),
  );
}

function storeConditional<W extends WidthLetter>(width: W) {
  const { widthBytes, bits } = WIDTHS[width];
  const diagram = `00011 aqrl rs2 rs1 ${bits} rd 0101111`;
  return inAllOrderings(`sc.${width}`, "atomic", diagram, "norm:sc_w_success", (hart, { rd, rs1, rs2 }) =>
    hart.storeConditional(rd, hart.x[rs1], rs2, widthBytes),
  );
}

const swap: Change = (_, operand) => operand;
const add: Change = (old, operand) => old + operand;
const xor: Change = (old, operand) => old ^ operand;
const and: Change = (old, operand) => old & operand;
const or: Change = (old, operand) => old | operand;
const minimum: Change = (old, operand) => (old < operand ? old : operand);
const maximum: Change = (old, operand) => (old < operand ? operand : old);
/** Sign extension keeps the unsigned order of words, so 64 bits compare both widths. */
const isBelow = (a: bigint, b: bigint): boolean => BigInt.asUintN(64, a) < BigInt.asUintN(64, b);
const minimumUnsigned: Change = (old, operand) => (isBelow(old, operand) ? old : operand);
const maximumUnsigned: Change = (old, operand) => (isBelow(old, operand) ? operand : old);

/** Atomic instructions. @spec unpriv §"A Extension for Atomic Instructions" */
export const a = {
  ...loadReserved("w"),
  ...storeConditional("w"),
  ...amo("swap", "w", "00001", swap),
  ...amo("add", "w", "00000", add),
  ...amo("xor", "w", "00100", xor),
  ...amo("and", "w", "01100", and),
  ...amo("or", "w", "01000", or),
  ...amo("min", "w", "10000", minimum),
  ...amo("max", "w", "10100", maximum),
  ...amo("minu", "w", "11000", minimumUnsigned),
  ...amo("maxu", "w", "11100", maximumUnsigned),
  ...loadReserved("d"),
  ...storeConditional("d"),
  ...amo("swap", "d", "00001", swap),
  ...amo("add", "d", "00000", add),
  ...amo("xor", "d", "00100", xor),
  ...amo("and", "d", "01100", and),
  ...amo("or", "d", "01000", or),
  ...amo("min", "d", "10000", minimum),
  ...amo("max", "d", "10100", maximum),
  ...amo("minu", "d", "11000", minimumUnsigned),
  ...amo("maxu", "d", "11100", maximumUnsigned),
} as const satisfies Record<string, Insn>;
