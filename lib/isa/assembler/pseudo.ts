/** Pseudo-instructions: names for common instructions and short sequences. */
import { asI64, fitsSigned, fitsUnsigned } from "../../bits/int64.ts";
import type { FloatRegisterName } from "../float-register.ts";
import type { CsrOperand, Immediate, Target } from "../form.ts";
import type { Mnemonic } from "../instructions.ts";
import type { RegisterName } from "../register.ts";
import { isMistake, type Mistake, mistake } from "./mistake.ts";
import { integerOperand, type OperandValue, type Place } from "./operand.ts";

/** One real instruction of an expansion. */
export type Expanded = readonly [mnemonic: Mnemonic, ...operands: OperandValue[]];

/** Operands of pseudo-instructions as the typed assembler takes them. */
export interface PseudoOperands {
  none: [];
  constant: [rd: RegisterName, value: Immediate];
  address: [rd: RegisterName, target: Target];
  move: [rd: RegisterName, rs: RegisterName];
  branchZero: [rs: RegisterName, target: Target];
  branchSwapped: [rs1: RegisterName, rs2: RegisterName, target: Target];
  target: [target: Target];
  register: [rs: RegisterName];
  destination: [rd: RegisterName];
  csrRead: [rd: RegisterName, csr: CsrOperand];
  csrWrite: [csr: CsrOperand, rs: RegisterName];
  csrWriteImmediate: [csr: CsrOperand, uimm: Immediate];
  floatMove: [rd: FloatRegisterName, rs: FloatRegisterName];
  floatCompareSwapped: [rd: RegisterName, rs1: FloatRegisterName, rs2: FloatRegisterName];
}
/** Name of a pseudo-instruction's operand form. */
export type PseudoForm = keyof PseudoOperands;

/** Number of operands of each form; also the list of operands that are registers, targets, CSRs or numbers, in letters. */
export const PSEUDO_OPERANDS = {
  none: "",
  constant: "ri",
  address: "rt",
  move: "rr",
  branchZero: "rt",
  branchSwapped: "rrt",
  target: "t",
  register: "r",
  destination: "r",
  csrRead: "rc",
  csrWrite: "cr",
  csrWriteImmediate: "ci",
  floatMove: "rr",
  floatCompareSwapped: "rrr",
} as const satisfies Record<PseudoForm, string>;

/** A pseudo-instruction. */
export interface Pseudo<F extends PseudoForm = PseudoForm> {
  readonly form: F;
  /** Number of instructions that it becomes; must not depend on where labels are. */
  readonly count: (operands: readonly OperandValue[]) => number;
  readonly expand: (operands: readonly OperandValue[], place: Place) => readonly Expanded[] | Mistake;
}

const one = <F extends PseudoForm>(
  form: F,
  expand: (...operands: OperandValue[]) => Expanded,
): Pseudo<F> => ({
  form,
  count: () => 1,
  expand: (operands) => [expand(...operands)],
});

/**
 * The shortest usual sequence that puts a 64-bit constant into a register: build the upper part, shift, add 12 bits.
 *
 * @param value  64 bits, two's complement.
 */
export function loadConstant(rd: OperandValue, value: bigint): readonly Expanded[] {
  const low = BigInt.asIntN(12, value);
  if (low === value) return [["addi", rd, "zero", value]];
  const rest = asI64(value - low);
  if (fitsSigned(value, 32)) {
    const upper: Expanded = ["lui", rd, BigInt.asUintN(20, rest >> 12n)];
    return low === 0n ? [upper] : [upper, ["addiw", rd, rd, low]];
  }
  let shift = 12n;
  while (((rest >> shift) & 1n) === 0n) shift += 1n;
  const shifted: readonly Expanded[] = [...loadConstant(rd, rest >> shift), ["slli", rd, rd, shift]];
  return low === 0n ? shifted : [...shifted, ["addi", rd, rd, low]];
}

