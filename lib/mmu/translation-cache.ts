/**
 * The translation cache: one of the reference engine's two accelerations (the other is the decode memo).
 *
 * It remembers pages of RAM that an access of some kind was allowed to use, so that the next one needs no walk and no PMP
 * check. It is coherent: the guest cannot see it. A store over a valid page-table entry makes it forget what that entry fed,
 * in either engine and from any hart or device; invalid entries were never remembered. Switched off, it remembers nothing.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../bus/ram.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import { DATA_CONTEXTS, dataContext, FETCH_CONTEXTS, fetchContext } from "./access-context.ts";
import { PTE } from "./pte.ts";
import type { Rememberer, TranslationMemory } from "./translation-memory.ts";

/** Access kinds by number. */
const KINDS: readonly AccessKind[] = ["fetch", "load", "store"];
/** Entries per context: direct-mapped by the low bits of the page number. */
const ENTRIES = 1024;
/** Words of an entry: low and high half of the page's virtual address, generation, offset of the page in RAM. */
const ENTRY_WORDS = 4;
const CONTEXT_WORDS = ENTRIES * ENTRY_WORDS;
const PAGE_MASK = -PAGE_BYTES;
const OFFSET_MASK = PAGE_BYTES - 1;
const NOWHERE = -1;

/** One remembered translation: whose, and where it keeps it. */
interface Use {
  readonly cache: Rememberer;
  readonly place: number;
}

/** An entry that fed more translations than these is one of the upper levels, or maps much: then all are forgotten. */
const MAX_LISTED_USES = 16;
/** So many page-table entries are kept track of; then everything is forgotten and the count begins anew. */
const MAX_ENTRIES = 1 << 16;

/**
 * The page-table entries that remembered translations were read from, for all harts of a board together. When a valid one
 * is about to change, what it fed is forgotten. Stores beside them cost a look at this list and nothing more.
 */
export class TranslationSources {
  readonly #ram: Ram;
  /** By place of the entry in RAM, in words of eight bytes. */
  readonly #uses = new Map<number, Use[]>();
  /** How many such entries each page holds. */
  readonly #entriesOfPage = new Map<number, number>();
  readonly #caches: Rememberer[] = [];

  constructor(ram: Ram) {
    this.#ram = ram;
    ram.onStore(PageFlag.FEEDS_TRANSLATION, (page, offset, length) =>
      this.#beforeStore(page, offset, length),
    );
  }

  /** Tells of a cache. */
  join(cache: Rememberer): void {
    this.#caches.push(cache);
  }

  /** Keeps in mind that the entry at an offset in RAM fed a translation. */
  watch(ramOffset: number, cache: Rememberer, place: number): void {
    const word = ramOffset >>> 3;
    const uses = this.#uses.get(word);
    if (uses !== undefined) {
      const isListed = uses.some((use) => use.place === place && use.cache === cache);
      if (!isListed && uses.length <= MAX_LISTED_USES) uses.push({ cache, place });
      return;
    }
    this.#uses.set(word, [{ cache, place }]);
    const page = ramOffset >>> PAGE_SHIFT;
    this.#entriesOfPage.set(page, (this.#entriesOfPage.get(page) ?? 0) + 1);
    this.#ram.flagPage(page, PageFlag.FEEDS_TRANSLATION);
  }

