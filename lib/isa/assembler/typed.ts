/**
 * The typed assembler: a method for each instruction, pseudo-instruction and directive. A wrong register name or kind of
 * operand is a type error where it was written; numbers out of range are values that `program` returns.
 */
import { FORMS, type Form, type FormOperands } from "../form.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../instructions.ts";
import {
  alignment,
  data,
  type Item,
  instruction,
  label,
  pseudoInstruction,
  textBytes,
  zeroes,
} from "./item.ts";
import type { InstructionForms, PseudoForms } from "./methods.ts";
import type { OperandValue } from "./operand.ts";
import { PSEUDO_INSTRUCTIONS, type PseudoMnemonic, type PseudoOperands } from "./pseudo.ts";

/** Methods for real instructions. */
export type InstructionMethods = {
  readonly [K in keyof InstructionForms]: (...operands: FormOperands[InstructionForms[K]]) => Item;
};

/** Methods for pseudo-instructions. */
export type PseudoMethods = {
  readonly [K in keyof PseudoForms]: (...operands: PseudoOperands[PseudoForms[K]]) => Item;
};

/** A value in data: a number, or the name of a label for its address. */
export type DataValue = number | bigint | string;

/** Labels and data. */
export interface Directives {
  /** Names the address of the next item. */
  label(name: string): Item;
  /** Bytes. */
  byte(...values: DataValue[]): Item;
  /** 16-bit values. */
  half(...values: DataValue[]): Item;
  /** 32-bit values. */
  word(...values: DataValue[]): Item;
  /** 64-bit values. */
  dword(...values: DataValue[]): Item;
  /** UTF-8 bytes of a text. */
  ascii(text: string): Item;
  /** UTF-8 bytes of a text and a zero byte. */
  asciz(text: string): Item;
  /** Zero bytes up to a multiple of `bytes`, a power of two. */
  align(bytes: number): Item;
  /** This many zero bytes. */
  zero(bytes: number): Item;
}

/** Everything that can be written in a program. */
export type Assembler = InstructionMethods & PseudoMethods & Directives;

const directives: Directives = {
  label,
  byte: (...values) => data(".byte", 1, values),
  half: (...values) => data(".half", 2, values),
  word: (...values) => data(".word", 4, values),
  dword: (...values) => data(".dword", 8, values),
  ascii: (text) => textBytes(text, false),
  asciz: (text) => textBytes(text, true),
  align: alignment,
  zero: zeroes,
};

/** Operands at the end that may be left out, by form, with what they are then. */
const DEFAULT_OPERANDS: { readonly [F in Form]?: readonly OperandValue[] } = {
  fence: ["iorw", "iorw"],
  addressFence: ["zero", "zero"],
  floatUnary: ["dyn"],
  floatBinary: ["dyn"],
  floatFused: ["dyn"],
  floatRoundToInteger: ["dyn"],
  floatFromInteger: ["dyn"],
  floatWiden: ["rne"],
  floatWidenInteger: ["rne"],
  hint: [0],
};

/** Completes operands that were left out. */
export function withDefaults(mnemonic: Mnemonic, operands: readonly OperandValue[]): readonly OperandValue[] {
  const { form } = INSTRUCTIONS[mnemonic];
  const defaults = DEFAULT_OPERANDS[form] ?? [];
  const missing = FORMS[form].operands.length - operands.length;
  if (missing <= 0 || missing > defaults.length) return operands;
  return [...operands, ...defaults.slice(defaults.length - missing)];
}

const asmName = (mnemonic: string): string => mnemonic.replaceAll(".", "_");

const methods: Record<string, (...operands: OperandValue[]) => Item> = {};
for (const mnemonic of MNEMONICS) {
  methods[asmName(mnemonic)] = (...operands) => instruction(mnemonic, withDefaults(mnemonic, operands));
}
for (const mnemonic of Object.keys(PSEUDO_INSTRUCTIONS) as PseudoMnemonic[]) {
  methods[asmName(mnemonic)] = (...operands) => pseudoInstruction(mnemonic, operands);
}

/**
 * The assembler.
 *
 * @example asm.addi("a0", "zero", 5)
 * @example asm.lw("a0", 8, "sp") // lw a0, 8(sp)
 */
export const asm = Object.freeze({ ...methods, ...directives }) as unknown as Assembler;
