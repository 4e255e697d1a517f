/**
 * Fused multiplication and addition, rounded once. WebAssembly has none, so the exact sum is put together from parts that the
 * host rounds each without loss. As everywhere, NX is set already; what no part can prove is left to the slow path.
 *
 * Doubles: the product is `p + e` (Dekker: its factors are split into halves whose products are exact), the sum of `p` and
 * the addend is `s + t` (Knuth). Then `v`, the rounded `t + e`, is off by half a unit in its last place at most. If `s`
 * plus a little more than `v` rounds to the same number as `s` plus a little less, everything in between does, the exact
 * sum among it (Ziv's test). It fails where a tie is near, and where `s` and `e` are of one size; there the result still is
 * right if `v` is exact. It mostly is: ties come from numbers of few digits.
 *
 * `e` can be represented only if the product is not too small; a product of zero is exact. All numbers in the sum are
 * multiples of the smallest subnormal one, so a small result is exact, and nothing underflows.
 *
 * Singles: the product is exact in double precision. Rounding the sum to double and then to single goes wrong only where
 * the double is in the middle between two singles and not exact.
 *
 * @spec T. J. Dekker, "A floating-point technique for extending the available precision", 1971
 * @spec J.-M. Muller et al., "Handbook of Floating-Point Arithmetic", §"Accurate sums and products", §"Ziv's rounding test"
 */
import type { Local } from "../wasm/code.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { pushUnsafeSingle, rounding } from "./float-arithmetic.ts";
import {
  bailIfNotZero,
  bailIfResultNotZero,
  pushIsLarge,
  pushProductError,
  pushSumError,
  split,
} from "./float-error.ts";
import { boxSingle, readSingles } from "./float-operand.ts";

/** Which operands change their sign: fnmsub and fnmadd turn the product around, fmsub and fnmadd the addend. */
interface Signs {
  readonly negateProduct: boolean;
  readonly negateAddend: boolean;
}

/** More than the relative error of a rounded sum, to both sides. */
const LITTLE_MORE = 1 + 2 ** -52;
const LITTLE_LESS = 1 - 2 ** -52;

/** Reads the operands into `tempF64(0…2)`. */
function readFused(e: Emission, { negateProduct, negateAddend }: Signs): [Local, Local, Local] {
  const { code } = e;
  const locals: [Local, Local, Local] = [e.tempF64(0), e.tempF64(1), e.tempF64(2)];
  e.f1();
  if (negateProduct) code.op("f64.neg");
  code.set(locals[0]);
  e.f2();
  code.set(locals[1]);
  e.f3();
  if (negateAddend) code.op("f64.neg");
  code.set(locals[2]);
  return locals;
}

/** Pushes `s + v × factor`. */
function pushNear({ code }: Emission, s: Local, v: Local, factor: number): void {
  code.get(s);
  code.get(v);
  code.f64(factor);
  code.ops("f64.mul", "f64.add");
}

const double = (signs: Signs): Emitter =>
  rounding((e) => {
    const { code } = e;
    const [a, b, c] = readFused(e, signs);
    const [p, high, otherHigh] = [e.tempF64(3), e.tempF64(4), e.tempF64(5)];
    code.get(a);
    code.get(b);
    code.op("f64.mul");
    code.set(p);
    split(e, a, e.temp64(0), high);
    split(e, b, e.temp64(1), otherHigh);
    pushProductError(e, p, [high, a], [otherHigh, b]);
    // Locals are few, so names change their owner.
    const [error, s, scratch] = [a, b, high];
    code.set(error);
    code.get(p);
    code.get(c);
    code.op("f64.add");
    code.set(s);
    pushSumError(e, s, p, c, scratch);
    const t = c;
    code.tee(t);
    code.get(error);
    code.op("f64.add");
    const [v, result] = [high, otherHigh];
    code.set(v);
    code.get(s);
    code.get(v);
    code.op("f64.add");
    code.set(result);
    bailUnlessProven(e, { p, error, s, t, v, result });
    e.whereNxIsClear(() => {
      bailIfNotZero(e, error);
      bailIfNotZero(e, t);
    });
    e.setF(() => code.get(result));
  });

/** What a sum was put together from. The words of the factors are in `temp64(0)` and `temp64(1)`. */
interface Parts {
  readonly p: Local;
  readonly error: Local;
  readonly s: Local;
  readonly t: Local;
  readonly v: Local;
  readonly result: Local;
}

/** Bails unless the result is right. */
function bailUnlessProven(e: Emission, parts: Parts): void {
  const { code } = e;
  const isLarge = e.temp32(0);
  const proven = code.block();
  const unproven = code.block();
  pushIsLarge(e, parts.p);
  code.tee(isLarge);
  code.op("i32.eqz");
  code.brIf(unproven);
  // The difference is no number if the result is not finite.
  pushNear(e, parts.s, parts.v, LITTLE_MORE);
  pushNear(e, parts.s, parts.v, LITTLE_LESS);
  code.op("f64.sub");
  code.f64(0);
  code.op("f64.eq");
  code.brIf(proven);
  code.end();
  acceptExact(e, parts, isLarge);
  code.end();
}

