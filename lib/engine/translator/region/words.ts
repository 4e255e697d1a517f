/**
 * Which registers hold words, sign extensions of their low halves, and which of those a region keeps as i32.
 *
 * Instructions of 32 bits leave words. Kept as i32, nobody extends them but places to leave, and the host sees rotations. What
 * somebody reads as a whole, as addresses are read, is extended at once and stays i64; so do loads and constants, which
 * extend for nothing, until control joins one that is kept.
 */
import type { WordForm } from "../emit/emitter.ts";
import { type Block, edgesOf, type Graph } from "./graph.ts";
import { handsOver, type RegionInsn } from "./instruction.ts";

/** Sets of registers (bit n is register n) somewhere in a region. */
export interface WordSets {
  /** Those that are known to hold words. */
  readonly known: number;
  /** Those of them whose value is in the i32 local. Nobody reads them as a whole. */
  readonly kept: number;
}

/** Where every register comes from the state block, or may do so. */
export const NO_WORDS: WordSets = { known: 0, kept: 0 };

/** The words of one region. */
export class Words {
  readonly #blocks: readonly Block[];
  /** At the beginning of each block. */
  readonly #known: Int32Array;
  readonly #kept: Int32Array;
  /** Registers that may be read as a whole before they are written, behind each instruction of each block. */
  readonly #wide: readonly Int32Array[];

  constructor({ blocks }: Graph) {
    this.#blocks = blocks;
    this.#known = new Int32Array(blocks.length).fill(-1);
    this.#known[0] = 0;
    this.#kept = new Int32Array(blocks.length);
    this.#wide = blocks.map(({ insns }) => new Int32Array(insns.length));
    if (!blocks.some(({ insns }) => insns.some(makesWord))) {
      this.#known.fill(0);
      return;
    }
    while (this.#spreadKnown()) {}
    const wideAt = new Int32Array(blocks.length);
    while (this.#spreadWide(wideAt)) {}
    while (this.#spreadKept()) {}
  }

  /** The sets at the beginning of a block. */
  at(number: number): WordSets {
    return { known: this.#known[number] as number, kept: this.#kept[number] as number };
  }

  /** The sets behind an instruction of a block, from those before it. */
  behind(number: number, index: number, sets: WordSets): WordSets {
    const { writesX } = this.#insn(number, index);
    const known = knownBehind(this.#insn(number, index), sets.known);
    const isKept = this.formOf(number, index, sets) !== undefined && this.keeps(number, index);
    return { known, kept: isKept ? sets.kept | writesX : sets.kept & ~writesX };
  }

  /** The form in which an instruction of a block computes an i32; undefined where it computes an i64. */
  formOf(number: number, index: number, { known, kept }: WordSets): WordForm | undefined {
    const insn = this.#insn(number, index);
    if (insn.emitter?.kind !== "compute" || !leavesWord(insn, known)) return undefined;
    const { word } = insn.emitter;
    return word?.of === "any" || (insn.readsX & kept) !== 0 ? word : undefined;
  }

  /** Whether that i32 is kept as it is: nobody reads the register as a whole. */
  keeps(number: number, index: number): boolean {
    return (this.#insn(number, index).writesX & (this.#wide[number]?.[index] as number)) === 0;
  }

  #insn(number: number, index: number): RegionInsn {
    return this.#blocks[number]?.insns[index] as RegionInsn;
  }

  /** A register is known to hold a word where it does so on all ways there. */
  #spreadKnown(): boolean {
    let isChanged = false;
    this.#blocks.forEach((block, number) => {
      const known = handsOver(block.flow) ? 0 : block.insns.reduce(knownAfter, this.#known[number] as number);
      for (const target of edgesOf(block)) isChanged = restrict(this.#known, target, known) || isChanged;
    });
    return isChanged;
  }

  #spreadWide(wideAt: Int32Array): boolean {
    let isChanged = false;
    for (let number = this.#blocks.length - 1; number >= 0; number--) {
      const block = this.#blocks[number] as Block;
      let wide = 0;
      if (!handsOver(block.flow)) for (const target of edgesOf(block)) wide |= wideAt[target] as number;
      const known = this.#knownBefore(number);
      for (let index = block.insns.length - 1; index >= 0; index--) {
        const insn = block.insns[index] as RegionInsn;
        (this.#wide[number] as Int32Array)[index] = wide;
        wide = (wide & ~insn.writesX) | wideReads(insn, known[index] as number);
      }
      isChanged = extend(wideAt, number, wide) || isChanged;
    }
    return isChanged;
  }

  #knownBefore(number: number): number[] {
    let known = this.#known[number] as number;
    return (this.#blocks[number] as Block).insns.map((insn) => {
      const before = known;
      known = knownAfter(known, insn);
      return before;
    });
  }

  /** A word is kept where it is so on any way there: to make an i32 of an i64 costs nothing. */
  #spreadKept(): boolean {
    let isChanged = false;
    this.#blocks.forEach((block, number) => {
      if (handsOver(block.flow)) return;
      let sets = this.at(number);
      for (let index = 0; index < block.insns.length; index++) sets = this.behind(number, index, sets);
      for (const target of edgesOf(block))
        isChanged = extend(this.#kept, target, sets.kept & (this.#known[target] as number)) || isChanged;
    });
    return isChanged;
  }
}

function restrict(sets: Int32Array, number: number, by: number): boolean {
  const before = sets[number] as number;
  sets[number] = before & by;
  return sets[number] !== before;
}

function extend(sets: Int32Array, number: number, by: number): boolean {
  const before = sets[number] as number;
  sets[number] = before | by;
  return sets[number] !== before;
}

/** Whether an instruction leaves an i32 whatever its operands are. Without any, none is kept. */
const makesWord = ({ emitter }: RegionInsn): boolean =>
  emitter?.kind === "compute" && emitter.word?.of === "any";

/** Registers that are known to hold words behind an instruction. */
const knownBehind = (insn: RegionInsn, known: number): number =>
  insn.loadsWord || leavesWord(insn, known) ? known | insn.writesX : known & ~insn.writesX;
const knownAfter = (known: number, insn: RegionInsn): number => knownBehind(insn, known);

function leavesWord({ emitter, readsX }: RegionInsn, known: number): boolean {
  if (emitter?.kind !== "compute" || emitter.word === undefined) return false;
  return emitter.word.of === "any" || (readsX & ~known) === 0;
}

/** Registers that an instruction reads as a whole. */
function wideReads(insn: RegionInsn, known: number): number {
  const { emitter, readsX, decoded } = insn;
  switch (emitter?.kind) {
    case "compute":
      return leavesWord(insn, known) ? 0 : readsX;
    case "branch":
      return emitter.wordCondition !== undefined && (readsX & ~known) === 0 ? 0 : readsX;
    case "store":
      return emitter.widthBytes === 8 ? readsX : readsX & (1 << decoded.rs1);
    default:
      return readsX;
  }
}
