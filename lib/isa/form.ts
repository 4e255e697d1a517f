/**
 * Operand forms: how the operands of an instruction are written, once for both assemblers and the disassembler.
 */

import type { CsrName } from "./csr-map.ts";
import type { FieldName } from "./encoding.ts";
import type { CompressedFloatRegisterName, FloatRegisterName } from "./float-register.ts";
import type { CompressedRegisterName, RegisterName } from "./register.ts";

/**
 * What stands at one place of an instruction's text.
 * - `register`: an integer register
 * - `float`: a floating-point register
 * - `sp`: the stack pointer, which the encoding implies
 * - `immediate`: a number in the field's range
 * - `upper`: the upper 20 bits, as LUI and AUIPC write them
 * - `target`: a label, an address, or `.+8`
 * - `csr`: a CSR by name or number
 * - `fence`: a set out of `iorw`
 * - `rounding`: a rounding mode
 */
export type OperandKind =
  | ("register" | "float" | "sp")
  | ("immediate" | "upper" | "target")
  | ("csr" | "fence" | "rounding");

/** One operand: the encoding's field that it fills, and how it is written. */
export interface OperandSlot {
  readonly field: FieldName;
  readonly kind: OperandKind;
}

const register = (field: FieldName): OperandSlot => ({ field, kind: "register" });
const float = (field: FieldName): OperandSlot => ({ field, kind: "float" });
const immediate = (field: FieldName): OperandSlot => ({ field, kind: "immediate" });
const target = (field: FieldName): OperandSlot => ({ field, kind: "target" });
const RD = register("rd");
const RS1 = register("rs1");
const RS2 = register("rs2");
const IMM = immediate("imm");
const UIMM = immediate("uimm");
const FRD = float("rd");
const FRS1 = float("rs1");
const FRS2 = float("rs2");
const FRS3 = float("rs3");
const RM: OperandSlot = { field: "rm", kind: "rounding" };
const SP: OperandSlot = { field: "rs1", kind: "sp" };

/** `rm` for "as `frm` says". */
const DYNAMIC = 7;
/** `rm` for "to nearest, ties to even": what assemblers write where nothing is ever rounded. */
const NEAREST_EVEN = 0;

/** A form: its operands in order, and the text around them, where `%` stands for the next operand. */
export interface FormShape {
  readonly text: string;
  readonly operands: readonly OperandSlot[];
  /** The last operand is not written when its bits are these. */
  readonly usualLast?: number;
}

