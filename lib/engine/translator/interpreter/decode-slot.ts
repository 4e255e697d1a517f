/** From instruction words in RAM to slots. Most words of a program occur many times, so what they come to is remembered. */
import { type Decoded, decodeOrIllegal } from "../../../isa/decode.ts";
import { instructionBytes } from "../../../isa/encoding.ts";
import { SLOT_BYTES } from "../layout.ts";
import { OP_SLOW, opOf, sizeOf } from "./op.ts";
import { firstOf, pairOf } from "./pair.ts";
import { packSlot, SLOT_SHIFT } from "./slot.ts";

const PAGE_BYTES = 4096;
const OFFSET_MASK = PAGE_BYTES - 1;
const PARCEL_BYTES = 2;
const OP_MASK = 0xffff;
/** So many words are remembered; then all are forgotten and it begins anew. */
const MAX_WORDS = 1 << 16;

/** What a word comes to at any place. Words whose op depends on the place have their offset, in bytes, in `high`. */
interface Form {
  readonly low: number;
  readonly high: number;
  /** Ops for targets in this page, ahead and behind, and for others; undefined where the op is always the same. */
  readonly byOffset: { readonly ahead: number; readonly behind: number; readonly far: number } | undefined;
}

function formOf(decoded: Decoded): Form {
  const choice = opOf(decoded);
  if (choice.kind === "offset") return { ...packSlot(0, decoded), byOffset: choice };
  const { low, high } = packSlot(choice.number, decoded);
  return { low, high: choice.kind === "word" ? decoded.word | 0 : high, byOffset: undefined };
}

/** Fills slots. */
export class SlotDecoder {
  readonly #words: Int32Array;
  readonly #ram: Uint16Array;
  readonly #forms = new Map<number, Form>();

  /**
   * @param memory  The machine's memory, in which slots are.
   * @param ram     RAM in halfwords.
   */
  constructor(memory: ArrayBuffer, ram: Uint16Array) {
    this.#words = new Int32Array(memory, 0, memory.byteLength >>> 2);
    this.#ram = ram;
  }

  /**
   * Decodes the instruction at an even offset in RAM into its slot. One that goes on in the next page, which may be anywhere,
   * is left to the slow path. With decoded neighbors it becomes a pair, if there is one for them.
   *
   * @param slotAddress  Where its slot is in the memory.
   */
  decode(slotAddress: number, ramOffset: number): void {
    this.#decodeAlone(slotAddress, ramOffset);
    const place = ramOffset & OFFSET_MASK;
    if (place >= 2) this.#fuse(slotAddress - SLOT_BYTES, 2);
    if (place >= 4) this.#fuse(slotAddress - 2 * SLOT_BYTES, 4);
    const parcel = this.#ram[ramOffset >>> 1] ?? 0;
    this.#fuse(slotAddress, instructionBytes(parcel));
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
    if (pair !== undefined) this.#words[at] = ((this.#words[at] ?? 0) & ~OP_MASK) | pair;
  }

  #decodeAlone(slotAddress: number, ramOffset: number): void {
    const parcel = this.#ram[ramOffset >>> 1] ?? 0;
    const isLong = instructionBytes(parcel) !== PARCEL_BYTES;
    if (isLong && (ramOffset & OFFSET_MASK) === PAGE_BYTES - PARCEL_BYTES) {
      this.#put(slotAddress, OP_SLOW, 0);
      return;
    }
    const word = isLong ? parcel | ((this.#ram[(ramOffset >>> 1) + 1] ?? 0) << 16) : parcel;
    const form = this.#formOf(word);
    if (form.byOffset === undefined) this.#put(slotAddress, form.low, form.high);
    else this.#putByOffset(slotAddress, ramOffset & OFFSET_MASK, form, form.byOffset);
  }

  #putByOffset(
    slotAddress: number,
    place: number,
    { low, high }: Form,
    ops: NonNullable<Form["byOffset"]>,
  ): void {
    const target = place + high;
    const isNear = target >= 0 && target < PAGE_BYTES;
    const op = isNear ? (high > 0 ? ops.ahead : ops.behind) : ops.far;
    this.#put(slotAddress, low | op, high << SLOT_SHIFT);
  }

  #put(slotAddress: number, low: number, high: number): void {
    this.#words[slotAddress >>> 2] = low;
    this.#words[(slotAddress >>> 2) + 1] = high;
  }

  #formOf(word: number): Form {
    const known = this.#forms.get(word);
    if (known !== undefined) return known;
    if (this.#forms.size >= MAX_WORDS) this.#forms.clear();
    const form = formOf(decodeOrIllegal(word));
    this.#forms.set(word, form);
    return form;
  }
}