/** Bails unless the sum has been rounded only once, and is finite. */
function acceptExact(e: Emission, { p, error, s, t, v, result }: Parts, isLarge: Local): void {
  const { code } = e;
  const isZero = e.temp32(1);
  [e.temp64(0), e.temp64(1)].forEach((bits, index) => {
    code.get(bits);
    code.i64(1n);
    code.ops("i64.shl", "i64.eqz");
    if (index > 0) code.op("i32.or");
  });
  code.tee(isZero);
  code.if();
  // A zero's sign counts.
  code.get(s);
  code.set(result);
  code.end();
  const scratch = p;
  pushSumError(e, v, t, error, scratch);
  code.f64(0);
  code.op("f64.eq");
  code.get(isLarge);
  code.op("i32.and");
  code.get(isZero);
  code.ops("i32.or", "i32.eqz");
  code.get(result);
  code.get(result);
  code.op("f64.sub");
  code.f64(0);
  code.ops("f64.ne", "i32.or");
  e.bailIf();
}

/** Bits of a double that a single does not have, and the highest of them. */
const LOST_BITS = 0x1fff_ffff;
const MIDDLE = 0x1000_0000;

const single = (signs: Signs): Emitter =>
  rounding((e) => {
    const { code } = e;
    const [p, c, s] = [e.tempF64(0), e.tempF64(2), e.tempF64(3)];
    pushSinglesProduct(e, signs);
    code.tee(p);
    code.get(c);
    code.op("f64.add");
    code.tee(s);
    code.ops("f32.demote_f64", "i32.reinterpret_f32");
    const bits = e.temp32(0);
    code.set(bits);
    bailUnlessRoundedOnce(e, p, c, s, bits);
    e.whereNxIsClear(() => {
      pushSumError(e, s, p, c, e.tempF64(4));
      bailIfResultNotZero(e);
      code.get(bits);
      code.ops("f32.reinterpret_i32", "f64.promote_f32");
      code.get(s);
      code.op("f64.ne");
      e.bailIf();
    });
    e.setFBits(() => {
      code.get(bits);
      boxSingle(e);
    });
  });

/** Pushes the product, and puts the addend into `tempF64(2)`. */
function pushSinglesProduct(e: Emission, { negateProduct, negateAddend }: Signs): void {
  const { code } = e;
  const [a, b, c] = readSingles(e, 3) as [Local, Local, Local];
  code.get(c);
  code.op("f64.promote_f32");
  if (negateAddend) code.op("f64.neg");
  code.set(e.tempF64(2));
  code.get(a);
  code.op("f64.promote_f32");
  if (negateProduct) code.op("f64.neg");
  code.get(b);
  code.ops("f64.promote_f32", "f64.mul");
}

/** Bails where the single may not be the sum, or not without another flag. Zero is what is left of terms that cancel. */
function bailUnlessRoundedOnce(e: Emission, p: Local, c: Local, s: Local, bits: Local): void {
  const { code } = e;
  const isUnsafe = e.temp32(1);
  pushUnsafeSingle(e, bits);
  code.tee(isUnsafe);
  code.get(s);
  code.ops("i64.reinterpret_f64", "i32.wrap_i64");
  code.i32(LOST_BITS);
  code.op("i32.and");
  code.i32(MIDDLE);
  code.ops("i32.eq", "i32.or");
  code.if();
  pushSumError(e, s, p, c, e.tempF64(4));
  code.f64(0);
  code.op("f64.ne");
  code.get(isUnsafe);
  code.op("i32.or");
  code.get(s);
  code.f64(0);
  code.ops("f64.ne", "i32.and");
  e.bailIf();
  code.end();
}

const MULTIPLY_ADD: Signs = { negateProduct: false, negateAddend: false };
const MULTIPLY_SUBTRACT: Signs = { negateProduct: false, negateAddend: true };
const NEGATED_MULTIPLY_SUBTRACT: Signs = { negateProduct: true, negateAddend: false };
const NEGATED_MULTIPLY_ADD: Signs = { negateProduct: true, negateAddend: true };

/** All of them. */
export const FLOAT_FUSED = {
  "fmadd.d": double(MULTIPLY_ADD),
  "fmsub.d": double(MULTIPLY_SUBTRACT),
  "fnmsub.d": double(NEGATED_MULTIPLY_SUBTRACT),
  "fnmadd.d": double(NEGATED_MULTIPLY_ADD),
  "fmadd.s": single(MULTIPLY_ADD),
  "fmsub.s": single(MULTIPLY_SUBTRACT),
  "fnmsub.s": single(NEGATED_MULTIPLY_SUBTRACT),
  "fnmadd.s": single(NEGATED_MULTIPLY_ADD),
} as const;
