/**
 * How a region finds the place in RAM of an access: by looking into the bank of translations, or, in loops, by first guessing.
 *
 * - `page`: it is the page of the last access by the same register; then nothing is read from the bank. Pages of loops seldom
 *   change, and translations cannot change while nobody is called.
 * - `addend`: what makes an address of the guest one of the memory is what it was last time; then the access need not wait for
 *   the bank to answer. Where memory is mapped as a whole that is so even if pages change at every access.
 *
 * A wrong guess costs a few instructions and is noted; a region that guesses wrong often is written again, without.
 */
import { locateInTlb } from "../emit/memory-access.ts";
import {
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  EMPTY_TAG,
  FLAGS_BIAS,
  REGION_NOTE_BYTES,
  REGION_NOTES,
  SPLIT_LOOKS,
  STORES_IN_BANK,
  WRONG_GUESSES,
} from "../layout.ts";
import type { Code, Local } from "../wasm/code.ts";
import type { AccessGroup } from "./memory-plan.ts";

/** How a region looks. */
export interface LookTactics {
  readonly guess: "page" | "addend" | "none";
  /** Whether accesses by one register share a look. */
  readonly coalesces: boolean;
}

/** What looks need of the function that they are in. */
export interface LookFrame {
  readonly code: Code;
  /** The bank of data translations, i32. */
  readonly bank: Local;
  /** Page flags that keep stores from the fast path. */
  readonly storeFlags: number;
  readonly slot: number;
  readonly tactics: LookTactics;
  /** Gives the present instruction up; `bailIf` if the i32 that it pops is not zero. */
  bail(): void;
  bailIf(): void;
}

const PAGE_MASK = -4096n;
const PAGE_SHIFT = 12;
const ENTRY_SHIFT = Math.log2(DATA_ENTRY_BYTES);
/** Offset of the addend within an entry of a bank. */
const ADDEND = 8;

/** What is guessed for a register and a kind of access. */
interface Guess {
  readonly tag: Local;
  readonly addend: Local;
}

/** One region's looks. */
export class Looks {
  /** Address and entry of the last look: free for others between looks. */
  readonly address: Local;
  readonly entry: Local;
  readonly #tag: Local;
  readonly #frame: LookFrame;
  readonly #guesses = new Map<number, Guess>();
  #notes = false;

  constructor(frame: LookFrame) {
    this.#frame = frame;
    this.address = frame.code.local("i64");
    this.#tag = frame.code.local("i64");
    this.entry = frame.code.local("i32");
  }

  /** Whether anything was written that notes what went wrong. */
  get notes(): boolean {
    return this.#notes;
  }

