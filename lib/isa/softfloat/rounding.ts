/**
 * Rounding: the one place where an exact number loses digits, and where four of the five exception flags arise.
 *
 * Operations compute exactly on integers and hand the result over once, so no operation can round twice.
 */
import { type Finite, type FloatFormat, infinity, zero } from "./format.ts";

/** Rounding modes as `frm` and the `rm` field encode them. @spec norm:F_rm_field */
export const Rounding = {
  /** To nearest, ties to even. */
  RNE: 0,
  /** Towards zero. */
  RTZ: 1,
  /** Down, towards −∞. */
  RDN: 2,
  /** Up, towards +∞. */
  RUP: 3,
  /** To nearest, ties away from zero. */
  RMM: 4,
} as const;
/** A rounding mode. */
export type Rounding = (typeof Rounding)[keyof typeof Rounding];

/** Accrued exception flags as `fflags` encodes them. @spec norm:fcsr_fflags_op */
export const FloatFlag = {
  /** Inexact. */
  NX: 1,
  /** Underflow. */
  UF: 2,
  /** Overflow. */
  OF: 4,
  /** Division by zero. */
  DZ: 8,
  /** Invalid operation. */
  NV: 16,
} as const;

/** What an operation yields: a word (a floating-point number or an integer) and the flags that it raises. */
export interface FloatResult {
  /** Unsigned, as many bits as the result's format has. */
  readonly word: bigint;
  /** Bits of {@link FloatFlag}. */
  readonly flags: number;
}

/** A result that raises no flag. */
export const exact = (word: bigint): FloatResult => ({ word, flags: 0 });

/** The result of an invalid operation. @spec norm:canonical_NaN */
export const invalid = ({ canonicalNan }: FloatFormat): FloatResult => ({
  word: canonicalNan,
  flags: FloatFlag.NV,
});

/** Number of significant bits of a positive integer; 0 for 0. */
export function bitLength(value: bigint): number {
  if (value <= 0xffff_ffffn) return 32 - Math.clz32(Number(value));
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0] ?? "0", 16)) + 28;
}

/** A significand shortened by some bits. */
interface Shortened {
  readonly kept: bigint;
  readonly isInexact: boolean;
}

/** Divides a positive significand by 2^shift and rounds to an integer. A shift that is not positive multiplies. */
function shorten(significand: bigint, shift: number, negative: boolean, mode: Rounding): Shortened {
  if (shift <= 0) return { kept: significand << BigInt(-shift), isInexact: false };
  const kept = significand >> BigInt(shift);
  const lost = significand - (kept << BigInt(shift));
  if (lost === 0n) return { kept, isInexact: false };
  const half = 1n << BigInt(shift - 1);
  return { kept: roundsAway(kept, lost, half, negative, mode) ? kept + 1n : kept, isInexact: true };
}

/** Whether the magnitude grows. `lost` is not zero. */
function roundsAway(kept: bigint, lost: bigint, half: bigint, negative: boolean, mode: Rounding): boolean {
  switch (mode) {
    case Rounding.RNE:
      return lost > half || (lost === half && (kept & 1n) === 1n);
    case Rounding.RTZ:
      return false;
    case Rounding.RDN:
      return negative;
    case Rounding.RUP:
      return !negative;
    case Rounding.RMM:
      return lost >= half;
  }
}

/**
 * Rounds an exact number to a format.
 *
 * @param value  Not zero: the sign of an exact zero is each operation's own question.
 * @returns      The word; NX when digits were lost, OF and UF where the exponent does not fit.
 * @spec norm:f_ieee_compliance
 */
export function round(to: FloatFormat, value: Finite, mode: Rounding): FloatResult {
  const { negative, significand, exponent } = value;
  const leading = exponent + bitLength(significand) - 1;
  // The weight of the result's lowest bit: it stops falling where subnormal numbers begin.
  const lowest = Math.max(leading, to.minExponent) - (to.precision - 1);
  const { kept, isInexact } = shorten(significand, lowest - exponent, negative, mode);
  // A carry out of the significand, or out of the subnormal numbers, adds one to the exponent field by itself.
  const storedExponent = lowest + (to.precision - 1) + to.bias;
  const magnitude = (BigInt(storedExponent - 1) << BigInt(to.precision - 1)) + kept;
  if (magnitude >= to.infinity) return overflow(to, negative, mode);
  const word = negative ? to.signMask | magnitude : magnitude;
  if (!isInexact) return exact(word);
  return { word, flags: isTiny(to, value, leading, mode) ? FloatFlag.NX | FloatFlag.UF : FloatFlag.NX };
}

/** Too large: ±∞, or the largest finite number when the mode rounds towards zero on this side. */
function overflow(to: FloatFormat, negative: boolean, mode: Rounding): FloatResult {
  const staysFinite = mode === Rounding.RTZ || mode === (negative ? Rounding.RUP : Rounding.RDN);
  const word = infinity(to, negative);
  return { word: staysFinite ? word - 1n : word, flags: FloatFlag.OF | FloatFlag.NX };
}

/**
 * Tininess after rounding: the number would be below the normal ones even if it were rounded with an unbounded exponent.
 * @spec norm:ieee_std_tininess
 */
function isTiny(to: FloatFormat, value: Finite, leading: number, mode: Rounding): boolean {
  if (leading >= to.minExponent) return false;
  if (leading < to.minExponent - 1) return true;
  const shift = leading - (to.precision - 1) - value.exponent;
  const { kept } = shorten(value.significand, shift, value.negative, mode);
  return bitLength(kept) === to.precision;
}

/** Rounds to a whole number, of any size. @spec norm:fcvt_round */
export function roundToInteger(
  { negative, significand, exponent }: Finite,
  mode: Rounding,
): { readonly integer: bigint; readonly isInexact: boolean } {
  const { kept, isInexact } = shorten(significand, -exponent, negative, mode);
  return { integer: negative ? -kept : kept, isInexact };
}

/** The zero that an exact cancellation leaves: negative only when rounding down. */
export const cancelled = (to: FloatFormat, mode: Rounding): bigint => zero(to, mode === Rounding.RDN);
