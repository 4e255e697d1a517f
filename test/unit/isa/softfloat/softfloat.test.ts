/**
 * Rules that RISC-V adds to IEEE 754, and agreement with the arithmetic of the machine that runs the test: JavaScript
 * numbers are binary64, rounded to nearest even, and `Math.fround` rounds to binary32.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  divide,
  multiply,
  multiplyAdd,
  squareRoot,
  subtract,
} from "../../../../lib/isa/softfloat/arithmetic.ts";
import {
  classify,
  copyOppositeSign,
  copySign,
  maximum,
  minimum,
  multiplySigns,
} from "../../../../lib/isa/softfloat/comparison.ts";
import {
  boxed,
  fromInteger,
  INT32,
  INT64,
  toFormat,
  toInteger,
  UINT32,
  UINT64,
  unboxed,
} from "../../../../lib/isa/softfloat/conversion.ts";
import { BINARY32, BINARY64 } from "../../../../lib/isa/softfloat/format.ts";
import { FloatFlag, Rounding } from "../../../../lib/isa/softfloat/rounding.ts";

const { RNE, RTZ, RDN, RUP, RMM } = Rounding;
const numRuns = process.env["DOM0_TEST_FULL"] === "1" ? 100_000 : 3_000;

const view = new DataView(new ArrayBuffer(8));
const wordOf = (number: number): bigint => {
  view.setFloat64(0, number);
  return view.getBigUint64(0);
};
const numberOf = (word: bigint): number => {
  view.setBigUint64(0, word);
  return view.getFloat64(0);
};
const singleWordOf = (number: number): bigint => {
  view.setFloat32(0, number);
  return BigInt(view.getUint32(0));
};

const word64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.double().map(wordOf));
const word32 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
/** JavaScript's NaN as the word that RISC-V returns. */
const expected = (number: number): bigint => (Number.isNaN(number) ? BINARY64.canonicalNan : wordOf(number));

const NAN32 = 0x7fc0_0000n;
const SIGNALING32 = 0x7f80_0001n;
const INF32 = 0x7f80_0000n;
const ONE32 = 0x3f80_0000n;

describe("rounding to nearest even is the arithmetic of JavaScript (norm:fadd-s_fmul-s_op norm:fsub-s_op norm:fdiv-s_op)", () => {
  it.each([
    ["a + b", add, (a: number, b: number) => a + b],
    ["a - b", subtract, (a: number, b: number) => a - b],
    ["a × b", multiply, (a: number, b: number) => a * b],
    ["a ÷ b", divide, (a: number, b: number) => a / b],
  ] as const)("for %s", (_, ours, theirs) => {
    fc.assert(
      fc.property(word64, word64, (a, b) => {
        expect(ours(BINARY64, a, b, RNE).word).toBe(expected(theirs(numberOf(a), numberOf(b))));
      }),
      { seed: 1, numRuns },
    );
  });

  it("for √a (norm:fsqrt-s_op norm:f_ieee_compliance)", () => {
    fc.assert(
      fc.property(word64, (a) => {
        expect(squareRoot(BINARY64, a, RNE).word).toBe(expected(Math.sqrt(numberOf(a))));
      }),
      { seed: 2, numRuns },
    );
  });

  it("for the conversion to single precision (norm:fcvt-s-d_fcvt-d-s_op norm:f_ieee_compliance norm:ieee_std_subnormal)", () => {
    fc.assert(
      fc.property(word64, (a) => {
        const rounded = Math.fround(numberOf(a));
        const word = Number.isNaN(rounded) ? NAN32 : singleWordOf(rounded);
        expect(toFormat(BINARY64, a, BINARY32, RNE).word).toBe(word);
      }),
      { seed: 3, numRuns },
    );
  });

  it("for single precision, which double precision computes exactly enough (norm:fadd-s_fmul-s_op norm:fsub-s_op norm:fdiv-s_op)", () => {
    fc.assert(
      fc.property(word32, word32, (a, b) => {
        const wide = (word: bigint): bigint => toFormat(BINARY32, word, BINARY64, RNE).word;
        const product = Math.fround(numberOf(wide(a)) * numberOf(wide(b)));
        const word = Number.isNaN(product) ? NAN32 : singleWordOf(product);
        expect(multiply(BINARY32, a, b, RNE).word).toBe(word);
      }),
      { seed: 4, numRuns },
    );
  });
});

