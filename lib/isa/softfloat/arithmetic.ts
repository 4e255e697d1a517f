/** Addition, multiplication, division, square root and fused multiply–add, each exact and then rounded once. */
import {
  type Finite,
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
  bitLength,
  cancelled,
  exact,
  FloatFlag,
  type FloatResult,
  invalid,
  type Rounding,
  round,
} from "./rounding.ts";

/** An operation on two words of a format. */
export type BinaryOperation = (of: FloatFormat, a: bigint, b: bigint, mode: Rounding) => FloatResult;

/** The canonical NaN if some operand is a NaN; a signaling one is an invalid operation. */
function propagatedNan(of: FloatFormat, ...operands: readonly bigint[]): FloatResult | undefined {
  if (!operands.some((word) => isNan(of, word))) return undefined;
  const signals = operands.some((word) => isSignalingNan(of, word));
  return signals ? invalid(of) : exact(of.canonicalNan);
}

/** The exact sum, aligned to the lower exponent. */
function exactSum(a: Finite, b: Finite): Finite {
  const exponent = Math.min(a.exponent, b.exponent);
  const signed = ({ negative, significand, exponent: own }: Finite): bigint => {
    const aligned = significand << BigInt(own - exponent);
    return negative ? -aligned : aligned;
  };
  const sum = signed(a) + signed(b);
  return { negative: sum < 0n, significand: sum < 0n ? -sum : sum, exponent };
}

/** Rounds an exact sum. Terms of opposite signs that cancel leave a zero whose sign depends on the rounding mode. */
function roundedSum(of: FloatFormat, a: Finite, b: Finite, mode: Rounding): FloatResult {
  const sum = exactSum(a, b);
  if (sum.significand !== 0n) return round(of, sum, mode);
  return exact(a.negative === b.negative ? zero(of, a.negative) : cancelled(of, mode));
}

/** a + b. Infinities of opposite signs have no sum. @spec norm:fadd-s_fmul-s_op */
export function add(of: FloatFormat, a: bigint, b: bigint, mode: Rounding): FloatResult {
  const nan = propagatedNan(of, a, b);
  if (nan !== undefined) return nan;
  if (isInfinite(of, a)) return isInfinite(of, b) && a !== b ? invalid(of) : exact(a);
  if (isInfinite(of, b)) return exact(b);
  return roundedSum(of, unpack(of, a), unpack(of, b), mode);
}

/** a − b. A NaN changes its sign too, which makes no difference: results are canonical. @spec norm:fsub-s_op */
export const subtract: BinaryOperation = (of, a, b, mode) => add(of, a, b ^ of.signMask, mode);

const exactProduct = (a: Finite, b: Finite): Finite => ({
  negative: a.negative !== b.negative,
  significand: a.significand * b.significand,
  exponent: a.exponent + b.exponent,
});

/** Whether a product is ∞ × 0, which has no value. */
const isInfinityTimesZero = (of: FloatFormat, a: bigint, b: bigint): boolean =>
  (isInfinite(of, a) && isZero(of, b)) || (isZero(of, a) && isInfinite(of, b));

/** a × b. @spec norm:fadd-s_fmul-s_op */
export function multiply(of: FloatFormat, a: bigint, b: bigint, mode: Rounding): FloatResult {
  const nan = propagatedNan(of, a, b);
  if (nan !== undefined) return nan;
  if (isInfinityTimesZero(of, a, b)) return invalid(of);
  const negative = isNegative(of, a) !== isNegative(of, b);
  if (isInfinite(of, a) || isInfinite(of, b)) return exact(infinity(of, negative));
  if (isZero(of, a) || isZero(of, b)) return exact(zero(of, negative));
  return round(of, exactProduct(unpack(of, a), unpack(of, b)), mode);
}

/** a ÷ b. Only a finite number other than zero, divided by zero, raises DZ. @spec norm:fdiv-s_op */
export function divide(of: FloatFormat, a: bigint, b: bigint, mode: Rounding): FloatResult {
  const nan = propagatedNan(of, a, b);
  if (nan !== undefined) return nan;
  const negative = isNegative(of, a) !== isNegative(of, b);
  if (isInfinite(of, a)) return isInfinite(of, b) ? invalid(of) : exact(infinity(of, negative));
  if (isInfinite(of, b)) return exact(zero(of, negative));
  if (isZero(of, b)) {
    return isZero(of, a) ? invalid(of) : { word: infinity(of, negative), flags: FloatFlag.DZ };
  }
  if (isZero(of, a)) return exact(zero(of, negative));
  return round(of, { ...quotient(of, unpack(of, a), unpack(of, b)), negative }, mode);
}

/**
 * A quotient with two bits more than the format keeps, and below them a 1 where the division leaves a remainder: rounding
 * cannot tell it from the infinite expansion.
 */
function quotient(of: FloatFormat, a: Finite, b: Finite): Omit<Finite, "negative"> {
  const wanted = of.precision + 2 + bitLength(b.significand) - bitLength(a.significand);
  const shift = Math.max(wanted, 0);
  const dividend = a.significand << BigInt(shift);
  const whole = dividend / b.significand;
  const sticky = whole * b.significand === dividend ? 0n : 1n;
  return { significand: (whole << 1n) | sticky, exponent: a.exponent - shift - b.exponent - 1 };
}

/** √a. The root of −0 is −0; other negative numbers have none. @spec norm:fsqrt-s_op */
export function squareRoot(of: FloatFormat, a: bigint, mode: Rounding): FloatResult {
  const nan = propagatedNan(of, a);
  if (nan !== undefined) return nan;
  if (isZero(of, a)) return exact(a);
  if (isNegative(of, a)) return invalid(of);
  if (isInfinite(of, a)) return exact(a);
  const { significand, exponent } = unpack(of, a);
  // An even exponent halves exactly; twice the format's digits (and some) give a root with enough of them.
  const shift = 2 * (of.precision + 2) + (exponent & 1);
  const radicand = significand << BigInt(shift);
  const root = integerRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  const halved = (exponent - shift) / 2;
  return round(of, { negative: false, significand: (root << 1n) | sticky, exponent: halved - 1 }, mode);
}

/** The largest integer whose square is not above a positive `radicand`: Newton's method from above. */
function integerRoot(radicand: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(bitLength(radicand) / 2));
  for (;;) {
    const next = (guess + radicand / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/**
 * a × b + c, rounded once. ∞ × 0 is invalid even when c is a quiet NaN.
 * @spec norm:fmadd-s_op
 * @spec norm:fma_nv_flag
 */
export function multiplyAdd(of: FloatFormat, a: bigint, b: bigint, c: bigint, mode: Rounding): FloatResult {
  if (isInfinityTimesZero(of, a, b)) return invalid(of);
  const nan = propagatedNan(of, a, b, c);
  if (nan !== undefined) return nan;
  const negative = isNegative(of, a) !== isNegative(of, b);
  if (isInfinite(of, a) || isInfinite(of, b)) return add(of, infinity(of, negative), c, mode);
  if (isInfinite(of, c)) return exact(c);
  return roundedSum(of, exactProduct(unpack(of, a), unpack(of, b)), unpack(of, c), mode);
}
