/** Operands for floating-point emitters: any, and such as meet where results round, cancel, overflow and underflow. */
import type { FloatCase } from "./float-bench.ts";
import { floatRegisterWord } from "./float-words.ts";

type Below = (limit: number) => number;

/** A format in numbers. */
interface Shape {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly box: bigint;
}
const DOUBLE: Shape = { exponentBits: 11, fractionBits: 52, box: 0n };
const SINGLE: Shape = { exponentBits: 8, fractionBits: 23, box: 0xffff_ffffn << 32n };

const random64 = (below: Below): bigint => (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));

/** A fraction: dense, or with a few bits at its upper end, or zero, or all ones. */
function fractionOf(below: Below, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const kind = below(8);
  if (kind === 0) return 0n;
  if (kind === 1) return all;
  if (kind === 2) return 1n << BigInt(below(bits));
  const dense = random64(below) & all;
  if (kind < 5) return dense & ~((1n << BigInt(below(bits))) - 1n);
  return dense;
}

/** A fraction at an edge: products and quotients of these come closest to where rounding changes. */
function edgeFraction(below: Below, bits: number): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  return [0n, 1n, all, all ^ 1n][below(4)] as bigint;
}

function word({ exponentBits, fractionBits, box }: Shape, sign: number, exponent: number, fraction: bigint) {
  const top = 2 ** exponentBits - 1;
  const field = BigInt(Math.min(Math.max(exponent, 0), top));
  return box | (((BigInt(sign) << BigInt(exponentBits)) | field) << BigInt(fractionBits)) | fraction;
}

/** Exponents that are close to each other in one way or another: of factors, and of an addend close to their product. */
function exponentsOf(below: Below, { exponentBits, fractionBits }: Shape): [number, number, number] {
  const top = 2 ** exponentBits - 1;
  const bias = top >> 1;
  const near = (exponent: number, by: number): number => exponent + below(2 * by + 1) - by;
  const first = below(3) === 0 ? near(bias, 40) : below(top);
  switch (below(8)) {
    case 0: // a sum that cancels, or just does not
      return [first, near(first, 2), near(first, 3)];
    case 1: // a sum whose lesser part is rounded away
      return [first, first - fractionBits + below(5) - 2, near(first, fractionBits + 2)];
    case 2: // a product at the lower end
      return [first, near(bias - first, 3), near(0, 3)];
    case 3: // a product at the upper end
      return [first, near(top + bias - first, 3), near(top, 3)];
    case 4: {
      // an addend close to the product, or far below or above
      const second = near(bias, 60);
      return [first, second, near(first + second - bias, below(2) === 0 ? 2 : 2 * fractionBits + 4)];
    }
    case 5: {
      // a product that is half a unit in the last place of the addend
      const second = near(bias, 60);
      return [first, second, near(first + second - bias + fractionBits + 1, 1)];
    }
    case 6: {
      // a subnormal number times a large one
      const second = top - 1 - below(fractionBits);
      return [second, 0, near(second - bias - below(fractionBits), fractionBits)];
    }
    default: // a quotient at the lower or upper end
      return [first, near(below(2) === 0 ? first + bias : first - bias, 2), near(bias, 20)];
  }
}

function relatedOperands(below: Below, shape: Shape): [bigint, bigint, bigint] {
  const [a, b, c] = exponentsOf(below, shape);
  const fraction = below(3) === 0 ? edgeFraction : fractionOf;
  const next = (exponent: number): bigint => {
    const leadingZeroes = exponent <= 0 ? below(shape.fractionBits) : 0;
    return word(shape, below(2), exponent, fraction(below, shape.fractionBits) >> BigInt(leadingZeroes));
  };
  return [next(a), next(b), next(c)];
}

/** Dekker's split of a double into halves. */
function halves(value: number): [high: number, low: number] {
  const scaled = value * (2 ** 27 + 1);
  const high = scaled - (scaled - value);
  return [high, value - high];
}

/**
 * Doubles whose product and sum lies as close to a tie as can be: the addend is half a unit in the last place of the rounded
 * product, less what the product lost, rounded.
 */
function nearTie(below: Below): [bigint, bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8));
  const number = (): number => 1 + below(2 ** 32) / 2 ** 32 + below(2 ** 20) / 2 ** 52;
  const bitsOf = (value: number): bigint => {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  };
  const [a, b] = [number(), number() * 2 ** (below(100) - 50)];
  const product = a * b;
  const [[aHigh, aLow], [bHigh, bLow]] = [halves(a), halves(b)];
  const lost = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const half = 2 ** (Math.floor(Math.log2(product)) - 53);
  const sign = below(2) === 0 ? 1 : -1;
  const addend = (below(2) === 0 ? half : -half) - lost;
  return [bitsOf(sign * a), bitsOf(b), bitsOf(sign * addend)];
}

/** Small whole numbers, and halves, as programs have them. */
function plainOperands(below: Below, shape: Shape): [bigint, bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8));
  const next = (): bigint => {
    const value = (below(4001) - 2000) / 2 ** below(3);
    if (shape === SINGLE) {
      view.setFloat32(0, value);
      return shape.box | BigInt(view.getUint32(0));
    }
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  };
  return [next(), next(), next()];
}

/**
 * One case. The integer operand is random and of random length.
 *
 * @param precision  What the instruction reads; half of the cases are made for it.
 */
export function floatCase(below: Below, precision: "single" | "double"): FloatCase {
  const shape = precision === "single" ? SINGLE : DOUBLE;
  const x = BigInt.asUintN(64, BigInt.asIntN(1 + below(64), random64(below)));
  switch (below(8)) {
    case 0:
    case 1:
      return { f: [floatRegisterWord(below), floatRegisterWord(below), floatRegisterWord(below)], x };
    case 2:
      return { f: plainOperands(below, shape), x };
    case 3:
      return { f: precision === "double" ? nearTie(below) : relatedOperands(below, shape), x };
    default:
      return { f: relatedOperands(below, shape), x };
  }
}
