/** The wall's codec: data comes through unchanged, code does not come through at all, and no bytes break the decoder. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CODEC_LIMITS } from "../../../lib/checks/codec-format.ts";
import { decodeInert } from "../../../lib/checks/decode.ts";
import { encodeInert } from "../../../lib/checks/encode.ts";
import { FunctionHandle, type Inert, member, Opaque, sameInert } from "../../../lib/checks/inert.ts";

function cross(value: unknown): Inert {
  const encoded = encodeInert(value);
  if (!encoded.ok) throw new Error(encoded.reason);
  const decoded = decodeInert(encoded.bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
}

const refusal = (value: unknown): string => {
  const encoded = encodeInert(value);
  return encoded.ok ? "" : encoded.reason;
};

const scalars = fc.oneof(
  fc.double(),
  fc.bigInt(),
  fc.string({ unit: "grapheme" }),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.uint8Array(),
);
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalars,
    fc.array(tie("value")),
    fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie("value"))).map((entries) => new Map(entries)),
    fc.array(scalars).map((items) => new Set(items)),
  ),
}));

describe("data", () => {
  test("comes through equal, whatever its shape", () => {
    fc.assert(
      fc.property(values, (value) => {
        const once = cross(value);
        expect(sameInert(cross(once), once)).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("of the plain kinds comes through as itself", () => {
    const value = {
      a: [1, -0, Number.NaN, 10n, -3n],
      b: new Uint8Array([1, 2]),
      c: null,
      d: undefined,
      e: "é\u0000",
    };
    expect(cross(value)).toEqual({ ...value });
    expect(Object.is((cross([-0]) as number[])[0], -0)).toBe(true);
  });

  test("named __proto__ is a member like any other, and nobody's prototype", () => {
    const record = cross(JSON.parse('{"__proto__":{"passed":true},"constructor":1}'));
    expect(Object.getPrototypeOf(record)).toBeNull();
    expect(member(record, "__proto__")).toEqual({ passed: true });
    expect(member(record, "passed")).toBeUndefined();
  });
});

describe("code", () => {
  test("of an accessor is not run", () => {
    let calls = 0;
    const value = cross({
      get score() {
        calls += 1;
        return calls;
      },
    });
    expect(calls).toBe(0);
    expect(member(value, "score")).toBeInstanceOf(Opaque);
  });

  test("of toJSON, toString, valueOf and iterators is not run", () => {
    const trap = () => {
      throw new Error("was called");
    };
    const list = Object.assign([1, 2], { toJSON: trap, [Symbol.iterator]: trap });
    expect(cross({ list, toString: trap, valueOf: trap, toJSON: trap })).toMatchObject({ list: [1, 2] });
  });

  test("in a function becomes a handle, or an opaque value where there are no handles", () => {
    const encoded = encodeInert({ f: () => 1 }, { handleOf: () => 7 });
    const decoded = encoded.ok ? decodeInert(encoded.bytes) : encoded;
    expect(decoded.ok && member(decoded.value, "f")).toEqual(new FunctionHandle(7));
    expect(member(cross({ f: () => 1 }), "f")).toEqual(new Opaque("a function"));
  });

  test("of a proxy's trap that throws is a refusal, and a known proxy is opaque", () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("no");
        },
      },
    );
    expect(refusal(hostile)).toMatch(/threw/);
    const encoded = encodeInert(hostile, { isProxy: () => true });
    expect(encoded.ok && decodeInert(encoded.bytes)).toEqual({ ok: true, value: new Opaque("a proxy") });
  });

  test("in polluted prototypes changes nothing", () => {
    const pollution = Object.assign(Object.create(null), {
      value: () => 1,
      configurable: true,
    }) as PropertyDescriptor;
    const names = ["get", "set", "value", "then", "0"];
    const clean = cross([1, { a: 2 }]);
    let polluted: Inert;
    try {
      for (const name of names) Object.defineProperty(Object.prototype, name, pollution);
      polluted = cross([1, { a: 2 }]);
    } finally {
      for (const name of names) delete (Object.prototype as Record<string, unknown>)[name];
    }
    expect(sameInert(polluted, clean)).toBe(true);
  });
});

function cyclic(): unknown[] {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  return cycle;
}

describe("what is too much", () => {
  test.each([
    ["a cycle", cyclic],
    ["depth", () => Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1)],
    ["a sparse list", () => Object.assign([], { length: 2 ** 32 - 1 })],
    ["a long text", () => "x".repeat(CODEC_LIMITS.bytes + 1)],
    ["a wide bigint", () => 1n << 5000n],
    ["many parts", () => Array.from({ length: CODEC_LIMITS.items + 1 }, () => 0)],
  ])("is refused as a whole: %s", (_name, make) => {
    expect(refusal(make())).not.toBe("");
  });
});

describe("bytes that nobody encoded", () => {
  test("are refused or decoded, and never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeInert(bytes);
        if (!decoded.ok) expect(decoded.reason).not.toBe("");
      }),
      { seed: 2, numRuns: 3_000 },
    );
  });

  test("that are cut or changed by one byte are refused or decoded, and never throw", () => {
    const encoded = encodeInert({ list: [1, "text", 5n, new Map([[1, 2]])], more: new Uint8Array(9) });
    const bytes = encoded.ok ? encoded.bytes : new Uint8Array();
    for (let at = 0; at < bytes.length; at += 1) {
      expect(decodeInert(bytes.subarray(0, at)).ok).toBe(false);
      for (const change of [1, 0x7f, 0x80, 0xff]) {
        const other = bytes.slice();
        other[at] = (other[at] ?? 0) ^ change;
        expect(() => decodeInert(other)).not.toThrow();
      }
    }
  });

  test("that promise more than they hold are refused before anything is made", () => {
    const list = 9;
    expect(decodeInert(Uint8Array.of(list, 0xff, 0xff, 0xff, 0x7f))).toMatchObject({ ok: false });
  });
});