describe("fused multiply-add", () => {
  it("is what double precision gives when product and sum of single-precision numbers are exact in it (norm:fmadd-s_op)", () => {
    const small = fc.integer({ min: -(2 ** 12), max: 2 ** 12 });
    fc.assert(
      fc.property(small, small, small, fc.integer({ min: -40, max: 40 }), (a, b, c, scale) => {
        const factor = 2 ** scale;
        const single = (value: number): bigint => singleWordOf(value);
        const exactSum = a * factor * b + c;
        const result = multiplyAdd(BINARY32, single(a * factor), single(b), single(c), RNE);
        expect(result.word).toBe(singleWordOf(exactSum));
      }),
      { seed: 5, numRuns },
    );
  });

  it("raises NV for infinity times zero even when the addend is a quiet NaN (norm:fma_nv_flag)", () => {
    expect(multiplyAdd(BINARY32, INF32, 0n, NAN32, RNE)).toEqual({ word: NAN32, flags: FloatFlag.NV });
  });

  it("leaves -0 for an exact cancellation only when rounding down", () => {
    const signs = [RNE, RTZ, RDN, RUP, RMM].map(
      (mode) => multiplyAdd(BINARY32, ONE32, ONE32, 0xbf80_0000n, mode).word,
    );
    expect(signs).toEqual([0n, 0n, 0x8000_0000n, 0n, 0n]);
  });
});

describe("minimum and maximum", () => {
  it("order -0 below +0, in both orders of the operands (norm:fmin-s_fmax-s_zero_compare)", () => {
    expect(minimum(BINARY32, 0n, 0x8000_0000n).word).toBe(0x8000_0000n);
    expect(minimum(BINARY32, 0x8000_0000n, 0n).word).toBe(0x8000_0000n);
    expect(maximum(BINARY32, 0n, 0x8000_0000n).word).toBe(0n);
    expect(maximum(BINARY32, 0x8000_0000n, 0n).word).toBe(0n);
  });

  it("return the number when the other operand is a NaN, and NV only for a signaling one (norm:fmin-s_fmax-s_one_nan_input norm:fmin-s_fmax-s_signaling_nan_nv norm:fmin-s_fmax-s_both_nan_input)", () => {
    expect(minimum(BINARY32, NAN32, ONE32)).toEqual({ word: ONE32, flags: 0 });
    expect(maximum(BINARY32, ONE32, SIGNALING32)).toEqual({ word: ONE32, flags: FloatFlag.NV });
    expect(minimum(BINARY32, 0xffc0_1234n, NAN32)).toEqual({ word: NAN32, flags: 0 });
  });

  it("agree with Math.min and Math.max on numbers (norm:fmin-s_fmax-s_op)", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        expect(minimum(BINARY64, wordOf(a), wordOf(b)).word).toBe(wordOf(Math.min(a, b)));
        expect(maximum(BINARY64, wordOf(a), wordOf(b)).word).toBe(wordOf(Math.max(a, b)));
      }),
      { seed: 6, numRuns },
    );
  });
});

