/**
 * The referee's own book about frames: who maps which frame, found by reading the tables of all second stages entry by entry; and what the
 * hypervisor's frame table says. It is kept up to date by what has changed since the last look: an entry of a table, an entry of the
 * frame table.
 */
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { Ram } from "../bus/ram.ts";
import { DOMAINS, Frame, FrameType } from "../vmm/layout.ts";
import type { ChangeList } from "./changed-pages.ts";
import { BIT, type Meaning, meaningOf, spanOf } from "./page-tables.ts";

const ENTRIES = 512;
const WORDS = 2 * ENTRIES;
const ROOT_PAGES = 4;
const ROOT_LEVEL = 2;
const PAGE = 1n << BigInt(PAGE_SHIFT);
const OWNER = Frame.offsetOf("owner") >> 1;
const TYPE = Frame.offsetOf("type");
const FLAGS = Frame.offsetOf("flags");
const TYPE_COUNT = Frame.offsetOf("typeCount") >> 2;
const REF_COUNT = Frame.offsetOf("refCount") >> 2;
const NEXT = Frame.offsetOf("next") >> 2;

/** An entry of a second stage that maps a frame, or leads to it as a table. */
export interface Use {
  readonly kind: "leaf" | "table";
  readonly domain: number;
  /** Where the entry is, and what it says. */
  readonly at: bigint;
  readonly entry: bigint;
  readonly level: number;
  /** The first guest-physical address that it speaks of. */
  readonly address: bigint;
}

/** A page of entries that some domain's second stage comes by. */
interface TablePage {
  readonly page: number;
  readonly domain: number;
  readonly level: number;
  readonly address: bigint;
  /** Entries that lead here. */
  parents: number;
  /** What it held at the last look. */
  readonly words: Uint32Array;
}

/** What the frame table says of a frame. */
export interface FrameEntry {
  readonly owner: number;
  readonly type: number;
  readonly flags: number;
  readonly typeCount: number;
  readonly refCount: number;
  readonly next: number;
}

const NO_USES: readonly Use[] = [];

/** The book. */
export class FrameBook {
  readonly frameCount: number;
  /** Entries that lead out of RAM. */
  readonly outside: Set<Use> = new Set<Use>();
  /** Frames of each domain, by what the frame table says; 0: those that have a type and no domain. */
  readonly owned: Uint32Array = new Uint32Array(2 ** 16);
  /** Pages of tables, by level, domain and page together. */
  readonly #tables = new Map<number, TablePage>();
  readonly #tablesOfPage = new Map<number, Set<TablePage>>();
  readonly #uses = new Map<number, Use[]>();
  /** What the frame table said at the last look. */
  readonly #entries: Uint32Array;
  readonly #ram: Ram;
  readonly #tableAt: number;
  readonly #changes: ChangeList;
  /** The part of RAM that `ownedBetween` was asked about. */
  #range = { first: 0, end: 0, owned: 0 };
  #touched = new Set<number>();

  /** @param tableAt  Offset of the frame table in RAM. */
  constructor(ram: Ram, tableAt: number, changes: ChangeList) {
    this.#ram = ram;
    this.#tableAt = tableAt;
    this.#changes = changes;
    this.frameCount = ram.pageCount;
    this.#entries = new Uint32Array((this.frameCount * Frame.sizeBytes) / 4);
    const pages = Math.ceil((this.frameCount * Frame.sizeBytes) / Number(PAGE));
    changes.watch(tableAt >>> PAGE_SHIFT, pages);
    for (let page = 0; page < pages; page++) this.lookAt((tableAt >>> PAGE_SHIFT) + page);
  }

  /** Puts a domain's second stage into the book. */
  addRoot(domain: number, rootPage: number): void {
    for (let page = 0; page < ROOT_PAGES; page++)
      this.#attach(domain, ROOT_LEVEL, rootPage + page, BigInt(page * ENTRIES) * spanOf(ROOT_LEVEL));
  }

  /** Takes it out again. */
  removeRoot(domain: number, rootPage: number): void {
    for (let page = 0; page < ROOT_PAGES; page++) this.#detach(domain, ROOT_LEVEL, rootPage + page);
  }

