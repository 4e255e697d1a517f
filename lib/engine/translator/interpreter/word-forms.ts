/**
 * What instruction words come to in a slot, wherever they stand. Most words of a program occur many times, so it is
 * remembered, word by word, in one array.
 */
import { decodeOrIllegal } from "../../../isa/decode.ts";
import { opOf } from "./op.ts";
import { packSlot } from "./slot.ts";

/** Words that are remembered: direct-mapped by a hash of the word. */
const ENTRY_BITS = 16;
/** Elements of an entry: the word; low and high word of its slot; its ops by distance. */
export const FORM_LOW = 1;
export const FORM_HIGH = 2;
export const FORM_OPS = 3;
const FORM_WORDS = 4;
/** Golden ratio, as a fraction of 2^32: neighbors are spread apart. */
const HASH_FACTOR = 0x9e37_79b1;

/**
 * Forms by word. A form whose `FORM_OPS` is not zero is a branch or jump by an offset: its op depends on where the target is,
 * and `FORM_HIGH` is the offset in bytes. Then the op in `FORM_LOW` is that for a target ahead in the page, and `FORM_OPS`
 * has in 16 bits each those for one behind, and for one in another page.
 */
export class WordForms {
  readonly elements: Int32Array = new Int32Array(FORM_WORDS << ENTRY_BITS);

  /** Index of a word's form in `elements`, good until the next call. */
  of(word: number): number {
    const at = (Math.imul(word, HASH_FACTOR) >>> (32 - ENTRY_BITS)) * FORM_WORDS;
    // The low half of a form is never zero: it has an op.
    if (this.elements[at] !== word || this.elements[at + FORM_LOW] === 0) this.#fill(at, word);
    return at;
  }

  #fill(at: number, word: number): void {
    const decoded = decodeOrIllegal(word);
    const choice = opOf(decoded);
    const op = choice.kind === "offset" ? choice.ahead : choice.number;
    const { low, high } = packSlot(op, decoded);
    this.elements[at] = word;
    this.elements[at + FORM_LOW] = low;
    this.elements[at + FORM_HIGH] = choice.kind === "word" ? word : high;
    this.elements[at + FORM_OPS] = choice.kind === "offset" ? choice.behind | (choice.far << 16) : 0;
  }
}
