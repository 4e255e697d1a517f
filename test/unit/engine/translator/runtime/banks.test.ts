import { describe, expect, it } from "vitest";
import { Bus } from "../../../../../lib/bus/bus.ts";
import { Clock } from "../../../../../lib/bus/clock.ts";
import { NO_EVENTS } from "../../../../../lib/bus/event-sink.ts";
import { createMachineMemory } from "../../../../../lib/bus/machine-memory.ts";
import { Ram } from "../../../../../lib/bus/ram.ts";
import { WORD } from "../../../../../lib/engine/translator/layout.ts";
import { CodePages } from "../../../../../lib/engine/translator/runtime/code-pages.ts";
import { Counters } from "../../../../../lib/engine/translator/runtime/counters.ts";
import { ENGINE_PLAN } from "../../../../../lib/engine/translator/runtime/create.ts";
import { engineMemory } from "../../../../../lib/engine/translator/runtime/engine-memory.ts";
import { TranslationBanks } from "../../../../../lib/engine/translator/runtime/translation-banks.ts";
import { Hart } from "../../../../../lib/hart/hart.ts";
import { HART_STATE_BYTES } from "../../../../../lib/hart/layout.ts";
import { MODE_NUMBER } from "../../../../../lib/isa/mode.ts";
import { TranslationSources } from "../../../../../lib/mmu/translation-cache.ts";

const PAGE = 4096;

/** Banks of hart 0, and what they have told. */
function setUp(harts = 1) {
  const memory = createMachineMemory(HART_STATE_BYTES, 64 * PAGE, ENGINE_PLAN);
  const ram = new Ram(memory, 0x8000_0000);
  const clock = new Clock();
  const hart = new Hart({ buffer: memory.buffer, clock, bus: new Bus(ram, clock, NO_EVENTS) });
  const views = engineMemory(memory, ram);
  const told: (readonly [string, ...number[]])[] = [];
  const codePages = new CodePages(views, ram, { onForget() {}, onClose() {} });
  const counters = new Counters();
  const banks = new TranslationBanks({
    memory: views,
    hart,
    h: 0,
    harts,
    sources: new TranslationSources(ram),
    codePages,
    counters,
    onUnmap: (page, bits) => told.push(["unmap", page, bits]),
    onLearn: (page, bits) => told.push(["learn", page, bits]),
    onForget: (bits) => told.push(["forget", bits]),
    onFull: () => told.push(["full"]),
  });
  const enter = (satp: bigint, mode: 0 | 1 | 3 = MODE_NUMBER.S): void => {
    hart.state.modeNumber = mode;
    hart.state.setStored("satp", satp);
    banks.changeAddressSpace();
  };
  return { banks, hart, ram, told, codePages, counters, enter, views };
}

const PAGE_A = 0x4000_1000n;
/** The same index in every bank of data. */
const PAGE_B = PAGE_A + 0x1_0000_0000n;

describe("the machine's memory", () => {
  it("is refused where RAM has another physical address than generated code reserves words at", () => {
    const memory = createMachineMemory(HART_STATE_BYTES, 64 * PAGE, ENGINE_PLAN);
    expect(() => engineMemory(memory, new Ram(memory, 0x4000_0000))).toThrow(
      /RAM at physical address 1073741824/,
    );
    expect(() => engineMemory(memory, new Ram(memory, 0x8000_0000))).not.toThrow();
  });
});