  /** Reads a page that has changed. */
  lookAt(page: number): void {
    for (const table of [...(this.#tablesOfPage.get(page) ?? [])]) this.#update(table);
    const first = page * Number(PAGE) - this.#tableAt;
    if (first > -Number(PAGE) && first < this.frameCount * Frame.sizeBytes) this.#compareEntries(first);
  }

  /** Frames whose uses or entries have changed since this was called last. */
  takeTouched(): ReadonlySet<number> {
    const touched = this.#touched;
    if (touched.size > 0) this.#touched = new Set();
    return touched;
  }

  /** Entries that map a frame or lead to it. */
  usesOf(frame: number): readonly Use[] {
    return this.#uses.get(frame) ?? NO_USES;
  }

  /** What the frame table says. */
  entryOf(frame: number): FrameEntry {
    const { u16, u8, u32 } = this.#ram;
    const at = this.#tableAt + frame * Frame.sizeBytes;
    return {
      owner: u16[(at >> 1) + OWNER] ?? 0,
      type: u8[at + TYPE] ?? 0,
      flags: u8[at + FLAGS] ?? 0,
      typeCount: u32[(at >> 2) + TYPE_COUNT] ?? 0,
      refCount: u32[(at >> 2) + REF_COUNT] ?? 0,
      next: u32[(at >> 2) + NEXT] ?? 0,
    };
  }

  /** How many frames from `first` up to `end` have a type. Asked about the same ones again, it knows. */
  ownedBetween(first: number, end: number): number {
    if (this.#range.first !== first || this.#range.end !== end) {
      this.#range = { first, end, owned: 0 };
      for (let frame = first; frame < end; frame++)
        if (this.entryOf(frame).type !== FrameType.FREE) this.#range.owned += 1;
    }
    return this.#range.owned;
  }

  /** Entry by entry against what it was; those that differ are touched. */
  #compareEntries(firstByte: number): void {
    const first = Math.max(0, Math.floor(firstByte / Frame.sizeBytes));
    const end = Math.min(this.frameCount, Math.ceil((firstByte + Number(PAGE)) / Frame.sizeBytes));
    const words = Frame.sizeBytes / 4;
    const now = this.#ram.u32;
    const base = this.#tableAt >> 2;
    for (let frame = first; frame < end; frame++) {
      const at = frame * words;
      let differs = false;
      for (let word = at; word < at + words; word++) differs ||= now[base + word] !== this.#entries[word];
      if (!differs) continue;
      this.#count(frame, this.#entries, at, -1);
      for (let word = at; word < at + words; word++) this.#entries[word] = now[base + word] ?? 0;
      this.#count(frame, this.#entries, at, 1);
      this.#touched.add(frame);
    }
  }

  #count(frame: number, entries: Uint32Array, at: number, change: 1 | -1): void {
    const bytes = new Uint8Array(entries.buffer, 4 * at, Frame.sizeBytes);
    if (bytes[TYPE] === FrameType.FREE) return;
    const owner = (bytes[2 * OWNER] ?? 0) | ((bytes[2 * OWNER + 1] ?? 0) << 8);
    this.owned[owner] = (this.owned[owner] ?? 0) + change;
    if (frame >= this.#range.first && frame < this.#range.end) this.#range.owned += change;
  }

  #attach(domain: number, level: number, page: number, address: bigint): void {
    const key = keyOf(domain, level, page);
    const known = this.#tables.get(key);
    if (known !== undefined) {
      known.parents += 1;
      return;
    }
    const table = { page, domain, level, address, parents: 1, words: new Uint32Array(WORDS) };
    this.#tables.set(key, table);
    const ofPage = this.#tablesOfPage.get(page) ?? new Set();
    this.#tablesOfPage.set(page, ofPage.add(table));
    this.#changes.watch(page);
    this.#update(table);
  }

  #detach(domain: number, level: number, page: number): void {
    const key = keyOf(domain, level, page);
    const table = this.#tables.get(key);
    if (table === undefined) return;
    table.parents -= 1;
    if (table.parents > 0) return;
    for (let index = 0; index < ENTRIES; index++) this.#forget(table, index, wordOf(table.words, index));
    this.#tables.delete(key);
    const ofPage = this.#tablesOfPage.get(page);
    ofPage?.delete(table);
    if (ofPage?.size === 0) this.#tablesOfPage.delete(page);
  }

