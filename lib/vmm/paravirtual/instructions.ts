/**
 * Instructions about translation that the hart does not let a paravirtualized guest's supervisor execute (`hstatus.VTVM`): they are done
 * for it, within what it may do.
 *
 * @spec norm:hstatus_vtvm_op @spec norm:H_virtinst_vs_sfence_sinval_satp_vtvm1
 */
import { gva } from "../../hs/address.ts";
import { CSRS, decodeCsr, encodeCsr } from "../../isa/csr-map.ts";
import { guestRegister, setGuestRegister, skip } from "../access.ts";
import type { Visit } from "../host.ts";
import { PAGE_SHIFT } from "../layout.ts";
import { fenceGuests, rootOf, setRoot } from "./roots.ts";

const SFENCE = { mask: 0xfe00_7fff, match: 0x1200_0073 } as const;
const SYSTEM = 0x73;
const INSTRUCTION_BYTES = 4;
const SV39 = 8n;

/** Does one for the guest, which goes on behind it. False: it is none of these, the guest's programs want it, or what it asks cannot be. */
export function translationInstruction(visit: Visit, word: number): boolean {
  const { SPP } = decodeCsr("sstatus", visit.context.csr.read("sstatus"));
  if (SPP === 0n) return false;
  const isFence = (word & SFENCE.mask) >>> 0 === SFENCE.match;
  const isSatp = (word & 0x7f) === SYSTEM && word >>> 20 === CSRS.satp.address;
  if (isFence) fence(visit, (word >>> 15) & 31);
  else if (!isSatp || !accessSatp(visit, word)) return false;
  skip(visit, INSTRUCTION_BYTES);
  return true;
}

/** SFENCE.VMA. The guest has one ASID and no say in it: whichever it names, it means its own. */
const fence = (visit: Visit, rs1: number): void =>
  fenceGuests(visit, rs1 === 0 ? undefined : gva(guestRegister(visit, rs1)));

/**
 * CSRRW, CSRRS, CSRRC and their immediate forms. The guest sees a `satp` without ASID. One that says anything but Sv39 is refused: with
 * Bare the machine's memory would be the guest's.
 * @spec norm:csrrw_op @spec norm:csrrs_op @spec norm:csrrc_op
 */
function accessSatp(visit: Visit, word: number): boolean {
  const funct3 = (word >>> 12) & 7;
  const operation = funct3 & 3;
  if (operation === 0) return false;
  const root = rootOf(visit.context.csr.read("vsatp"));
  const old = encodeCsr("satp", { MODE: SV39, PPN: root >> PAGE_SHIFT });
  const rs1 = (word >>> 15) & 31;
  const operand = (funct3 & 4) === 0 ? guestRegister(visit, rs1) : BigInt(rs1);
  if (operation === 1 || rs1 !== 0) {
    const value = operation === 1 ? operand : operation === 2 ? old | operand : old & ~operand;
    if (decodeCsr("satp", value).MODE !== SV39 || setRoot(visit, rootOf(value)) !== 0n) return false;
  }
  setGuestRegister(visit, (word >>> 7) & 31, old);
  return true;
}