/** All operand forms. */
export const FORMS = {
  none: { text: "", operands: [] },
  registers: { text: "%, %, %", operands: [RD, RS1, RS2] },
  immediate: { text: "%, %, %", operands: [RD, RS1, IMM] },
  shift: { text: "%, %, %", operands: [RD, RS1, immediate("shamt")] },
  load: { text: "%, %(%)", operands: [RD, IMM, RS1] },
  store: { text: "%, %(%)", operands: [RS2, IMM, RS1] },
  branch: { text: "%, %, %", operands: [RS1, RS2, { field: "imm", kind: "target" }] },
  jump: { text: "%, %", operands: [RD, { field: "imm", kind: "target" }] },
  upper: { text: "%, %", operands: [RD, { field: "imm", kind: "upper" }] },
  csr: { text: "%, %, %", operands: [RD, { field: "csr", kind: "csr" }, RS1] },
  csrImmediate: { text: "%, %, %", operands: [RD, { field: "csr", kind: "csr" }, immediate("uimm")] },
  fence: {
    text: "%, %",
    operands: [
      { field: "pred", kind: "fence" },
      { field: "succ", kind: "fence" },
    ],
  },
  addressFence: { text: "%, %", operands: [RS1, RS2] },
  handler: { text: "%", operands: [UIMM] },

  unary: { text: "%, %", operands: [RD, RS1] },
  loadReserved: { text: "%, (%)", operands: [RD, RS1] },
  storeAt: { text: "%, (%)", operands: [RS2, RS1] },
  atomic: { text: "%, %, (%)", operands: [RD, RS2, RS1] },

  floatLoad: { text: "%, %(%)", operands: [FRD, IMM, RS1] },
  floatStore: { text: "%, %(%)", operands: [FRS2, IMM, RS1] },
  floatUnary: { text: "%, %, %", operands: [FRD, FRS1, RM], usualLast: DYNAMIC },
  floatBinary: { text: "%, %, %, %", operands: [FRD, FRS1, FRS2, RM], usualLast: DYNAMIC },
  floatFused: { text: "%, %, %, %, %", operands: [FRD, FRS1, FRS2, FRS3, RM], usualLast: DYNAMIC },
  floatPair: { text: "%, %, %", operands: [FRD, FRS1, FRS2] },
  floatCompare: { text: "%, %, %", operands: [RD, FRS1, FRS2] },
  floatToInteger: { text: "%, %", operands: [RD, FRS1] },
  floatRoundToInteger: { text: "%, %, %", operands: [RD, FRS1, RM], usualLast: DYNAMIC },
  floatFromInteger: { text: "%, %, %", operands: [FRD, RS1, RM], usualLast: DYNAMIC },
  floatWiden: { text: "%, %, %", operands: [FRD, FRS1, RM], usualLast: NEAREST_EVEN },
  floatWidenInteger: { text: "%, %, %", operands: [FRD, RS1, RM], usualLast: NEAREST_EVEN },
  floatMoveFromInteger: { text: "%, %", operands: [FRD, RS1] },

  hint: { text: "%", operands: [IMM], usualLast: 0 },
  compressedImmediate: { text: "%, %", operands: [RD, IMM] },
  compressedSmallImmediate: { text: "%, %", operands: [register("rd'"), IMM] },
  compressedUpper: { text: "%, %", operands: [RD, { field: "nzimm", kind: "upper" }] },
  compressedShift: { text: "%, %", operands: [RD, immediate("shamt")] },
  compressedSmallShift: { text: "%, %", operands: [register("rd'"), immediate("shamt")] },
  compressedPair: { text: "%, %", operands: [RD, RS2] },
  compressedSmallPair: { text: "%, %", operands: [register("rd'"), register("rs2'")] },
  compressedJump: { text: "%", operands: [target("imm")] },
  compressedBranch: { text: "%, %", operands: [register("rs1'"), target("imm")] },
  compressedJumpRegister: { text: "%", operands: [RS1] },
  compressedLoad: { text: "%, %(%)", operands: [register("rd'"), UIMM, register("rs1'")] },
  compressedStore: { text: "%, %(%)", operands: [register("rs2'"), UIMM, register("rs1'")] },
  compressedFloatLoad: { text: "%, %(%)", operands: [float("rd'"), UIMM, register("rs1'")] },
  compressedFloatStore: { text: "%, %(%)", operands: [float("rs2'"), UIMM, register("rs1'")] },
  stackLoad: { text: "%, %(%)", operands: [RD, UIMM, SP] },
  stackStore: { text: "%, %(%)", operands: [RS2, UIMM, SP] },
  stackFloatLoad: { text: "%, %(%)", operands: [FRD, UIMM, SP] },
  stackFloatStore: { text: "%, %(%)", operands: [FRS2, UIMM, SP] },
  stackAddress: { text: "%, %, %", operands: [register("rd'"), SP, immediate("nzuimm")] },
  stackPointer: { text: "%, %", operands: [SP, immediate("nzimm")] },
} as const satisfies Record<string, FormShape>;

/** Name of an operand form. */
export type Form = keyof typeof FORMS;

/** A number in an instruction: both `5` and `5n` will do. */
export type Immediate = number | bigint;
/** A place in the program: a label, `.+8` (bytes from this instruction), or an absolute address such as `0x8000_0000n`. */
export type Target = string | bigint;
/** A CSR: its name, or its 12-bit number. */
export type CsrOperand = CsrName | number;
/** Which accesses a fence orders: device input, output, memory reads, writes. */
export type FenceSet =
  | "i"
  | "o"
  | "r"
  | "w"
  | "io"
  | "rw"
  | "iorw"
  | "ir"
  | "ow"
  | "or"
  | "iw"
  | "ior"
  | "iow"
  | "irw"
  | "orw";

/** How to round: to nearest (ties to even, or away from zero), towards zero, down, up, or as `frm` says. */
export type RoundingName = "rne" | "rtz" | "rdn" | "rup" | "rmm" | "dyn";

