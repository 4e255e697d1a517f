/**
 * Code pages: for each page of RAM from which instructions were fetched, what the cold tier has decoded of it, and how often
 * code arrived where. They are numbered as they come and stay until all code is flushed.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../../../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../../../bus/ram.ts";
import { FIRST_PAIR } from "../interpreter/op.ts";
import { firstOf } from "../interpreter/pair.ts";
import { SLOT_OP } from "../interpreter/slot.ts";
import { CODE_PAGE_AREA, CODE_PAGE_BYTES, CODE_PAGES, HEAT_IN_PAGE, SLOT_BYTES } from "../layout.ts";
import type { EngineMemory } from "./engine-memory.ts";

/** An instruction that begins so many bytes before a store may reach into it; a pair of two that begins so many before that, too. */
const INSTRUCTION_LOOKBACK = 2;
const PAIR_LOOKBACK = 4;

/** So many stores beside the instructions of a page end it: it seems to hold data by now. Each time it takes twice as many. */
const PATIENCE_STORES = 64;
const MAX_DOUBLINGS = 12;

/** Who hears what becomes of code pages. */
export interface CodeListener {
  /** Decoded instructions were forgotten. */
  onForget(codePage: number, firstByte: number, lengthBytes: number): void;
  /** The code page is no longer that of its page of RAM, and nobody may go on using it. */
  onClose(codePage: number): void;
}

/** The code pages of a machine. */
export class CodePages {
  readonly #memory: EngineMemory;
  readonly #ram: Ram;
  readonly #listener: CodeListener;
  /** Number of the code page of each page of RAM, plus one; 0 for none. */
  readonly #ofRamPage: Uint16Array;
  /** Page of RAM of each code page. */
  readonly #ramPages = new Int32Array(CODE_PAGES);
  /** Code pages that were closed, to be used again. */
  readonly #free: number[] = [];
  /** Stores to each code page that met no instruction. */
  readonly #idleStores = new Uint32Array(CODE_PAGES);
  /** How often the code page of each page of RAM was closed. */
  readonly #closings: Uint8Array;
  /** Code pages whose page of RAM was written from end to end since anything was last decoded. */
  readonly #overwritten = new Set<number>();
  #count = 0;

  constructor(memory: EngineMemory, ram: Ram, listener: CodeListener) {
    this.#memory = memory;
    this.#ram = ram;
    this.#listener = listener;
    this.#ofRamPage = new Uint16Array(ram.pageCount);
    this.#closings = new Uint8Array(ram.pageCount);
    ram.onStore(PageFlag.HOLDS_DECODED_CODE, (page, offset, length) =>
      this.#beforeStore(page, offset, length),
    );
  }

  /** Code pages in use. */
  get count(): number {
    return this.#count;
  }

  /** Whether nothing of what was decoded is left, anywhere: the board was reset, or all of its RAM was written. */
  get isOverwritten(): boolean {
    return this.#overwritten.size > 0 && this.#overwritten.size === this.#count - this.#free.length;
  }

