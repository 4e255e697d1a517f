/**
 * Operand forms: how the operands of an instruction are written, once for both assemblers and the disassembler.
 */

import type { CsrName } from "./csr-map.ts";
import type { FieldName } from "./encoding.ts";
import type { RegisterName } from "./register.ts";

/**
 * What stands at one place of an instruction's text.
 * - `register`: an integer register
 * - `immediate`: a number in the field's range
 * - `upper`: the upper 20 bits, as LUI and AUIPC write them
 * - `target`: a label, an address, or `.+8`
 * - `csr`: a CSR by name or number
 * - `fence`: a set out of `iorw`
 */
export type OperandKind = "register" | "immediate" | "upper" | "target" | "csr" | "fence";

/** One operand: the encoding's field that it fills, and how it is written. */
export interface OperandSlot {
  readonly field: FieldName;
  readonly kind: OperandKind;
}

const register = (field: FieldName): OperandSlot => ({ field, kind: "register" });
const immediate = (field: FieldName): OperandSlot => ({ field, kind: "immediate" });
const RD = register("rd");
const RS1 = register("rs1");
const RS2 = register("rs2");
const IMM = immediate("imm");

/** A form: its operands in order, and the text around them, where `%` stands for the next operand. */
export interface FormShape {
  readonly text: string;
  readonly operands: readonly OperandSlot[];
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
}
