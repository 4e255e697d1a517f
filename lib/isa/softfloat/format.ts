/**
 * The binary interchange formats of IEEE 754 that the F and D extensions use.
 *
 * A floating-point word is a bigint without a sign: 32 or 64 bits.
 */
import { ones } from "../../bits/int64.ts";

/** A binary interchange format, with what follows from its two widths. */
export interface FloatFormat {
  readonly widthBits: number;
  /** Significant bits of a normal number, the hidden one included. */
  readonly precision: number;
  readonly exponentBits: number;
  /** Added to the exponent when it is stored. */
  readonly bias: number;
  /** Exponent of the leading bit of the smallest normal number. */
  readonly minExponent: number;
  /** Exponent of the leading bit of the largest finite number. */
  readonly maxExponent: number;
  readonly signMask: bigint;
  readonly fractionMask: bigint;
  /** The word of +∞: an exponent of all ones and a fraction of zero. */
  readonly infinity: bigint;
  /** The most significant fraction bit: set in quiet NaNs, clear in signaling ones. */
  readonly quietBit: bigint;
  /** What every operation returns for a NaN: positive, quiet, no payload. @spec norm:canonical_NaN */
  readonly canonicalNan: bigint;
}

function format(widthBits: number, exponentBits: number): FloatFormat {
  const fractionBits = widthBits - 1 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const infinity = ones(exponentBits) << BigInt(fractionBits);
  const quietBit = 1n << BigInt(fractionBits - 1);
  return {
    widthBits,
    precision: fractionBits + 1,
    exponentBits,
    bias,
    minExponent: 1 - bias,
    maxExponent: bias,
    signMask: 1n << BigInt(widthBits - 1),
    fractionMask: ones(fractionBits),
    infinity,
    quietBit,
    canonicalNan: infinity | quietBit,
  };
}

/** Single precision. */
export const BINARY32: FloatFormat = format(32, 8);
/** Double precision. */
export const BINARY64: FloatFormat = format(64, 11);

/** The word of ±0. */
export const zero = ({ signMask }: FloatFormat, negative: boolean): bigint => (negative ? signMask : 0n);

/** The word of ±∞. */
export const infinity = ({ infinity: positive, signMask }: FloatFormat, negative: boolean): bigint =>
  negative ? signMask | positive : positive;

/** Whether the sign bit is set (NaNs have one too). */
export const isNegative = ({ signMask }: FloatFormat, word: bigint): boolean => (word & signMask) !== 0n;

/** Whether a word is a NaN of either kind. */
export const isNan = ({ signMask, infinity: limit }: FloatFormat, word: bigint): boolean =>
  (word & (signMask - 1n)) > limit;

/** Whether a word is a signaling NaN. */
export const isSignalingNan = (of: FloatFormat, word: bigint): boolean =>
  isNan(of, word) && (word & of.quietBit) === 0n;

/** Whether a word is an infinity of either sign. */
export const isInfinite = ({ signMask, infinity: limit }: FloatFormat, word: bigint): boolean =>
  (word & (signMask - 1n)) === limit;

/** Whether a word is a zero of either sign. */
export const isZero = ({ signMask }: FloatFormat, word: bigint): boolean => (word & (signMask - 1n)) === 0n;

/** A finite number taken apart: (−1)^negative × significand × 2^exponent, exactly. Zero has significand 0. */
export interface Finite {
  readonly negative: boolean;
  /** Not negative. */
  readonly significand: bigint;
  /** Weight of the significand's lowest bit, as a power of two. */
  readonly exponent: number;
}

/** Takes a finite word apart; the caller has dealt with infinities and NaNs. */
export function unpack(of: FloatFormat, word: bigint): Finite {
  const fractionBits = of.precision - 1;
  const fraction = word & of.fractionMask;
  const stored = Number((word & of.infinity) >> BigInt(fractionBits));
  return {
    negative: isNegative(of, word),
    significand: stored === 0 ? fraction : fraction | (of.fractionMask + 1n),
    exponent: Math.max(stored, 1) - of.bias - fractionBits,
  };
}