  /** Entry by entry against what it was. */
  #update(table: TablePage): void {
    const now = this.#ram.u32;
    const { words, page } = table;
    const base = page * WORDS;
    this.#changes.watch(page);
    for (let word = 0; word < WORDS; word += 2) {
      if (words[word] === now[base + word] && words[word + 1] === now[base + word + 1]) continue;
      const before = wordOf(words, word >> 1);
      words[word] = now[base + word] ?? 0;
      words[word + 1] = now[base + word + 1] ?? 0;
      this.#note(table, word >> 1, wordOf(words, word >> 1));
      this.#forget(table, word >> 1, before);
    }
  }

  #note(table: TablePage, index: number, entry: bigint): void {
    const meaning = meaningOf("hgatp", table.level, entry);
    if (meaning.kind === "nothing") return;
    const use = this.#useOf(table, index, entry, meaning.kind);
    const [first, end, wanted] = this.#framesOf(meaning, use);
    if (end - first < wanted) this.outside.add(use);
    for (let frame = first; frame < end; frame++) {
      this.#touched.add(frame);
      const uses = this.#uses.get(frame);
      if (uses === undefined) this.#uses.set(frame, [use]);
      else uses.push(use);
    }
    if (meaning.kind === "table" && end > first)
      this.#attach(table.domain, table.level - 1, first, use.address);
  }

  #forget(table: TablePage, index: number, entry: bigint): void {
    const meaning = meaningOf("hgatp", table.level, entry);
    if (meaning.kind === "nothing") return;
    const { at, domain, level, address } = this.#useOf(table, index, entry, meaning.kind);
    const isIt = (use: Use): boolean =>
      use.at === at && use.entry === entry && use.domain === domain && use.level === level;
    const [first, end] = this.#framesOf(meaning, { address, level });
    for (const use of this.outside) if (isIt(use)) this.outside.delete(use);
    for (let frame = first; frame < end; frame++) {
      this.#touched.add(frame);
      const uses = this.#uses.get(frame);
      const place = uses?.findIndex(isIt) ?? -1;
      if (place >= 0) uses?.splice(place, 1);
      if (uses?.length === 0) this.#uses.delete(frame);
    }
    if (meaning.kind === "table" && end > first) this.#detach(table.domain, table.level - 1, first);
  }

  #useOf(table: TablePage, index: number, entry: bigint, kind: Use["kind"]): Use {
    const { domain, level } = table;
    const address = table.address + BigInt(index) * spanOf(level);
    return { kind, domain, at: this.#addressOf(table, index), entry, level, address };
  }

  #addressOf({ page }: TablePage, index: number): bigint {
    return BigInt(this.#ram.base) + BigInt(page) * PAGE + 8n * BigInt(index);
  }

  /** Numbers of the frames that an entry speaks of, as far as they are RAM: the first, and the first behind; and how many it wants. */
  #framesOf(
    meaning: Exclude<Meaning, { kind: "nothing" }>,
    { address, level }: Pick<Use, "address" | "level">,
  ): readonly [number, number, number] {
    const span = spanOf(level);
    const bytes = meaning.kind === "leaf" ? span : PAGE;
    // Of 64 KiB that sixteen entries map together, each maps its own page.
    const part = meaning.kind === "leaf" && meaning.bytes > span ? address & (meaning.bytes - 1n) : 0n;
    const first = (meaning.to + part - BigInt(this.#ram.base)) >> BigInt(PAGE_SHIFT);
    const inside = (frame: bigint): number =>
      Number(frame < 0n ? 0n : frame > this.frameCount ? BigInt(this.frameCount) : frame);
    return [inside(first), inside(first + bytes / PAGE), Number(bytes / PAGE)];
  }
}

/** Whether an entry lets its domain write. */
export const isWritable = ({ kind, entry }: Use): boolean => kind === "leaf" && (entry & BIT.W) !== 0n;

const keyOf = (domain: number, level: number, page: number): number => (page * 4 + level) * DOMAINS + domain;

const wordOf = (words: Uint32Array, index: number): bigint =>
  (BigInt(words[2 * index + 1] ?? 0) << 32n) | BigInt(words[2 * index] ?? 0);