function constantOperands([rd = "", value = 0]: readonly OperandValue[]): readonly Expanded[] | Mistake {
  const constant = integerOperand(value);
  if (isMistake(constant)) return { ...constant, operand: 2 };
  if (!fitsSigned(constant, 64) && !fitsUnsigned(constant, 64))
    return mistake(`li: ${constant} does not fit in 64 bits`, 2);
  return loadConstant(rd, asI64(constant));
}

/** Splits a distance so that `upper << 12` plus the signed `low` 12 bits give it back. */
function relative(target: OperandValue, place: Place): { upper: bigint; low: bigint } | Mistake {
  const address = place.resolve(target);
  if (isMistake(address)) return address;
  const distance = asI64(address - place.address);
  if (!fitsSigned(distance + 0x800n, 32))
    return mistake(`"${target}" is ${distance} bytes away, more than ±2 GiB`);
  const low = BigInt.asIntN(12, distance);
  return { upper: BigInt.asUintN(20, (distance - low) >> 12n), low };
}

/** `auipc` and a second instruction that adds the low 12 bits. */
const farPair = <F extends PseudoForm>(
  form: F,
  targetOperand: number,
  pair: (operands: readonly OperandValue[], upper: bigint, low: bigint) => readonly Expanded[],
): Pseudo<F> => ({
  form,
  count: () => 2,
  expand: (operands, place) => {
    const parts = relative(operands[targetOperand] ?? "", place);
    return isMistake(parts)
      ? { ...parts, operand: targetOperand + 1 }
      : pair(operands, parts.upper, parts.low);
  },
});

