/**
 * A memo of decoded instructions by their words: for an engine that executes few instructions, each somewhere else. It holds
 * little, and stores make nothing of it wrong.
 */
import { PAGE_BYTES } from "../../bus/machine-memory.ts";
import type { Ram } from "../../bus/ram.ts";
import { type Decoded, decodeOrIllegal } from "../../isa/decode.ts";
import { instructionBytes } from "../../isa/encoding.ts";
import type { InstructionSource } from "./decode-memo.ts";

const PARCEL_BYTES = 2;
/** Instructions that are remembered, each at one place. */
const PLACE_BITS = 12;
/** Spreads words over the places (Fibonacci hashing). */
const MULTIPLIER = 0x9e37_79b1;

/** The memo of one RAM, for all harts together. */
export class WordMemo implements InstructionSource {
  readonly #ram: Ram;
  readonly #known = new Array<Decoded | undefined>(1 << PLACE_BITS).fill(undefined);
  readonly #words = new Int32Array(1 << PLACE_BITS);

  constructor(ram: Ram) {
    this.#ram = ram;
  }

  at(offset: number): Decoded | undefined {
    const parcel = this.#ram.u16[offset >>> 1] ?? 0;
    if (instructionBytes(parcel) === PARCEL_BYTES) return this.#of(parcel);
    if ((offset & (PAGE_BYTES - 1)) === PAGE_BYTES - PARCEL_BYTES) return undefined;
    return this.#of(((this.#ram.u16[(offset >>> 1) + 1] ?? 0) << 16) | parcel);
  }

  #of(word: number): Decoded {
    const place = Math.imul(word, MULTIPLIER) >>> (32 - PLACE_BITS);
    const known = this.#words[place] === word ? this.#known[place] : undefined;
    if (known !== undefined) return known;
    const decoded = decodeOrIllegal(word);
    this.#words[place] = word;
    this.#known[place] = decoded;
    return decoded;
  }
}
