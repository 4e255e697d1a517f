/** From an instruction word to its record and operands. */
import { extractField, type Field, matches } from "./encoding.ts";
import { type Execute, type Insn, illegalInstruction, type Operands } from "./insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "./instructions.ts";
import type { RegisterIndex } from "./register.ts";

/** An instruction word, ready to execute. */
export interface Decoded extends Operands {
  /** The instruction that it is; `undefined` for a word that means nothing on this hart. */
  readonly mnemonic: Mnemonic | undefined;
  readonly execute: Execute;
  readonly sizeBytes: 2 | 4;
}

/** A word that is an instruction. */
export type DecodedInsn = Decoded & { readonly mnemonic: Mnemonic };

interface Candidate {
  readonly mnemonic: Mnemonic;
  readonly insn: Insn;
}

/** Candidates by the seven opcode bits, so that a decode looks at a few records only. */
const BY_OPCODE: readonly (readonly Candidate[])[] = Array.from({ length: 128 }, (_, opcode) =>
  MNEMONICS.map((mnemonic) => ({ mnemonic, insn: INSTRUCTIONS[mnemonic] as Insn })).filter(({ insn }) =>
    matches(opcode & insn.mask, { mask: insn.mask & 0x7f, match: insn.match & 0x7f }),
  ),
);

/** Length of the instruction that starts with these bits: 2 bytes unless the two lowest bits are ones. */
export const instructionBytes = (word: number): 2 | 4 => ((word & 3) === 3 ? 4 : 2);

/** The instruction that a word encodes, or `undefined` for a word that means nothing on this hart. */
export function decode(word: number): DecodedInsn | undefined {
  const candidate = BY_OPCODE[word & 0x7f]?.find(({ insn }) => matches(word, insn));
  if (candidate === undefined) return undefined;
  const { insn, mnemonic } = candidate;
  return { mnemonic, execute: insn.execute, sizeBytes: insn.sizeBytes, ...operandsOf(word, insn.fields) };
}

const raiseIllegalInstruction: Execute = (_hart, operands) => illegalInstruction(operands);

/** The same, with an instruction that raises the exception in place of nothing. */
export function decodeOrIllegal(word: number): Decoded {
  const decoded = decode(word);
  if (decoded !== undefined) return decoded;
  const sizeBytes = instructionBytes(word);
  const bits = sizeBytes === 4 ? word : word & 0xffff;
  return { mnemonic: undefined, execute: raiseIllegalInstruction, sizeBytes, ...operandsOf(bits, []) };
}

function operandsOf(word: number, fields: readonly Field[]): Operands {
  const operands = { word: word >>> 0, rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0n, csr: 0 };
  for (const field of fields) assignOperand(operands, field, extractField(word, field));
  return operands as Operands;
}

type Draft = { -readonly [K in keyof Operands]: Operands[K] extends RegisterIndex ? number : Operands[K] };

/** Compressed encodings name eight registers only, from x8 up. */
const COMPRESSED_BASE = 8;

function assignOperand(draft: Draft, { name }: Field, value: number): void {
  switch (name) {
    case "rd":
    case "rs1":
    case "rs2":
    case "rs3":
    case "csr":
      draft[name] = value;
      return;
    case "rd'":
    case "rs1'":
    case "rs2'":
      draft[name.slice(0, -1) as "rd" | "rs1" | "rs2"] = COMPRESSED_BASE + value;
      return;
    case "imm":
    case "nzimm":
    case "shamt":
    case "uimm":
    case "nzuimm":
      draft.imm = BigInt(value);
      return;
    case "rm":
    case "aq":
    case "rl":
    case "fm":
    case "pred":
    case "succ":
      return; // read from the word by the few instructions that have them
  }
}
