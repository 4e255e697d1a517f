/** What the translating engines of a board's harts share: memory, table, code, and the module of the cold tier. */

import type { Bus } from "../../../bus/bus.ts";
import type { MachineMemory } from "../../../bus/machine-memory.ts";
import { PAGE_BYTES } from "../../../bus/machine-memory.ts";
import { PageFlag } from "../../../bus/ram.ts";
import type { Hart } from "../../../hart/hart.ts";
import { HART_STATE_BYTES } from "../../../hart/layout.ts";
import { SlotDecoder } from "../interpreter/decode-slot.ts";
import { type InterpreterImports, instantiateInterpreter } from "../interpreter/generate.ts";
import { fillCsrTable } from "../privileged/csr-table.ts";
import { EventRing } from "../privileged/event-ring.ts";
import { createRegions } from "../region/regions.ts";
import { CodePages, codePageOf, offsetOfSlot, ramOffsetOf } from "./code-pages.ts";
import { Counters } from "./counters.ts";
import { type EngineMemory, engineMemory } from "./engine-memory.ts";
import { RegionSlots } from "./region-slots.ts";
import type { HartView, RegionHost, RegionSource } from "./registry.ts";

/** What generated code calls of the hart that runs. */
export interface HartDoor extends HartView {
  /** One step by the slow path, and what must follow it; the budget that generated code has then. */
  bail(budget: number): number;
  /** The same, because the page of code at the pc is not known. */
  fetchMiss(budget: number): number;
  /** Forgets where code is. */
  forgetFetches(): void;
  /** Forgets where code of this page is. */
  forgetCodePage(codePage: number): void;
}

/** What a translator is made of. */
export interface TranslatorParts {
  readonly harts: readonly Hart[];
  readonly bus: Bus;
  readonly memory: MachineMemory;
  /** Who translates; the regions of `region/` when left out. */
  readonly regions?: (host: RegionHost) => RegionSource;
  /** Arrivals after which code is hot: a power of two. */
  readonly heatThreshold?: number;
  /** Regions that must have ended before code is thrown away for it. */
  readonly manyEnded?: number;
}

/** Arrivals after which somebody may translate. */
const HEAT_THRESHOLD = 512;
/**
 * How many times as many arrivals it takes while there are so many regions. A small program is fast at once; of a large one,
 * most code runs too seldom to be worth the time of the compilers, which is about that of ten thousand arrivals.
 */
const DEMANDS: readonly (readonly [regions: number, times: number])[] = [
  [64, 1],
  [128, 4],
  [Number.POSITIVE_INFINITY, 32],
];

/**
 * So many regions have ended, and four times as many as there are: then all code is thrown away, and what is in use is made
 * again. Slots, notes and records of ended regions go with it; a guest that changes no code is never flushed for this.
 */
const MANY_ENDED = 4096;
const ENDED_PER_LIVE = 4;

/** One machine's translator. */
export class Translator implements RegionHost {
  readonly memory: EngineMemory;
  readonly ram: Bus["ram"];
  readonly codePages: CodePages;
  readonly counters = new Counters();
  readonly events: EventRing;
  readonly storeFlags: number;
  readonly imports: WebAssembly.Imports;
  /** Runs the hart at `h` until its budget is used up or given back; what is left of it. */
  readonly run: (h: number, budget: number) => number;
  readonly #slots: RegionSlots;
  readonly #decoder: SlotDecoder;
  readonly #regions: RegionSource;
  readonly #doors: HartDoor[] = [];
  readonly #heatThreshold: number;
  readonly #manyEnded: number;
  #isFlushDue = false;
  /** Regions made before the last flush. */
  #regionsBefore = 0;

