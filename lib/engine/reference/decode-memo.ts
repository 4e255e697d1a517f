/**
 * The decode memo: one of the reference engine's two accelerations (the other is the translation cache).
 *
 * It remembers the decoded form of instruction words by where they stand in RAM. A store to a word forgets it, so fetches
 * always see the newest bytes. Switched off, every fetch decodes.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../../bus/ram.ts";
import { type Decoded, decodeOrIllegal } from "../../isa/decode.ts";
import { instructionBytes } from "../../isa/encoding.ts";

/** Instructions may begin at every even address: a parcel has 16 bits. */
const PARCEL_SHIFT = 1;
const PARCEL_BYTES = 1 << PARCEL_SHIFT;
const PARCELS = PAGE_BYTES >>> PARCEL_SHIFT;
const OFFSET_MASK = PAGE_BYTES - 1;
/** An instruction that begins up to this many bytes before a store reaches into it. */
const LOOKBACK_BYTES = 2;

type Page = (Decoded | undefined)[];

/** Where a fetch from RAM finds its instruction. */
export interface InstructionSource {
  /** The instruction at an even offset in RAM; `undefined` when it goes on in the next page, which may be anywhere. */
  at(offset: number): Decoded | undefined;
}

/** The memo of one RAM, for all harts together. */
export class DecodeMemo implements InstructionSource {
  readonly isEnabled: boolean;
  readonly #ram: Ram;
  readonly #pages: (Page | undefined)[];

  constructor(ram: Ram, isEnabled = true) {
    this.#ram = ram;
    this.isEnabled = isEnabled;
    this.#pages = new Array<Page | undefined>(ram.pageCount).fill(undefined);
    ram.onStore(PageFlag.HOLDS_DECODED_CODE, (page, offset, length) => this.#forget(page, offset, length));
  }

  at(offset: number): Decoded | undefined {
    return (
      this.#pages[offset >>> PAGE_SHIFT]?.[(offset & OFFSET_MASK) >>> PARCEL_SHIFT] ?? this.#decode(offset)
    );
  }

  #decode(offset: number): Decoded | undefined {
    const parcel = this.#ram.u16[offset >>> PARCEL_SHIFT] ?? 0;
    const isLong = instructionBytes(parcel) === 4;
    if (isLong && (offset & OFFSET_MASK) === PAGE_BYTES - PARCEL_BYTES) return undefined;
    const next = isLong ? (this.#ram.u16[(offset >>> PARCEL_SHIFT) + 1] ?? 0) : 0;
    const decoded = decodeOrIllegal((next << 16) | parcel);
    if (this.isEnabled)
      this.#pageOf(offset >>> PAGE_SHIFT)[(offset & OFFSET_MASK) >>> PARCEL_SHIFT] = decoded;
    return decoded;
  }

  #pageOf(index: number): Page {
    const known = this.#pages[index];
    if (known !== undefined) return known;
    const page = new Array<Decoded | undefined>(PARCELS).fill(undefined);
    this.#pages[index] = page;
    this.#ram.flagPage(index, PageFlag.HOLDS_DECODED_CODE);
    return page;
  }

  #forget(index: number, offset: number, length: number): void {
    const page = this.#pages[index];
    if (page === undefined) return;
    const start = index * PAGE_BYTES;
    const first = Math.max(offset - LOOKBACK_BYTES - start, 0) >>> PARCEL_SHIFT;
    const end = Math.min(offset + length - start, PAGE_BYTES);
    for (let parcel = first; parcel << PARCEL_SHIFT < end; parcel++) page[parcel] = undefined;
  }
}
