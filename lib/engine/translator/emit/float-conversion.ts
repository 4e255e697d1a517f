/**
 * Conversions between the two precisions, and between them and integers. A number that does not fit an integer, and a NaN, is
 * left to the slow path.
 */
import type { Local } from "../wasm/code.ts";
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { bailUnlessExactZero, pushUnsafeSingle, rounding } from "./float-arithmetic.ts";
import { bailIfNan, boxSingle, readDoubles, readSingles } from "./float-operand.ts";

/** Rounding modes that an instruction may name. */
export type RoundingName = "rne" | "rtz" | "rdn" | "rup" | "rmm";

/** Emitters for all modes. */
export type EveryRounding = { readonly [R in RoundingName]: Emitter };

const ROUNDINGS = ["rne", "rtz", "rdn", "rup", "rmm"] as const satisfies readonly RoundingName[];

const forEach = (emitter: (mode: RoundingName) => Emitter): EveryRounding =>
  Object.fromEntries(ROUNDINGS.map((mode) => [mode, emitter(mode)])) as EveryRounding;

/** One emitter for all modes: what loses no digit does so in each. */
const inEveryMode = (emitter: Emitter): EveryRounding => forEach(() => emitter);

/** Rounds a double on the stack to a whole one; towards zero, the conversion does it itself. */
const WHOLE: { readonly [R in RoundingName]: (e: Emission) => void } = {
  rne: (e) => e.code.op("f64.nearest"),
  rtz: () => undefined,
  rdn: (e) => e.code.op("f64.floor"),
  rup: (e) => e.code.op("f64.ceil"),
  rmm: wholeAwayFromZero,
};

/** Ties away from zero: adds the whole part of twice what is behind the point, which is exact. Needs `tempF64(3)`. */
function wholeAwayFromZero(e: Emission): void {
  const { code } = e;
  const [value, whole] = [e.tempF64(3), e.tempF64(4)];
  code.tee(value);
  code.op("f64.trunc");
  code.tee(whole);
  code.get(value);
  code.get(whole);
  code.op("f64.sub");
  code.tee(value);
  code.get(value);
  code.ops("f64.add", "f64.trunc", "f64.add");
}

/** An integer format: its limits, all exclusive, and how the host converts what is between them. */
interface IntegerTarget {
  /** `undefined`: the limits are symmetric. */
  readonly above: number | undefined;
  readonly below: number;
  readonly convert: readonly PlainName[];
}

const TARGETS = {
  w: { above: undefined, below: 2 ** 31, convert: ["i32.trunc_f64_s", "i64.extend_i32_s"] },
  wu: { above: -1, below: 2 ** 32, convert: ["i64.trunc_f64_s", "i64.extend32_s"] },
  l: { above: undefined, below: 2 ** 63, convert: ["i64.trunc_f64_s"] },
  lu: { above: -1, below: 2 ** 64, convert: ["i64.trunc_f64_u"] },
} as const satisfies Record<string, IntegerTarget>;

/** Bails unless a double is between the limits. */
function bailUnlessBetween(e: Emission, value: Local, { above, below }: IntegerTarget): void {
  const { code } = e;
  code.get(value);
  if (above === undefined) code.op("f64.abs");
  code.f64(below);
  code.op("f64.lt");
  if (above !== undefined) {
    code.get(value);
    code.f64(above);
    code.ops("f64.gt", "i32.and");
  }
  code.op("i32.eqz");
  e.bailIf();
}

/** To an integer, in all modes. `push`: the number as a double. */
const toInteger = (push: (e: Emission) => void, target: IntegerTarget): EveryRounding =>
  forEach((mode) =>
    rounding((e) => {
      const value = e.tempF64(5);
      push(e);
      WHOLE[mode](e);
      e.code.set(value);
      bailUnlessBetween(e, value, target);
      e.whereNxIsClear(() => {
        e.code.get(value);
        if (mode === "rtz") {
          e.code.op("f64.trunc");
          e.code.get(value);
        } else push(e);
        e.code.op("f64.ne");
        e.bailIf();
      });
      e.setRd(() => {
        e.code.get(value);
        e.code.ops(...target.convert);
      });
    }),
  );

const pushDouble = (e: Emission): void => e.f1();

/** Every single is a double. */
function pushPromoted(e: Emission): void {
  const [value] = readSingles(e, 1) as [Local];
  e.code.get(value);
  e.code.op("f64.promote_f32");
}

