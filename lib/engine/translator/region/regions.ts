/**
 * The hot tier: waits until enough code is hot, translates it, and knows which regions are valid where.
 *
 * Nothing here changes what a guest can see; a region that cannot be made is counted, and the interpreter carries on.
 */
import {
  CELLS,
  HEAT_IS_SLOT,
  MISFIT_CELLS,
  RAM_OFFSET,
  REGION_NOTE_BYTES,
  REGION_NOTES,
  REGION_PCS,
  SPLIT_LOOKS,
  WORD,
  WRONG_GUESSES,
} from "../layout.ts";
import { codePageAddress, codePageOf, heatAddress, ramOffsetOf } from "../runtime/code-pages.ts";
import type { HartView, RegionHost, RegionSource } from "../runtime/registry.ts";
import { type BatchFunction, REGION_TYPE, writeBatch } from "./batch.ts";
import { type CodePage, Discovery, type RegionCode } from "./discovery.ts";
import type { ExitProfile } from "./exit-profile.ts";
import { MANY_NOTES } from "./exits.ts";
import { type Graph, graphOf } from "./graph.ts";
import type { LookTactics } from "./looks.ts";
import { type Entry, Places, type Region, type RegionPiece } from "./places.ts";
import { writeRegion } from "./region-writer.ts";

/** How eagerly regions are made. */
export interface RegionOptions {
  /** So many hot places make a batch. */
  readonly batch?: number;
  /** A place that was told so often to be hot makes a batch at once. */
  readonly urgentTimes?: number;
  /** Bytes of memory that regions may take, about; then all are thrown away. */
  readonly capBytes?: number;
  /** Most instructions of a region: larger functions take the host's compiler more than proportionally long. */
  readonly maxInsns?: number;
  /** Whether accesses by one register share a look into the translations. */
  readonly coalesces?: boolean;
  /** What regions guess about accesses in loops, until they find that they guess wrong. */
  readonly guess?: LookTactics["guess"];
  /** Counts why regions are left, which makes them slower. */
  readonly exits?: ExitProfile;
}

/** All of them; nobody counts unless asked to. */
type Options = Required<Omit<RegionOptions, "exits">> & Pick<RegionOptions, "exits">;

const DEFAULTS: Options = {
  batch: 64,
  urgentTimes: 2,
  capBytes: 64 * 2 ** 20,
  maxInsns: 300,
  coalesces: true,
  guess: "page",
};

/** Heat of places from which nothing can be made: they are told again when it has risen very far. */
const REFUSED = -0x4000_0000;
/** Heat of a place whose region was ended by a store, for each time that its page has seen that. */
const PENALTY = 256;
const MAX_PENALTIES = 1 << 10;
/** So many arrivals at code that has a region for another address make it wait for one of its own. */
const ALIAS_ARRIVALS = 64;

/**
 * What the host takes for a region, about: so many bytes of machine code, and of notes about it, for each byte of its
 * function, and so many more for each module. Measured as the growth of a process over thousands of regions.
 */
const HOST_BYTES_PER_BYTE = 12;
const HOST_BYTES_PER_MODULE = 20_000;

/** Guesses may be wrong once in so many instructions. */
const RARE = 256;
/** Instructions after which notes are read at the latest, about. */
const NOTES_SEEN_AFTER = 1 << 18;

interface Waiting {
  readonly entry: Entry;
  times: number;
}

/** Makes the source of regions of a machine. */
export const createRegions =
  (options: RegionOptions = {}) =>
  (host: RegionHost): RegionSource =>
    new Regions(host, options);

class Regions implements RegionSource {
  readonly #host: RegionHost;
  readonly #options: Options;
  /** What modules of regions import. */
  readonly #imports: WebAssembly.Imports;
  readonly #discovery: Discovery;
  readonly #places: Places;
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;
  #waiting: Waiting[] = [];
  #hostBytes = 0;
  /** How often regions of each code page were ended by stores. */
  readonly #penalties: number[] = [];

