/** Random instruction words. */

import { FIRST_OP, INTERPRETER_OPS, opOf } from "../../../../../lib/engine/translator/interpreter/op.ts";
import { type DecodedInsn, decode } from "../../../../../lib/isa/decode.ts";
import type { Insn } from "../../../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../../../../lib/isa/instructions.ts";

type Random = (limit: number) => number;

/** Instructions that stop a hart, or need a handler. */
const LEFT_OUT: ReadonlySet<Mnemonic> = new Set(["wfi", "hx"]);
/** All others. */
export const TRIED: readonly Mnemonic[] = MNEMONICS.filter((mnemonic) => !LEFT_OUT.has(mnemonic));

/** A word that is that instruction. */
export function randomWord(mnemonic: Mnemonic, random: Random): DecodedInsn {
  const { mask, match, sizeBytes } = INSTRUCTIONS[mnemonic] as Insn;
  for (let tries = 0; tries < 1000; tries++) {
    const bits = random(2 ** 32);
    const word = ((bits & ~mask) | match) >>> 0;
    const decoded = decode(sizeBytes === 2 ? word & 0xffff : word);
    if (decoded?.mnemonic === mnemonic) return decoded;
  }
  throw new Error(`no word for ${mnemonic}`);
}

/** Fields that some simpler instructions have zero: `imm`, `rs1`, `rs2`, and those of 16 bits. */
const ZEROES = [0, 0, 0xfff0_0000, 0x000f_8000, 0x01f0_0000, 0x107c];

/** Random instructions for each op of the cold tier: what would be decoded at that offset in a page. */
export function wordsByOp(place: number, random: Random): ReadonlyMap<string, readonly DecodedInsn[]> {
  const words = new Map<string, DecodedInsn[]>();
  for (const mnemonic of TRIED) {
    const { mask } = INSTRUCTIONS[mnemonic] as Insn;
    for (let round = 0; round < 150; round++) {
      const zero = ZEROES[round % ZEROES.length] ?? 0;
      const decoded = decode(randomWord(mnemonic, random).word & ~(zero & ~mask));
      if (decoded?.mnemonic !== mnemonic) continue;
      const name = opNameAt(decoded, place);
      const known = words.get(name) ?? [];
      if (known.length < 12) known.push(decoded);
      words.set(name, known);
    }
  }
  return words;
}

function opNameAt(decoded: DecodedInsn, place: number): string {
  const choice = opOf(decoded);
  if (choice.kind !== "offset") return nameOf(choice.number);
  const target = place + Number(decoded.imm);
  if (target < 0 || target >= 4096) return nameOf(choice.far);
  return nameOf(decoded.imm > 0n ? choice.ahead : choice.behind);
}

const nameOf = (number: number): string => INTERPRETER_OPS[number - FIRST_OP]?.name ?? "";

/** Their bytes one after another. */
export function bytesOf(instructions: readonly DecodedInsn[]): Uint8Array {
  const bytes = instructions.flatMap(({ word, sizeBytes }) =>
    Array.from({ length: sizeBytes }, (_, index) => (word >>> (8 * index)) & 0xff),
  );
  return new Uint8Array(bytes);
}
