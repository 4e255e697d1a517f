import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RamVersion, RamVersions } from "../../../lib/board/ram-versions.ts";
import { createMachineMemory, PAGE_BYTES } from "../../../lib/bus/machine-memory.ts";
import { PageFlag, Ram } from "../../../lib/bus/ram.ts";

const PAGES = 8;

function smallRam() {
  const ram = new Ram(createMachineMemory(0, PAGES * PAGE_BYTES), 0x8000_0000);
  return { ram, versions: new RamVersions(ram) };
}

/** The long size takes minutes of a busy machine; timing never decides a test. */
const LONG_MS = 20 * 60_000;

describe("versions of RAM", () => {
  type Op =
    | { kind: "store"; offset: number; value: number }
    | { kind: "take" }
    | { kind: "go"; pick: number };
  const op: fc.Arbitrary<Op> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("store" as const),
        offset: fc.nat(PAGES * PAGE_BYTES - 8),
        value: fc.nat(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("go" as const), pick: fc.nat() }) },
  );

  it(
    "equal full copies: any tree of versions can be walked in any order, any number of times",
    () => {
      fc.assert(
        fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
          const { ram, versions } = smallRam();
          const taken: { version: RamVersion; copy: Uint8Array }[] = [];
          for (const step of ops) {
            if (step.kind === "store") ram.store(step.offset, 8, BigInt(step.value));
            if (step.kind === "take") taken.push({ version: versions.take(), copy: ram.u8.slice() });
            const target =
              step.kind === "go" && taken.length > 0 ? taken[step.pick % taken.length] : undefined;
            if (target === undefined) continue;
            versions.goTo(target.version);
            expect(ram.u8).toEqual(target.copy);
          }
          for (const { version, copy } of [...taken, ...taken.reverse()]) {
            versions.goTo(version);
            expect(ram.u8).toEqual(copy);
          }
        }),
        { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 5000 : 200 },
      );
    },
    LONG_MS,
  );

  it("copy each page once, at its first store, and no page that was not stored to", () => {
    const { ram, versions } = smallRam();
    const version = versions.take();
    for (let round = 0; round < 100; round++) {
      ram.store(0, 8, BigInt(round));
      ram.store(3 * PAGE_BYTES - 4, 8, BigInt(round)); // crosses from page 2 to page 3
    }
    expect(versions.touchedPages).toBe(3);
    versions.goTo(version);
    expect(versions.touchedPages).toBe(0);
    expect(ram.u8.every((byte) => byte === 0)).toBe(true);
  });

  it("let stores to a page go fast again after its copy was made", () => {
    const { ram, versions } = smallRam();
    versions.take();
    expect([...ram.pageFlags]).toEqual(new Array(PAGES).fill(PageFlag.COPY_BEFORE_WRITE));
    ram.store(PAGE_BYTES, 1, 1n);
    expect(ram.pageFlags[1]).toBe(0);
  });

  it("tell whoever keeps decoded code or translations of a page that going back changes it", () => {
    const { ram, versions } = smallRam();
    const version = versions.take();
    ram.store(5 * PAGE_BYTES, 1, 1n);
    const heard: number[] = [];
    ram.onStore(PageFlag.HOLDS_DECODED_CODE, (page) => heard.push(page));
    for (let page = 0; page < PAGES; page++) ram.flagPage(page, PageFlag.HOLDS_DECODED_CODE);
    versions.goTo(version);
    expect(heard).toEqual([5]);
  });

  it("copy nothing once nobody will go to any of them, and everything again from the next one on", () => {
    const { ram, versions } = smallRam();
    const abandoned = versions.take();
    ram.store(0, 8, 1n);
    versions.abandon();
    expect([...ram.pageFlags]).toEqual(new Array(PAGES).fill(0));
    ram.fill(0, ram.sizeBytes, 2);
    expect(versions.touchedPages).toBe(0);
    const version = versions.take();
    const copy = ram.u8.slice();
    ram.fill(0, ram.sizeBytes, 3);
    expect(versions.touchedPages).toBe(PAGES);
    versions.goTo(version);
    expect(ram.u8).toEqual(copy);
    expect(() => versions.goTo(abandoned)).toThrow(RangeError);
    expect(ram.u8).toEqual(copy);
  });
});