  constructor(host: RegionHost, options: RegionOptions) {
    this.#host = host;
    this.#options = { ...DEFAULTS, ...options };
    const { guess, coalesces, exits } = this.#options;
    this.#imports = exits === undefined ? host.imports : { ...host.imports, h: { left: exits.left } };
    this.#places = new Places({ guess, coalesces }, ({ region }) => {
      if (region !== undefined) this.#end(region, 0);
    });
    this.#discovery = new Discovery(host.memory.memory, this.#options.maxInsns);
    this.#i32 = host.memory.i32;
    this.#i64 = host.memory.i64;
  }

  hot(heat: number, hart: HartView): void {
    if (this.#heat(heat) < 0) return;
    const entry = this.#places.entry(hart.pc, heat);
    if (entry.region === undefined) this.#wait(entry, hart);
    else this.#setHeat(heat, HEAT_IS_SLOT + entry.region.slot);
  }

  #wait(entry: Entry, hart: HartView): void {
    const known = this.#waiting.find((waiting) => waiting.entry === entry);
    if (known === undefined) this.#waiting.push({ entry, times: 1 });
    else known.times += 1;
    const isUrgent = known !== undefined && known.times >= this.#options.urgentTimes;
    if (isUrgent || this.#waiting.length >= this.#options.batch) this.#makeBatch(hart);
  }

  #heat(address: number): number {
    return this.#i32[address >>> 2] ?? 0;
  }

  #setHeat(address: number, heat: number): void {
    this.#i32[address >>> 2] = heat;
  }

  resolve(slot: number, hart: HartView): number {
    const region = this.#places.region(slot);
    if (region === undefined) return 0;
    const { entry } = region;
    if (hart.pc !== entry.pc) return this.#resolveAlias(this.#places.entry(hart.pc, entry.heatAddress), hart);
    if (this.#hasNotedMuch(slot)) {
      if (this.#mustChange(region, hart)) {
        this.#end(region, 0);
        this.#waiting.push({ entry, times: 1 });
        this.#makeBatch(hart);
        return 0;
      }
      this.#forgetNotes(region, hart);
    }
    if (this.#holds(region, hart)) return 1;
    this.#setBit(MISFIT_CELLS, slot, hart.codeBit);
    return 0;
  }

  /** The heat word names a region of this code for another address: now that of this one, if there is any or should be. */
  #resolveAlias(entry: Entry, hart: HartView): number {
    this.#host.counters.aliases += 1;
    const region = entry.region ?? this.#regionOfAlias(entry, hart);
    if (region === undefined || !this.#holds(region, hart)) return 0;
    this.#setHeat(entry.heatAddress, HEAT_IS_SLOT + region.slot);
    return 1;
  }

  #regionOfAlias(entry: Entry, hart: HartView): Region | undefined {
    entry.arrivals += 1;
    if (entry.arrivals < ALIAS_ARRIVALS) return undefined;
    entry.arrivals = 0;
    this.#wait(entry, hart);
    return entry.region;
  }

  #note(slot: number, field: number): number {
    return this.#i32[(REGION_NOTES + REGION_NOTE_BYTES * slot + field) >>> 2] ?? 0;
  }

  #hasNotedMuch(slot: number): boolean {
    return (this.#note(slot, WRONG_GUESSES) | this.#note(slot, SPLIT_LOOKS)) >= MANY_NOTES;
  }

  #forgetNotes(region: Region, hart: HartView): void {
    const at = (REGION_NOTES + REGION_NOTE_BYTES * region.slot) >>> 2;
    this.#i32.fill(0, at, at + REGION_NOTE_BYTES / 4);
    region.notedAt = this.#mayHaveRetired(hart);
  }

  #mayHaveRetired({ h }: HartView): number {
    return this.#host.memory.f64[(h + WORD.retiredBase) >>> 3] ?? 0;
  }

  /** Whether a region should be written with other tactics, which its entry has then. */
  #mustChange({ slot, notedAt, entry }: Region, hart: HartView): boolean {
    const many = (this.#mayHaveRetired(hart) - notedAt + NOTES_SEEN_AFTER) / RARE;
    const { guess, coalesces } = entry.tactics;
    const isWrong = this.#note(slot, WRONG_GUESSES) > many;
    const isSplit = this.#note(slot, SPLIT_LOOKS) > many;
    if (isWrong) entry.tactics = { guess: guess === "page" ? "addend" : "none", coalesces };
    if (isSplit) entry.tactics = { ...entry.tactics, coalesces: false };
    return isWrong || isSplit;
  }

  /**
   * Finds out whether a region holds in the present context, and says so in its cell. To ask for a page may make the runtime
   * forget others, so the bit is there before anybody is asked: whatever is forgotten meanwhile takes it away.
   */
  #holds({ slot, pieces }: Region, hart: HartView): boolean {
    const bit = hart.codeBit;
    this.#setBit(CELLS, slot, bit);
    if (!pieces.every(({ virtualPage, codePage }) => hart.codePageAt(virtualPage) === codePage))
      this.#clearBits(CELLS, slot, bit);
    return ((this.#i32[(CELLS >>> 2) + slot] ?? 0) & bit) !== 0;
  }

  #setBit(cells: number, slot: number, bit: number): void {
    const at = (cells >>> 2) + slot;
    this.#i32[at] = (this.#i32[at] ?? 0) | bit;
  }

  invalidate(codePage: number, firstByte: number, lengthBytes: number): void {
    const end = firstByte + lengthBytes;
    const ended = this.#places
      .inPage(codePage)
      .filter((region) => overlaps(region, codePage, firstByte, end));
    if (ended.length === 0) return;
    this.#host.counters.invalidations += ended.length;
    const penalties = Math.min((this.#penalties[codePage] ?? 0) + 1, MAX_PENALTIES);
    this.#penalties[codePage] = penalties;
    for (const region of ended) this.#end(region, -PENALTY * penalties);
  }

  /** Ends a region. Frames of it that are on the stack leave when they look at its cell. */
  #end(region: Region, heat: number): void {
    const { entry, slot } = region;
    this.#places.remove(region);
    this.#host.vacate(slot);
    if (entry.linkSlot !== 0) this.#host.vacate(entry.linkSlot);
    this.#hostBytes -= region.hostBytes;
    this.#host.counters.liveRegions -= 1;
    entry.arrivals = heat;
    if (this.#heat(entry.heatAddress) === HEAT_IS_SLOT + slot) this.#setHeat(entry.heatAddress, heat);
  }

  unmap(codePage: number, bits: number): void {
    for (const { slot } of this.#places.inPage(codePage)) this.#clearBits(CELLS, slot, bits);
  }

  learn(codePage: number, bits: number): void {
    for (const { slot } of this.#places.inPage(codePage)) this.#clearBits(MISFIT_CELLS, slot, bits);
  }

  #clearBits(cells: number, slot: number, bits: number): void {
    const at = (cells >>> 2) + slot;
    this.#i32[at] = (this.#i32[at] ?? 0) & ~bits;
  }

  flush(): void {
    this.#places.clear();
    this.#waiting = [];
    this.#hostBytes = 0;
    this.#penalties.length = 0;
    this.#host.counters.liveRegions = 0;
  }

  /** Translates what waits and belongs to the present context; the rest goes on waiting. */
  #makeBatch(hart: HartView): void {
    const waiting = this.#waiting.sort((a, b) => a.entry.heatAddress - b.entry.heatAddress);
    this.#waiting = [];
    const inside = new Set<number>();
    const functions: BatchFunction[] = [];
    const made: Region[] = [];
    for (const { entry, times } of waiting) {
      if (entry.region !== undefined) continue;
      if (hart.codePageAt(entry.pc) !== codePageOf(entry.heatAddress)) {
        this.#waiting.push({ entry, times });
        continue;
      }
      // Inside the region of a function that begins before it, where it will be arrived at seldom from now on.
      if (inside.has(entry.heatAddress)) continue;
      const region = this.#translate(entry, hart, functions, inside);
      if (region === undefined) this.#refuse(entry);
      else made.push(region);
    }
    if (this.#waiting.length >= this.#options.batch) this.#waiting = [];
    if (functions.length > 0) this.#install(functions, made, hart);
  }

  /** Nothing can be made here, or not at this address. */
  #refuse(entry: Entry): void {
    entry.arrivals = REFUSED;
    if (this.#heat(entry.heatAddress) < HEAT_IS_SLOT) this.#setHeat(entry.heatAddress, REFUSED);
  }

  /** @param inside  Gets the heat addresses of all blocks of the region. */
  #translate(
    entry: Entry,
    hart: HartView,
    functions: BatchFunction[],
    inside: Set<number>,
  ): Region | undefined {
    const code = this.#discovery.discover(entry.pc, (page) => this.#codePage(page, hart));
    if (code === undefined) return undefined;
    const slot = this.#host.allocateSlot();
    if (slot === 0) return undefined;
    const graph = graphOf(code);
    for (const { offset } of graph.blocks) {
      const page = code.pages.find(({ index }) => index === offset >> 12);
      if (page !== undefined) inside.add(heatAddress(page.number, offset & 0xfff));
    }
    const body = writeRegion(code, graph, {
      slot,
      functionType: REGION_TYPE,
      storeFlags: this.#host.storeFlags,
      tactics: entry.tactics,
      exits: this.#options.exits,
      slotFor: (offset) => this.#slotFor(code, offset, hart),
    });
    const slots = entry.linkSlot === 0 ? [slot] : [slot, entry.linkSlot];
    functions.push({ name: `region ${entry.pc.toString(16)}`, body, slots });
    return {
      entry,
      slot,
      pieces: piecesOf(code, graph),
      hostBytes: HOST_BYTES_PER_BYTE * body.length,
      notedAt: this.#mayHaveRetired(hart),
    };
  }

  #codePage(virtualPage: bigint, hart: HartView): CodePage | undefined {
    const number = hart.codePageAt(virtualPage);
    if (number < 0) return undefined;
    return {
      slots: codePageAddress(number),
      bytes: RAM_OFFSET + ramOffsetOf(this.#host.codePages, number),
      number,
    };
  }

  /** The slot by which a region goes to code outside; 0 where its place is not known. */
  #slotFor(code: RegionCode, offset: number, hart: HartView): number {
    const pc = BigInt.asUintN(64, code.base + BigInt(offset));
    const codePage = hart.codePageAt(pc);
    if (codePage < 0) return 0;
    const entry = this.#places.entry(pc, heatAddress(codePage, Number(pc & 0xfffn)));
    if (entry.linkSlot === 0) {
      entry.linkSlot = this.#host.allocateSlot();
      const { region } = entry;
      if (region !== undefined && entry.linkSlot !== 0)
        this.#host.table.set(entry.linkSlot, this.#host.table.get(region.slot));
    }
    return entry.linkSlot;
  }

  #install(functions: readonly BatchFunction[], made: readonly Region[], hart: HartView): void {
    const { counters } = this.#host;
    const bytes = writeBatch(functions, this.#options.exits !== undefined);
    try {
      new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    } catch (error) {
      if (!isHostsRefusal(error)) throw error;
      counters.compileFailures += 1;
      for (const { entry, slot } of made) {
        this.#host.vacate(slot);
        if (entry.linkSlot !== 0) this.#host.vacate(entry.linkSlot);
        this.#refuse(entry);
      }
      return;
    }
    counters.modules += 1;
    counters.regions += made.length;
    counters.liveRegions += made.length;
    for (const region of made) {
      region.hostBytes += HOST_BYTES_PER_MODULE / made.length;
      this.#places.add(region);
      this.#i64[(REGION_PCS >>> 3) + region.slot] = region.entry.pc;
      this.#holds(region, hart);
      this.#setHeat(region.entry.heatAddress, HEAT_IS_SLOT + region.slot);
      this.#hostBytes += region.hostBytes;
    }
    if (this.#hostBytes > this.#options.capBytes) this.#host.requestFlush();
  }
}

/** Whether the host will not have a module: it is out of memory, or there is more code than it allows. */
const isHostsRefusal = (error: unknown): boolean =>
  error instanceof WebAssembly.CompileError ||
  error instanceof WebAssembly.LinkError ||
  error instanceof WebAssembly.RuntimeError ||
  error instanceof RangeError;

/** The bytes of each page that a region was made from. */
function piecesOf(code: RegionCode, { blocks }: Graph): RegionPiece[] {
  const pieces = code.pages.map(({ number, index }) => {
    const first = index << 12;
    const ranges = blocks
      .filter(({ offset, nextOffset }) => offset < first + 4096 && nextOffset > first)
      .map(({ offset, nextOffset }) => [offset - first, nextOffset - first] as const);
    return {
      codePage: number,
      virtualPage: BigInt.asUintN(64, code.base + BigInt(first)),
      ranges,
    };
  });
  return pieces.filter(({ ranges }) => ranges.length > 0);
}

const overlaps = ({ pieces }: Region, codePage: number, first: number, end: number): boolean =>
  pieces.some(
    (piece) => piece.codePage === codePage && piece.ranges.some(([from, to]) => from < end && first < to),
  );