  constructor({
    harts,
    bus,
    memory,
    regions = createRegions(),
    heatThreshold = HEAT_THRESHOLD,
    manyEnded = MANY_ENDED,
  }: TranslatorParts) {
    this.memory = engineMemory(memory, bus.ram);
    fillCsrTable(memory.buffer);
    this.ram = bus.ram;
    const [first] = harts;
    if (first === undefined) throw new RangeError("a machine has harts");
    this.events = new EventRing(memory.buffer, first.events);
    this.storeFlags = harts.length === 1 ? 0xff & ~PageFlag.HOLDS_RESERVATION : 0xff;
    this.codePages = new CodePages(this.memory, bus.ram, {
      onForget: (page, first, length) => this.#regions.invalidate(page, first, length),
      onClose: (page) => this.#closeCodePage(page),
    });
    this.#decoder = new SlotDecoder(memory.buffer, bus.ram.u16);
    this.#slots = new RegionSlots(this.memory);
    this.imports = { m: { memory: memory.memory, table: this.table } };
    this.#regions = regions(this);
    this.#heatThreshold = heatThreshold;
    this.#manyEnded = manyEnded;
    const options = { flagMask: this.storeFlags, heatThreshold };
    this.run = instantiateInterpreter(options, memory.memory, this.table, this.#services()).run;
  }

  get table(): WebAssembly.Table {
    return this.#slots.table;
  }

  /** Tells of a hart, in the order of their numbers. */
  join(door: HartDoor): void {
    this.#doors.push(door);
  }

  allocateSlot(): number {
    const slot = this.#slots.allocate();
    if (slot === 0) this.requestFlush();
    this.counters.slots = this.#slots.count;
    return slot;
  }

  vacate(slot: number): void {
    this.#slots.vacate(slot);
  }

  requestFlush(): void {
    this.#isFlushDue = true;
  }

  /** Whether generated code should be left soon, so that everything can be flushed. */
  get isFlushDue(): boolean {
    return this.#isFlushDue;
  }

  /** Must come when no generated code is on the stack, before it runs again. */
  flushIfDue(): void {
    if (this.#isFlushDue || this.codePages.isOverwritten || this.#isMostlyEnded()) this.#flush();
  }

  #isMostlyEnded(): boolean {
    const { regions, liveRegions } = this.counters;
    return regions - this.#regionsBefore - liveRegions > this.#manyEnded + ENDED_PER_LIVE * liveRegions;
  }

  #flush(): void {
    this.#isFlushDue = false;
    this.#regionsBefore = this.counters.regions;
    this.counters.codeFlushes++;
    for (const door of this.#doors) door.forgetFetches();
    this.codePages.flush();
    this.#slots.flush();
    this.#regions.flush();
    this.counters.slots = 0;
  }

  #closeCodePage(page: number): void {
    this.counters.codePageClosings++;
    for (const door of this.#doors) door.forgetCodePage(page);
  }

  /** In the contexts of these bits, a virtual page may no longer be this code page. */
  unmap(codePage: number, bits: number): void {
    this.#regions.unmap(codePage, bits);
  }

  /** In the contexts of these bits, a virtual page is known to be this code page. */
  learn(codePage: number, bits: number): void {
    this.#regions.learn(codePage, bits);
  }

  /** Nothing is known in the contexts of these bits any more. */
  withdraw(bits: number): void {
    if (this.#slots.count > 0) this.#slots.withdraw(bits);
  }

  /** What the module of the cold tier calls. */
  #services(): InterpreterImports {
    const doors = this.#doors;
    const doorOf = (h: number): HartDoor => doors[(h / HART_STATE_BYTES) | 0] as HartDoor;
    return {
      slow: (h: number, budget: number): number => doorOf(h).bail(budget),
      fetchMiss: (h: number, budget: number): number => doorOf(h).fetchMiss(budget),
      decode: (_h: number, slot: number): void => this.#decode(slot),
      hot: (h: number, heat: number): void => {
        if (this.#isHotEnough(heat)) this.#regions.hot(heat, doorOf(h));
      },
      resolve: (h: number, slot: number): number => {
        this.counters.resolves++;
        return this.#regions.resolve(slot, doorOf(h));
      },
    };
  }

  /** Generated code asks at each multiple of the threshold. */
  #isHotEnough(heatAddress: number): boolean {
    const [, times] = DEMANDS.find(([regions]) => this.counters.liveRegions < regions) ?? [0, 1];
    return (this.memory.i32[heatAddress >>> 2] as number) >= times * this.#heatThreshold;
  }

  /** The slot behind the last halfword of a page stays empty. */
  #decode(slot: number): void {
    const offset = offsetOfSlot(slot);
    if (offset >= PAGE_BYTES) return;
    this.counters.decodes++;
    this.codePages.noteDecode();
    this.#decoder.decode(slot, ramOffsetOf(this.codePages, codePageOf(slot)) + offset);
  }
}
