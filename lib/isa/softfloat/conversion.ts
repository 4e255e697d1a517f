/** Conversions between the formats, and between floating-point numbers and integers. */
import {
  type FloatFormat,
  infinity,
  isInfinite,
  isNan,
  isNegative,
  isSignalingNan,
  isZero,
  unpack,
  zero,
} from "./format.ts";
import {
  exact,
  FloatFlag,
  type FloatResult,
  invalid,
  type Rounding,
  round,
  roundToInteger,
} from "./rounding.ts";

/** An integer format: how many bits, and whether the highest one is a sign. */
export interface IntegerFormat {
  readonly widthBits: 32 | 64;
  readonly isSigned: boolean;
}

/** 32 bits, signed. */
export const INT32: IntegerFormat = { widthBits: 32, isSigned: true };
/** 32 bits, unsigned. */
export const UINT32: IntegerFormat = { widthBits: 32, isSigned: false };
/** 64 bits, signed. */
export const INT64: IntegerFormat = { widthBits: 64, isSigned: true };
/** 64 bits, unsigned. */
export const UINT64: IntegerFormat = { widthBits: 64, isSigned: false };

/** Smallest and largest integer of a format. */
function limits({ widthBits, isSigned }: IntegerFormat): {
  readonly lowest: bigint;
  readonly highest: bigint;
} {
  const magnitudeBits = BigInt(isSigned ? widthBits - 1 : widthBits);
  return { lowest: isSigned ? -(1n << magnitudeBits) : 0n, highest: (1n << magnitudeBits) - 1n };
}

/**
 * A floating-point number as an integer. Whatever does not fit after rounding is invalid and becomes the nearest limit; a
 * NaN counts as positive.
 *
 * @returns `word`: the integer itself, signed or unsigned as its format says.
 * @spec norm:fcvt_int_float_valid_input
 * @spec norm:fcvt_unrepresentable_nv
 */
export function toInteger(from: FloatFormat, word: bigint, to: IntegerFormat, mode: Rounding): FloatResult {
  const { lowest, highest } = limits(to);
  const outOfRange = (isBelow: boolean): FloatResult => ({
    word: isBelow ? lowest : highest,
    flags: FloatFlag.NV,
  });
  if (isNan(from, word)) return outOfRange(false);
  if (isInfinite(from, word)) return outOfRange(isNegative(from, word));
  const { integer, isInexact } = roundToInteger(unpack(from, word), mode);
  if (integer < lowest || integer > highest) return outOfRange(integer < 0n);
  return { word: integer, flags: isInexact ? FloatFlag.NX : 0 };
}

/** An integer of any size as a floating-point number. @spec norm:fcvt-s-w_fcvt-s-l_op */
export function fromInteger(to: FloatFormat, integer: bigint, mode: Rounding): FloatResult {
  if (integer === 0n) return exact(0n);
  const negative = integer < 0n;
  return round(to, { negative, significand: negative ? -integer : integer, exponent: 0 }, mode);
}

/** A number in another format. NaNs become canonical. @spec norm:fcvt-s-d_fcvt-d-s_op */
export function toFormat(from: FloatFormat, word: bigint, to: FloatFormat, mode: Rounding): FloatResult {
  if (isNan(from, word)) return isSignalingNan(from, word) ? invalid(to) : exact(to.canonicalNan);
  const negative = isNegative(from, word);
  if (isInfinite(from, word)) return exact(infinity(to, negative));
  if (isZero(from, word)) return exact(zero(to, negative));
  return round(to, unpack(from, word), mode);
}

/** The upper half of a 64-bit register that holds a single-precision number. @spec norm:fp_nan-boxing */
const BOX = 0xffff_ffff_0000_0000n;

/** A single-precision word in a 64-bit register: the upper half is all ones, a NaN to whoever reads 64 bits. */
export const boxed = (word: bigint): bigint => BOX | word;

/**
 * The single-precision word in a 64-bit register; one that is not boxed counts as the canonical NaN.
 * @spec norm:FP_nontransfer_instrs_improper_nan-boxed_input
 */
export const unboxed = (register: bigint, single: FloatFormat): bigint =>
  register >= BOX ? register & ~BOX : single.canonicalNan;
