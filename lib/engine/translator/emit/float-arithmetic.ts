/**
 * Addition, subtraction, multiplication, division and square root by the host's own, which round to nearest as IEEE 754
 * says. They run where NX is set already, so what is left to find out is that no other flag arises and no NaN comes out:
 *
 * - A sum that is finite is right: sums below the normal numbers are exact, so nothing underflows.
 * - A product or quotient is right if it is larger than the smallest normal number (at that one, the number before rounding
 *   may have been smaller: RISC-V tells tininess after rounding, but without a bound to the exponent), and finite.
 *   A zero is right if a factor, or the dividend, is zero.
 * - A root is right if it is no NaN.
 *
 * All else is left to the slow path, right or not. Where NX is not set yet, what is rounded is left to it, too.
 */
import type { Local } from "../wasm/code.ts";
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { bailIfResultNotZero, bailUnlessExactProduct, pushSumError } from "./float-error.ts";
import {
  bailIfNan,
  boxSingle,
  type FloatType,
  readDoubles,
  readSingles,
  type SourceCount,
} from "./float-operand.ts";

/** An emitter that needs the host's rounding to be the guest's, and NX to be set, or the result to be exact (`whereNxIsClear`). */
export const rounding = (emit: (e: Emission) => void): Emitter => ({ kind: "float", needs: "fast", emit });

/** Exponent fields of doubles. */
const DOUBLE_FRACTION_BITS = 52n;
const DOUBLE_EXPONENT = 0x7ff;

/** Words of singles, shifted left so that the sign is gone. */
const SINGLE_SMALLEST_NORMAL = 0x0100_0000;
const SINGLE_INFINITY = 0xff00_0000;

/** Bails if the double is infinite or a NaN. Needs `tempF64(5)`. */
export function bailUnlessFinite(e: Emission, value: Local): void {
  const { code } = e;
  const difference = e.tempF64(5);
  code.get(value);
  code.get(value);
  code.op("f64.sub");
  code.tee(difference);
  code.get(difference);
  code.op("f64.ne");
  e.bailIf();
}

/** Pushes an i32: not zero if the double's exponent is that of NaNs, or one of the two lowest. */
function pushUnsafeDouble({ code }: Emission, value: Local): void {
  code.get(value);
  code.op("i64.reinterpret_f64");
  code.i64(DOUBLE_FRACTION_BITS);
  code.ops("i64.shr_u", "i32.wrap_i64");
  code.i32(-2);
  code.op("i32.add");
  code.i32(DOUBLE_EXPONENT);
  code.op("i32.and");
  code.i32(DOUBLE_EXPONENT - 2);
  code.op("i32.ge_u");
}

/** The same for a single's bits: if it is not above the smallest normal number, or not finite. */
export function pushUnsafeSingle({ code }: Emission, bits: Local): void {
  code.get(bits);
  code.i32(1);
  code.op("i32.shl");
  code.i32(SINGLE_SMALLEST_NORMAL + 1);
  code.op("i32.sub");
  code.i32(SINGLE_INFINITY - SINGLE_SMALLEST_NORMAL - 1);
  code.op("i32.ge_u");
}

/** A number in a local. */
interface FloatLocal {
  readonly type: FloatType;
  readonly local: Local;
}

/** Bails unless the result is zero, and one of some operands is. */
export function bailUnlessExactZero(
  e: Emission,
  result: FloatLocal,
  operands: readonly [FloatLocal, FloatLocal?],
): void {
  const { code } = e;
  const pushNonZero = ({ type, local }: FloatLocal): void => {
    code.get(local);
    if (type === "f64") code.f64(0);
    else code.f32(0);
    code.op(`${type}.ne`);
  };
  const [one, other] = operands;
  pushNonZero(one);
  if (other !== undefined) {
    pushNonZero(other);
    code.op("i32.and");
  }
  pushNonZero(result);
  code.op("i32.or");
  e.bailIf();
}

/** Which operand, being zero, makes a result of zero exact. */
type ZeroFrom = "first" | "either";

/** The operands that these are, as {@link bailUnlessExactZero} takes them. */
function zeroOperands(type: FloatType, sources: readonly Local[], from: ZeroFrom): [FloatLocal, FloatLocal?] {
  const [a, b] = sources.map((local) => ({ type, local })) as [FloatLocal, FloatLocal];
  return from === "first" ? [a] : [a, b];
}

/** Computes `op` of the sources. */
function computeInto(e: Emission, result: Local, sources: readonly Local[], op: PlainName): void {
  for (const source of sources) e.code.get(source);
  e.code.op(op);
  e.code.set(result);
}

/** A check of a result, which bails. */
type Check = (e: Emission, result: Local, sources: readonly Local[]) => void;

/** Reads doubles, computes, lets `check` bail, and `exact` if anything was rounded; writes. */
const double = (count: SourceCount, op: PlainName, check: Check, exact: Check): Emitter =>
  rounding((e) => {
    const sources = readDoubles(e, count);
    const result = e.tempF64(4);
    computeInto(e, result, sources, op);
    check(e, result, sources);
    e.whereNxIsClear(() => exact(e, result, sources));
    e.setF(() => e.code.get(result));
  });

const doubleSum = (op: SumName<"f64">): Emitter =>
  double(2, op, bailUnlessFinite, (e, result, sources) => bailUnlessExactSum(e, "f64", op, result, sources));

