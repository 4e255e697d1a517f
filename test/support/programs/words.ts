/** Instruction words of random programs: drawn operands that lose no pointer. */
import { decode } from "../../../lib/isa/decode.ts";
import { type Field, insertField, matches } from "../../../lib/isa/encoding.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { INSTRUCTIONS, type Mnemonic } from "../../../lib/isa/instructions.ts";
import type { Item } from "./program.ts";

export type Below = (limit: number) => number;

/** An item before it has a number; `ahead` says how many items to jump over at most. */
export type Draft = Omit<Item, "id" | "jump"> & {
  readonly jump?: Omit<NonNullable<Item["jump"]>, "target"> & { readonly ahead: number };
};

/** Registers that no instruction of a program writes: three pointers, and the counter of loops. */
export const POINTERS = { stack: 2, small: 8, other: 30 } as const;
export const COUNTER = 31;
const KEPT: readonly number[] = [...Object.values(POINTERS), COUNTER];
/** s0 as a compressed instruction says it. */
const SMALL_POINTER = POINTERS.small - 8;

const MEMORY_FORM =
  /^(load|store|floatLoad|floatStore|atomic|compressed(Float)?(Load|Store)|loadReserved|storeAt)$/;
/** Rounding modes, two of them reserved now and then. */
const ROUNDING = [0, 1, 2, 3, 4, 7, 7, 7, 0, 1, 2, 3, 4, 7, 7, 5, 6];

/** A field's value for an instruction that must not lose a pointer. */
function operandBits(below: Below, { form }: Insn, field: Field): number {
  const any = below(2 ** field.widthBits) & -(2 ** field.lowestBit);
  const isMemory = MEMORY_FORM.test(form);
  switch (field.name) {
    case "rd":
      return KEPT.includes(any) && !/^float(?!To|Round|Compare)/.test(form) ? 5 : any;
    case "rd'":
      return any === SMALL_POINTER && form !== "compressedFloatLoad" ? 3 : any;
    case "rs1":
      return isMemory ? (below(2) === 0 ? POINTERS.other : POINTERS.stack) : any;
    case "rs1'":
      return isMemory ? SMALL_POINTER : any;
    case "rm":
      return ROUNDING[below(ROUNDING.length)] ?? 0;
    case "fm":
      return 0;
    default:
      return any;
  }
}

/** One word of an instruction. */
export function randomWord(below: Below, mnemonic: Mnemonic): number {
  const insn = INSTRUCTIONS[mnemonic] as Insn;
  for (;;) {
    let word = insn.match;
    for (const field of insn.fields) word = insertField(word, field, operandBits(below, insn, field));
    if (matches(word, insn) && decode(word)?.mnemonic === mnemonic) return word;
  }
}

/** A word with these operands. */
export function word(mnemonic: Mnemonic, operands: Readonly<Record<string, number>>): number {
  const insn = INSTRUCTIONS[mnemonic] as Insn;
  let result = insn.match;
  for (const field of insn.fields) result = insertField(result, field, operands[field.name] ?? 0);
  return result;
}

/** A register that an item may write. */
export function freeRegister(below: Below): number {
  const any = 1 + below(31);
  return KEPT.includes(any) ? 10 : any;
}