  /** Must come for every group before the first code is written. */
  announce(group: AccessGroup | undefined): void {
    if (group === undefined || !group.isInLoop || this.#frame.tactics.guess === "none") return;
    const key = keyOf(group);
    if (this.#guesses.has(key)) return;
    const { code } = this.#frame;
    this.#guesses.set(key, { tag: code.local("i64"), addend: code.local("i32") });
  }

  /** Forgets which pages were guessed: after whatever may have changed translations. */
  forget(): void {
    const { code, tactics } = this.#frame;
    if (tactics.guess !== "page") return;
    for (const { tag } of this.#guesses.values()) {
      code.i64(EMPTY_TAG);
      code.set(tag);
    }
  }

  /** Pushes the place of an access that must be aligned, as atomic ones must. */
  alone(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8, push: () => void): void {
    const { code, bank, storeFlags } = this.#frame;
    const look = {
      code,
      address: push,
      bank: () => code.get(bank),
      bailIf: () => this.#frame.bailIf(),
      addressLocal: this.address,
      entryLocal: this.entry,
      flagMask: storeFlags,
    };
    locateInTlb(look, kind, widthBytes);
  }

  /** Pushes the place of a group's first byte. All its bytes are in one page; more is not asked of them. */
  group(group: AccessGroup, pushFirst: () => void): void {
    const { code, tactics } = this.#frame;
    const guess = group.isInLoop ? this.#guesses.get(keyOf(group)) : undefined;
    pushFirst();
    code.set(this.address);
    if (guess !== undefined && tactics.guess === "page") this.#guessPage(group, guess);
    else this.#guessAddend(group, guess);
  }

  /**
   * Compares the page of the first byte, and that it is aligned if it is expected to be: then the last byte of one access needs
   * no comparison, and the host makes better code of several. A misaligned one looks as if the guess were wrong.
   */
  #guessPage(group: AccessGroup, { tag, addend }: Guess): void {
    const { code } = this.#frame;
    const { first, last, widthBytes, widestAt } = group;
    const isOneAccess = last - first < widthBytes;
    code.get(this.address);
    code.i64((widestAt - first) % widthBytes === 0 ? PAGE_MASK | BigInt(widthBytes - 1) : PAGE_MASK);
    code.op("i64.and");
    code.get(tag);
    code.op("i64.ne");
    code.if();
    this.#lookUp(group, tag);
    code.get(this.entry);
    code.load("i32.load", offsetOf(group) + ADDEND);
    code.set(addend);
    this.#bailIfFlagged(group, () => this.#pushPlace(() => code.get(addend)));
    this.#note(WRONG_GUESSES);
    code.end();
    if (!isOneAccess) {
      this.#pushPageOfLast(group);
      code.get(tag);
      code.op("i64.ne");
      code.if();
      this.#note(SPLIT_LOOKS);
      this.#frame.bail();
      code.end();
    }
    this.#pushPlace(() => code.get(addend));
  }

  #guessAddend(group: AccessGroup, guess: Guess | undefined): void {
    const { code } = this.#frame;
    this.#lookUp(group, this.#tag);
    if (guess === undefined) {
      this.#pushPlace(() => {
        code.get(this.entry);
        code.load("i32.load", offsetOf(group) + ADDEND);
      });
    } else {
      code.get(this.entry);
      code.load("i32.load", offsetOf(group) + ADDEND);
      code.get(guess.addend);
      code.op("i32.ne");
      code.if();
      code.get(this.entry);
      code.load("i32.load", offsetOf(group) + ADDEND);
      code.set(guess.addend);
      this.#note(WRONG_GUESSES);
      code.end();
      this.#pushPlace(() => code.get(guess.addend));
    }
    if (group.kind === "load") return;
    code.set(this.entry);
    this.#bailIfFlagged(group, () => code.get(this.entry));
    code.get(this.entry);
  }

  /**
   * Finds the entry of the first byte, and bails unless it is that of the last one's page, whose tag is in `tag` then. Two pages
   * that follow each other have different entries, so one comparison finds accesses in two pages, too.
   */
  #lookUp(group: AccessGroup, tag: Local): void {
    const { code, bank } = this.#frame;
    code.get(this.address);
    code.op("i32.wrap_i64");
    code.i32(PAGE_SHIFT - ENTRY_SHIFT);
    code.op("i32.shr_u");
    code.i32((DATA_ENTRIES - 1) * DATA_ENTRY_BYTES);
    code.op("i32.and");
    code.get(bank);
    code.op("i32.add");
    code.tee(this.entry);
    code.load("i64.load", offsetOf(group));
    code.tee(tag);
    this.#pushPageOfLast(group);
    code.op("i64.ne");
    if (group.accesses === 1) {
      this.#frame.bailIf();
      return;
    }
    code.if();
    this.#noteIfSplit(group);
    this.#frame.bail();
    code.end();
  }

  #noteIfSplit(group: AccessGroup): void {
    const { code } = this.#frame;
    this.#pushPageOfLast(group);
    code.get(this.address);
    code.i64(PAGE_MASK);
    code.ops("i64.and", "i64.ne");
    code.if();
    this.#note(SPLIT_LOOKS);
    code.end();
  }

  #pushPageOfLast({ first, last }: AccessGroup): void {
    const { code } = this.#frame;
    code.get(this.address);
    if (last !== first) {
      code.i64(BigInt(last - first));
      code.op("i64.add");
    }
    code.i64(PAGE_MASK);
    code.op("i64.and");
  }

  #pushPlace(pushAddend: () => void): void {
    const { code } = this.#frame;
    code.get(this.address);
    code.op("i32.wrap_i64");
    pushAddend();
    code.op("i32.add");
  }

  /** Somebody may want to hear of stores to the page. */
  #bailIfFlagged({ kind }: AccessGroup, pushPlace: () => void): void {
    if (kind === "load") return;
    const { code, storeFlags } = this.#frame;
    pushPlace();
    code.i32(PAGE_SHIFT);
    code.op("i32.shr_u");
    code.load("i32.load8_u", FLAGS_BIAS);
    if (storeFlags !== 255) {
      code.i32(storeFlags);
      code.op("i32.and");
    }
    this.#frame.bailIf();
  }

  #note(field: number): void {
    this.#notes = true;
    const { code, slot } = this.#frame;
    const at = REGION_NOTES + REGION_NOTE_BYTES * slot + field;
    code.i32(0);
    code.i32(0);
    code.load("i32.load", at);
    code.i32(1);
    code.op("i32.add");
    code.store("i32.store", at);
  }
}

const keyOf = ({ base, kind }: AccessGroup): number => 2 * base + (kind === "store" ? 1 : 0);
const offsetOf = ({ kind }: AccessGroup): number => (kind === "store" ? STORES_IN_BANK : 0);
