/** Operands of one instruction, from what was written to bits; every wrong one gets a sentence that teaches. */
import { hex } from "../../bits/hex.ts";
import { fitsSigned, fitsUnsigned } from "../../bits/int64.ts";
import { CSR_NAMES, CSRS, findCsr } from "../csr-map.ts";
import { type Field, insertField } from "../encoding.ts";
import { FORMS, type FormShape, type OperandSlot } from "../form.ts";
import type { Insn } from "../insn.ts";
import { INSTRUCTIONS, type Mnemonic } from "../instructions.ts";
import { didYouMean } from "./closest.ts";
import { isMistake, type Mistake, mistake } from "./mistake.ts";
import { floatRegisterBits, registerBits, roundingBits, stackPointerMistake } from "./register-operand.ts";

/** An operand as written: a name or a number. */
export type OperandValue = string | number | bigint;

/** Integers from here up are addresses and masks rather than counts, and written in hexadecimal. */
const HEX_FROM = 65_536n;

/** An operand as text. */
export function operandText(value: OperandValue): string {
  if (typeof value === "string" || !Number.isSafeInteger(Number(value)))
    return typeof value === "bigint" ? hex(value) : String(value);
  return BigInt(value) >= HEX_FROM ? hex(value) : String(value);
}

/** Where an instruction stands, and what names mean there. */
export interface Place {
  /** Address of the instruction, 64 bits. */
  readonly address: bigint;
  /** Absolute address of a target. */
  resolve(target: OperandValue): bigint | Mistake;
}

/** An integer operand as bigint; numbers beyond 2⁵³ have lost digits already and are refused. */
export function integerOperand(value: OperandValue): bigint | Mistake {
  if (typeof value === "bigint") return value;
  if (typeof value === "string") return mistake(`"${value}" is not a number`);
  if (!Number.isInteger(value)) return mistake(`${value} is not a whole number`);
  if (!Number.isSafeInteger(value))
    return mistake(`${value} is beyond 2^53 and has lost digits; write it as a bigint, with n at the end`);
  return BigInt(value);
}

/** Lowest and highest value of a field, for sentences. */
function rangeWords({ widthBits, signed }: Field): string {
  const low = signed ? -(1n << BigInt(widthBits - 1)) : 0n;
  const high = signed ? (1n << BigInt(widthBits - 1)) - 1n : (1n << BigInt(widthBits)) - 1n;
  return `${widthBits} bits ${signed ? "signed" : "unsigned"} (${low}…${high})`;
}

const fits = (value: bigint, { widthBits, signed }: Field): boolean =>
  signed ? fitsSigned(value, widthBits) : fitsUnsigned(value, widthBits);

/** What to do about an immediate that is too large, where there is a usual way. */
function advice(mnemonic: string): string {
  return mnemonic === "addi" || mnemonic === "addiw" ? "; li loads any constant into a register" : "";
}

function immediateBits(mnemonic: string, field: Field, written: OperandValue): number | Mistake {
  const value = integerOperand(written);
  if (isMistake(value)) return value;
  const noun = field.name === "shamt" ? "shift amount" : "immediate";
  if (!fits(value, field))
    return mistake(`${mnemonic} ${noun} ${value} does not fit in ${rangeWords(field)}${advice(mnemonic)}`);
  const grain = 1n << BigInt(field.lowestBit);
  if (value % grain !== 0n)
    return mistake(`${mnemonic} ${noun} ${value} is not a multiple of ${grain}, as its encoding needs`);
  return Number(value);
}

const UPPER_BITS = 20;
const UPPER_SHIFT = 12;

function upperBits(mnemonic: string, field: Field, written: OperandValue): number | Mistake {
  const value = integerOperand(written);
  if (isMistake(value)) return value;
  if (!fitsUnsigned(value, UPPER_BITS) && !fitsSigned(value, UPPER_BITS)) {
    return mistake(
      `${mnemonic} takes the upper 20 bits alone, 0…0xfffff (it shifts them left by 12 itself); ${value} does not fit`,
    );
  }
  const shifted = BigInt.asIntN(32, value << BigInt(UPPER_SHIFT));
  if (!fits(shifted, field)) {
    const magnitudeBits = field.widthBits - UPPER_SHIFT - 1;
    const limit = 1n << BigInt(magnitudeBits);
    const range = `0…0x${(limit - 1n).toString(16)} or 0x${(0x10_0000n - limit).toString(16)}…0xfffff`;
    return mistake(`${mnemonic} takes ${range} as upper 20 bits; ${value} does not fit`);
  }
  return Number(shifted);
}

