/** The cold tier's operations: what the numbers in slots mean. */
import type { Decoded } from "../../../isa/decode.ts";
import { INSTRUCTIONS, type Mnemonic } from "../../../isa/instructions.ts";
import { COMPRESSED } from "../emit/compressed.ts";
import type { Emitter } from "../emit/emitter.ts";
import { emitterOf, OPS, type Op } from "../emit/table.ts";
import { hasImmediate, isSourceInPlaceOfRd } from "./slot.ts";

/** Nothing is known of this halfword yet. */
export const OP_UNDECODED = 0;
/** The slow path executes it. */
export const OP_SLOW = 1;
/** Nothing happens in 2 bytes, or in 4. */
export const OP_NOTHING_2 = 2;
export const OP_NOTHING_4 = 3;
/** The instruction goes on in the next page; its own op is in a slot behind the page's. */
export const OP_ACROSS = 4;
/** The first number of an op with an emitter. */
export const FIRST_OP = 5;

/**
 * Instructions that change the pc have an op for each way to do it, so that what decoding knows need not be asked again:
 * - `forward`, `backward`: within this page; `far`: to another one (branches)
 * - `near`, `far`: within this page, or to another; `callNear`, `callFar`: with a link that says that it is a call; `link`:
 *   with another link (JAL)
 * - `jump`, `return`, `call`, `link`: the same to what a register holds (JALR)
 */
export type Variant =
  | ("forward" | "backward" | "far")
  | ("near" | "callNear" | "callFar" | "link")
  | ("jump" | "return" | "call");

/** One operation. */
export interface InterpreterOp {
  /** Name in the emitters' table; `c.` before it for the form of 2 bytes, the variant behind it. */
  readonly name: string;
  readonly number: number;
  readonly sizeBytes: 2 | 4;
  readonly emitter: Emitter;
  readonly variant: Variant | undefined;
  /** Whether `rs2` stands in place of `rd`. */
  readonly isSourceFirst: boolean;
  /** Whether the slot holds an immediate. */
  readonly hasImmediate: boolean;
}

const VARIANTS: { readonly [K in Emitter["kind"]]?: readonly Variant[] } = {
  branch: ["forward", "backward", "far"],
  jump: ["near", "far", "callNear", "callFar", "link"],
  jumpRegister: ["jump", "return", "call", "link"],
};

/** Compressed instructions are these, and simpler cases of them. */
const HAS_SHORT_FORM: ReadonlySet<string> = new Set([
  ...Object.values(COMPRESSED),
  ...["li", "mv", "mv2", "sext.w", "beqz", "bnez", "privileged"],
]);

const RA = 1;
const T0 = 5;
/** Registers by which calls link, and returns come back. @spec unpriv §"Unconditional Jumps" */
const isLink = (register: number): boolean => register === RA || register === T0;

/** The instruction whose operands a name has; undefined for simpler cases. */
function mnemonicOf(name: string): Mnemonic | undefined {
  const plain = name.replace(/\.(rtz|rdn|rup|rmm)$/, "");
  return plain in INSTRUCTIONS ? (plain as Mnemonic) : undefined;
}

/** The orderings of an atomic instruction do the same, so one op does for them. */
const withoutOrdering = (name: string): string => name.replace(/\.(aq|rl|aqrl)$/, "");

const nameOf = (name: string, sizeBytes: 2 | 4): string =>
  sizeBytes === 2 ? `c.${name}` : withoutOrdering(name);

function formsOf(name: string, emitter: Emitter): Omit<InterpreterOp, "number">[] {
  if (emitter.kind === "nothing" || withoutOrdering(name) !== name) return [];
  const mnemonic = mnemonicOf(name);
  const isSourceFirst = mnemonic !== undefined && isSourceInPlaceOfRd(mnemonic);
  const sizes = HAS_SHORT_FORM.has(name) ? ([4, 2] as const) : ([4] as const);
  return sizes.flatMap((sizeBytes) =>
    (VARIANTS[emitter.kind] ?? [undefined]).map((variant) => ({
      name: nameOf(name, sizeBytes) + (variant === undefined ? "" : `/${variant}`),
      sizeBytes,
      emitter,
      variant,
      isSourceFirst,
      hasImmediate: mnemonic !== undefined && hasImmediate(mnemonic),
    })),
  );
}

