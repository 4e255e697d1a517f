/**
 * What a rounded sum or product leaves out: a number that the host computes without rounding.
 *
 * @spec T. J. Dekker, "A floating-point technique for extending the available precision", 1971
 * @spec J.-M. Muller et al., "Handbook of Floating-Point Arithmetic", §"Accurate sums and products"
 */
import type { Local } from "../wasm/code.ts";
import type { Emission } from "./emission.ts";
import type { FloatType } from "./float-operand.ts";

/** Veltkamp's number: a product with it cuts a double into two halves of 26 bits, the lower one with a sign. */
const SPLITTER = 2 ** 27 + 1;

/** Lowest exponent field of a product whose error can be represented (1023 − 968), and a little more. */
const LOWEST_EXPONENT = 64;
const EXPONENT_MASK = 0x7ff;
const FRACTION_BITS = 52n;

/**
 * Splits a double, whose word goes to `bits`: its upper half to `high`, the rest stays in `value`. That of a large one is no
 * number. (Rounding the word instead is cheaper, but wrong for subnormal numbers.)
 */
export function split({ code }: Emission, value: Local, bits: Local, high: Local): void {
  code.get(value);
  code.op("i64.reinterpret_f64");
  code.set(bits);
  code.get(value);
  code.f64(SPLITTER);
  code.op("f64.mul");
  code.tee(high);
  code.get(high);
  code.get(value);
  code.ops("f64.sub", "f64.sub");
  code.set(high);
  code.get(value);
  code.get(high);
  code.op("f64.sub");
  code.set(value);
}

/** Adds a product to the number on the stack. */
function addProduct({ code }: Emission, a: Local, b: Local): void {
  code.get(a);
  code.get(b);
  code.ops("f64.mul", "f64.add");
}

/** The error of the product `p` of two split numbers: what is on the stack then is the rest of the exact product. */
export function pushProductError(
  e: Emission,
  p: Local,
  [aHigh, aLow]: readonly [Local, Local],
  [bHigh, bLow]: readonly [Local, Local],
): void {
  const { code } = e;
  code.get(aHigh);
  code.get(bHigh);
  code.op("f64.mul");
  code.get(p);
  code.op("f64.sub");
  addProduct(e, aHigh, bLow);
  addProduct(e, aLow, bHigh);
  addProduct(e, aLow, bLow);
}

/** The error of the sum `s` of two numbers. Overwrites `scratch`. */
export function pushSumError(
  { code }: Emission,
  s: Local,
  a: Local,
  b: Local,
  scratch: Local,
  type: FloatType = "f64",
): void {
  code.get(a);
  code.get(s);
  code.get(s);
  code.get(a);
  code.op(`${type}.sub`);
  code.tee(scratch);
  code.ops(`${type}.sub`, `${type}.sub`);
  code.get(b);
  code.get(scratch);
  code.ops(`${type}.sub`, `${type}.add`);
}

/** Pushes an i32: 1 if the product is large enough. (One that is infinite or a NaN is no number in the end.) */
export function pushIsLarge({ code }: Emission, p: Local): void {
  code.get(p);
  code.op("i64.reinterpret_f64");
  code.i64(FRACTION_BITS);
  code.ops("i64.shr_u", "i32.wrap_i64");
  code.i32(EXPONENT_MASK);
  code.op("i32.and");
  code.i32(LOWEST_EXPONENT);
  code.op("i32.ge_u");
}

/** Bails unless the f64 on the stack is zero; a NaN is not. */
export function bailIfResultNotZero(e: Emission): void {
  e.code.f64(0);
  e.code.op("f64.ne");
  e.bailIf();
}

/** Bails unless a double is zero; a NaN is not. */
export function bailIfNotZero(e: Emission, value: Local): void {
  e.code.get(value);
  bailIfResultNotZero(e);
}

/**
 * Bails unless the double `product` is the product of two doubles, nothing left out; also where that cannot be told, which is
 * so if it is tiny and not zero, or if a factor is huge. Overwrites the factors, `tempF64(2)`, `tempF64(3)` and `temp64(0)`.
 */
export function bailUnlessExactProduct(e: Emission, product: Local, a: Local, b: Local): void {
  const { code } = e;
  const [aHigh, bHigh] = [e.tempF64(2), e.tempF64(3)];
  code.get(product);
  code.f64(0);
  code.op("f64.ne");
  pushIsLarge(e, product);
  code.ops("i32.eqz", "i32.and");
  e.bailIf();
  split(e, a, e.temp64(0), aHigh);
  split(e, b, e.temp64(0), bHigh);
  pushProductError(e, product, [aHigh, a], [bHigh, b]);
  bailIfResultNotZero(e);
}
