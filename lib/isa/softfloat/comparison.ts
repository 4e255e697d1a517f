/** Comparison, minimum and maximum, classes, and the sign as a bit. */
import { type FloatFormat, isInfinite, isNan, isNegative, isSignalingNan, isZero } from "./format.ts";
import { exact, FloatFlag, type FloatResult } from "./rounding.ts";

/** A comparison of two words: 1 or 0, and NV where a NaN may not be compared. */
export type Comparison = (of: FloatFormat, a: bigint, b: bigint) => FloatResult;

/** An integer that grows as the number does; both zeroes are 0. The words are no NaNs. */
function ordinal(of: FloatFormat, word: bigint): bigint {
  const magnitude = word & (of.signMask - 1n);
  return isNegative(of, word) ? -magnitude : magnitude;
}

const eitherIsNan = (of: FloatFormat, a: bigint, b: bigint): boolean => isNan(of, a) || isNan(of, b);
const eitherSignals = (of: FloatFormat, a: bigint, b: bigint): boolean =>
  isSignalingNan(of, a) || isSignalingNan(of, b);
const truth = (condition: boolean): FloatResult => exact(condition ? 1n : 0n);

/** a = b: quiet, so only signaling NaNs are invalid. @spec norm:feq-s_quiet */
export const equal: Comparison = (of, a, b) => {
  if (!eitherIsNan(of, a, b)) return truth(ordinal(of, a) === ordinal(of, b));
  return { word: 0n, flags: eitherSignals(of, a, b) ? FloatFlag.NV : 0 };
};

/** A comparison for which every NaN is invalid. @spec norm:flt-s_fle-s_signaling */
const signaling =
  (holds: (a: bigint, b: bigint) => boolean): Comparison =>
  (of, a, b) =>
    eitherIsNan(of, a, b) ? { word: 0n, flags: FloatFlag.NV } : truth(holds(ordinal(of, a), ordinal(of, b)));

/** a < b. */
export const less: Comparison = signaling((a, b) => a < b);
/** a ≤ b. */
export const lessOrEqual: Comparison = signaling((a, b) => a <= b);

/**
 * The smaller number. One NaN gives way to the other operand, −0 is smaller than +0.
 * @spec norm:fmin-s_fmax-s_one_nan_input
 * @spec norm:fmin-s_fmax-s_zero_compare
 */
export const minimum: Comparison = (of, a, b) => chosen(of, a, b, isBelow(of, a, b) ? a : b);

/** The larger number, by the same rules. */
export const maximum: Comparison = (of, a, b) => chosen(of, a, b, isBelow(of, a, b) ? b : a);

/** Order in which −0 comes before +0. */
function isBelow(of: FloatFormat, a: bigint, b: bigint): boolean {
  const difference = ordinal(of, a) - ordinal(of, b);
  return difference < 0n || (difference === 0n && isNegative(of, a));
}

/** `winner`, unless NaNs decide. @spec norm:fmin-s_fmax-s_signaling_nan_nv */
function chosen(of: FloatFormat, a: bigint, b: bigint, winner: bigint): FloatResult {
  const flags = eitherSignals(of, a, b) ? FloatFlag.NV : 0;
  if (isNan(of, a)) return { word: isNan(of, b) ? of.canonicalNan : b, flags };
  return { word: isNan(of, b) ? a : winner, flags };
}

/** Bits of FCLASS: exactly one is set. @spec norm:fclass-s_op */
export function classify(of: FloatFormat, word: bigint): bigint {
  if (isNan(of, word)) return isSignalingNan(of, word) ? 1n << 8n : 1n << 9n;
  const size = magnitudeClass(of, word);
  return isNegative(of, word) ? 1n << BigInt(3 - size) : 1n << BigInt(4 + size);
}

/** 0 for zero, 1 for subnormal, 2 for normal, 3 for infinite. */
function magnitudeClass(of: FloatFormat, word: bigint): number {
  if (isInfinite(of, word)) return 3;
  if (isZero(of, word)) return 0;
  return (word & of.infinity) === 0n ? 1 : 2;
}

/** `a` with the sign that `sign` makes of both sign bits; NaNs too, and no flag. @spec norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op */
const withSign =
  (sign: (a: bigint, b: bigint) => bigint) =>
  ({ signMask }: FloatFormat, a: bigint, b: bigint): bigint =>
    (a & ~signMask) | (sign(a, b) & signMask);

/** `a` with the sign of `b`. */
export const copySign = withSign((_, b) => b);
/** `a` with the opposite of the sign of `b`. */
export const copyOppositeSign = withSign((_, b) => ~b);
/** `a` with the sign of the product of both. */
export const multiplySigns = withSign((a, b) => a ^ b);
