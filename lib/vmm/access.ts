/**
 * What a guest's instruction wanted from an address where no memory is: read out of `htinst`, which has the instruction without its
 * address, or out of the instruction itself, which the hypervisor fetches as the guest would (HLVX).
 *
 * @spec norm:H_trap_xtinst
 */
import type { Width } from "../bus/device.ts";
import { gva } from "../hs/address.ts";
import { isRefused } from "../hs/context.ts";
import { decode } from "../isa/decode.ts";
import { REGISTER_NAMES } from "../isa/register.ts";
import type { Visit } from "./host.ts";

/** A load or store of a device's register. */
export interface Access {
  readonly isStore: boolean;
  readonly width: Width;
  readonly isSigned: boolean;
  /** The register that is loaded or stored. */
  readonly register: number;
  /** Of the instruction. */
  readonly sizeBytes: 2 | 4;
}

const OPCODE = { LOAD: 0x03, STORE: 0x23 } as const;
/** A transformed instruction has its low two bits, but for bit 1, which is clear for a compressed one. */
const EXPANDED_MARK = 2;
const PSEUDO_MASK = 0x3;
/** Loads by `funct3`. @spec norm:lh_lhu_lb_lbu_op_rv64i */
const LOADS: readonly { readonly width: Width; readonly isSigned: boolean }[] = [
  { width: 1, isSigned: true },
  { width: 2, isSigned: true },
  { width: 4, isSigned: true },
  { width: 8, isSigned: false },
  { width: 1, isSigned: false },
  { width: 2, isSigned: false },
  { width: 4, isSigned: false },
];
const STORED_WIDTHS: readonly Width[] = [1, 2, 4, 8];

/** The access of a word that is a load or store with integer registers; `undefined` for any other. */
export function accessOf(word: number, sizeBytes: 2 | 4): Access | undefined {
  const funct3 = (word >>> 12) & 7;
  const opcode = word & 0x7f;
  const load = opcode === OPCODE.LOAD ? LOADS[funct3] : undefined;
  if (load !== undefined) return { isStore: false, ...load, register: (word >>> 7) & 31, sizeBytes };
  const width = opcode === OPCODE.STORE ? STORED_WIDTHS[funct3] : undefined;
  if (width === undefined) return undefined;
  return { isStore: true, width, isSigned: false, register: (word >>> 20) & 31, sizeBytes };
}

/** Whether `htinst` tells that the hart itself wanted to read or change an entry of the guest's page tables. @spec norm:H_trap_xtinst_guestpage */
export const isOfTables = (htinst: number): boolean => htinst !== 0 && (htinst & PSEUDO_MASK) === 0;

/** From `htinst`. Zero, or what tells of the hart's own accesses to page tables, is no access. */
export function transformedAccess(htinst: number): Access | undefined {
  if ((htinst & PSEUDO_MASK & 1) === 0) return undefined;
  return accessOf(htinst | EXPANDED_MARK, (htinst & EXPANDED_MARK) === 0 ? 2 : 4);
}

/** From the instruction where the guest stands. */
export function fetchedAccess({ context }: Visit): Access | undefined {
  const pc = context.csr.read("sepc");
  const word = context.attempt(() => {
    const low = Number(context.fetchAsGuest(gva(pc), 2));
    return (low & 3) === 3 ? (low | (Number(context.fetchAsGuest(gva(pc + 2n), 2)) << 16)) >>> 0 : low;
  });
  if (isRefused(word)) return undefined;
  return (word & 3) === 3 ? accessOf(word, 4) : compressedAccess(word);
}

const COMPRESSED: Readonly<Record<string, Pick<Access, "isStore" | "width" | "isSigned">>> = {
  "c.lw": { isStore: false, width: 4, isSigned: true },
  "c.lwsp": { isStore: false, width: 4, isSigned: true },
  "c.ld": { isStore: false, width: 8, isSigned: false },
  "c.ldsp": { isStore: false, width: 8, isSigned: false },
  "c.sw": { isStore: true, width: 4, isSigned: false },
  "c.swsp": { isStore: true, width: 4, isSigned: false },
  "c.sd": { isStore: true, width: 8, isSigned: false },
  "c.sdsp": { isStore: true, width: 8, isSigned: false },
};

function compressedAccess(word: number): Access | undefined {
  const decoded = decode(word);
  const kind = COMPRESSED[decoded?.mnemonic ?? ""];
  if (decoded === undefined || kind === undefined) return undefined;
  return { ...kind, register: kind.isStore ? decoded.rs2 : decoded.rd, sizeBytes: 2 };
}

/** A register of the guest by number. */
export function guestRegister({ context }: Pick<Visit, "context">, number: number): bigint {
  const name = REGISTER_NAMES[number];
  return name === undefined || name === "zero" ? 0n : context.registers[name];
}

/** The same, changed. */
export function setGuestRegister({ context }: Pick<Visit, "context">, number: number, value: bigint): void {
  const name = REGISTER_NAMES[number];
  if (name !== undefined && name !== "zero") context.registers[name] = BigInt.asUintN(64, value);
}

/** The guest goes on behind an instruction that was done for it. */
export const skip = ({ context: { csr } }: Pick<Visit, "context">, bytes: number): void =>
  csr.write("sepc", csr.read("sepc") + BigInt(bytes));
