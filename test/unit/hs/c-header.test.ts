/** One description, two languages: what TypeScript lays out, the C compiler lays out too. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layoutHeader, SHARED_STRUCTS } from "../../../lib/host/cli/layout.ts";
import { cHeader } from "../../../lib/hs/c-header.ts";
import {
  aligned,
  array,
  cName,
  type FieldType,
  pointer,
  type StructShape,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../../../lib/hs/struct.ts";
import { describeWith, partPath } from "../../support/optional.ts";

const Inner = struct("frame-entry", { owner: u16, type: u8, flags: u8, typeCount: u32, refCount: u32 });
const Outer = struct("domain", {
  id: u16,
  frames: array(Inner, 3),
  grid: array(array(u8, 2), 5),
  next: pointer,
  root: aligned(array(u64, 4), 64),
  last: u8,
});

describe("a header", () => {
  const text = cHeader({
    file: "layout.h",
    origin: "a test",
    structs: [Outer],
    symbols: new Map([["vmm.domains", 0x8020_4000n]]),
  });

  it("declares each structure behind those that it contains, with its fields and their offsets", () => {
    expect(text.indexOf("struct frame_entry {")).toBeGreaterThan(0);
    expect(text.indexOf("struct frame_entry {")).toBeLessThan(text.indexOf("struct domain {"));
    expect(text).toContain("  struct frame_entry frames[3];\n  uint8_t grid[5][2];\n  uint64_t next;\n");
    expect(text).toContain("  _Alignas(64) uint64_t root[4];");
    expect(text).toContain("#define FRAME_ENTRY_TYPECOUNT 4\n");
    expect(text).toContain("#define VMM_DOMAINS 0x80204000\n");
  });

  it("is the same for the same layout, and refuses two structures of one name", () => {
    expect(layoutHeader()).toBe(layoutHeader());
    const other = struct("domain", { id: u8 });
    expect(() => cHeader({ file: "x.h", origin: "a test", structs: [Outer, other] })).toThrow(
      "called domain",
    );
  });
});

/** All structures of a list, with those inside them. */
const withInner = (structs: readonly StructShape[]): readonly StructShape[] =>
  structs.flatMap((shape) => [
    shape,
    ...withInner(shape.fields.flatMap(({ type }) => (type.c.struct === undefined ? [] : [type.c.struct]))),
  ]);

const scalar = fc.constantFrom<FieldType<unknown>>(u8, u16, u32, u64, pointer);
/** Random structures: scalars, arrays, structures in structures. */
const field: fc.Arbitrary<FieldType<unknown>> = fc.oneof(
  scalar,
  fc.tuple(scalar, fc.integer({ min: 1, max: 5 })).map(([type, length]) => array(type, length)),
  fc.constantFrom<FieldType<unknown>>(Inner, array(Inner, 2), aligned(u8, 16)),
);
const structOf = (types: readonly FieldType<unknown>[], name: string): StructShape =>
  struct(name, Object.fromEntries(types.map((type, index) => [`field${index}`, type])));

describeWith(["gcc"], "the RISC-V compiler", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dom0-layout-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const FLAGS = ["-std=c11", "-ffreestanding", "-Wall", "-Werror", "-march=rv64gc", "-mabi=lp64d"];

  /** Sizes and offsets as the compiler sees them, by reading the words that it puts into assembly. */
  function offsetsByCompiler(header: string, structs: readonly StructShape[]): number[] {
    writeFileSync(join(folder, "layout.h"), header);
    const words = structs.flatMap(({ name, fields }) => [
      `sizeof(struct ${cName(name)})`,
      ...fields.map((placed) => `offsetof(struct ${cName(name)}, ${cName(placed.name)})`),
    ]);
    writeFileSync(
      join(folder, "words.c"),
      `#include "layout.h"\nconst volatile unsigned long words[] = { ${words.join(", ")}, 1 };\n`,
    );
    execFileSync(partPath("gcc"), [...FLAGS, "-S", "-o", "words.s", "words.c"], { cwd: folder });
    const text = readFileSync(join(folder, "words.s"), "utf8");
    const found = [...text.matchAll(/\.dword\s+(\d+)|\.zero\s+(\d+)/g)].flatMap(([, word, zeroes]) =>
      word === undefined ? new Array<number>(Number(zeroes) / 8).fill(0) : [Number(word)],
    );
    return found.slice(0, words.length);
  }

  const expected = (structs: readonly StructShape[]): number[] =>
    structs.flatMap(({ sizeBytes, fields }) => [sizeBytes, ...fields.map(({ offset }) => offset)]);

  it("accepts the kit's own header, and agrees on every offset", () => {
    const all = withInner(SHARED_STRUCTS);
    expect(offsetsByCompiler(layoutHeader(), all)).toEqual(expected(all));
  });

  it("agrees on random structures", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 1, maxLength: 9 }), { minLength: 20, maxLength: 20 }),
        (many) => {
          const structs = [...many.map((types, index) => structOf(types, `random-${index}`)), Outer];
          const header = cHeader({ file: "layout.h", origin: "a test", structs });
          expect(offsetsByCompiler(header, structs)).toEqual(expected(structs));
        },
      ),
      { seed: 1, numRuns: 4 },
    );
  });

  it("refuses a header whose numbers are wrong, and an assembler reads the macros", () => {
    const right = cHeader({ file: "layout.h", origin: "a test", structs: [Outer] });
    const check = (header: string, file: string, text: string): number | null => {
      writeFileSync(join(folder, "layout.h"), header);
      writeFileSync(join(folder, file), text);
      const { status } = spawnSync(partPath("gcc"), [...FLAGS, "-c", "-o", "out.o", file], { cwd: folder });
      return status;
    };
    expect(check(right, "a.c", '#include "layout.h"\n')).toBe(0);
    expect(check(right.replace("uint16_t owner", "uint64_t owner"), "a.c", '#include "layout.h"\n')).toBe(1);
    expect(check(right, "a.S", '#include "layout.h"\n ld a0, DOMAIN_NEXT(sp)\n')).toBe(0);
  });
});