  /** Must come when something was decoded. */
  noteDecode(): void {
    if (this.#overwritten.size > 0) this.#overwritten.clear();
  }

  /** Number of the code page of a page of RAM; −1 when it has none. */
  find(ramPage: number): number {
    return (this.#ofRamPage[ramPage] ?? 0) - 1;
  }

  /** The same; it gets one, unless they are used up. */
  open(ramPage: number): number {
    const known = this.find(ramPage);
    if (known >= 0) return known;
    const page = this.#free.pop() ?? (this.#count < CODE_PAGES ? this.#count++ : -1);
    if (page < 0) return page;
    this.#idleStores[page] = 0;
    this.#ramPages[page] = ramPage;
    this.#ofRamPage[ramPage] = page + 1;
    this.#ram.flagPage(ramPage, PageFlag.HOLDS_DECODED_CODE);
    return page;
  }

  /** The page of RAM that a code page is about. */
  ramPage(codePage: number): number {
    return this.#ramPages[codePage] ?? 0;
  }

  /** Forgets all. Only between runs; whoever knows an address of a code page must forget it, too. */
  flush(): void {
    this.#memory.u8.fill(0, CODE_PAGE_AREA, codePageAddress(this.#count));
    for (let codePage = 0; codePage < this.#count; codePage++) {
      const ramPage = this.ramPage(codePage);
      if (this.find(ramPage) === codePage) this.#ram.unflagPage(ramPage, PageFlag.HOLDS_DECODED_CODE);
    }
    this.#ofRamPage.fill(0);
    this.#overwritten.clear();
    this.#count = 0;
    this.#free.length = 0;
  }

  /** Ends a code page: stores to its page of RAM are like any others again. */
  #close(codePage: number): void {
    const ramPage = this.ramPage(codePage);
    this.#listener.onForget(codePage, 0, PAGE_BYTES);
    this.#listener.onClose(codePage);
    this.#memory.u8.fill(0, codePageAddress(codePage), codePageAddress(codePage + 1));
    this.#ofRamPage[ramPage] = 0;
    this.#ram.unflagPage(ramPage, PageFlag.HOLDS_DECODED_CODE);
    this.#closings[ramPage] = Math.min(MAX_DOUBLINGS, (this.#closings[ramPage] ?? 0) + 1);
    this.#overwritten.delete(codePage);
    this.#free.push(codePage);
  }

  #noteIdleStore(codePage: number, ramPage: number): void {
    const stores = (this.#idleStores[codePage] ?? 0) + 1;
    this.#idleStores[codePage] = stores;
    if (stores >= PATIENCE_STORES << (this.#closings[ramPage] ?? 0)) this.#close(codePage);
  }

  #beforeStore(ramPage: number, offset: number, length: number): void {
    const codePage = this.find(ramPage);
    if (codePage < 0) return;
    const start = offset - ramPage * PAGE_BYTES;
    const end = Math.min(start + length, PAGE_BYTES);
    if (start <= 0 && end === PAGE_BYTES) this.#overwritten.add(codePage);
    const slots = codePageAddress(codePage) / SLOT_BYTES;
    const first = slots + (Math.max(start - INSTRUCTION_LOOKBACK, 0) >>> 1);
    const behind = slots + ((end + 1) >>> 1);
    if (this.#isEmpty(first, behind)) {
      this.#noteIdleStore(codePage, ramPage);
      return;
    }
    this.#memory.i64.fill(0n, first, behind);
    this.#separate(Math.max(first - PAIR_LOOKBACK / 2, slots), first);
    this.#listener.onForget(codePage, Math.max(start, 0), end - Math.max(start, 0));
  }

  #isEmpty(first: number, behind: number): boolean {
    for (let slot = first; slot < behind; slot++) if (this.#memory.i64[slot] !== 0n) return false;
    return true;
  }

  /** Pairs that begin in these slots become their first instructions: the second may be one that was forgotten. */
  #separate(first: number, behind: number): void {
    const { u16 } = this.#memory;
    for (let slot = first; slot < behind; slot++) {
      const at = (slot * SLOT_BYTES + SLOT_OP) >>> 1;
      const op = u16[at] as number;
      if (op >= FIRST_PAIR) u16[at] = firstOf(op);
    }
  }
}

/** Address of a code page: of the slot of its first halfword. */
export const codePageAddress = (codePage: number): number => CODE_PAGE_AREA + codePage * CODE_PAGE_BYTES;

/** Number of the code page in which a slot or a heat word lies. */
export const codePageOf = (address: number): number =>
  Math.floor((address - CODE_PAGE_AREA) / CODE_PAGE_BYTES);

/** Offset in its page of the instruction that a slot is for. */
export const offsetOfSlot = (address: number): number =>
  ((address - codePageAddress(codePageOf(address))) / SLOT_BYTES) * 2;

/** Offset in its page of the instruction that a heat word is for. */
export const offsetOfHeat = (address: number): number =>
  ((address - codePageAddress(codePageOf(address)) - HEAT_IN_PAGE) / 4) * 2;

/** Address of the slot for an even offset in a code page. */
export const slotAddress = (codePage: number, offset: number): number =>
  codePageAddress(codePage) + (offset >>> 1) * SLOT_BYTES;

/** Address of the heat word for an even offset in a code page. */
export const heatAddress = (codePage: number, offset: number): number =>
  codePageAddress(codePage) + HEAT_IN_PAGE + (offset >>> 1) * 4;

/** Offset in RAM of the first byte that a code page is about. */
export const ramOffsetOf = (pages: CodePages, codePage: number): number =>
  pages.ramPage(codePage) << PAGE_SHIFT;
