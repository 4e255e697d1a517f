/** From an instruction word to its record and operands. */
import { extractField, type Field, hasFixedBits, instructionBytes, matches } from "./encoding.ts";
import { type Execute, type ImpliedOperands, type Insn, illegalInstruction, type Operands } from "./insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "./instructions.ts";
import { COMPRESSED_REGISTER_BASE, type RegisterIndex } from "./register.ts";

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
    hasFixedBits(opcode & insn.mask, { mask: insn.mask & 0x7f, match: insn.match & 0x7f }),
  ),
);

/** The instruction that a word encodes, or `undefined` for a word that means nothing on this hart. */
export function decode(word: number): DecodedInsn | undefined {
  const candidate = BY_OPCODE[word & 0x7f]?.find(({ insn }) => matches(word, insn));
  if (candidate === undefined) return undefined;
  const { insn, mnemonic } = candidate;
  const { execute, sizeBytes, fields, implied } = insn;
  const bits = sizeBytes === 4 ? word : word & 0xffff;
  return { mnemonic, execute, sizeBytes, ...operandsOf(bits, fields, implied) };
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

function operandsOf(word: number, fields: readonly Field[], implied?: ImpliedOperands): Operands {
  const operands = { word: word >>> 0, rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0n, csr: 0 };
  for (const field of fields) assignOperand(operands, field, extractField(word, field));
  if (implied !== undefined) complete(operands, implied);
  return operands as Operands;
}

function complete(draft: Draft, { rd, rs1, rs2 }: ImpliedOperands): void {
  if (rd !== undefined) draft.rd = rd;
  if (rs1 !== undefined) draft.rs1 = rs1 === "rd" ? draft.rd : rs1;
  if (rs2 !== undefined) draft.rs2 = rs2;
}

type Draft = { -readonly [K in keyof Operands]: Operands[K] extends RegisterIndex ? number : Operands[K] };

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
      draft[name.slice(0, -1) as "rd" | "rs1" | "rs2"] = COMPRESSED_REGISTER_BASE + value;
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
