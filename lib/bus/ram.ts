/**
 * Guest RAM: typed views of its bytes and one flag byte per page.
 *
 * A store looks at one byte, the flags of its page. Zero: write. Otherwise `beforeStore` tells whoever asked: the
 * snapshot copies the page aside, the translation cache forgets what the page fed, the decode memo forgets the code.
 * A listener that has heard enough clears its flag, so the next store to the page is fast again.
 */
import type { Width } from "./device.ts";
import { type MachineMemory, PAGE_BYTES, PAGE_SHIFT } from "./machine-memory.ts";

/** Why somebody wants to hear of the next store to a page: bits of a page's flag byte. */
export const PageFlag = {
  /** A snapshot holds this page's bytes by reference: copy them before they change. */
  COPY_BEFORE_WRITE: 1,
  /** A cached translation was read from a PTE in this page. */
  FEEDS_TRANSLATION: 2,
  /** Decoded (or translated) instructions of this page are kept. */
  HOLDS_DECODED_CODE: 4,
  /** A hart has reserved a word of this page by LR. */
  HOLDS_RESERVATION: 8,
  /** A watchpoint covers bytes of this page. */
  WATCHED: 16,
  /** The fence checker wants to know who stores to page-table entries of this page. */
  HOLDS_CHECKED_ENTRIES: 32,
  /** Somebody keeps a list of pages that have changed. */
  LISTED_WHEN_CHANGED: 64,
} as const;
/** One bit of a page's flag byte. */
export type PageFlag = (typeof PageFlag)[keyof typeof PageFlag];

/**
 * Hears of a store to a flagged page before its bytes change. `pageIndex` counts from the start of RAM; so does
 * `offset`, the first byte that will change, of `length` bytes (which may go on into other pages).
 */
export type PageListener = (pageIndex: number, offset: number, length: number) => void;

/** Guest RAM. Offsets are bytes from the start of RAM; callers have checked that accesses lie inside. */
export class Ram {
  /** Physical address of the first byte. */
  readonly base: number;
  readonly sizeBytes: number;
  readonly pageCount: number;
  /** First byte of RAM within the machine's memory. */
  readonly memoryOffset: number;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i64: BigInt64Array;
  /** For accesses that are not aligned. Little-endian by argument. */
  readonly view: DataView;
  /** One byte per page, bits of {@link PageFlag}. Engines read it before each store. */
  readonly pageFlags: Uint8Array;
  readonly #listeners: { flag: PageFlag; listener: PageListener }[] = [];

  constructor(memory: MachineMemory, base: number) {
    const { buffer, ramOffset, ramBytes } = memory;
    this.base = base;
    this.sizeBytes = ramBytes;
    this.pageCount = ramBytes / PAGE_BYTES;
    this.memoryOffset = ramOffset;
    this.u8 = new Uint8Array(buffer, ramOffset, ramBytes);
    this.u16 = new Uint16Array(buffer, ramOffset, ramBytes / 2);
    this.u32 = new Uint32Array(buffer, ramOffset, ramBytes / 4);
    this.i64 = new BigInt64Array(buffer, ramOffset, ramBytes / 8);
    this.view = new DataView(buffer, ramOffset, ramBytes);
    this.pageFlags = new Uint8Array(buffer, memory.flagsOffset, this.pageCount);
  }

  /** Asks to hear of the next store to each page that carries `flag`. Listeners of one flag are told in order of asking. */
  onStore(flag: PageFlag, listener: PageListener): void {
    this.#listeners.push({ flag, listener });
  }

  /** Sets a flag on a page. */
  flagPage(pageIndex: number, flag: PageFlag): void {
    this.pageFlags[pageIndex] = (this.pageFlags[pageIndex] ?? 0) | flag;
  }

  /** Clears a flag of a page. */
  unflagPage(pageIndex: number, flag: PageFlag): void {
    this.pageFlags[pageIndex] = (this.pageFlags[pageIndex] ?? 0) & ~flag;
  }

  /** Must come before bytes of a page whose flag byte is not zero change; the slow half of a store. */
  beforeStore(pageIndex: number, offset: number, length: number): void {
    for (const { flag, listener } of this.#listeners) {
      if (((this.pageFlags[pageIndex] ?? 0) & flag) !== 0) listener(pageIndex, offset, length);
    }
  }

  /** Reads `width` bytes, any alignment, zero-extended. */
  load(offset: number, width: Width): bigint {
    switch (width) {
      case 1:
        return BigInt(this.u8[offset] ?? 0);
      case 2:
        return BigInt(this.view.getUint16(offset, true));
      case 4:
        return BigInt(this.view.getUint32(offset, true));
      case 8:
        return this.view.getBigUint64(offset, true);
    }
  }

  /** Writes the low `width` bytes of `value`, any alignment, after telling listeners. */
  store(offset: number, width: Width, value: bigint): void {
    this.#announce(offset, width);
    switch (width) {
      case 1:
        this.u8[offset] = Number(value & 0xffn);
        return;
      case 2:
        this.view.setUint16(offset, Number(value & 0xffffn), true);
        return;
      case 4:
        this.view.setUint32(offset, Number(value & 0xffff_ffffn), true);
        return;
      case 8:
        this.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    }
  }

  /** Copies bytes out. */
  bytes(offset: number, length: number): Uint8Array {
    return this.u8.slice(offset, offset + length);
  }

  /** Copies bytes in, as DMA or a loader does, after telling listeners. */
  write(offset: number, bytes: Uint8Array): void {
    this.#announce(offset, bytes.length);
    this.u8.set(bytes, offset);
  }

  /** Fills a range with one byte, after telling listeners. */
  fill(offset: number, length: number, byte: number): void {
    this.#announce(offset, length);
    this.u8.fill(byte, offset, offset + length);
  }

  #announce(offset: number, length: number): void {
    if (length === 0) return;
    const last = (offset + length - 1) >>> PAGE_SHIFT;
    for (let page = offset >>> PAGE_SHIFT; page <= last; page++) {
      if (this.pageFlags[page] !== 0) this.beforeStore(page, offset, length);
    }
  }
}