/** All of them, in the order of their numbers, from `FIRST_OP`. */
export const INTERPRETER_OPS: readonly InterpreterOp[] = OPS.flatMap(({ name, emitter }) =>
  formsOf(name, emitter),
).map((form, index) => ({ ...form, number: FIRST_OP + index }));

/** The first number behind them: where pairs begin. */
export const FIRST_PAIR: number = FIRST_OP + INTERPRETER_OPS.length;

const BY_NAME: ReadonlyMap<string, InterpreterOp> = new Map(INTERPRETER_OPS.map((op) => [op.name, op]));

/** The op of a name. A name that no op has is our bug, and throws. */
export function opNamed(name: string): InterpreterOp {
  const op = BY_NAME.get(name);
  if (op === undefined) throw new RangeError(`no op ${name}`);
  return op;
}

const SIZES: Uint8Array = new Uint8Array(FIRST_PAIR);
const GO_ON: Uint8Array = new Uint8Array(FIRST_PAIR);
GO_ON[OP_NOTHING_2] = 1;
GO_ON[OP_NOTHING_4] = 1;
for (const { number, sizeBytes, variant, emitter } of INTERPRETER_OPS) {
  SIZES[number] = sizeBytes;
  GO_ON[number] = variant === undefined && emitter.kind !== "privileged" ? 1 : 0;
}

/** Bytes of the instructions of an op; 0 for numbers that are no instruction's own, and for pairs. */
export const sizeOf = (op: number): number => SIZES[op] ?? 0;

/** Whether control always goes on with the following instruction, unless it traps. */
export const goesOn = (op: number): boolean => GO_ON[op] === 1;

/** The op that executes an instruction; the slow path does where there is none. */
export type OpChoice =
  | { readonly kind: "fixed"; readonly number: number }
  /** A branch or jump by an offset has the first op if its target is in its page, ahead; the second if behind; else the third. */
  | { readonly kind: "offset"; readonly ahead: number; readonly behind: number; readonly far: number }
  /** The instruction word is the operand. */
  | { readonly kind: "word"; readonly number: number };

const fixed = (number: number): OpChoice => ({ kind: "fixed", number });

const SLOW = fixed(OP_SLOW);
/** What instructions are executed by whose registers make no difference, by index of what they are translated as, and by size. */
const usual: (OpChoice | undefined)[] = [];

/** How an instruction is executed. Words that mean nothing go to the slow path, and so do loads whose value nobody keeps: they may fault. */
export function opOf(decoded: Decoded): OpChoice {
  const found = emitterOf(decoded);
  if (found === undefined) return SLOW;
  const { kind } = found.emitter;
  if (kind === "load" && decoded.rd === 0) return SLOW;
  if (kind === "jump") return jump(nameOf(found.name, decoded.sizeBytes), decoded.rd);
  if (kind === "jumpRegister") {
    const name = nameOf(found.name, decoded.sizeBytes);
    return fixed(opNamed(`${name}/${registerVariant(decoded)}`).number);
  }
  const at = 2 * found.index + (decoded.sizeBytes === 2 ? 1 : 0);
  const known = usual[at];
  if (known !== undefined) return known;
  const choice = usualOf(found, decoded.sizeBytes);
  usual[at] = choice;
  return choice;
}

function usualOf({ name, emitter }: Op, sizeBytes: 2 | 4): OpChoice {
  switch (emitter.kind) {
    case "nothing":
      return fixed(sizeBytes === 2 ? OP_NOTHING_2 : OP_NOTHING_4);
    case "branch":
      return byOffset(nameOf(name, sizeBytes), "forward", "backward", "far");
    case "privileged":
      return { kind: "word", number: opNamed(nameOf(name, sizeBytes)).number };
    default:
      return fixed(opNamed(nameOf(name, sizeBytes)).number);
  }
}

const byOffset = (name: string, ahead: Variant, behind: Variant, far: Variant): OpChoice => ({
  kind: "offset",
  ahead: opNamed(`${name}/${ahead}`).number,
  behind: opNamed(`${name}/${behind}`).number,
  far: opNamed(`${name}/${far}`).number,
});

function jump(name: string, rd: number): OpChoice {
  if (rd === 0) return byOffset(name, "near", "near", "far");
  if (isLink(rd)) return byOffset(name, "callNear", "callNear", "callFar");
  return byOffset(name, "link", "link", "link");
}

function registerVariant({ rd, rs1 }: Decoded): Variant {
  if (isLink(rd)) return "call";
  if (rd !== 0) return "link";
  return isLink(rs1) ? "return" : "jump";
}
