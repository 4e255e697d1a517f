/**
 * What `mtinst` and `htinst` tell of the instruction that trapped, so that a handler can emulate its access without
 * fetching it: the instruction with its address operands taken out, or, for an access of the hart's own, what it did.
 */
import type { Decoded } from "./decode.ts";
import { EXCEPTION, type Trap } from "./trap.ts";

/** Accesses to a guest's tables, 64 bits wide. @spec norm:H_trap_xtinst_guestpage_rw */
export const PSEUDOINSTRUCTION = { read: 0x3000n, write: 0x3020n } as const;

/** Major opcodes of instructions that access memory. */
const LOAD = 0x03;
const LOAD_FP = 0x07;
const STORE = 0x23;
const STORE_FP = 0x27;
const AMO = 0x2f;
const SYSTEM = 0x73;

/** What stays of each: everything but the address register and the offset. */
const KEPT: ReadonlyMap<number, number> = new Map([
  [LOAD, 0x0000_7fff],
  [LOAD_FP, 0x0000_7fff],
  [STORE, 0x01f0_707f],
  [STORE_FP, 0x01f0_707f],
  [AMO, 0xfff0_7fff],
  [SYSTEM, 0xfff0_7fff],
]);

/** Compressed accesses: the opcode and `funct3` of what they stand for. */
const EXPANSION: ReadonlyMap<string, { readonly opcode: number; readonly funct3: number }> = new Map([
  ["c.lw", { opcode: LOAD, funct3: 2 }],
  ["c.lwsp", { opcode: LOAD, funct3: 2 }],
  ["c.ld", { opcode: LOAD, funct3: 3 }],
  ["c.ldsp", { opcode: LOAD, funct3: 3 }],
  ["c.fld", { opcode: LOAD_FP, funct3: 3 }],
  ["c.fldsp", { opcode: LOAD_FP, funct3: 3 }],
  ["c.sw", { opcode: STORE, funct3: 2 }],
  ["c.swsp", { opcode: STORE, funct3: 2 }],
  ["c.sd", { opcode: STORE, funct3: 3 }],
  ["c.sdsp", { opcode: STORE, funct3: 3 }],
  ["c.fsd", { opcode: STORE_FP, funct3: 3 }],
  ["c.fsdsp", { opcode: STORE_FP, funct3: 3 }],
]);

/** Faults of explicit loads and stores; of others nothing is told. @spec norm:H_trap_xtinst_exception_list */
const TOLD: ReadonlySet<number> = new Set([
  EXCEPTION.loadAddressMisaligned,
  EXCEPTION.loadAccessFault,
  EXCEPTION.storeAddressMisaligned,
  EXCEPTION.storeAccessFault,
  EXCEPTION.loadPageFault,
  EXCEPTION.storePageFault,
  EXCEPTION.loadGuestPageFault,
  EXCEPTION.storeGuestPageFault,
]);

/** Where a compressed instruction was transformed, bit 1 is clear. */
const COMPRESSED_MARK = 2;
const RS1_SHIFT = 15;

/**
 * A transformed instruction: its address register gives way to the distance in bytes from the access's address to the
 * one that faulted (not 0 for the second page of a misaligned access only). 0 for an instruction without such a form.
 * @spec norm:H_tinst_addr_offset
 * @spec norm:H_trap_xtinst
 * @spec norm:H_trap_xtinst_exception_lead-in
 */
export function transformedInstruction(decoded: Decoded, offsetBytes: number): number {
  const place = offsetBytes << RS1_SHIFT;
  if (decoded.sizeBytes === 4) return kept(decoded.word) === 0 ? 0 : (kept(decoded.word) | place) >>> 0;
  const expansion = EXPANSION.get(decoded.mnemonic ?? "");
  if (expansion === undefined) return 0;
  const { opcode, funct3 } = expansion;
  const isStore = opcode === STORE || opcode === STORE_FP;
  const register = isStore ? decoded.rs2 << 20 : decoded.rd << 7;
  return ((opcode & ~COMPRESSED_MARK) | (funct3 << 12) | register | place) >>> 0;
}

const kept = (word: number): number => word & (KEPT.get(word & 0x7f) ?? 0);

/** The trap with what its instruction did, if it is one that tells. */
export function withInstruction(trap: Trap, decoded: Decoded, base: bigint): Trap {
  if (trap.isInterrupt || trap.tinst !== 0n || !TOLD.has(trap.cause)) return trap;
  const offset = BigInt.asUintN(64, trap.tval - (base + decoded.imm));
  return { ...trap, tinst: BigInt(transformedInstruction(decoded, Number(offset & 7n))) };
}
