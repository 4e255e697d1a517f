/** The quick walk beside the page walk, over random tables, rights and PMP: what it says must be what the page walk says. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import type { AccessKind } from "../../../lib/hart/effective-mode.ts";
import { type Paddr, vaddr } from "../../../lib/isa/address.ts";
import { MODE_NUMBER, type ModeNumber } from "../../../lib/isa/mode.ts";
import { isPmpUniform } from "../../../lib/mmu/pmp.ts";
import { QuickWalk } from "../../../lib/mmu/quick-walk.ts";
import { resolve } from "../../../lib/mmu/translate.ts";
import { type BareMachine, bareMachine, RAM_BASE } from "../../support/bare-machine.ts";
import { seededNumbers } from "../../support/random.ts";

type Below = (limit: number) => number;

const ACCESS_KINDS: readonly AccessKind[] = ["fetch", "load", "store"];
const PAGES = 16;
/** Entries of each table that are filled: one of them is for the first address that must repeat its highest bit. */
const INDICES = [0, 1, 2, 3, 4, 5, 6, 256];
const BASE = BigInt(RAM_BASE);
const PAGE_NUMBER = BASE >> 12n;
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 100_000 : 1000;
const ROUNDS = 24;

const oneOf = <T>(below: Below, items: readonly T[]): T => items[below(items.length)] as T;

/** Often as it is, and often wrong in one bit. */
const spoiled = (below: Below, entry: bigint): bigint =>
  below(20) === 0 ? entry ^ (1n << BigInt(below(64))) : entry;

/** A leaf with rights of some kind, and a pointer. */
const leaf = (below: Below, ppn: bigint): bigint =>
  spoiled(
    below,
    (ppn << 10n) | oneOf(below, [0xcfn, 0xdfn, 0xcbn, 0xd9n, 0xc7n, 0x4fn, 0x8fn, 0x5fn, 0xffn]),
  );
const pointer = (below: Below, page: number): bigint =>
  spoiled(below, ((PAGE_NUMBER + BigInt(page)) << 10n) | 1n);

/** Tables of one stage: page p is one of level p modulo the levels. Superpages are all of RAM's beginning. */
function fillTables({ ram, hart }: BareMachine, below: Below): void {
  const levels = oneOf(below, [3, 4]);
  for (let page = 0; page < PAGES; page++)
    for (const index of INDICES) {
      const level = page % levels;
      const next = below(12) > 0 ? below(5) * levels + level - 1 : below(PAGES + 1);
      const isPointer = level > 0 && below(8) > 0;
      const ppn = level === 0 || below(6) === 0 ? PAGE_NUMBER + BigInt(below(PAGES + 1)) : PAGE_NUMBER;
      const entry = isPointer ? pointer(below, next % (PAGES + 1)) : leaf(below, ppn);
      ram.store(page * 4096 + 8 * index, 8, entry);
    }
  const mode = below(12) === 0 ? 0n : BigInt(levels + 5);
  const root = PAGE_NUMBER + BigInt(levels - 1);
  writeCsr(hart, "satp", (mode << 60n) | (BigInt(below(3)) << 44n) | root);
  hart.state.modeNumber = oneOf<ModeNumber>(below, [0, 1, 1, 3]);
}

/** The pages of both stages' tables: from the root of the second (which takes four) and of the guest's own to the last. */
const SECOND_STAGE = [0, 4, 5];
const GUEST = [6, 7, 8];
/** Roots in front of them for four levels. */
const WIDE_SECOND = 12;
const WIDE_GUEST = 9;

/** Tables of both stages. The second maps most of RAM to itself. */
function fillBothStages({ ram, hart }: BareMachine, below: Below): void {
  const put = (page: number, index: number, entry: bigint): void =>
    ram.store(page * 4096 + 8 * index, 8, entry);
  for (const tables of [SECOND_STAGE, GUEST])
    for (const [depth, page] of tables.entries())
      for (const index of INDICES) {
        const next = tables[depth + 1];
        const isPointer = next !== undefined && below(10) > 0;
        const isSame = tables === SECOND_STAGE && below(10) > 0;
        const ppn = PAGE_NUMBER + BigInt(isSame ? index : depth < 2 ? 0 : below(PAGES + 1));
        put(page, index, isPointer ? pointer(below, next) : leaf(below, ppn));
      }
  // Where RAM is among guest-physical addresses, and that user mode has rights there.
  put(0, 2, pointer(below, 4));
  for (let page = 0; page < PAGES; page++)
    put(5, page, spoiled(below, ((PAGE_NUMBER + BigInt(page)) << 10n) | 0xdfn));
  for (const index of INDICES) {
    put(WIDE_SECOND, index, pointer(below, 0));
    put(WIDE_GUEST, index, pointer(below, 6));
  }
  const isWide = below(3) === 0;
  const root = (page: number): bigint => PAGE_NUMBER + BigInt(page);
  writeCsr(hart, "hgatp", isWide ? (9n << 60n) | root(WIDE_SECOND) : (8n << 60n) | root(0));
  writeCsr(hart, "vsatp", below(3) === 0 ? (9n << 60n) | root(WIDE_GUEST) : (8n << 60n) | root(6));
  if (below(10) === 0) writeCsr(hart, oneOf(below, ["hgatp", "vsatp"]), 0n);
  writeCsr(hart, "vsstatus", BigInt(below(2) * 2 ** 18 + below(2) * 2 ** 19));
  hart.state.modeNumber = oneOf<ModeNumber>(below, [MODE_NUMBER.VS, MODE_NUMBER.VU]);
}

