/** The quick walk beside the page walk, over random tables, rights and PMP: what it says must be what the page walk says. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import type { AccessKind } from "../../../lib/hart/effective-mode.ts";
import { vaddr } from "../../../lib/isa/address.ts";
import { MODE_NUMBER, type ModeNumber } from "../../../lib/isa/mode.ts";
import { isPmpUniform } from "../../../lib/mmu/pmp.ts";
import { QuickWalk } from "../../../lib/mmu/quick-walk.ts";
import { resolve } from "../../../lib/mmu/translate.ts";
import { bareMachine, RAM_BASE } from "../../support/bare-machine.ts";
import { seededNumbers } from "../../support/random.ts";

const ACCESS_KINDS: readonly AccessKind[] = ["fetch", "load", "store"];
const PAGES = 16;
/** Entries of each table that are filled: one of them is for the first address that must repeat its highest bit. */
const INDICES = [0, 1, 2, 3, 4, 5, 6, 256];
const BASE = BigInt(RAM_BASE);
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 200_000 : 1200;

/** A table entry that often leads on, and often is wrong in one thing. */
function entry(below: (limit: number) => number, level: number, levels: number): bigint {
  const isPointer = level > 0 && below(8) > 0;
  const flags = isPointer ? 1 : [0xcf, 0xdf, 0xcb, 0xd9, 0xc7, 0x4f, 0x8f, 0x5f, 0xff][below(9)];
  const page = isPointer && below(12) > 0 ? below(5) * levels + level - 1 : below(PAGES + 1);
  const whole = (BASE >> 12n) + BigInt(page % (PAGES + 1));
  const ppn = isPointer || level === 0 || below(6) === 0 ? whole : BASE >> 12n;
  const spoiled = below(20) === 0 ? 1n << BigInt(below(64)) : 0n;
  return ((ppn << 10n) | BigInt(flags ?? 0)) ^ spoiled;
}

describe("the quick walk", () => {
  it("says where the page walk leads, reads what it reads, and knows all that is ordinary", () => {
    let found = 0;
    let ordinary = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
        const below = seededNumbers(seed);
        const { hart, ram, bus } = bareMachine({ ramBytes: PAGES * 4096 });
        const { state } = hart;
        const levels = below(2) === 0 ? 3 : 4;
        for (let page = 0; page < PAGES; page++)
          for (const index of INDICES)
            ram.store(page * 4096 + 8 * index, 8, entry(below, page % levels, levels));
        const mode = below(12) === 0 ? 0n : BigInt(levels + 5);
        const asid = BigInt(below(3));
        writeCsr(hart, "satp", (mode << 60n) | (asid << 44n) | (BASE >> 12n) | BigInt(levels - 1));
        writeCsr(hart, "menvcfg", below(2) === 0 ? 0n : 3n << 61n);
        writeCsr(hart, "pmpaddr0", (BASE >> 2n) + BigInt(below(PAGES) * 1024 + (below(8) === 0 ? 8 : 0)));
        writeCsr(hart, "pmpaddr1", -1n);
        const first = [0, 0, 0x08, 0x0f, 0x89, 0x8f][below(6)] ?? 0;
        writeCsr(hart, "pmpcfg0", BigInt(first | (([0x1f, 0x1f, 0x1f, 0x19, 0x1b][below(5)] ?? 0) << 8)));
        const status = BigInt(below(2) * 2 ** 18 + below(2) * 2 ** 19 + (below(4) === 0 ? 2 ** 17 : 0));
        writeCsr(hart, "mstatus", status | (BigInt([0, 1, 3][below(3)] ?? 0) << 11n));
        state.modeNumber = ([MODE_NUMBER.U, MODE_NUMBER.S, MODE_NUMBER.S, MODE_NUMBER.M][below(4)] ??
          0) as ModeNumber;
        const walk = new QuickWalk(state, ram);
        for (let round = 0; round < 24; round++) {
          const kind = ACCESS_KINDS[below(3)] ?? "load";
          const index = (shift: bigint): bigint => BigInt(INDICES[below(8)] ?? 0) << shift;
          const address = index(39n) | index(30n) | index(21n) | index(12n) | BigInt(8 * below(512));
          const spoiled = below(3) === 0 ? address ^ (1n << BigInt(30 + below(34))) : address;
          const va = vaddr(mode === 0n && below(8) > 0 ? BASE + (address & 0x1_ffffn) : spoiled);
          const sources: number[] = [];
          const offset = walk.find(va, kind, sources);
          const read: number[] = [];
          const truth = resolve(state, bus, va, kind, 8, undefined, {
            entry: (at) => read.push(Number(at) - RAM_BASE),
          });
          if (offset >= 0) {
            found++;
            expect(truth, `seed ${seed}`).toMatchObject({
              kind: "translation",
              paddr: BASE + BigInt(offset),
            });
            expect(sources).toEqual(read);
            expect(truth.kind === "translation" && truth.updates.length).toBe(0);
          } else if (truth.kind === "translation" && truth.updates.length === 0) {
            const pages = [truth.paddr, ...read.map((at) => BASE + BigInt(at))].map((at) => at & ~0xfffn);
            const isInRam = pages.every((page) => page >= BASE && page < BASE + BigInt(PAGES * 4096));
            const isUniform = pages.every((page) => isPmpUniform(state, page as typeof truth.paddr, 4096));
            const isUsual = (truth.leaf?.pte ?? 0n) >> 54n === 0n && (truth.leaf?.level ?? 0) < 3;
            expect(isInRam && isUniform && isUsual, `seed ${seed}`).toBe(false);
            ordinary++;
          }
        }
      }),
      { seed: 1, numRuns: RUNS },
    );
    expect(found).toBeGreaterThan(RUNS);
    expect(ordinary).toBeGreaterThan(0);
  });
});
