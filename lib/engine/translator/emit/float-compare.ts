/** Comparisons, minimum and maximum, and classes. None of them rounds; what raises NV is left to the slow path. */
import type { Local } from "../wasm/code.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { quiet } from "./float-move.ts";
import {
  bailIfNan,
  boxSingle,
  type FloatType,
  readDoubles,
  readFloats,
  readSingleBits,
} from "./float-operand.ts";

/** Pushes an i32: whether `op` holds between two numbers. */
function pushRelation(e: Emission, type: FloatType, [a, b]: readonly [Local, Local], op: Relation): void {
  e.code.get(a);
  e.code.get(b);
  e.code.op(`${type}.${op}`);
}
type Relation = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** A comparison for which every NaN is invalid: `op`, and the relation that holds for the numbers for which `op` does not. */
const signaling = (type: FloatType, op: Relation, opposite: Relation): Emitter =>
  quiet((e) => {
    const { code } = e;
    const sources = readFloats(e, type, 2) as [Local, Local];
    const truth = e.temp32(1);
    pushRelation(e, type, sources, op);
    code.tee(truth);
    pushRelation(e, type, sources, opposite);
    code.ops("i32.or", "i32.eqz");
    e.bailIf();
    setTruth(e, truth);
  });

function setTruth(e: Emission, truth: Local): void {
  e.setRd(() => {
    e.code.get(truth);
    e.code.op("i64.extend_i32_u");
  });
}

/** The most significant fraction bit: clear in signaling NaNs. */
const QUIET_BIT = { f32: 1n << 22n, f64: 1n << 51n } as const;

/** Pushes an i32: whether a NaN among two numbers is a signaling one. */
function pushSignals(e: Emission, type: FloatType, sources: readonly [Local, Local]): void {
  const { code } = e;
  sources.forEach((source, index) => {
    pushRelation(e, type, [source, source], "ne");
    code.get(source);
    if (type === "f64") code.op("i64.reinterpret_f64");
    else code.ops("i32.reinterpret_f32", "i64.extend_i32_u");
    code.i64(QUIET_BIT[type]);
    code.ops("i64.and", "i64.eqz", "i32.and");
    if (index > 0) code.op("i32.or");
  });
}

/** Equality: quiet NaNs are equal to nothing, and that is no error. @spec norm:feq-s_quiet */
const equality = (type: FloatType): Emitter =>
  quiet((e) => {
    const { code } = e;
    const sources = readFloats(e, type, 2) as [Local, Local];
    const [a, b] = sources;
    const truth = e.temp32(1);
    pushRelation(e, type, sources, "eq");
    code.tee(truth);
    code.op("i32.eqz");
    code.if();
    pushRelation(e, type, [a, a], "ne");
    pushRelation(e, type, [b, b], "ne");
    code.op("i32.or");
    code.if();
    pushSignals(e, type, sources);
    e.bailIf();
    code.end();
    code.end();
    setTruth(e, truth);
  });

/** The host's minimum and maximum put −0 before +0, too; only NaNs differ. @spec norm:fmin-s_fmax-s_zero_compare */
const doubleSelection = (op: "f64.min" | "f64.max"): Emitter =>
  quiet((e) => {
    const result = e.tempF64(4);
    for (const source of readDoubles(e, 2)) e.code.get(source);
    e.code.op(op);
    e.code.set(result);
    bailIfNan(e, "f64", result);
    e.setF(() => e.code.get(result));
  });

const singleSelection = (op: "f32.min" | "f32.max"): Emitter =>
  quiet((e) => {
    const result = e.tempF32(4);
    for (const source of readFloats(e, "f32", 2)) e.code.get(source);
    e.code.op(op);
    e.code.set(result);
    bailIfNan(e, "f32", result);
    e.setFBits(() => {
      e.code.get(result);
      e.code.op("i32.reinterpret_f32");
      boxSingle(e);
    });
  });

/** Where a format's magnitudes (words without the sign) change their class. */
interface ClassLimits {
  readonly sign: bigint;
  readonly smallestNormal: bigint;
  readonly infinity: bigint;
  readonly quietNan: bigint;
}

const limitsOf = (widthBits: number, fractionBits: number): ClassLimits => {
  const sign = 1n << BigInt(widthBits - 1);
  const smallestNormal = 1n << BigInt(fractionBits);
  const infinity = sign - smallestNormal;
  return { sign, smallestNormal, infinity, quietNan: infinity | (smallestNormal >> 1n) };
};

/** Bits of FCLASS by number: of a signaling NaN, of +0, of −0. */
const CLASS_SIGNALING_NAN = 8;
const CLASS_ZERO = 4;
const CLASS_NEGATIVE_ZERO = 3;

/** One bit for the class: the number of limits that a magnitude has reached counts away from zero. @spec norm:fclass-s_op */
function pushClass(e: Emission, bits: Local, limits: ClassLimits): void {
  const { code } = e;
  const magnitude = e.temp64(4);
  const reached = (limit: bigint): void => {
    code.get(magnitude);
    code.i64(limit);
    code.ops("i64.ge_u");
  };
  const size = e.temp32(2);
  code.get(bits);
  code.i64(limits.sign - 1n);
  code.op("i64.and");
  code.set(magnitude);
  reached(1n);
  reached(limits.smallestNormal);
  code.op("i32.add");
  reached(limits.infinity);
  code.op("i32.add");
  code.set(size);
  code.i64(1n);
  code.i32(CLASS_SIGNALING_NAN);
  reached(limits.quietNan);
  code.op("i32.add");
  code.i32(CLASS_NEGATIVE_ZERO);
  code.get(size);
  code.op("i32.sub");
  code.i32(CLASS_ZERO);
  code.get(size);
  code.op("i32.add");
  code.get(bits);
  code.i64(limits.sign);
  code.ops("i64.and", "i64.eqz", "i32.eqz", "select");
  reached(limits.infinity + 1n);
  code.ops("select", "i64.extend_i32_u", "i64.shl");
}

const doubleClass = quiet((e) => {
  const bits = e.temp64(0);
  e.f1Bits();
  e.code.set(bits);
  e.setRd(() => pushClass(e, bits, limitsOf(64, 52)));
});

const singleClass = quiet((e) => {
  const [bits] = readSingleBits(e, 1) as [Local];
  e.setRd(() => pushClass(e, bits, limitsOf(32, 23)));
});

/** All of them. */
export const FLOAT_COMPARISONS = {
  "feq.d": equality("f64"),
  "flt.d": signaling("f64", "lt", "ge"),
  "fle.d": signaling("f64", "le", "gt"),
  "fmin.d": doubleSelection("f64.min"),
  "fmax.d": doubleSelection("f64.max"),
  "fclass.d": doubleClass,
  "feq.s": equality("f32"),
  "flt.s": signaling("f32", "lt", "ge"),
  "fle.s": signaling("f32", "le", "gt"),
  "fmin.s": singleSelection("f32.min"),
  "fmax.s": singleSelection("f32.max"),
  "fclass.s": singleClass,
} as const;