/** The pseudo-instructions of the manual that this instruction set can express. @spec norm:nop_op */
export const PSEUDO_INSTRUCTIONS = {
  nop: one("none", () => ["addi", "zero", "zero", 0]),
  li: {
    form: "constant",
    count: (operands) => {
      const expansion = constantOperands(operands);
      return isMistake(expansion) ? 1 : expansion.length;
    },
    expand: constantOperands,
  } satisfies Pseudo<"constant">,
  la: farPair("address", 1, ([rd = ""], upper, low) => [
    ["auipc", rd, upper],
    ["addi", rd, rd, low],
  ]),
  mv: one("move", (rd = "", rs = "") => ["addi", rd, rs, 0]),
  not: one("move", (rd = "", rs = "") => ["xori", rd, rs, -1]),
  neg: one("move", (rd = "", rs = "") => ["sub", rd, "zero", rs]),
  negw: one("move", (rd = "", rs = "") => ["subw", rd, "zero", rs]),
  "sext.w": one("move", (rd = "", rs = "") => ["addiw", rd, rs, 0]),
  seqz: one("move", (rd = "", rs = "") => ["sltiu", rd, rs, 1]),
  snez: one("move", (rd = "", rs = "") => ["sltu", rd, "zero", rs]),
  sltz: one("move", (rd = "", rs = "") => ["slt", rd, rs, "zero"]),
  sgtz: one("move", (rd = "", rs = "") => ["slt", rd, "zero", rs]),
  beqz: one("branchZero", (rs = "", target = "") => ["beq", rs, "zero", target]),
  bnez: one("branchZero", (rs = "", target = "") => ["bne", rs, "zero", target]),
  blez: one("branchZero", (rs = "", target = "") => ["bge", "zero", rs, target]),
  bgez: one("branchZero", (rs = "", target = "") => ["bge", rs, "zero", target]),
  bltz: one("branchZero", (rs = "", target = "") => ["blt", rs, "zero", target]),
  bgtz: one("branchZero", (rs = "", target = "") => ["blt", "zero", rs, target]),
  bgt: one("branchSwapped", (rs1 = "", rs2 = "", target = "") => ["blt", rs2, rs1, target]),
  ble: one("branchSwapped", (rs1 = "", rs2 = "", target = "") => ["bge", rs2, rs1, target]),
  bgtu: one("branchSwapped", (rs1 = "", rs2 = "", target = "") => ["bltu", rs2, rs1, target]),
  bleu: one("branchSwapped", (rs1 = "", rs2 = "", target = "") => ["bgeu", rs2, rs1, target]),
  j: one("target", (target = "") => ["jal", "zero", target]),
  jr: one("register", (rs = "") => ["jalr", "zero", 0, rs]),
  ret: one("none", () => ["jalr", "zero", 0, "ra"]),
  call: farPair("target", 0, (_, upper, low) => [
    ["auipc", "ra", upper],
    ["jalr", "ra", low, "ra"],
  ]),
  tail: farPair("target", 0, (_, upper, low) => [
    ["auipc", "t1", upper],
    ["jalr", "zero", low, "t1"],
  ]),
  csrr: one("csrRead", (rd = "", csr = "") => ["csrrs", rd, csr, "zero"]),
  csrw: one("csrWrite", (csr = "", rs = "") => ["csrrw", "zero", csr, rs]),
  csrs: one("csrWrite", (csr = "", rs = "") => ["csrrs", "zero", csr, rs]),
  csrc: one("csrWrite", (csr = "", rs = "") => ["csrrc", "zero", csr, rs]),
  csrwi: one("csrWriteImmediate", (csr = "", uimm = 0) => ["csrrwi", "zero", csr, uimm]),
  csrsi: one("csrWriteImmediate", (csr = "", uimm = 0) => ["csrrsi", "zero", csr, uimm]),
  csrci: one("csrWriteImmediate", (csr = "", uimm = 0) => ["csrrci", "zero", csr, uimm]),
  rdcycle: one("destination", (rd = "") => ["csrrs", rd, "cycle", "zero"]),
  rdtime: one("destination", (rd = "") => ["csrrs", rd, "time", "zero"]),
  rdinstret: one("destination", (rd = "") => ["csrrs", rd, "instret", "zero"]),
  "zext.b": one("move", (rd = "", rs = "") => ["andi", rd, rs, 255]),
  "zext.w": one("move", (rd = "", rs = "") => ["add.uw", rd, rs, "zero"]),
  "fmv.s": one("floatMove", (rd = "", rs = "") => ["fsgnj.s", rd, rs, rs]),
  "fabs.s": one("floatMove", (rd = "", rs = "") => ["fsgnjx.s", rd, rs, rs]),
  "fneg.s": one("floatMove", (rd = "", rs = "") => ["fsgnjn.s", rd, rs, rs]),
  "fgt.s": one("floatCompareSwapped", (rd = "", rs1 = "", rs2 = "") => ["flt.s", rd, rs2, rs1]),
  "fge.s": one("floatCompareSwapped", (rd = "", rs1 = "", rs2 = "") => ["fle.s", rd, rs2, rs1]),
  "fmv.d": one("floatMove", (rd = "", rs = "") => ["fsgnj.d", rd, rs, rs]),
  "fabs.d": one("floatMove", (rd = "", rs = "") => ["fsgnjx.d", rd, rs, rs]),
  "fneg.d": one("floatMove", (rd = "", rs = "") => ["fsgnjn.d", rd, rs, rs]),
  "fgt.d": one("floatCompareSwapped", (rd = "", rs1 = "", rs2 = "") => ["flt.d", rd, rs2, rs1]),
  "fge.d": one("floatCompareSwapped", (rd = "", rs1 = "", rs2 = "") => ["fle.d", rd, rs2, rs1]),
  frcsr: one("destination", (rd = "") => ["csrrs", rd, "fcsr", "zero"]),
  fscsr: one("register", (rs = "") => ["csrrw", "zero", "fcsr", rs]),
  frrm: one("destination", (rd = "") => ["csrrs", rd, "frm", "zero"]),
  fsrm: one("register", (rs = "") => ["csrrw", "zero", "frm", rs]),
  frflags: one("destination", (rd = "") => ["csrrs", rd, "fflags", "zero"]),
  fsflags: one("register", (rs = "") => ["csrrw", "zero", "fflags", rs]),
} as const satisfies Record<string, Pseudo>;

/** Name of a pseudo-instruction. */
export type PseudoMnemonic = keyof typeof PSEUDO_INSTRUCTIONS;
