/**
 * From a virtual address to a physical one, as the manual says it: effective mode, walk, PMP on the walk and on the
 * access. No cache: this is what every cache must agree with.
 */
import { getField } from "../bits/field.ts";
import type { Bus } from "../bus/bus.ts";
import { type AccessKind, effectiveMode } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import { statusBit } from "../hart/status.ts";
import { paddr, type Vaddr } from "../isa/address.ts";
import { CSRS } from "../isa/csr-map.ts";
import { isVirtual, MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import { PSEUDOINSTRUCTION } from "../isa/transformed.ts";
import { type ExceptionName, exception, inGuest, type Trap } from "../isa/trap.ts";
import { isAccessFault, type WalkRequest } from "./page-walk.ts";
import { type Scheme, schemeOf } from "./scheme.ts";
import { StageWalker } from "./stage-walker.ts";
import {
  checked,
  commit,
  NO_UPDATES,
  pteReader,
  type Translation,
  type TranslationFault,
  updateOf,
  type WalkObserver,
} from "./translation.ts";
import { resolveTwoStage } from "./two-stage.ts";

export type { PmpFault, Translation, TranslationFault } from "./translation.ts";
export { pteReader } from "./translation.ts";

const { M, U } = MODE_NUMBER;
const SATP = CSRS.satp.fields;
const ADUE = 1n << BigInt(CSRS.menvcfg.fields.ADUE.lsb);
const PBMTE = 1n << BigInt(CSRS.menvcfg.fields.PBMTE.lsb);

/** The scheme by which `satp` translates an access in this mode: machine mode's never is, a guest's goes two other ways. @spec norm:satp_op_active */
export const translationScheme = (state: HartState, mode: ModeNumber): Scheme | undefined =>
  mode === M || isVirtual(mode) ? undefined : schemeOf(getField(state.stored("satp"), SATP.MODE));

/** What the walk for an access needs to know of the hart. */
export function walkRequest(
  state: HartState,
  scheme: Scheme,
  vaddr: Vaddr,
  kind: AccessKind,
  mode: ModeNumber,
): WalkRequest {
  const mstatus = state.stored("mstatus");
  const menvcfg = state.stored("menvcfg");
  return {
    scheme,
    rootPpn: getField(state.stored("satp"), SATP.PPN),
    vaddr,
    kind,
    needsExecute: false,
    asUser: mode === U,
    sum: statusBit(mstatus, "SUM"),
    mxr: statusBit(mstatus, "MXR"),
    setsAccessedDirty: (menvcfg & ADUE) !== 0n,
    allowsMemoryTypes: (menvcfg & PBMTE) !== 0n,
  };
}

/** Whose rights, and which: what an access may say if it differs from the hart's ordinary ones. */
export interface Rights {
  readonly mode: ModeNumber;
  /** HLVX: a load that needs X in place of R. */
  readonly needsExecute: boolean;
}

/** The rights that an ordinary access has now. */
export const ordinaryRights = (state: HartState, kind: AccessKind): Rights => ({
  mode: effectiveMode(state, kind),
  needsExecute: false,
});

/**
 * Finds where an access that stays inside a page goes, and changes nothing.
 *
 * @param lengthBytes  Bytes that it touches, for PMP.
 * @param observer     Hears of every page-table entry read.
 * @param walker       Knows what the hart remembers; by default nothing.
 * @returns            Never throws for what a guest does. `updates` are still to be made: A and D, under ADUE.
 */
export function resolve(
  state: HartState,
  bus: Bus,
  vaddr: Vaddr,
  kind: AccessKind,
  lengthBytes: number,
  rights: Rights = ordinaryRights(state, kind),
  observer: WalkObserver = {},
  walker: StageWalker = new StageWalker(undefined, observer),
): Translation | TranslationFault {
  const { mode } = rights;
  // norm:vsatp_v0 norm:vsstatus_v0
  if (isVirtual(mode))
    return resolveTwoStage(state, bus, { vaddr, kind, ...rights }, lengthBytes, observer, walker);
  const scheme = translationScheme(state, mode);
  if (scheme === undefined)
    return checked(state, mode, kind, paddr(vaddr), lengthBytes, undefined, NO_UPDATES);
  const request = walkRequest(state, scheme, vaddr, kind, mode);
  const space = { stage: "only", asid: getField(state.stored("satp"), SATP.ASID) } as const;
  const leaf = walker.walk(space, request, pteReader(state, bus, observer), observer.step);
  if (leaf.kind === "walk-fault") return leaf;
  return checked(state, mode, kind, leaf.paddr, lengthBytes, leaf, updateOf(leaf, leaf.pteAddress));
}

/** The same for an access that is about to be made: sets A and D where hardware does. */
export function translate(
  state: HartState,
  bus: Bus,
  vaddr: Vaddr,
  kind: AccessKind,
  lengthBytes: number,
  rights?: Rights,
  observer?: WalkObserver,
  walker?: StageWalker,
): Translation | TranslationFault {
  const result = resolve(state, bus, vaddr, kind, lengthBytes, rights, observer, walker);
  commit(bus, result);
  return result;
}

const PAGE_FAULT = {
  fetch: "instructionPageFault",
  load: "loadPageFault",
  store: "storePageFault",
} as const satisfies Record<AccessKind, ExceptionName>;

const GUEST_PAGE_FAULT = {
  fetch: "instructionGuestPageFault",
  load: "loadGuestPageFault",
  store: "storeGuestPageFault",
} as const satisfies Record<AccessKind, ExceptionName>;

const ACCESS_FAULT = {
  fetch: "instructionAccessFault",
  load: "loadAccessFault",
  store: "storeAccessFault",
} as const satisfies Record<AccessKind, ExceptionName>;

/** The access fault of an access of this kind, with the rights of `mode`. */
export const accessFault = (kind: AccessKind, vaddr: bigint, mode: ModeNumber): Trap =>
  inGuest(exception(ACCESS_FAULT[kind], vaddr), isVirtual(mode));

/**
 * The one place where a refused translation becomes a trap. `tval` is the virtual address; of a guest-page fault the
 * second value is the guest-physical one, without its two lowest bits.
 * @spec norm:mtval_vaddr_wr1
 * @spec norm:H_guest_page_fault
 * @spec norm:mtval2_trapval
 * @spec norm:htval_trapval
 */
export function trapOf(fault: TranslationFault, kind: AccessKind, vaddr: bigint, mode: ModeNumber): Trap {
  if (fault.kind === "guest-page-fault") {
    // norm:H_trap_xtinst_guestpage
    const tinst = fault.implicit === undefined ? 0n : PSEUDOINSTRUCTION[fault.implicit];
    // norm:mtval2_trapval_other norm:mtval2_trapval_vstrans norm:mtval2_htval_virtaddr
    return { ...exception(GUEST_PAGE_FAULT[kind], vaddr), gva: true, tval2: fault.gpa >> 2n, tinst };
  }
  if (fault.kind === "pmp-fault" || isAccessFault(fault.reason)) return accessFault(kind, vaddr, mode);
  return inGuest(exception(PAGE_FAULT[kind], vaddr), isVirtual(mode));
}