function targetBits(mnemonic: string, field: Field, written: OperandValue, place: Place): number | Mistake {
  const target = place.resolve(written);
  if (isMistake(target)) return target;
  const distance = BigInt.asIntN(64, target - place.address);
  if (distance % 2n !== 0n)
    return mistake(
      `${mnemonic} cannot reach an odd address: "${operandText(written)}" is at a distance of ${distance}`,
    );
  if (!fits(distance, field)) {
    const reach = 1n << BigInt(field.widthBits - 1);
    return mistake(
      `${mnemonic} reaches -${reach}…${reach - 2n} bytes, but "${operandText(written)}" is ${distance} bytes away`,
    );
  }
  return Number(distance);
}

function csrBits(field: Field, written: OperandValue): number | Mistake {
  if (typeof written === "string") {
    const name = findCsr(written);
    return name === undefined
      ? mistake(`there is no CSR called "${written}"${didYouMean(written, CSR_NAMES)}`)
      : CSRS[name].address;
  }
  const value = integerOperand(written);
  if (isMistake(value)) return value;
  return fits(value, field)
    ? Number(value)
    : mistake(`a CSR number has ${rangeWords(field)}; ${value} does not fit`);
}

/** Letters of a fence's sets, highest bit first: device input, device output, reads, writes. */
const FENCE_LETTERS = "iorw";

function fenceBits(written: OperandValue): number | Mistake {
  const letters = String(written);
  const legal = /^(?=[iorw])i?o?r?w?$/.test(letters) || letters === "0";
  if (!legal)
    return mistake(`a fence orders some of i, o, r, w in this order; "${letters}" is not such a set`);
  return [...FENCE_LETTERS].reduce((bits, letter) => bits * 2 + (letters.includes(letter) ? 1 : 0), 0);
}

/** The text of a fence's 4-bit set. */
export const fenceSetText = (bits: number): string =>
  [...FENCE_LETTERS].filter((_, index) => (bits & (8 >> index)) !== 0).join("") || "0";

function slotBits(
  mnemonic: string,
  slot: OperandSlot,
  field: Field,
  written: OperandValue,
  place: Place,
): number | Mistake {
  switch (slot.kind) {
    case "register":
      return registerBits(written, field.name);
    case "float":
      return floatRegisterBits(written, field.name);
    case "sp":
      return 0; // the encoding has no place for it
    case "rounding":
      return roundingBits(written);
    case "immediate":
      return immediateBits(mnemonic, field, written);
    case "upper":
      return upperBits(mnemonic, field, written);
    case "target":
      return targetBits(mnemonic, field, written, place);
    case "csr":
      return csrBits(field, written);
    case "fence":
      return fenceBits(written);
  }
}

/** Encodes one instruction; the operands are in the order of its form. */
export function encodeInsn(
  mnemonic: Mnemonic,
  operands: readonly OperandValue[],
  place: Place,
): number | Mistake {
  const insn: Insn = INSTRUCTIONS[mnemonic];
  const shape: FormShape = FORMS[insn.form];
  if (operands.length !== shape.operands.length) {
    return mistake(`${mnemonic} takes ${countWords(shape)}, not ${operands.length}`);
  }
  let word = insn.match;
  for (const [index, slot] of shape.operands.entries()) {
    if (slot.kind === "sp") {
      const wrong = stackPointerMistake(mnemonic, operands[index]);
      if (wrong !== undefined) return { ...wrong, operand: index + 1 };
      continue;
    }
    const field = insn.fields.find(({ name }) => name === slot.field);
    const written = operands[index];
    if (field === undefined || written === undefined)
      throw new RangeError(`${mnemonic} has no field ${slot.field}`);
    const bits = slotBits(mnemonic, slot, field, written, place);
    if (isMistake(bits)) return { ...bits, operand: index + 1 };
    if (bits === field.except) return exceptionMistake(mnemonic, slot, index + 1, written);
    word = insertField(word, field, bits);
  }
  return word >>> 0;
}

const exceptionMistake = (
  mnemonic: string,
  { field }: OperandSlot,
  operand: number,
  written: OperandValue,
): Mistake =>
  mistake(
    `${mnemonic} cannot have ${written} as ${field}: that word is another instruction or reserved`,
    operand,
  );

/** "2 operands (rd, imm)". */
function countWords({ operands }: FormShape): string {
  if (operands.length === 0) return "no operands";
  const names = operands.map(({ field, kind }) => (kind === "target" ? "target" : field)).join(", ");
  return `${operands.length} operand${operands.length === 1 ? "" : "s"} (${names})`;
}
