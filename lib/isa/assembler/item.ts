/** What a program is made of: instructions, pseudo-instructions, labels and data, each knowing its size and its bytes. */
import { FORMS } from "../form.ts";
import { INSTRUCTIONS, type Mnemonic } from "../instructions.ts";
import { isMistake, type Mistake, mistake } from "./mistake.ts";
import { encodeInsn, integerOperand, type OperandValue, operandText, type Place } from "./operand.ts";
import { PSEUDO_INSTRUCTIONS, type Pseudo, type PseudoMnemonic } from "./pseudo.ts";

/** A piece of a program. */
export interface Item {
  /** As it would be written in assembly text. */
  readonly text: string;
  /** The label that this item defines. */
  readonly label?: string;
  /** Whether its bytes are instructions (for listings). */
  readonly isCode: boolean;
  /** Bytes that it takes at an address; independent of where labels are. */
  sizeBytes(address: bigint): number;
  /** Its bytes, little-endian. */
  encode(place: Place): Uint8Array | Mistake;
}

/** Little-endian bytes of an integer. */
export function littleEndian(value: bigint, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index++) bytes[index] = Number((value >> BigInt(index * 8)) & 0xffn);
  return bytes;
}

/** A label. */
export const label = (name: string): Item => ({
  text: `${name}:`,
  label: name,
  isCode: false,
  sizeBytes: () => 0,
  encode: () => new Uint8Array(0),
});

/** Writes operands between the commas and parentheses of a form. */
export function fillText(template: string, operands: readonly string[]): string {
  let next = 0;
  return template.replaceAll("%", () => operands[next++] ?? "?");
}

const joined = (mnemonic: string, operands: string): string =>
  operands === "" ? mnemonic : `${mnemonic} ${operands}`;

/** One real instruction. */
export function instruction(mnemonic: Mnemonic, operands: readonly OperandValue[]): Item {
  return {
    text: joined(mnemonic, fillText(FORMS[INSTRUCTIONS[mnemonic].form].text, operands.map(operandText))),
    isCode: true,
    sizeBytes: () => INSTRUCTIONS[mnemonic].sizeBytes,
    encode: (place) => {
      const word = encodeInsn(mnemonic, operands, place);
      return isMistake(word) ? word : littleEndian(BigInt(word), INSTRUCTIONS[mnemonic].sizeBytes);
    },
  };
}

const INSN_BYTES = 4;

/** A pseudo-instruction: each instruction of its expansion is encoded at its own address. */
export function pseudoInstruction(mnemonic: PseudoMnemonic, operands: readonly OperandValue[]): Item {
  const pseudo: Pseudo = PSEUDO_INSTRUCTIONS[mnemonic];
  return {
    text: joined(mnemonic, operands.map(operandText).join(", ")),
    isCode: true,
    sizeBytes: () => pseudo.count(operands) * INSN_BYTES,
    encode: (place) => {
      const expansion = pseudo.expand(operands, place);
      if (isMistake(expansion)) return expansion;
      const bytes = new Uint8Array(expansion.length * INSN_BYTES);
      for (const [index, [real, ...realOperands]] of expansion.entries()) {
        const address = place.address + BigInt(index * INSN_BYTES);
        const word = encodeInsn(real, realOperands, { ...place, address });
        if (isMistake(word))
          return { ...word, operand: writtenOperand(operands, realOperands[word.operand - 1]) };
        bytes.set(littleEndian(BigInt(word), INSN_BYTES), index * INSN_BYTES);
      }
      return bytes;
    },
  };
}

/** Which written operand became the wrong one of the expansion. */
function writtenOperand(written: readonly OperandValue[], wrong: OperandValue | undefined): number {
  return wrong === undefined ? 0 : written.indexOf(wrong) + 1;
}

/** Integers of one size; names of labels stand for their addresses. */
export function data(directive: string, sizeBytes: number, values: readonly OperandValue[]): Item {
  return {
    text: `${directive} ${values.map(operandText).join(", ")}`,
    isCode: false,
    sizeBytes: () => sizeBytes * values.length,
    encode: (place) => {
      const bytes = new Uint8Array(sizeBytes * values.length);
      for (const [index, value] of values.entries()) {
        const integer = typeof value === "string" ? place.resolve(value) : integerOperand(value);
        if (isMistake(integer)) return { ...integer, operand: index + 1 };
        const width = sizeBytes * 8;
        if (BigInt.asIntN(width, integer) !== integer && BigInt.asUintN(width, integer) !== integer) {
          return mistake(`${directive}: ${integer} does not fit in ${width} bits`, index + 1);
        }
        bytes.set(littleEndian(integer, sizeBytes), index * sizeBytes);
      }
      return bytes;
    },
  };
}

/** Bytes as they are. */
export const rawBytes = (text: string, bytes: Uint8Array): Item => ({
  text,
  isCode: false,
  sizeBytes: () => bytes.length,
  encode: () => bytes,
});

/** Zero bytes up to the next multiple of `boundary` bytes. */
export function alignment(boundary: number): Item {
  const isPower =
    Number.isInteger(boundary) &&
    boundary > 0 &&
    boundary <= 2 ** 20 &&
    Number.isInteger(Math.log2(boundary));
  const padding = (address: bigint): number =>
    isPower ? Number(BigInt.asUintN(64, -address) % BigInt(boundary)) : 0;
  return {
    text: `.balign ${boundary}`,
    isCode: false,
    sizeBytes: padding,
    encode: ({ address }) =>
      isPower
        ? new Uint8Array(padding(address))
        : mistake(`alignment ${boundary} is not a power of two up to 2^20`, 1),
  };
}

/** More zero bytes than this are a slip of the pen. */
const MAX_ZEROES = 2 ** 28;

/** Zero bytes; a count that is not a whole number of bytes gives an item that reports it. Made only when encoded. */
export function zeroes(count: number): Item {
  const isCount = Number.isInteger(count) && count >= 0 && count <= MAX_ZEROES;
  return {
    text: `.zero ${count}`,
    isCode: false,
    sizeBytes: () => (isCount ? count : 0),
    encode: () =>
      isCount
        ? new Uint8Array(count)
        : mistake(`.zero takes a number of bytes from 0 to 2^28, not ${count}`, 1),
  };
}

/** UTF-8 bytes of a text, with a zero byte at the end when `terminated`. */
export function textBytes(text: string, terminated: boolean): Item {
  const bytes = new TextEncoder().encode(terminated ? `${text}\0` : text);
  return rawBytes(`${terminated ? ".asciz" : ".ascii"} ${JSON.stringify(text)}`, bytes);
}