describe("banks of translations", () => {
  it("find what they were told, at aligned addresses of that page and for that kind alone", () => {
    const { banks, enter } = setUp();
    enter(1n);
    banks.remember("load", PAGE_A + 24n, 3 * PAGE + 24, []);
    expect(banks.locateLoad(PAGE_A + 40n, 8)).toBe(3 * PAGE + 40);
    expect(banks.locateLoad(PAGE_A + 41n, 1)).toBe(3 * PAGE + 41);
    expect(banks.locateLoad(PAGE_A + 41n, 8)).toBe(-1);
    expect(banks.locateLoad(PAGE_A + 0x1000n, 8)).toBe(-1);
    expect(banks.locateLoad(PAGE_B, 8)).toBe(-1);
    expect(banks.locateStore(PAGE_A, 8)).toBe(-1);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(-1);
    banks.remember("load", PAGE_B, 5 * PAGE, []);
    expect(banks.locateLoad(PAGE_B, 8)).toBe(5 * PAGE);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(-1);
  });

  it("keep address spaces apart, and have the first one's translations when it is back", () => {
    const { banks, enter, counters } = setUp();
    enter(1n);
    banks.remember("load", PAGE_A, 3 * PAGE, []);
    banks.remember("fetch", PAGE_A, 3 * PAGE, []);
    enter(2n);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(-1);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(-1);
    enter(1n);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(3 * PAGE);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(3 * PAGE);
    expect(counters.translationFlushes).toBe(0);
  });

  it("keep rights apart: modes, SUM and MXR; machine mode has the same ones in every address space", () => {
    const { banks, hart, enter } = setUp();
    enter(1n);
    banks.remember("load", PAGE_A, 3 * PAGE, []);
    hart.state.setStored("mstatus", 1n << 18n); // SUM
    banks.selectContext();
    expect(banks.locateLoad(PAGE_A, 8)).toBe(-1);
    hart.state.setStored("mstatus", 0n);
    hart.state.modeNumber = MODE_NUMBER.U;
    banks.selectContext();
    expect(banks.locateLoad(PAGE_A, 8)).toBe(-1);
    enter(1n, MODE_NUMBER.M);
    banks.remember("load", PAGE_A, 7 * PAGE, []);
    enter(2n, MODE_NUMBER.M);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(7 * PAGE);
  });

  it("forget one translation when a valid entry that fed it changes, in whatever address space", () => {
    const { banks, ram, enter, told, codePages } = setUp();
    ram.store(8, 8, 0xcfn);
    enter(1n);
    banks.remember("load", PAGE_A, 3 * PAGE, [8]);
    banks.remember("fetch", PAGE_A, 3 * PAGE, [8]);
    const { codeBit } = banks;
    enter(2n);
    banks.remember("load", PAGE_A, 4 * PAGE, []);
    told.length = 0;
    ram.store(8, 8, 0n);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(4 * PAGE);
    expect(told).toEqual([["unmap", codePages.find(3), codeBit]]);
    enter(1n);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(-1);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(-1);
  });

  it("forget everything when told, however much it is", () => {
    const { banks, enter, told } = setUp();
    enter(1n);
    const pages = Array.from({ length: 3000 }, (_, index) => 0x4000_0000n + BigInt(index) * 4096n);
    for (const page of pages) banks.remember("store", page, 2 * PAGE, []);
    banks.remember("fetch", PAGE_A, 3 * PAGE, []);
    expect(pages.every((page) => banks.locateStore(page, 8) === 2 * PAGE)).toBe(true);
    banks.forget();
    expect(pages.some((page) => banks.locateStore(page, 8) >= 0)).toBe(false);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(-1);
    expect(told.at(-1)?.[0]).toBe("forget");
  });

  it("give the bank that was used least lately to a new context, and take its bit from all regions", () => {
    const { banks, enter, told, counters } = setUp(4);
    for (let space = 1n; space <= 8n; space++) enter(space);
    const bits = new Set<number>();
    for (let space = 1n; space <= 7n; space++) {
      enter(space);
      banks.remember("fetch", PAGE_A, 3 * PAGE, []);
      bits.add(banks.codeBit);
    }
    expect(bits.size).toBe(7);
    expect(counters.bankEvictions).toBeGreaterThan(0);
    told.length = 0;
    enter(9n); // the eighth space has waited longest
    enter(10n);
    expect(told.filter(([what]) => what === "forget").length).toBeGreaterThan(0);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(-1);
    enter(7n);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(3 * PAGE);
  });

  it("do not take those for unused to which generated code has turned by itself", () => {
    const { banks, enter, views } = setUp(4);
    const words = [WORD.dataBank >>> 2, WORD.fetchBank >>> 2] as const;
    const present = (): readonly number[] => words.map((word) => views.i32[word] as number);
    enter(1n);
    banks.remember("load", PAGE_A, 3 * PAGE, []);
    banks.remember("fetch", PAGE_A, 3 * PAGE, []);
    const first = present();
    for (let space = 2n; space <= 20n; space++) {
      enter(space);
      const own = present();
      // As a trap and its return do.
      for (const [index, word] of words.entries()) views.i32[word] = first[index] as number;
      banks.noteUse();
      for (const [index, word] of words.entries()) views.i32[word] = own[index] as number;
      banks.noteUse();
    }
    enter(1n);
    expect(present()).toEqual(first);
    expect(banks.locateLoad(PAGE_A, 8)).toBe(3 * PAGE);
    expect(banks.locateFetch(Number(PAGE_A), 0)).toBe(3 * PAGE);
  });

  it("tell of a page of code that makes room for another, and of each that becomes known", () => {
    const { banks, enter, told, codePages } = setUp();
    enter(1n);
    const other = PAGE_A + (1n << 32n);
    banks.remember("fetch", PAGE_A, 3 * PAGE, []);
    banks.remember("fetch", other, 5 * PAGE, []);
    const bit = banks.codeBit;
    expect(told.filter(([what]) => what !== "forget")).toEqual([
      ["learn", codePages.find(3), bit],
      ["unmap", codePages.find(3), bit],
      ["learn", codePages.find(5), bit],
    ]);
  });
});