  /** Makes room, if so many entries are listed that somebody seems to walk through all of memory. */
  limit(): void {
    if (this.#uses.size > MAX_ENTRIES) this.#forgetAll();
  }

  #beforeStore(page: number, offset: number, length: number): void {
    const first = Math.max(offset, page * PAGE_BYTES) >>> 3;
    const last = (Math.min(offset + length, (page + 1) * PAGE_BYTES) - 1) >>> 3;
    for (let word = first; word <= last; word++) {
      const uses = this.#uses.get(word);
      if (uses === undefined || ((this.#ram.i64[word] ?? 0n) & PTE.V) === 0n) continue;
      if (uses.length > MAX_LISTED_USES) {
        this.#forgetAll();
        return;
      }
      for (const { cache, place } of uses) cache.forgetAt(place);
      this.#drop(word, page);
    }
  }

  #drop(word: number, page: number): void {
    this.#uses.delete(word);
    const left = (this.#entriesOfPage.get(page) ?? 1) - 1;
    if (left > 0) {
      this.#entriesOfPage.set(page, left);
      return;
    }
    this.#entriesOfPage.delete(page);
    this.#ram.unflagPage(page, PageFlag.FEEDS_TRANSLATION);
  }

  #forgetAll(): void {
    for (const page of this.#entriesOfPage.keys()) this.#ram.unflagPage(page, PageFlag.FEEDS_TRANSLATION);
    this.#entriesOfPage.clear();
    this.#uses.clear();
    for (const cache of this.#caches) cache.forget();
  }
}

/** One hart's cache. It knows one address space at a time. */
export class TranslationCache implements TranslationMemory {
  readonly isEnabled: boolean;
  readonly #sources: TranslationSources;
  readonly #fetches = new Int32Array(FETCH_CONTEXTS * CONTEXT_WORDS);
  readonly #loads = new Int32Array(DATA_CONTEXTS * CONTEXT_WORDS);
  readonly #stores = new Int32Array(DATA_CONTEXTS * CONTEXT_WORDS);
  /** Entries of other generations are empty; 0 is no generation. */
  #generation = 1;
  #fetchContext = 0;
  #dataContext = 0;
  /** One virtual address, as a word and as two halves. */
  readonly #address = new BigInt64Array(1);
  readonly #halves = new Int32Array(this.#address.buffer);

  constructor(sources: TranslationSources, isEnabled = true) {
    this.#sources = sources;
    this.isEnabled = isEnabled;
    sources.join(this);
  }

  forget(): void {
    this.#generation = (this.#generation + 1) | 0;
    if (this.#generation !== 0) return;
    for (const entries of [this.#fetches, this.#loads, this.#stores]) entries.fill(0);
    this.#generation = 1;
  }

  forgetAt(place: number): void {
    const kind = place % KINDS.length;
    this.#entries(KINDS[kind] ?? "fetch")[(place - kind) / KINDS.length + 2] = 0;
  }

  #entries(kind: AccessKind): Int32Array {
    return kind === "fetch" ? this.#fetches : kind === "load" ? this.#loads : this.#stores;
  }

  changeAddressSpace(): void {
    this.forget();
  }

  selectContext(state: HartState): void {
    this.#fetchContext = fetchContext(state) * CONTEXT_WORDS;
    this.#dataContext = dataContext(state) * CONTEXT_WORDS;
  }

  locateFetch(low: number, high: number): number {
    return this.#locate(this.#fetches, this.#fetchContext, low, high, 2);
  }

  locateLoad(vaddr: bigint, widthBytes: number): number {
    this.#address[0] = vaddr;
    return this.#locate(
      this.#loads,
      this.#dataContext,
      this.#halves[0] ?? 0,
      this.#halves[1] ?? 0,
      widthBytes,
    );
  }

  locateStore(vaddr: bigint, widthBytes: number): number {
    this.#address[0] = vaddr;
    return this.#locate(
      this.#stores,
      this.#dataContext,
      this.#halves[0] ?? 0,
      this.#halves[1] ?? 0,
      widthBytes,
    );
  }

  /** The width's low address bits take part in the comparison, so that a misaligned access never hits. */
  #locate(entries: Int32Array, context: number, low: number, high: number, widthBytes: number): number {
    const at = context + ((low >>> PAGE_SHIFT) & (ENTRIES - 1)) * ENTRY_WORDS;
    const isHit =
      entries[at] === (low & (PAGE_MASK | (widthBytes - 1))) &&
      entries[at + 1] === high &&
      entries[at + 2] === this.#generation;
    return isHit ? (entries[at + 3] ?? 0) + (low & OFFSET_MASK) : NOWHERE;
  }

  remember(kind: AccessKind, vaddr: bigint, ramOffset: number, sources: readonly number[]): void {
    if (!this.isEnabled) return;
    this.#sources.limit();
    this.#address[0] = vaddr;
    const low = this.#halves[0] ?? 0;
    const entries = this.#entries(kind);
    const context = kind === "fetch" ? this.#fetchContext : this.#dataContext;
    const at = context + ((low >>> PAGE_SHIFT) & (ENTRIES - 1)) * ENTRY_WORDS;
    const place = at * KINDS.length + KINDS.indexOf(kind);
    for (const source of sources) this.#sources.watch(source, this, place);
    entries[at] = low & PAGE_MASK;
    entries[at + 1] = this.#halves[1] ?? 0;
    entries[at + 2] = this.#generation;
    entries[at + 3] = ramOffset & PAGE_MASK;
  }
}
