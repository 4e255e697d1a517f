/** From instruction words back to assembly text. */
import { groupedHex, hex, hexWord } from "../bits/hex.ts";
import { fillText } from "./assembler/item.ts";
import { fenceSetText } from "./assembler/operand.ts";
import { isCompressedRegister, roundingText } from "./assembler/register-operand.ts";
import { csrAt } from "./csr-map.ts";
import { decode } from "./decode.ts";
import { extractField, type FieldName, instructionBytes } from "./encoding.ts";
import { floatRegisterName } from "./float-register.ts";
import { FORMS, type FormShape, type OperandSlot } from "./form.ts";
import type { Insn } from "./insn.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { COMPRESSED_REGISTER_BASE, registerName } from "./register.ts";

/**
 * The assembly text of a word.
 *
 * @param word     32 bits, signed or unsigned (the low 16 count when they are a compressed instruction).
 * @param address  Where it stands. With it branch targets are absolute addresses, without it distances such as `.+8`.
 * @returns        `addi a0, zero, 5`, or `.word 0x…` for a word that is no instruction.
 */
export function disassemble(word: number, address?: bigint): string {
  const decoded = decode(word);
  if (decoded === undefined) {
    const bytes = instructionBytes(word);
    return bytes === 4 ? `.word ${hexWord(word)}` : `.half ${hexWord(word & 0xffff, 2)}`;
  }
  const { mnemonic } = decoded;
  const insn: Insn = INSTRUCTIONS[mnemonic];
  const { text, operands }: FormShape = writtenForm(word, insn);
  const written = operands.map((slot) => operandText(word, insn, slot, address));
  return written.length === 0 ? mnemonic : `${mnemonic} ${fillText(text, written)}`;
}

/** The form without its last operand when that has its usual value. */
function writtenForm(word: number, { form, fields }: Insn): FormShape {
  const shape: FormShape = FORMS[form];
  const last = shape.operands.at(-1);
  const field = fields.find(({ name }) => name === last?.field);
  if (field === undefined || extractField(word, field) !== shape.usualLast) return shape;
  return { text: shape.text.replace(/(?:, )?%$/, ""), operands: shape.operands.slice(0, -1) };
}

function operandText(
  word: number,
  insn: Insn,
  { field: name, kind }: OperandSlot,
  address: bigint | undefined,
): string {
  if (kind === "sp") return "sp";
  const field = insn.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new RangeError(`${insn.diagram} has no field ${name}`);
  const value = extractField(word, field);
  switch (kind) {
    case "register":
      return registerName(registerNumber(name, value));
    case "float":
      return floatRegisterName(registerNumber(name, value));
    case "rounding":
      return roundingText(value);
    case "immediate":
      return String(value);
    case "upper":
      return hex(value >>> 12);
    case "target":
      return address === undefined
        ? `.${value < 0 ? "" : "+"}${value}`
        : groupedHex(address + BigInt(value), 8);
    case "csr":
      return csrAt(value) ?? hex(value, 3);
    case "fence":
      return fenceSetText(value);
  }
}

const registerNumber = (field: FieldName, bits: number): number =>
  isCompressedRegister(field) ? COMPRESSED_REGISTER_BASE + bits : bits;
