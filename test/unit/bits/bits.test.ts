/** Words, fields and hexadecimal text. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bits, fieldMask, fieldRange, getField, setField } from "../../../lib/bits/field.ts";
import { groupedHex, hex, hexWord } from "../../../lib/bits/hex.ts";
import { asI64, asU64, fitsSigned, fitsUnsigned, ones } from "../../../lib/bits/int64.ts";

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("64-bit words", () => {
  it("read as signed and unsigned differ by 2^64 exactly when the top bit is set", () => {
    fc.assert(
      fc.property(word, (value) => {
        expect(asU64(value)).toBe(value);
        expect(asI64(value)).toBe(value >= 2n ** 63n ? value - 2n ** 64n : value);
        expect(asU64(asI64(value))).toBe(value);
      }),
      { seed: 1 },
    );
  });

  it("fit in a width exactly when they lie in its range", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 20n), max: 2n ** 20n }),
        fc.integer({ min: 1, max: 18 }),
        (value, width) => {
          const half = 2n ** BigInt(width - 1);
          expect(fitsSigned(value, width)).toBe(value >= -half && value < half);
          expect(fitsUnsigned(value, width)).toBe(value >= 0n && value < 2n * half);
        },
      ),
      { seed: 1 },
    );
  });

  it("of ones have as many as asked for", () => {
    expect([ones(0), ones(1), ones(12), ones(64)]).toEqual([0n, 1n, 4095n, 2n ** 64n - 1n]);
  });
});

describe("bit fields", () => {
  const field = fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 63 }))
    .map(([a, b]) => bits(Math.max(a, b), Math.min(a, b)));

  it("return what was set, and leave all other bits alone", () => {
    fc.assert(
      fc.property(word, field, word, (old, place, value) => {
        const changed = setField(old, place, value);
        expect(getField(changed, place)).toBe(value % 2n ** BigInt(place.width));
        expect(changed & ~fieldMask(place)).toBe(old & ~fieldMask(place));
      }),
      { seed: 1 },
    );
  });

  it("are named as the manual names them", () => {
    expect([fieldRange(bits(12, 11)), fieldRange(bits(7))]).toEqual(["12:11", "7"]);
  });

  it("that cannot exist are refused", () => {
    for (const [msb, lsb] of [
      [0, 1],
      [-1, -1],
      [1.5, 0],
    ] as const)
      expect(() => bits(msb, lsb)).toThrow(RangeError);
  });
});

describe("hexadecimal", () => {
  it.each([
    [hex(10), "0xa"],
    [hex(10n, 4), "0x000a"],
    [hex(-1n), "0xffffffffffffffff"],
    [groupedHex(0x8000_2008), "0x8000_2008"],
    [groupedHex(0x12345n), "0x1_2345"],
    [groupedHex(0x10n, 8), "0x0000_0010"],
    [groupedHex(2n ** 64n - 1n), "0xffff_ffff_ffff_ffff"],
    [hexWord(-1), "0xffffffff"],
    [hexWord(0x4501, 2), "0x4501"],
  ])("%s", (text, expected) => expect(text).toBe(expected));
});
