/** Printed values. The oracle is Node's own `util.inspect` (with the same options), and fast-check's random values. */
import { format, inspect as nodeInspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLog } from "../../../lib/notebook/console.ts";
import { inspect } from "../../../lib/notebook/inspect/inspect.ts";

/** Node breaks lines at 80 columns only when told so: its default outside a terminal is 128. */
const ofNode = (value: unknown) => nodeInspect(value, { breakLength: 80 });

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 20_000 : 1_000;

class Island {
  area = 4;
  names = ["a", "b"];
  static count = 1;
}
class Atoll extends Island {
  override readonly area = 5;
}

describe("inspect prints as Node does", () => {
  const circular: { self?: unknown; list: unknown[] } = { list: [] };
  circular.self = circular;
  circular.list.push(circular, circular.list);
  const sparse = [1];
  sparse[4] = 2;
  const withProperty = Object.assign([1, 2], { extra: true });
  const values: readonly (readonly [string, unknown])[] = [
    ["primitives", [1, -0, 1.5, Number.NaN, 2n, true, null, undefined, "text", Symbol("mark")]],
    [
      "quotes",
      ["it's", '"it\'s"', '`"it\'s"`', "line\nfeed\ttab", "\u0001\u007f\u0085", "\ud800", "back\\slash"],
    ],
    ["empty values", [[], {}, new Map(), new Set(), new Uint8Array(0), ""]],
    ["keys", { plain: 1, "with-dash": 2, 3: 4, ä: 5, [Symbol("key")]: 6, "it's": 7 }],
    ["objects of classes", [new Island(), new Atoll(), new (class {})()]],
    [
      "classes and functions",
      [Island, Atoll, class {}, function named() {}, () => {}, async () => {}, function* () {}],
    ],
    ["a function with properties", Object.assign(function tagged() {}, { a: 1 })],
    [
      "accessors",
      {
        get only() {
          return 1;
        },
        set write(_: number) {},
        get both() {
          return 1;
        },
        set both(_) {},
      },
    ],
    ["cycles", circular],
    ["holes and extra keys of arrays", [sparse, withProperty, new Array(3)]],
    [
      "maps and sets of objects",
      new Map<unknown, unknown>([
        [{ a: 1 }, new Set([1, [2]])],
        ["k", new Map([[1, { b: {} }]])],
      ]),
    ],
    ["typed arrays", [new Uint8Array([1, 2, 3]), new BigInt64Array([1n, -2n]), new Float64Array([0.5])]],
    ["a long typed array", new Uint16Array(200).fill(513)],
    ["an ArrayBuffer", new Uint8Array([1, 255, 16]).buffer],
    ["weak collections", [new WeakMap(), new WeakSet()]],
    ["dates and regular expressions", [new Date(0), /a+b/giu]],
    ["boxed primitives", [Object(1), Object("two"), Object(true), Object(3n)]],
    ["objects without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["a tag", { [Symbol.toStringTag]: "Tagged", a: 1 }],
    [
      "depth",
      { a: { b: { c: { d: 1 } } }, l: [[[[1]]]], m: new Map([[1, new Map([[2, new Map([[3, {}]])]])]]) },
    ],
    [
      "a long string in an object",
      { text: "word ".repeat(40), lines: "one line\nanother line that goes on and on\n".repeat(4) },
    ],
    ["many short strings", Array.from({ length: 60 }, (_, at) => `r${at}`)],
    ["many numbers", Array.from({ length: 150 }, (_, at) => at * 7)],
    ["many bigints", Array.from({ length: 30 }, (_, at) => BigInt(at) << 40n)],
    [
      "wide records",
      Array.from({ length: 4 }, (_, at) => ({
        address: 4096 * at,
        text: `addi a${at}, zero, ${at}`,
        size: 4,
      })),
    ],
    ["custom inspection", { inner: { [nodeInspect.custom]: () => "CUSTOM\nTWO LINES" } }],
  ];
  for (const [name, value] of values) {
    it(name, () => expect(inspect(value)).toBe(ofNode(value)));
  }

  it("any nesting of plain values", () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.integer(),
        fc.double({ noNaN: false }),
        fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
        fc.string({ maxLength: 40, unit: "grapheme-ascii" }),
        fc.boolean(),
        fc.constantFrom(null, undefined),
        fc.array(tie("node"), { maxLength: 30 }),
        fc.array(fc.integer({ min: -5000, max: 5000 }), { maxLength: 130 }),
        fc.dictionary(
          fc.string({ maxLength: 12, unit: "grapheme-ascii" }).filter((key) => key !== "__proto__"),
          tie("node"),
          { maxKeys: 8 },
        ),
        fc.array(fc.tuple(tie("node"), tie("node")), { maxLength: 4 }).map((pairs) => new Map(pairs)),
        fc.array(tie("node"), { maxLength: 4 }).map((members) => new Set(members)),
        fc.uint8Array({ maxLength: 20 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, (each) => {
        expect(inspect(each)).toBe(ofNode(each));
      }),
      { seed: 1, numRuns: RUNS },
    );
  });
});

describe("inspect differs from Node where a notebook must", () => {
  it("prints an error without its stack, which would name files of this machine", () => {
    expect(inspect(new RangeError("too far"))).toBe("[RangeError: too far]");
    expect(inspect({ cause: new Error("") })).toBe("{ cause: [Error] }");
  });

  it("does not throw for a hostile value", () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no keys");
        },
        get: () => {
          throw new Error("no");
        },
      },
    );
    expect(inspect(hostile)).toBe("<unprintable>");
    expect(inspect({ inside: hostile })).toBe("{ inside: <unprintable> }");
  });

  it("comes to an end for an object that grows while it is read", () => {
    const endless: object = new Proxy(
      {},
      {
        ownKeys: () => ["next"],
        getOwnPropertyDescriptor: () => ({ value: [endless, {}], enumerable: true, configurable: true }),
      },
    );
    expect(inspect(endless).length).toBeLessThan(10_000);
  });

  it("stops after twenty thousand values", () => {
    const wide = Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`k${at}`, {}]));
    expect(inspect(wide).length).toBeLessThan(400_000);
  });
});

describe("console.log formats", () => {
  const cases: readonly (readonly unknown[])[] = [
    ["plain"],
    ["%s and %s", "one"],
    ["%d%% of %i, %f", 99.5, 3.7, "1.25"],
    ["%j", { a: [1] }],
    ["%o done", 5],
    ["%c styled", "color: red"],
    ["100%", 5],
    [1, "two", { three: 3 }],
    ["%s", { a: 1 }, "more"],
    ["%d", 5n],
    ["%x", 1],
  ];
  for (const each of cases) {
    it(`${String(each[0])} with ${each.length - 1} values as Node's util.format does`, () => {
      expect(formatLog(each)).toBe(format(...each));
    });
  }
});
