/**
 * A hart's share of banks of one kind. A bank holds the translations of one context: rights, and address space. Contexts that
 * were not used for longest lose theirs when banks run out.
 */
import { EMPTY_TAG } from "../layout.ts";

/** Where banks are and what they look like: constants of `layout.ts`. */
export interface BankShape {
  /** Address of the hart's first bank. */
  readonly start: number;
  readonly bankBytes: number;
  readonly banks: number;
}

/** Words by which a context is known: its number, then the words of its address space. */
const KEY_WORDS = 5;
/** A bank with more entries than these is emptied as a whole. */
const MAX_LISTED = 1024;
const TAG_LOW = Number(EMPTY_TAG);

/** The words of an address space: `satp`, or `vsatp` and `hgatp`, in halves; all zero where there is no translation. */
export type SpaceWords = readonly [number, number, number, number];

/** Banks with their keys. */
export class BankSet {
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;
  readonly #shape: BankShape;
  readonly #keys: Int32Array;
  readonly #usedAt: Float64Array;
  /** Places of entries that were filled since the bank was last empty; undefined: too many. */
  readonly #filled: (number[] | undefined)[];
  #time = 0;
  #open = 0;

  constructor(i32: Int32Array, i64: BigInt64Array, shape: BankShape) {
    this.#i32 = i32;
    this.#i64 = i64;
    this.#shape = shape;
    this.#keys = new Int32Array(shape.banks * KEY_WORDS);
    this.#usedAt = new Float64Array(shape.banks);
    this.#filled = Array.from({ length: shape.banks }, () => []);
  }

  /** Number of the bank at an address. */
  bankAt(address: number): number {
    return ((address - this.#shape.start) / this.#shape.bankBytes) | 0;
  }

  address(bank: number): number {
    return this.#shape.start + bank * this.#shape.bankBytes;
  }

  /** The bank of a context, if it has one; −1. */
  find(context: number, space: SpaceWords): number {
    const keys = this.#keys;
    for (let bank = 0; bank < this.#open; bank++) {
      const at = bank * KEY_WORDS;
      if (
        keys[at] !== context ||
        keys[at + 1] !== space[0] ||
        keys[at + 2] !== space[1] ||
        keys[at + 3] !== space[2] ||
        keys[at + 4] !== space[3]
      )
        continue;
      this.touch(bank);
      return bank;
    }
    return -1;
  }

  /** Says that a bank is in use: generated code turns to one without asking. */
  touch(bank: number): void {
    this.#usedAt[bank] = ++this.#time;
  }

  /** A bank for a context that has none; the caller has emptied it if it was in use (`next`). */
  assign(bank: number, context: number, space: SpaceWords): void {
    if (bank === this.#open) {
      this.#open++;
      this.#fillWithEmpty(bank);
    }
    this.#keys.set([context, ...space], bank * KEY_WORDS);
    this.touch(bank);
  }

  /** The bank that is to be assigned next: a new one, or the one used least lately but for `inUse`. */
  next(inUse: number): number {
    if (this.#open < this.#shape.banks) return this.#open;
    let oldest = inUse === 0 ? 1 : 0;
    for (let bank = 0; bank < this.#open; bank++)
      if (bank !== inUse && (this.#usedAt[bank] ?? 0) < (this.#usedAt[oldest] ?? 0)) oldest = bank;
    return oldest;
  }

  /** Whether a bank has had a context. */
  isOpen(bank: number): boolean {
    return bank < this.#open;
  }

  /** Banks that have had a context. */
  get openBanks(): number {
    return this.#open;
  }

  /** Fills the entry at a place, an index of 32-bit words. */
  fill(place: number, low: number, high: number, third: number, fourth: number): void {
    const i32 = this.#i32;
    if (i32[place] === TAG_LOW) this.#list(place);
    i32[place] = low;
    i32[place + 1] = high;
    i32[place + 2] = third;
    i32[place + 3] = fourth;
  }

  /** Empties the entry at a place. */
  clear(place: number): void {
    this.#i32[place] = TAG_LOW;
    this.#i32[place + 1] = 0;
  }

  /** Whether the entry at a place is empty. */
  isEmpty(place: number): boolean {
    return this.#i32[place] === TAG_LOW;
  }

  /** Empties a bank. */
  empty(bank: number): void {
    const filled = this.#filled[bank];
    if (filled === undefined) {
      this.#fillWithEmpty(bank);
      return;
    }
    for (const place of filled) this.clear(place);
    filled.length = 0;
  }

  #list(place: number): void {
    const bank = this.bankAt(place * 4);
    const filled = this.#filled[bank];
    if (filled === undefined) return;
    if (filled.length < MAX_LISTED) filled.push(place);
    else this.#filled[bank] = undefined;
  }

  #fillWithEmpty(bank: number): void {
    const start = this.address(bank) / 8;
    const end = start + this.#shape.bankBytes / 8;
    this.#i64.fill(EMPTY_TAG, start, end);
    this.#filled[bank] = [];
  }
}
