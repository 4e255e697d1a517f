/** Random instruction words. */
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

/** Their bytes one after another. */
export function bytesOf(instructions: readonly DecodedInsn[]): Uint8Array {
  const bytes = instructions.flatMap(({ word, sizeBytes }) =>
    Array.from({ length: sizeBytes }, (_, index) => (word >>> (8 * index)) & 0xff),
  );
  return new Uint8Array(bytes);
}
