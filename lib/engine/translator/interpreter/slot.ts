/**
 * The cold tier's form of an instruction: 8 bytes for each halfword of a page, operands where the interpreter wants them.
 *
 * Registers stand in it as byte offsets from x0 (or f0), so that an address is one addition away.
 *
 * Behind a page's last slot there are four more. The first and the last are never decoded: by them the cold tier notices that
 * it runs off the page. The second is that of an instruction that goes on in the next page; it is executed with a bias that
 * makes up for its place.
 */
import type { Decoded } from "../../../isa/decode.ts";
import type { Insn } from "../../../isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../../isa/instructions.ts";
import { SLOT_BYTES } from "../layout.ts";

/** Bytes of a slot: number of the op (u16), `rd` (u8), `rs1` (u8), … */
export const SLOT_OP = 0;
export const SLOT_RD = 2;
export const SLOT_RS1 = 3;
/** … then the immediate (i32), or where there is none `rs2` and `rs3` (u8 each). Stores and branches have `rs2` in place of `rd`. */
export const SLOT_IMM = 4;
export const SLOT_RS2 = 4;
export const SLOT_RS3 = 5;

/** Bytes from a page's first slot to the ones behind its last. */
export const SLOTS_END = 2048 * SLOT_BYTES;
/** Bytes from a page's last slot to that of the instruction which goes on in the next page, if it begins there. */
export const ACROSS_DISTANCE = 2 * SLOT_BYTES;

/** log2 of the bytes of slots for each byte of instructions. */
export const SLOT_SHIFT = 2;

const IMMEDIATES: ReadonlySet<string> = new Set(["imm", "shamt", "nzimm", "uimm", "nzuimm"]);

const fieldNames = (mnemonic: Mnemonic): string[] =>
  (INSTRUCTIONS[mnemonic] as Insn).fields.map(({ name }) => name.replace("'", ""));

const WITH_IMMEDIATE: ReadonlySet<Mnemonic> = new Set(
  MNEMONICS.filter((mnemonic) => fieldNames(mnemonic).some((name) => IMMEDIATES.has(name))),
);

/** Whether an encoding has an immediate. */
export const hasImmediate = (mnemonic: Mnemonic): boolean => WITH_IMMEDIATE.has(mnemonic);

/** Whether an instruction has its `rs2` in place of `rd`, for it has an immediate, too. */
export const isSourceInPlaceOfRd = (mnemonic: Mnemonic): boolean =>
  hasImmediate(mnemonic) && fieldNames(mnemonic).includes("rs2");

/** A slot as two words of 32 bits. */
export interface PackedSlot {
  /** Op and the first registers. */
  readonly low: number;
  /** Immediate, or the other registers. */
  readonly high: number;
}

/** Packs an instruction for the op of that number. */
export function packSlot(op: number, { mnemonic, rd, rs1, rs2, rs3, imm }: Decoded): PackedSlot {
  const isImmediate = mnemonic !== undefined && hasImmediate(mnemonic);
  const first = isImmediate && rd === 0 ? rs2 : rd;
  return {
    low: op | ((8 * first) << 16) | ((8 * rs1) << 24) | 0,
    high: isImmediate ? Number(imm) : 8 * (rs2 | (rs3 << 8)),
  };
}
