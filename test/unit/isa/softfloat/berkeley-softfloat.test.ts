/**
 * Every operation against Berkeley SoftFloat, the implementation that hardware is checked with. The vectors and the script
 * that made them stand beside this file.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  add,
  divide,
  multiply,
  multiplyAdd,
  squareRoot,
  subtract,
} from "../../../../lib/isa/softfloat/arithmetic.ts";
import { equal, less, lessOrEqual } from "../../../../lib/isa/softfloat/comparison.ts";
import {
  fromInteger,
  INT32,
  INT64,
  toFormat,
  toInteger,
  UINT32,
  UINT64,
} from "../../../../lib/isa/softfloat/conversion.ts";
import { BINARY32, BINARY64, type FloatFormat } from "../../../../lib/isa/softfloat/format.ts";
import type { FloatResult, Rounding } from "../../../../lib/isa/softfloat/rounding.ts";

interface Vector {
  readonly operands: readonly bigint[];
  readonly result: string;
  readonly flags: number;
}

interface Section {
  /** SoftFloat's name of the operation, such as `f32_mul_add` or `ui64_to_f32`. */
  readonly name: string;
  readonly mode: Rounding;
  readonly vectors: readonly Vector[];
}

function readSections(): Section[] {
  const text = readFileSync(new URL("berkeley-softfloat.txt", import.meta.url), "utf8");
  return text
    .split(/^= /m)
    .slice(1)
    .map((part) => {
      const [head = "", ...lines] = part.trim().split("\n");
      const [name = "", mode = ""] = head.split(" ");
      const isDecimal = /^u?i/.test(name);
      return {
        name,
        mode: Number(mode) as Rounding,
        vectors: lines.map((line) => {
          const words = line.split(" ");
          const operands = words.slice(0, -2).map((word) => BigInt(isDecimal ? word : `0x${word}`));
          return { operands, result: words.at(-2) ?? "", flags: Number(words.at(-1)) };
        }),
      };
    });
}

const FORMATS = { f32: BINARY32, f64: BINARY64 };
const INTEGERS = { i32: INT32, ui32: UINT32, i64: INT64, ui64: UINT64 };
const OPERATIONS: Record<
  string,
  (of: FloatFormat, operands: readonly bigint[], mode: Rounding) => FloatResult
> = {
  add: (of, [a = 0n, b = 0n], mode) => add(of, a, b, mode),
  sub: (of, [a = 0n, b = 0n], mode) => subtract(of, a, b, mode),
  mul: (of, [a = 0n, b = 0n], mode) => multiply(of, a, b, mode),
  div: (of, [a = 0n, b = 0n], mode) => divide(of, a, b, mode),
  mul_add: (of, [a = 0n, b = 0n, c = 0n], mode) => multiplyAdd(of, a, b, c, mode),
  sqrt: (of, [a = 0n], mode) => squareRoot(of, a, mode),
  eq: (of, [a = 0n, b = 0n]) => equal(of, a, b),
  lt: (of, [a = 0n, b = 0n]) => less(of, a, b),
  le: (of, [a = 0n, b = 0n]) => lessOrEqual(of, a, b),
};

/** What ours computes, written as the vectors write it. */
function ours(name: string, mode: Rounding, operands: readonly bigint[]): { result: string; flags: number } {
  const [, from = "", operation = ""] = /^(\w+?)_(.*)$/.exec(name) ?? [];
  const [a = 0n] = operands;
  if (from in INTEGERS) {
    const to = FORMATS[operation.slice(3) as keyof typeof FORMATS];
    return floatText(to, fromInteger(to, a, mode));
  }
  const of = FORMATS[from as keyof typeof FORMATS];
  const target = operation.startsWith("to_") ? operation.slice(3) : undefined;
  if (target !== undefined && target in INTEGERS) {
    const { word, flags } = toInteger(of, a, INTEGERS[target as keyof typeof INTEGERS], mode);
    return { result: (flags & 16) === 0 ? String(word) : "-", flags };
  }
  if (target !== undefined) {
    const to = FORMATS[target as keyof typeof FORMATS];
    return floatText(to, toFormat(of, a, to, mode));
  }
  const result = OPERATIONS[operation]?.(of, operands, mode);
  if (result === undefined) throw new Error(`no operation is called ${name}`);
  return ["eq", "lt", "le"].includes(operation)
    ? { result: String(result.word), flags: result.flags }
    : floatText(of, result);
}

function floatText(of: FloatFormat, { word, flags }: FloatResult): { result: string; flags: number } {
  const digits = word.toString(16).padStart(of.widthBits / 4, "0");
  return { result: word === of.canonicalNan ? "nan" : digits, flags };
}

const MODES = ["RNE", "RTZ", "RDN", "RUP", "RMM"];
const sections = readSections();

describe("Berkeley SoftFloat agrees", () => {
  it("has vectors for every operation, format and rounding mode", () => {
    expect(sections).toHaveLength(2 * (3 + 5 * (7 + 8)));
    expect(sections.every(({ vectors }) => vectors.length >= 50)).toBe(true);
  });

  it.each(sections.map((section) => [section.name, MODES[section.mode] ?? "", section] as const))(
    "on %s in mode %s",
    (name, _, { mode, vectors }) => {
      const differences = vectors
        .map(({ operands, result, flags }) => ({
          operands,
          expected: { result, flags },
          ours: ours(name, mode, operands),
        }))
        .filter(
          ({ expected, ours: { result, flags } }) => expected.result !== result || expected.flags !== flags,
        );
      expect(differences).toEqual([]);
    },
  );
});
