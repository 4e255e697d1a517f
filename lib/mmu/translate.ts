/**
 * From a virtual address to a physical one, as the manual says it: effective mode, walk, PMP on the walk and on the
 * access. No cache: this is what every cache must agree with.
 */
import { getField } from "../bits/field.ts";
import type { Bus } from "../bus/bus.ts";
import { type AccessKind, effectiveMode } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import { statusBit } from "../hart/status.ts";
import { type Paddr, paddr, type Vaddr } from "../isa/address.ts";
import { CSRS, SV39 } from "../isa/csr-map.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import { type ExceptionName, exception, type Trap } from "../isa/trap.ts";
import { checkPmp, type PmpEntry } from "./pmp.ts";
import {
  type Leaf,
  type ReadPte,
  type WalkFault,
  type WalkFaultReason,
  type WalkRequest,
  type WalkStep,
  walkSv39,
} from "./sv39.ts";

/** Where an access may go. */
export interface Translation {
  readonly kind: "translation";
  readonly paddr: Paddr;
  /** The leaf that maps it; `undefined` where addresses are not translated. */
  readonly leaf: Leaf | undefined;
}

/** PMP refused the access itself. */
export interface PmpFault {
  readonly kind: "pmp-fault";
  readonly paddr: Paddr;
  readonly entry: PmpEntry | undefined;
}

/** Why an access may go nowhere. */
export type TranslationFault = WalkFault | PmpFault;

const { M, S, U } = MODE_NUMBER;
const PTE_BYTES = 8;
const SATP = CSRS.satp.fields;
const ADUE = 1n << BigInt(CSRS.menvcfg.fields.ADUE.lsb);

/** Whether an access in this mode is translated: machine mode never is. @spec norm:satp_op_active */
export const isTranslated = (state: HartState, mode: ModeNumber): boolean =>
  mode !== M && getField(state.stored("satp"), SATP.MODE) === SV39;

/** What the walk for an access needs to know of the hart. */
export function walkRequest(state: HartState, vaddr: Vaddr, kind: AccessKind, mode: ModeNumber): WalkRequest {
  const mstatus = state.stored("mstatus");
  return {
    rootPpn: getField(state.stored("satp"), SATP.PPN),
    vaddr,
    kind,
    asUser: mode === U,
    sum: statusBit(mstatus, "SUM"),
    mxr: statusBit(mstatus, "MXR"),
    setsAccessedDirty: (state.stored("menvcfg") & ADUE) !== 0n,
  };
}

/** Reads page-table entries under PMP, with supervisor mode's rights. @spec norm:pmp_check_pagetable_access */
export function pteReader(state: HartState, bus: Bus): ReadPte {
  return (address) => {
    if (!checkPmp(state, S, "load", address, PTE_BYTES).allowed) return "pte-access-denied";
    const pte = readRam(bus, address);
    return pte ?? "pte-unreachable";
  };
}

/** Tables live in RAM; a walk never touches a device. */
function readRam({ ram }: Bus, address: Paddr): bigint | undefined {
  const offset = Number(address) - ram.base;
  return offset >= 0 && offset + PTE_BYTES <= ram.sizeBytes ? ram.load(offset, PTE_BYTES) : undefined;
}

/**
 * Translates one access that stays inside a page.
 *
 * @param lengthBytes  Bytes that it touches, for PMP.
 * @param mode         Whose rights; by default the effective mode.
 * @param record       Hears of every page-table entry read.
 * @returns            Never throws for what a guest does. With ADUE it may have set A and D in the leaf.
 */
export function translate(
  state: HartState,
  bus: Bus,
  vaddr: Vaddr,
  kind: AccessKind,
  lengthBytes: number,
  mode: ModeNumber = effectiveMode(state, kind),
  record?: (step: WalkStep) => void,
): Translation | TranslationFault {
  if (!isTranslated(state, mode)) return checked(state, mode, kind, paddr(vaddr), lengthBytes, undefined);
  const leaf = walkSv39(walkRequest(state, vaddr, kind, mode), pteReader(state, bus), record);
  if (leaf.kind === "walk-fault") return leaf;
  const result = checked(state, mode, kind, leaf.paddr, lengthBytes, leaf);
  if (result.kind === "translation" && leaf.wantedPte !== leaf.pte)
    return setAccessedDirty(state, bus, leaf, result);
  return result;
}

function checked(
  state: HartState,
  mode: ModeNumber,
  kind: AccessKind,
  address: Paddr,
  lengthBytes: number,
  leaf: Leaf | undefined,
): Translation | PmpFault {
  const { allowed, entry } = checkPmp(state, mode, kind, address, lengthBytes);
  return allowed
    ? { kind: "translation", paddr: address, leaf }
    : { kind: "pmp-fault", paddr: address, entry };
}

/** Hardware's own store to the leaf. @spec norm:menvcfg_adue_op */
function setAccessedDirty(
  state: HartState,
  bus: Bus,
  leaf: Leaf,
  result: Translation,
): Translation | WalkFault {
  if (!checkPmp(state, S, "store", leaf.pteAddress, PTE_BYTES).allowed) {
    return { kind: "walk-fault", reason: "pte-access-denied", level: leaf.level };
  }
  bus.ram.store(Number(leaf.pteAddress) - bus.ram.base, PTE_BYTES, leaf.wantedPte);
  return result;
}

const PAGE_FAULT = {
  fetch: "instructionPageFault",
  load: "loadPageFault",
  store: "storePageFault",
} as const satisfies Record<AccessKind, ExceptionName>;

const ACCESS_FAULT = {
  fetch: "instructionAccessFault",
  load: "loadAccessFault",
  store: "storeAccessFault",
} as const satisfies Record<AccessKind, ExceptionName>;

const IS_ACCESS_FAULT: ReadonlySet<WalkFaultReason> = new Set(["pte-access-denied", "pte-unreachable"]);

/** The access fault of an access of this kind. */
export const accessFault = (kind: AccessKind, vaddr: bigint): Trap => exception(ACCESS_FAULT[kind], vaddr);

/** The one place where a refused translation becomes a trap. `tval` is the virtual address. @spec norm:mtval_vaddr_wr1 */
export function trapOf(fault: TranslationFault, kind: AccessKind, vaddr: bigint): Trap {
  const isAccessFault = fault.kind === "pmp-fault" || IS_ACCESS_FAULT.has(fault.reason);
  return isAccessFault ? accessFault(kind, vaddr) : exception(PAGE_FAULT[kind], vaddr);
}