describe("conversion to integers that have no room (norm:fcvt_int_float_valid_input norm:fcvt_unrepresentable_nv)", () => {
  // The manual's table: below, above, and NaN.
  it.each([
    ["int32", INT32, -(2n ** 31n), 2n ** 31n - 1n],
    ["uint32", UINT32, 0n, 2n ** 32n - 1n],
    ["int64", INT64, -(2n ** 63n), 2n ** 63n - 1n],
    ["uint64", UINT64, 0n, 2n ** 64n - 1n],
  ] as const)("saturates to the limits of %s and raises NV alone", (_, format, lowest, highest) => {
    const convert = (number: number) => toInteger(BINARY64, wordOf(number), format, RNE);
    for (const low of [-Infinity, -1e300, -(2 ** 65)])
      expect(convert(low)).toEqual({ word: lowest, flags: FloatFlag.NV });
    for (const high of [Infinity, 1e300, 2 ** 65])
      expect(convert(high)).toEqual({ word: highest, flags: FloatFlag.NV });
    for (const nan of [
      BINARY64.canonicalNan,
      BINARY64.canonicalNan | BINARY64.signMask,
      BINARY64.infinity + 1n,
    ])
      expect(toInteger(BINARY64, nan, format, RNE)).toEqual({ word: highest, flags: FloatFlag.NV });
  });

  it("rounds before it looks at the range, so that -0.5 is 0 unsigned but -1 is invalid (norm:fcvt_round)", () => {
    expect(toInteger(BINARY64, wordOf(-0.5), UINT32, RNE)).toEqual({ word: 0n, flags: FloatFlag.NX });
    expect(toInteger(BINARY64, wordOf(-0.5), UINT32, RDN)).toEqual({ word: 0n, flags: FloatFlag.NV });
    expect(toInteger(BINARY64, wordOf(2 ** 31 - 0.5), INT32, RTZ)).toEqual({
      word: 2n ** 31n - 1n,
      flags: FloatFlag.NX,
    });
    expect(toInteger(BINARY64, wordOf(2 ** 31 - 0.5), INT32, RUP)).toEqual({
      word: 2n ** 31n - 1n,
      flags: FloatFlag.NV,
    });
  });

  it("gives back every 32-bit integer that went through double precision (norm:fcvt-s-w_fcvt-s-l_op)", () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const { word, flags } = fromInteger(BINARY64, BigInt(value), RNE);
        expect([word, flags]).toEqual([wordOf(value), 0]);
        expect(toInteger(BINARY64, word, INT32, RNE)).toEqual({ word: BigInt(value), flags: 0 });
      }),
      { seed: 7, numRuns },
    );
  });
});

describe("classes, signs and boxes", () => {
  it("classifies one example of each of the ten classes (norm:fclass-s_op)", () => {
    const examples = [
      [0xff80_0000n, 0xbf80_0000n, 0x8000_0001n, 0x8000_0000n, 0n],
      [0x007f_ffffn, 0x0080_0000n, INF32, SIGNALING32, NAN32],
    ].flat();
    expect(examples.map((word) => classify(BINARY32, word))).toEqual(
      examples.map((_, bit) => 1n << BigInt(bit)),
    );
  });

  it("injects signs into NaNs without touching the payload (norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op)", () => {
    expect(copySign(BINARY32, SIGNALING32, 0x8000_0000n)).toBe(0xff80_0001n);
    expect(copyOppositeSign(BINARY32, 0xff80_0001n, 0x8000_0000n)).toBe(SIGNALING32);
    expect(multiplySigns(BINARY32, 0xbf80_0000n, 0x8000_0000n)).toBe(ONE32);
  });

  it("reads a single-precision number out of its box, and the canonical NaN when there is no box (norm:FP_nontransfer_instrs_improper_nan-boxed_input norm:fp_nan-boxing norm:canonical_NaN)", () => {
    expect(boxed(ONE32)).toBe(0xffff_ffff_3f80_0000n);
    expect(unboxed(0xffff_ffff_3f80_0000n, BINARY32)).toBe(ONE32);
    expect(unboxed(0xffff_fffe_3f80_0000n, BINARY32)).toBe(NAN32);
    expect(unboxed(ONE32, BINARY32)).toBe(NAN32);
  });
});

describe("underflow is detected after rounding (norm:ieee_std_tininess)", () => {
  it("is not raised when rounding carries into the normal numbers at unbounded exponent too", () => {
    // (1 + 2^-23) × (1 - 2^-23) × 2^-126 is just below the smallest normal number: 1 - 2^-46 in units of it.
    const product = multiply(BINARY32, 0x3f80_0001n, 0x007f_ffffn, RNE);
    expect(product).toEqual({ word: 0x0080_0000n, flags: FloatFlag.NX });
  });

  it("is raised when the number stays tiny at unbounded exponent, although the result is normal", () => {
    // 0x1.fffffep-1 × 2^-126 has 24 digits of its own below 2^-126: exact there, rounded up here.
    const product = multiply(BINARY32, 0x3f7f_ffffn, 0x0080_0000n, RNE);
    expect(product).toEqual({ word: 0x0080_0000n, flags: FloatFlag.NX | FloatFlag.UF });
  });
});