/** From an integer to a double. `check`: what bails unless the double holds it; left out where it always does. */
const toDouble = (push: (e: Emission) => void, op: PlainName, check?: (e: Emission) => void): Emitter =>
  rounding((e) => {
    e.whereNxIsClear(() => check?.(e));
    e.setF(() => {
      push(e);
      e.code.op(op);
    });
  });

/** From an integer to a single. */
const toSingle = (
  push: (e: Emission) => void,
  op: PlainName,
  isSigned: boolean,
): { readonly rne: Emitter } => ({
  rne: rounding((e) => {
    e.whereNxIsClear(() => {
      push(e);
      if (push === pushWord) e.code.op(isSigned ? "i64.extend_i32_s" : "i64.extend_i32_u");
      bailUnlessSmall(e, SINGLE_DIGITS, isSigned);
    });
    e.setFBits(() => {
      push(e);
      e.code.ops(op, "i32.reinterpret_f32");
      boxSingle(e);
    });
  }),
});

/** Bits of a number that the formats hold. */
const SINGLE_DIGITS = 24n;
const DOUBLE_DIGITS = 53n;

/** Bails unless the integer on the stack, an i64, has so few digits. (More are exact if they end with zeros; that is rare.) */
function bailUnlessSmall(e: Emission, digits: bigint, isSigned: boolean): void {
  const { code } = e;
  if (isSigned) {
    code.i64(1n << digits);
    code.op("i64.add");
  }
  code.i64(1n << (isSigned ? digits + 1n : digits));
  code.op("i64.gt_u");
  e.bailIf();
}

const smallInteger =
  (isSigned: boolean) =>
  (e: Emission): void => {
    e.rs1();
    bailUnlessSmall(e, DOUBLE_DIGITS, isSigned);
  };

const pushInteger = (e: Emission): void => e.rs1();
const pushWord = (e: Emission): void => e.rs1Word();

const narrow = rounding((e) => {
  const { code } = e;
  const [value] = readDoubles(e, 1) as [Local];
  const [result, bits] = [e.tempF32(4), e.temp32(0)];
  code.get(value);
  code.op("f32.demote_f64");
  code.tee(result);
  code.op("i32.reinterpret_f32");
  code.set(bits);
  pushUnsafeSingle(e, bits);
  code.if();
  bailUnlessExactZero(e, { type: "f32", local: result }, [{ type: "f64", local: value }]);
  code.end();
  e.whereNxIsClear(() => {
    code.get(result);
    code.op("f64.promote_f32");
    code.get(value);
    code.op("f64.ne");
    e.bailIf();
  });
  e.setFBits(() => {
    code.get(bits);
    boxSingle(e);
  });
});

/** A NaN would have to become the canonical one, or raise NV. */
const widen = rounding((e) => {
  const result = e.tempF64(4);
  pushPromoted(e);
  e.code.set(result);
  bailIfNan(e, "f64", result);
  e.whereNxIsClear(() => undefined);
  e.setF(() => e.code.get(result));
});

/** All of them. */
export const FLOAT_CONVERSIONS = {
  "fcvt.w.d": toInteger(pushDouble, TARGETS.w),
  "fcvt.wu.d": toInteger(pushDouble, TARGETS.wu),
  "fcvt.l.d": toInteger(pushDouble, TARGETS.l),
  "fcvt.lu.d": toInteger(pushDouble, TARGETS.lu),
  "fcvt.w.s": toInteger(pushPromoted, TARGETS.w),
  "fcvt.wu.s": toInteger(pushPromoted, TARGETS.wu),
  "fcvt.l.s": toInteger(pushPromoted, TARGETS.l),
  "fcvt.lu.s": toInteger(pushPromoted, TARGETS.lu),
  "fcvt.d.w": inEveryMode(toDouble(pushWord, "f64.convert_i32_s")),
  "fcvt.d.wu": inEveryMode(toDouble(pushWord, "f64.convert_i32_u")),
  "fcvt.d.l": { rne: toDouble(pushInteger, "f64.convert_i64_s", smallInteger(true)) },
  "fcvt.d.lu": { rne: toDouble(pushInteger, "f64.convert_i64_u", smallInteger(false)) },
  "fcvt.s.w": toSingle(pushWord, "f32.convert_i32_s", true),
  "fcvt.s.wu": toSingle(pushWord, "f32.convert_i32_u", false),
  "fcvt.s.l": toSingle(pushInteger, "f32.convert_i64_s", true),
  "fcvt.s.lu": toSingle(pushInteger, "f32.convert_i64_u", false),
  "fcvt.d.s": inEveryMode(widen),
  "fcvt.s.d": { rne: narrow },
} as const;
