/**
 * What floating-point instructions of both precisions share: when they may run, which rounding mode they use, and how
 * operands come out of registers and results go back.
 */
import type { Form } from "./form.ts";
import {
  type ExecContext,
  type Execute,
  type Insn,
  illegalInstruction,
  type SpecReference,
  trapping,
} from "./insn.ts";
import type { Comparison } from "./softfloat/comparison.ts";
import { classify } from "./softfloat/comparison.ts";
import {
  boxed,
  fromInteger,
  type IntegerFormat,
  toFormat,
  toInteger,
  unboxed,
} from "./softfloat/conversion.ts";
import { BINARY32, BINARY64, type FloatFormat } from "./softfloat/format.ts";
import { type FloatResult, Rounding } from "./softfloat/rounding.ts";

/** A precision: its format, and how its words sit in 64-bit registers. */
export interface Precision {
  readonly format: FloatFormat;
  readonly widthBytes: 4 | 8;
  /** The word in a register. */
  read(register: bigint): bigint;
  /** A register that holds a word. */
  write(word: bigint): bigint;
}

/** Single precision sits boxed in the lower half. @spec norm:fp_nan-boxing */
export const SINGLE: Precision = {
  format: BINARY32,
  widthBytes: 4,
  read: (register) => unboxed(register, BINARY32),
  write: boxed,
};

/** Double precision fills a register. */
export const DOUBLE: Precision = {
  format: BINARY64,
  widthBytes: 8,
  read: (register) => register,
  write: (word) => word,
};

/** Makes records of one form that need the floating-point unit: with `mstatus.FS` Off they are illegal. @spec norm:mstatus_fs_vs_xs_off_op */
export const floating =
  <F extends Form>(form: F) =>
  (diagram: string, spec: SpecReference, execute: Execute): Insn<F> =>
    trapping(form)(diagram, spec, (hart, operands) =>
      hart.floatIsOn ? execute(hart, operands) : illegalInstruction(operands),
    );

const RM_LSB = 12;
const RM_MASK = 7;
const DYNAMIC = 7;

/** The mode that an instruction rounds in: its own, or that of `frm`; `undefined` for a reserved one. @spec norm:roundingmode_dynamic */
function roundingOf(hart: ExecContext, word: number): Rounding | undefined {
  const own = (word >>> RM_LSB) & RM_MASK;
  const mode = own === DYNAMIC ? hart.dynamicRounding : own;
  return mode <= Rounding.RMM ? (mode as Rounding) : undefined;
}

/** Semantics that round; a reserved mode makes the instruction illegal, needed or not. @spec norm:roundingmode_rsv */
const rounding =
  (execute: (hart: ExecContext, operands: Parameters<Execute>[1], mode: Rounding) => void): Execute =>
  (hart, operands) => {
    const mode = roundingOf(hart, operands.word);
    if (mode === undefined) return illegalInstruction(operands);
    execute(hart, operands, mode);
    return undefined;
  };

/** An operation on up to three words of a format. */
type Operation = (of: FloatFormat, a: bigint, b: bigint, c: bigint, mode: Rounding) => FloatResult;

/** Reads three operands (those that an instruction does not have are f0), rounds once, writes one. */
export const arithmetic = ({ format, read, write }: Precision, operation: Operation): Execute =>
  rounding((hart, { rd, rs1, rs2, rs3 }, mode) => {
    const { f } = hart;
    const { word, flags } = operation(format, read(f[rs1]), read(f[rs2]), read(f[rs3]), mode);
    hart.setFloat(rd, write(word));
    hart.accrueFlags(flags);
  });

/** The smaller or the larger of two numbers. */
export const selection =
  ({ format, read, write }: Precision, select: Comparison): Execute =>
  (hart, { rd, rs1, rs2 }) => {
    const { word, flags } = select(format, read(hart.f[rs1]), read(hart.f[rs2]));
    hart.setFloat(rd, write(word));
    hart.accrueFlags(flags);
    return undefined;
  };

/** A comparison into an integer register. */
export const comparison =
  ({ format, read }: Precision, compare: Comparison): Execute =>
  (hart, { rd, rs1, rs2 }) => {
    const { word, flags } = compare(format, read(hart.f[rs1]), read(hart.f[rs2]));
    hart.x[rd] = word;
    hart.accrueFlags(flags);
    return undefined;
  };

/** Bits out of two words, with no flag: sign injection. */
export const injection =
  ({ format, read, write }: Precision, inject: (of: FloatFormat, a: bigint, b: bigint) => bigint): Execute =>
  (hart, { rd, rs1, rs2 }) => {
    hart.setFloat(rd, write(inject(format, read(hart.f[rs1]), read(hart.f[rs2]))));
    return undefined;
  };

/** The class of a number as a bit in an integer register. */
export const classification =
  ({ format, read }: Precision): Execute =>
  (hart, { rd, rs1 }) => {
    hart.x[rd] = classify(format, read(hart.f[rs1]));
    return undefined;
  };

/** A number as an integer. Results of 32 bits are sign-extended, unsigned ones too. @spec norm:fcvt-w-d_fcvt-wu-d_sign_ext */
export const conversionToInteger = ({ format, read }: Precision, to: IntegerFormat): Execute =>
  rounding((hart, { rd, rs1 }, mode) => {
    const { word, flags } = toInteger(format, read(hart.f[rs1]), to, mode);
    hart.x[rd] = BigInt.asIntN(to.widthBits, word);
    hart.accrueFlags(flags);
  });

/** An integer as a number. */
export const conversionFromInteger = ({ format, write }: Precision, from: IntegerFormat): Execute =>
  rounding((hart, { rd, rs1 }, mode) => {
    const integer = from.isSigned
      ? BigInt.asIntN(from.widthBits, hart.x[rs1])
      : BigInt.asUintN(from.widthBits, hart.x[rs1]);
    const { word, flags } = fromInteger(format, integer, mode);
    hart.setFloat(rd, write(word));
    hart.accrueFlags(flags);
  });

/** A number in another precision. */
export const conversion = (from: Precision, to: Precision): Execute =>
  rounding((hart, { rd, rs1 }, mode) => {
    const { word, flags } = toFormat(from.format, from.read(hart.f[rs1]), to.format, mode);
    hart.setFloat(rd, to.write(word));
    hart.accrueFlags(flags);
  });

/** A load; what it reads is bits, not a number, and raises no flag. */
export const loading =
  ({ widthBytes }: Precision): Execute =>
  (hart, { rd, rs1, imm }) =>
    hart.loadFloat(rd, hart.x[rs1] + imm, widthBytes);

/** A store of the low bits of a register, boxed or not. @spec norm:fsw_flw_op @spec norm:fsd_op */
export const storing =
  ({ widthBytes }: Precision): Execute =>
  (hart, { rs1, rs2, imm }) =>
    hart.storeFloat(hart.x[rs1] + imm, rs2, widthBytes);

/** Bits of a floating-point register into an integer register, sign-extended. @spec norm:fmv-x-w_op @spec norm:fmv-x-d_op */
export const moveToInteger =
  ({ widthBytes }: Precision): Execute =>
  (hart, { rd, rs1 }) => {
    hart.x[rd] = BigInt.asIntN(widthBytes * 8, hart.f[rs1]);
    return undefined;
  };

/** Bits of an integer register into a floating-point register. @spec norm:fmv-w-x_op @spec norm:fmv-d-x_op */
export const moveFromInteger =
  ({ format, write }: Precision): Execute =>
  (hart, { rd, rs1 }) => {
    hart.setFloat(rd, write(BigInt.asUintN(format.widthBits, hart.x[rs1])));
    return undefined;
  };
