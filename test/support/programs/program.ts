/** A random program as a structure: what can be laid out, run, shrunk and printed. */
import { disassemble } from "../../../lib/isa/disassemble.ts";
import { extractField, insertField, instructionBytes } from "../../../lib/isa/encoding.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { INSTRUCTIONS, type Mnemonic } from "../../../lib/isa/instructions.ts";

/** A place in an item whose immediate is the distance to another item. */
export interface Jump {
  /** Index of the word with the immediate. */
  readonly word: number;
  readonly mnemonic: Mnemonic;
  /** Index of the word from which the distance counts. */
  readonly from: number;
  /** The item to go to; if it was removed, the next one that is left. */
  readonly target: number;
}

/** Instructions that belong together; control goes to the first of them only. */
export interface Item {
  readonly id: number;
  readonly words: readonly number[];
  readonly jump?: Jump;
  /** Without one of its instructions it might never end. */
  readonly isWhole?: boolean;
}

/** Everything that a hart starts with, by descriptor word. */
export type Control = Readonly<Record<string, bigint>>;

/** Where a pointer points: `space` tells the mapping, `offset` counts from the first of the program's own pages there. */
export interface Pointer {
  readonly space: "plain" | "alias" | "superpage" | "guestSuperpage" | "fixed";
  readonly offset: number;
}

export interface Program {
  /** How to make it again. */
  readonly name: string;
  /** Distance from a physical address of code to where the program sees it, mod 2⁶⁴. */
  readonly codeShift: number;
  readonly items: readonly Item[];
  readonly control: Control;
  /** Page-table entries of the three stages as the program has them, ten of each. */
  readonly entries: { readonly own: bigint[]; readonly guest: bigint[]; readonly second: bigint[] };
  readonly integers: readonly bigint[];
  /** Registers that point to the program's own memory, by number; `integers` has zeroes for them. */
  readonly pointers: Readonly<Record<number, Pointer>>;
  readonly floats: readonly bigint[];
}

const ECALL = 0x73;

const sizeOf = (item: Item): number => item.words.reduce((sum, word) => sum + instructionBytes(word), 0);

/** Bytes that the items take. */
export const codeBytes = (items: readonly Item[]): number =>
  items.reduce((sum, item) => sum + sizeOf(item), 0) + 4;

/** One instruction at its place. */
interface Placed {
  readonly offset: number;
  readonly word: number;
}

/** The instructions with their final immediates; the last is the ECALL that ends the program. */
export function placed(items: readonly Item[]): Placed[] {
  const starts: number[] = [];
  let end = 0;
  for (const item of items) {
    starts.push(end);
    end += sizeOf(item);
  }
  const startOf = (id: number): number => starts[items.findIndex((item) => item.id >= id)] ?? end;
  const result: Placed[] = [];
  for (const [at, item] of items.entries()) {
    let offset = starts[at] ?? 0;
    const offsets: number[] = [];
    for (const word of item.words) {
      offsets.push(offset);
      offset += instructionBytes(word);
    }
    for (const [index, word] of item.words.entries()) {
      const { jump } = item;
      const distance = jump?.word === index ? startOf(jump.target) - (offsets[jump.from] ?? 0) : undefined;
      const final =
        distance === undefined || jump === undefined ? word : withDistance(word, jump.mnemonic, distance);
      result.push({ offset: offsets[index] ?? 0, word: final });
    }
  }
  return [...result, { offset: end, word: ECALL }];
}

/** A word whose immediate is `distance` instead. */
function withDistance(word: number, mnemonic: Mnemonic, distance: number): number {
  const field = (INSTRUCTIONS[mnemonic] as Insn).fields.find(({ name }) => name === "imm");
  if (field === undefined) throw new Error(`${mnemonic} has no immediate`);
  // Bits of the old immediate go out first.
  const old = insertField(0, field, extractField(word, field));
  return insertField((word & ~old) >>> 0, field, distance);
}

/** A listing that a person can read: what the hart starts with, then each instruction. */
export function listing(program: Program): string {
  const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
  const named = (values: readonly bigint[], letter: string): string[] =>
    values.flatMap((value, at) => (value === 0n ? [] : [`${letter}${at}=${hex(value)}`]));
  const control = Object.entries(program.control).flatMap(([name, value]) =>
    value === 0n ? [] : [`${name}=${hex(value)}`],
  );
  const entries = Object.entries(program.entries).flatMap(([stage, words]) =>
    words.some((word) => word !== 0n) ? [`  ${stage} entries: ${words.map(hex).join(" ")}`] : [],
  );
  const pointers = Object.entries(program.pointers).map(
    ([register, { space, offset }]) => `x${register}=${space}+0x${offset.toString(16)}`,
  );
  const used = placed(program.items).map(
    ({ offset, word }) => `  +${offset.toString(16).padStart(3)}  ${disassemble(word)}`,
  );
  return [
    `program ${program.name}`,
    `  ${control.join(" ")}`,
    `  ${[...pointers, ...named(program.integers, "x"), ...named(program.floats, "f")].join(" ")}`,
    ...entries,
    ...used,
  ].join("\n");
}
