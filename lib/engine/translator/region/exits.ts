/**
 * The one place where a region gives up: every place to leave jumps there with a number that says where the guest is, what of
 * the budget it has not used, and which registers are dirty. So a place to leave costs the hot path a branch and nothing else.
 */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import {
  CELLS,
  fOffset,
  REGION_NOTE_BYTES,
  REGION_NOTES,
  SPLIT_LOOKS,
  WRONG_GUESSES,
  xOffset,
} from "../layout.ts";
import type { Code, Label, Local } from "../wasm/code.ts";
import { eachRegister } from "./register-set.ts";

/** Sets of dirty registers. */
export interface DirtySet {
  readonly x: number;
  /** Those that are kept as i32: none of `x`. */
  readonly words: number;
  readonly f: number;
}

/** A site number: offset in halfwords above the number of the set of dirty registers above the budget to give back. */
const OFFSET_SHIFT = 16;
const SET_SHIFT = 9;
const MAX_SETS = 1 << (OFFSET_SHIFT - SET_SHIFT);
const GIVE_BACK_MASK = (1 << SET_SHIFT) - 1;
/** What the shared exit needs to know of the function around it. */
export interface ExitFrame {
  readonly code: Code;
  readonly hart: Local;
  readonly budget: Local;
  localOfX(register: number): Local;
  localOfWord(register: number): Local;
  localOfF(register: number): Local;
}

/** Pushes a store of each register of a set into the state block. */
export function storeRegisters(frame: ExitFrame, { x, words, f }: DirtySet): void {
  const { code, hart, localOfX, localOfWord, localOfF } = frame;
  eachRegister(x, (register) => {
    code.get(hart);
    code.get(localOfX(register));
    code.store("i64.store", xOffset(register));
  });
  eachRegister(words, (register) => {
    code.get(hart);
    code.get(localOfWord(register));
    code.op("i64.extend_i32_s");
    code.store("i64.store", xOffset(register));
  });
  eachRegister(f, (register) => {
    code.get(hart);
    code.get(localOfF(register));
    code.store("f64.store", fOffset(register));
  });
}

/** The sets of dirty registers of a region's places to leave, and the code behind them. */
export class Exits {
  readonly #sets: DirtySet[] = [];

  get count(): number {
    return this.#sets.length;
  }

  /**
   * The number of a place to leave.
   *
   * @param offset  Of the instruction at which the guest goes on, within reach of the region.
   * @returns       Undefined when there are too many sets: then the place must leave by itself.
   */
  site(offset: number, giveBack: number, dirty: DirtySet): number | undefined {
    const set = this.#setOf(dirty);
    if (set < 0) return undefined;
    return ((offset >> 1) << OFFSET_SHIFT) | (set << SET_SHIFT) | giveBack;
  }

  #setOf({ x, words, f }: DirtySet): number {
    for (let number = 0; number < this.#sets.length; number++) {
      const set = this.#sets[number] as DirtySet;
      if (set.x === x && set.words === words && set.f === f) return number;
    }
    if (this.#sets.length === MAX_SETS) return -1;
    this.#sets.push({ x, words, f });
    return this.#sets.length - 1;
  }

  /**
   * The exit: pops a site number and stores what is dirty there, the pc, and what is left of the budget. Behind it everything
   * is ready for the interpreter.
   *
   * @param slot  Of a region that notes something; undefined of others.
   */
  write(frame: ExitFrame, base: bigint, slot: number | undefined): void {
    const { code, hart, budget } = frame;
    const site = code.local("i32");
    code.set(site);
    this.#writeStores(frame, site);
    if (slot !== undefined) endIfNoted(code, slot);
    code.get(hart);
    code.get(site);
    code.i32(OFFSET_SHIFT);
    code.ops("i32.shr_s", "i64.extend_i32_s");
    code.i64(1n);
    code.op("i64.shl");
    code.i64(base);
    code.op("i64.add");
    code.store("i64.store", HART_LAYOUT.pc.offset);
    code.get(budget);
    code.get(site);
    code.i32(GIVE_BACK_MASK);
    code.ops("i32.and", "i32.add");
    code.set(budget);
  }

  /** Sets that contain each other follow each other, the largest first: each stores what the next does not. */
  #writeStores(frame: ExitFrame, site: Local): void {
    const { code } = frame;
    if (this.#sets.length === 1) {
      storeRegisters(frame, this.#sets[0] as DirtySet);
      return;
    }
    const chains = chainsOf(this.#sets);
    const done = code.block();
    const labels: Label[] = [];
    const inOrder = chains.flat();
    for (const set of [...inOrder].reverse()) labels[set] = code.block();
    code.get(site);
    code.i32(SET_SHIFT);
    code.op("i32.shr_u");
    code.i32(MAX_SETS - 1);
    code.op("i32.and");
    code.brTable(labels, labels[0] as Label);
    for (const chain of chains) {
      chain.forEach((set, position) => {
        code.end();
        const { x, words, f } = this.#sets[set] as DirtySet;
        const smaller = this.#sets[chain[position + 1] ?? -1] ?? NOTHING;
        storeRegisters(frame, { x: x & ~smaller.x, words: words & ~smaller.words, f: f & ~smaller.f });
      });
      code.br(done);
    }
    code.end();
  }
}

/** So many notes end a region, a power of two: then JavaScript looks at them when it is entered again. */
export const MANY_NOTES = 1 << 12;

/** Takes all contexts from a region's cell when it has noted much. */
function endIfNoted(code: Code, slot: number): void {
  const notes = REGION_NOTES + REGION_NOTE_BYTES * slot;
  code.i32(0);
  code.load("i32.load", notes + WRONG_GUESSES);
  code.i32(0);
  code.load("i32.load", notes + SPLIT_LOOKS);
  code.op("i32.or");
  code.i32(-MANY_NOTES);
  code.op("i32.and");
  code.if();
  code.i32(0);
  code.i32(0);
  code.store("i32.store", CELLS + 4 * slot);
  code.end();
}

const NOTHING: DirtySet = { x: 0, words: 0, f: 0 };

function chainsOf(sets: readonly DirtySet[]): number[][] {
  const rest = sets.map((_, number) => number);
  rest.sort((a, b) => size(sets[b] as DirtySet) - size(sets[a] as DirtySet));
  const chains: number[][] = [];
  while (rest.length > 0) {
    const chain: number[] = [];
    let last: DirtySet = { x: -1, words: -1, f: -1 };
    for (let at = 0; at < rest.length; ) {
      const number = rest[at] as number;
      const { x, words, f } = sets[number] as DirtySet;
      if ((x & ~last.x) !== 0 || (words & ~last.words) !== 0 || (f & ~last.f) !== 0) {
        at += 1;
        continue;
      }
      chain.push(number);
      last = { x, words, f };
      rest.splice(at, 1);
    }
    chains.push(chain);
  }
  return chains;
}

const size = ({ x, words, f }: DirtySet): number => ones(x) + ones(words) + ones(f);

function ones(set: number): number {
  let count = 0;
  eachRegister(set, () => {
    count += 1;
  });
  return count;
}
