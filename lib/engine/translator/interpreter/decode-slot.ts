/** From instruction words in RAM to slots. */
import { instructionBytes } from "../../../isa/encoding.ts";
import { SLOT_BYTES } from "../layout.ts";
import { goesOn, OP_ACROSS, OP_UNDECODED, sizeOf } from "./op.ts";
import { firstOf, pairOf } from "./pair.ts";
import { ACROSS_DISTANCE, SLOT_SHIFT } from "./slot.ts";
import { FORM_HIGH, FORM_LOW, FORM_OPS, WordForms } from "./word-forms.ts";

const PAGE_BYTES = 4096;
const OFFSET_MASK = PAGE_BYTES - 1;
const PARCEL_BYTES = 2;
const OP_MASK = 0xffff;
/** Bytes of instructions that are decoded at once, about. */
const MAX_RUN_BYTES = 256;
/** No parcel is this. */
const NO_PARCEL = -1;
/** A place from which no target is in the page. */
const ELSEWHERE = 2 ** 30;
/** Fills slots. */
export class SlotDecoder {
  readonly #words: Int32Array;
  readonly #ram: Uint16Array;
  readonly #forms = new WordForms();

  /**
   * @param memory  The machine's memory, in which slots are.
   * @param ram     RAM in halfwords.
   */
  constructor(memory: ArrayBuffer, ram: Uint16Array) {
    this.#words = new Int32Array(memory, 0, memory.byteLength >>> 2);
    this.#ram = ram;
  }

  /**
   * Decodes the instruction at an even offset in RAM into its slot, and those that will be executed after it. Where there is a
   * pair for two that follow each other, they become one.
   *
   * @param slotAddress  Where its slot is in the memory.
   */
  decode(slotAddress: number, ramOffset: number): void {
    const place = ramOffset & OFFSET_MASK;
    let at = 0;
    let sizeBytes = this.#decodeOne(slotAddress, ramOffset);
    if (place >= 2) this.#fuse(slotAddress - SLOT_BYTES, 2);
    if (place >= 4) this.#fuse(slotAddress - 2 * SLOT_BYTES, 4);
    for (;;) {
      const slot = slotAddress + (at << SLOT_SHIFT);
      const next = at + sizeBytes;
      const isEnd = place + next >= PAGE_BYTES || !goesOn(this.#opAt(slot)) || next >= MAX_RUN_BYTES;
      const isKnown = !isEnd && this.#opAt(slotAddress + (next << SLOT_SHIFT)) !== OP_UNDECODED;
      const nextBytes =
        isEnd || isKnown ? 0 : this.#decodeOne(slotAddress + (next << SLOT_SHIFT), ramOffset + next);
      if (place + next < PAGE_BYTES) this.#fuse(slot, sizeBytes);
      if (nextBytes === 0) return;
      at = next;
      sizeBytes = nextBytes;
    }
  }

  #opAt(slotAddress: number): number {
    return (this.#words[slotAddress >>> 2] ?? 0) & OP_MASK;
  }

  /**
   * Makes the instruction of a slot, if it has this size, and the one behind it a pair. The slot of the second stays as it is: it
   * has the second's operands, and jumps may lead to it.
   */
  #fuse(slotAddress: number, sizeBytes: 2 | 4): void {
    const at = slotAddress >>> 2;
    const first = (this.#words[at] ?? 0) & OP_MASK;
    if (sizeOf(first) !== sizeBytes) return;
    const second = (this.#words[at + (sizeBytes >>> 1) * (SLOT_BYTES >>> 2)] ?? 0) & OP_MASK;
    const pair = pairOf(first, firstOf(second));
    if (pair !== 0) this.#words[at] = ((this.#words[at] ?? 0) & ~OP_MASK) | pair;
  }

  /** Decodes one instruction; its length. */
  #decodeOne(slotAddress: number, ramOffset: number): 2 | 4 {
    const parcel = this.#ram[ramOffset >>> 1] ?? 0;
    const place = ramOffset & OFFSET_MASK;
    const sizeBytes = instructionBytes(parcel);
    const isLong = sizeBytes !== PARCEL_BYTES;
    if (isLong && place === PAGE_BYTES - PARCEL_BYTES) this.#decodeAcross(slotAddress, parcel);
    else
      this.#putForm(
        slotAddress,
        place,
        isLong ? parcel | ((this.#ram[(ramOffset >>> 1) + 1] ?? 0) << 16) : parcel,
      );
    return sizeBytes;
  }

  /**
   * An instruction that goes on in the next page, which may be anywhere, and elsewhere tomorrow. Its own slot keeps the second
   * half that it was decoded with, or at first none: the dispatch loop compares, and asks again when it finds another.
   */
  #decodeAcross(slotAddress: number, parcel: number): void {
    const isAsked = this.#opAt(slotAddress) === OP_ACROSS;
    const second = isAsked ? (this.#words[(slotAddress >>> 2) + 1] ?? 0) : NO_PARCEL;
    this.#put(slotAddress, OP_ACROSS, second);
    if (isAsked) this.#putForm(slotAddress + ACROSS_DISTANCE, ELSEWHERE, parcel | (second << 16));
  }

  #putForm(slotAddress: number, place: number, word: number): void {
    const form = this.#forms.of(word);
    const { elements } = this.#forms;
    const low = elements[form + FORM_LOW] as number;
    const high = elements[form + FORM_HIGH] as number;
    const ops = elements[form + FORM_OPS] as number;
    if (ops === 0) {
      this.#put(slotAddress, low, high);
      return;
    }
    const target = place + high;
    const isNear = target >= 0 && target < PAGE_BYTES;
    const op = isNear ? (high > 0 ? low & OP_MASK : ops & OP_MASK) : ops >>> 16;
    this.#put(slotAddress, (low & ~OP_MASK) | op, high << SLOT_SHIFT);
  }

  #put(slotAddress: number, low: number, high: number): void {
    this.#words[slotAddress >>> 2] = low;
    this.#words[(slotAddress >>> 2) + 1] = high;
  }
}