const doubleProduct = (op: PlainName, zeroFrom: ZeroFrom, exact: Check): Emitter =>
  double(
    2,
    op,
    (e, result, sources) => {
      pushUnsafeDouble(e, result);
      e.code.if();
      bailUnlessExactZero(e, { type: "f64", local: result }, zeroOperands("f64", sources, zeroFrom));
      e.code.end();
    },
    exact,
  );

type SumName<T extends FloatType> = `${T}.add` | `${T}.sub`;

/** A sum is exact if its error is zero: it can always be represented. */
function bailUnlessExactSum(
  e: Emission,
  type: FloatType,
  op: SumName<FloatType>,
  result: Local,
  sources: readonly Local[],
): void {
  const { code } = e;
  const [a, b] = sources as [Local, Local];
  if (op === `${type}.sub`) {
    code.get(b);
    code.op(`${type}.neg`);
    code.set(b);
  }
  pushSumError(e, result, a, b, type === "f64" ? e.tempF64(2) : e.tempF32(2), type);
  if (type === "f32") code.op("f64.promote_f32");
  bailIfResultNotZero(e);
}

const exactProduct: Check = (e, result, [a, b]) => bailUnlessExactProduct(e, result, a as Local, b as Local);

/** A quotient, or root, is exact if the divisor, or itself, times it gives the dividend, exactly. */
const exactFrom =
  (isRoot: boolean): Check =>
  (e, result, [dividend, divisor]) => {
    const { code } = e;
    const [product, one] = [e.tempF64(5), e.tempF64(1)];
    code.get(result);
    code.get(isRoot ? result : (divisor as Local));
    code.op("f64.mul");
    code.tee(product);
    code.get(dividend as Local);
    code.op("f64.ne");
    e.bailIf();
    if (isRoot) {
      code.get(result);
      code.set(one);
    }
    code.get(result);
    code.set(e.tempF64(0));
    bailUnlessExactProduct(e, product, e.tempF64(0), one);
  };

/** Bails unless a product of two singles, which doubles hold, is the third. */
function bailUnlessSingleProduct(e: Emission, a: Local, b: Local, product: Local): void {
  const { code } = e;
  code.get(a);
  code.op("f64.promote_f32");
  code.get(b);
  code.ops("f64.promote_f32", "f64.mul");
  code.get(product);
  code.ops("f64.promote_f32", "f64.ne");
  e.bailIf();
}

/** Reads singles, computes, lets `check` bail, writes. `bits`: those of the result, i32. */
const single = (
  count: SourceCount,
  op: PlainName,
  check: (e: Emission, bits: Local, result: Local, sources: readonly Local[]) => void,
  exact: Check,
): Emitter =>
  rounding((e) => {
    const sources = readSingles(e, count);
    const result = e.tempF32(4);
    const bits = e.temp32(0);
    computeInto(e, result, sources, op);
    e.code.get(result);
    e.code.op("i32.reinterpret_f32");
    e.code.set(bits);
    check(e, bits, result, sources);
    e.whereNxIsClear(() => exact(e, result, sources));
    e.setFBits(() => {
      e.code.get(bits);
      boxSingle(e);
    });
  });

const singleSum = (op: SumName<"f32">): Emitter =>
  single(
    2,
    op,
    (e, bits) => {
      e.code.get(bits);
      e.code.i32(1);
      e.code.op("i32.shl");
      e.code.i32(SINGLE_INFINITY);
      e.code.op("i32.ge_u");
      e.bailIf();
    },
    (e, result, sources) => bailUnlessExactSum(e, "f32", op, result, sources),
  );

const singleProduct = (op: PlainName, zeroFrom: ZeroFrom, exact: Check): Emitter =>
  single(
    2,
    op,
    (e, bits, result, sources) => {
      pushUnsafeSingle(e, bits);
      e.code.if();
      bailUnlessExactZero(e, { type: "f32", local: result }, zeroOperands("f32", sources, zeroFrom));
      e.code.end();
    },
    exact,
  );

/** Arithmetic of one and two operands, rounded to nearest. */
export const FLOAT_ARITHMETIC = {
  "fadd.d": doubleSum("f64.add"),
  "fsub.d": doubleSum("f64.sub"),
  "fmul.d": doubleProduct("f64.mul", "either", exactProduct),
  "fdiv.d": doubleProduct("f64.div", "first", exactFrom(false)),
  "fsqrt.d": double(1, "f64.sqrt", (e, result) => bailIfNan(e, "f64", result), exactFrom(true)),
  "fadd.s": singleSum("f32.add"),
  "fsub.s": singleSum("f32.sub"),
  "fmul.s": singleProduct("f32.mul", "either", (e, result, [a, b]) =>
    bailUnlessSingleProduct(e, a as Local, b as Local, result),
  ),
  "fdiv.s": singleProduct("f32.div", "first", (e, result, [a, b]) =>
    bailUnlessSingleProduct(e, result, b as Local, a as Local),
  ),
  "fsqrt.s": single(
    1,
    "f32.sqrt",
    (e, _bits, result) => bailIfNan(e, "f32", result),
    (e, result, [a]) => bailUnlessSingleProduct(e, result, result, a as Local),
  ),
} as const;