/** PMP with two regions, `mstatus` and `menvcfg`. */
function setRights({ hart }: BareMachine, below: Below): void {
  writeCsr(hart, "menvcfg", below(2) === 0 ? 0n : 3n << 61n);
  writeCsr(hart, "pmpaddr0", (BASE >> 2n) + BigInt(below(PAGES) * 1024 + (below(8) === 0 ? 8 : 0)));
  writeCsr(hart, "pmpaddr1", -1n);
  const first = oneOf(below, [0, 0, 0x08, 0x0f, 0x89, 0x8f]);
  writeCsr(hart, "pmpcfg0", BigInt(first | (oneOf(below, [0x1f, 0x1f, 0x1f, 0x19, 0x1b]) << 8)));
  const status = BigInt(below(2) * 2 ** 18 + below(2) * 2 ** 19 + (below(4) === 0 ? 2 ** 17 : 0));
  const previous = (BigInt(oneOf(below, [0, 1, 3])) << 11n) | (BigInt(below(2)) << 39n);
  writeCsr(hart, "mstatus", status | previous);
}

function someAddress(below: Below, isTranslated: boolean): bigint {
  const index = (shift: bigint): bigint => BigInt(oneOf(below, INDICES)) << shift;
  const top = below(2) === 0 ? 0n : index(39n);
  const address = top | index(30n) | index(21n) | index(12n) | BigInt(8 * below(512));
  if (!isTranslated && below(8) > 0) return BASE + (address & 0x1_ffffn);
  return below(3) === 0 ? address ^ (1n << BigInt(30 + below(34))) : address;
}

/** What the quick walk found. */
interface Found {
  pages: number;
  devices: number;
}

/** One machine, some accesses. */
function compare(seed: number, fill: (machine: BareMachine, below: Below) => void, found: Found): void {
  const below = seededNumbers(seed);
  const machine = bareMachine({ ramBytes: PAGES * 4096 });
  const { hart, ram, bus } = machine;
  const { state } = hart;
  fill(machine, below);
  setRights(machine, below);
  const isTranslated = state.stored(state.modeNumber >= MODE_NUMBER.VU ? "vsatp" : "satp") !== 0n;
  const walk = new QuickWalk(state, ram);
  for (let round = 0; round < ROUNDS; round++) {
    const kind = oneOf(below, ACCESS_KINDS);
    const va = vaddr(someAddress(below, isTranslated));
    const sources: number[] = [];
    const offset = walk.find(va, kind, sources);
    const read: Paddr[] = [];
    const observer = { entry: (at: Paddr) => read.push(at) };
    const truth = resolve(state, bus, va, kind, 8, undefined, observer);
    const device = walk.findDevice(va, kind, 8);
    if (device >= 0) {
      found.devices++;
      expect(device < RAM_BASE || device >= RAM_BASE + PAGES * 4096, `seed ${seed}`).toBe(true);
      expect(truth, `seed ${seed}`).toMatchObject({
        kind: "translation",
        paddr: BigInt(device),
        updates: [],
      });
    }
    if (offset >= 0) {
      found.pages++;
      expect(truth, `seed ${seed}`).toMatchObject({
        kind: "translation",
        paddr: BASE + BigInt(offset),
        updates: [],
      });
      expect(sources).toEqual(read.map((at) => Number(at) - RAM_BASE));
    } else if (truth.kind === "translation" && truth.updates.length === 0) {
      const pages = [truth.paddr, ...read].map((at) => (at & ~0xfffn) as Paddr);
      const isInRam = pages.every((page) => page >= BASE && page < BASE + BigInt(PAGES * 4096));
      const isUniform = pages.every((page) => isPmpUniform(state, page, 4096));
      const isUsual = read.every((at) => {
        const pte = ram.load(Number(at) - RAM_BASE, 8);
        return pte >> 54n === 0n;
      });
      const isLarge = truth.leaf?.level === 3;
      expect(isInRam && isUniform && isUsual && !isLarge, `seed ${seed} misses ${va.toString(16)}`).toBe(
        false,
      );
    }
  }
}

describe("the quick walk says where the page walk leads, reads what it reads, and knows all that is ordinary", () => {
  for (const [title, fill, least] of [
    ["with one stage of tables, or none", fillTables, RUNS / 2],
    ["with two stages, or one of them", fillBothStages, RUNS / 2],
  ] as const)
    it(title, () => {
      const found = { pages: 0, devices: 0 };
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
          compare(seed, fill, found);
        }),
        { seed: 1, numRuns: RUNS },
      );
      expect(found.pages).toBeGreaterThan(least);
      expect(found.devices).toBeGreaterThan(least / 20);
    });
});