/** The operands of each form as the typed assembler takes them. */
export interface FormOperands {
  none: [];
  registers: [rd: RegisterName, rs1: RegisterName, rs2: RegisterName];
  immediate: [rd: RegisterName, rs1: RegisterName, imm: Immediate];
  shift: [rd: RegisterName, rs1: RegisterName, shamt: Immediate];
  load: [rd: RegisterName, offset: Immediate, base: RegisterName];
  store: [rs2: RegisterName, offset: Immediate, base: RegisterName];
  branch: [rs1: RegisterName, rs2: RegisterName, target: Target];
  jump: [rd: RegisterName, target: Target];
  upper: [rd: RegisterName, upper20: Immediate];
  csr: [rd: RegisterName, csr: CsrOperand, rs1: RegisterName];
  csrImmediate: [rd: RegisterName, csr: CsrOperand, uimm: Immediate];
  fence: [predecessors?: FenceSet, successors?: FenceSet];
  addressFence: [vaddr?: RegisterName, asid?: RegisterName];
  handler: [number: Immediate];

  unary: [rd: RegisterName, rs: RegisterName];
  loadReserved: [rd: RegisterName, address: RegisterName];
  storeAt: [rs2: RegisterName, address: RegisterName];
  atomic: [rd: RegisterName, rs2: RegisterName, address: RegisterName];

  floatLoad: [rd: FloatRegisterName, offset: Immediate, base: RegisterName];
  floatStore: [rs2: FloatRegisterName, offset: Immediate, base: RegisterName];
  floatUnary: [rd: FloatRegisterName, rs1: FloatRegisterName, rounding?: RoundingName];
  floatBinary: [
    rd: FloatRegisterName,
    rs1: FloatRegisterName,
    rs2: FloatRegisterName,
    rounding?: RoundingName,
  ];
  floatFused: [
    rd: FloatRegisterName,
    rs1: FloatRegisterName,
    rs2: FloatRegisterName,
    rs3: FloatRegisterName,
    rounding?: RoundingName,
  ];
  floatPair: [rd: FloatRegisterName, rs1: FloatRegisterName, rs2: FloatRegisterName];
  floatCompare: [rd: RegisterName, rs1: FloatRegisterName, rs2: FloatRegisterName];
  floatToInteger: [rd: RegisterName, rs: FloatRegisterName];
  floatRoundToInteger: [rd: RegisterName, rs: FloatRegisterName, rounding?: RoundingName];
  floatFromInteger: [rd: FloatRegisterName, rs: RegisterName, rounding?: RoundingName];
  floatWiden: [rd: FloatRegisterName, rs: FloatRegisterName, rounding?: RoundingName];
  floatWidenInteger: [rd: FloatRegisterName, rs: RegisterName, rounding?: RoundingName];
  floatMoveFromInteger: [rd: FloatRegisterName, rs: RegisterName];

  hint: [hint?: Immediate];
  compressedImmediate: [rd: RegisterName, imm: Immediate];
  compressedSmallImmediate: [rd: CompressedRegisterName, imm: Immediate];
  compressedUpper: [rd: RegisterName, upper20: Immediate];
  compressedShift: [rd: RegisterName, shamt: Immediate];
  compressedSmallShift: [rd: CompressedRegisterName, shamt: Immediate];
  compressedPair: [rd: RegisterName, rs2: RegisterName];
  compressedSmallPair: [rd: CompressedRegisterName, rs2: CompressedRegisterName];
  compressedJump: [target: Target];
  compressedBranch: [rs: CompressedRegisterName, target: Target];
  compressedJumpRegister: [rs: RegisterName];
  compressedLoad: [rd: CompressedRegisterName, offset: Immediate, base: CompressedRegisterName];
  compressedStore: [rs2: CompressedRegisterName, offset: Immediate, base: CompressedRegisterName];
  compressedFloatLoad: [rd: CompressedFloatRegisterName, offset: Immediate, base: CompressedRegisterName];
  compressedFloatStore: [rs2: CompressedFloatRegisterName, offset: Immediate, base: CompressedRegisterName];
  stackLoad: [rd: RegisterName, offset: Immediate, base: "sp"];
  stackStore: [rs2: RegisterName, offset: Immediate, base: "sp"];
  stackFloatLoad: [rd: FloatRegisterName, offset: Immediate, base: "sp"];
  stackFloatStore: [rs2: FloatRegisterName, offset: Immediate, base: "sp"];
  stackAddress: [rd: CompressedRegisterName, base: "sp", offset: Immediate];
  stackPointer: [base: "sp", offset: Immediate];
}
