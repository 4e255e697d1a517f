/**
 * Two-stage translation: a guest's virtual address by its own tables (VS-stage) to a guest-physical address, and that by
 * the hypervisor's tables (G-stage) to a physical one. The guest's tables stand at guest-physical addresses, so that each
 * of their entries takes a walk of the second stage, too.
 */
import { getField } from "../bits/field.ts";
import type { Bus } from "../bus/bus.ts";
import { environmentMask } from "../hart/csr-read.ts";
import { type AccessKind, statusOf } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import { statusBit } from "../hart/status.ts";
import { type Paddr, paddr, type Vaddr } from "../isa/address.ts";
import { CSRS, SV39 } from "../isa/csr-map.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import { checkPmp, pmpEntryFor } from "./pmp.ts";
import {
  isAccessFault,
  type Leaf,
  type ReadPte,
  type WalkFault,
  type WalkRequest,
  type WalkStep,
  walkSv39,
} from "./sv39.ts";
import {
  checked,
  type GuestPageFault,
  type GuestWalk,
  NO_UPDATES,
  type PteUpdate,
  pteReader,
  type Translation,
  type TranslationFault,
  updateOf,
  type WalkObserver,
} from "./translation.ts";

/** An access on behalf of a guest. */
export interface GuestAccess {
  readonly vaddr: Vaddr;
  readonly kind: AccessKind;
  /** VS or VU. */
  readonly mode: ModeNumber;
  /** HLVX: a load that needs X in place of R. @spec norm:hlsv_u_op */
  readonly needsExecute: boolean;
}

const VSATP = CSRS.vsatp.fields;
const HGATP = CSRS.hgatp.fields;
const ADUE = 1n << BigInt(CSRS.menvcfg.fields.ADUE.lsb);

/** Whether the guest's own stage translates. */
export const hasGuestTables = (state: HartState): boolean =>
  getField(state.stored("vsatp"), VSATP.MODE) === SV39;

/** Whether the second stage translates. @spec norm:hgatp_mode_bare_trans */
export const hasSecondStage = (state: HartState): boolean =>
  getField(state.stored("hgatp"), HGATP.MODE) === SV39;

/**
 * What the guest's own walk needs to know. HS-mode's MXR holds in both stages, the guest's in its own.
 * @spec norm:vsstatus_mxr_vm
 * @spec norm:sstatus_mxr_vm
 * @spec norm:henvcfg_adue_op
 */
export function guestWalkRequest(state: HartState, access: GuestAccess): WalkRequest {
  const vsstatus = statusOf(state, access.mode);
  return {
    ...access,
    rootPpn: getField(state.stored("vsatp"), VSATP.PPN),
    asUser: access.mode === MODE_NUMBER.VU,
    sum: statusBit(vsstatus, "SUM"), // norm:hlsv_trans
    // norm:hlsv_sstatus_mxr norm:hlsv_vsstatus_mxr
    mxr: statusBit(vsstatus, "MXR") || statusBit(state.stored("mstatus"), "MXR"),
    setsAccessedDirty: (state.stored("henvcfg") & environmentMask(state) & ADUE) !== 0n,
    isGuestPhysical: false,
  };
}

/**
 * What a walk of the second stage needs to know. All its accesses are user mode's. MXR is about explicit accesses: not
 * about those to the guest's tables.
 * @spec norm:H_vm_gstagetrans
 * @spec norm:H_vm_gpapriv
 * @spec norm:hgatp_mode_sv39x4
 */
export function secondStageRequest(
  state: HartState,
  gpa: Paddr,
  kind: AccessKind,
  isExplicit: boolean,
  needsExecute: boolean,
): WalkRequest {
  return {
    rootPpn: getField(state.stored("hgatp"), HGATP.PPN),
    vaddr: gpa as bigint as Vaddr,
    kind,
    needsExecute,
    asUser: true,
    sum: false,
    // norm:hlsv_sstatus_mxr
    mxr: isExplicit && statusBit(state.stored("mstatus"), "MXR"),
    setsAccessedDirty: (state.stored("menvcfg") & ADUE) !== 0n,
    isGuestPhysical: true,
  };
}

/** A guest-physical address that the second stage has let pass. */
interface Passed {
  readonly kind: "passed";
  readonly paddr: Paddr;
}

/** The second stage during one translation. */
class SecondStage {
  /** What it wants to set in its own entries. */
  readonly updates: PteUpdate[] = [];
  readonly #state: HartState;
  readonly #observer: WalkObserver;
  readonly #readPte: ReadPte;

  constructor(state: HartState, bus: Bus, observer: WalkObserver) {
    this.#state = state;
    this.#observer = observer;
    this.#readPte = pteReader(state, bus, observer);
  }

  /** Translates the address of the access itself, or of an entry of the guest's tables. */
  pass(
    gpa: Paddr,
    purpose: GuestWalk["purpose"],
    kind: AccessKind,
    needsExecute: boolean,
  ): Passed | GuestPageFault | WalkFault {
    const steps: WalkStep[] = [];
    const result = this.#walk(gpa, purpose, kind, needsExecute, steps);
    const found = result.kind === "passed" ? result.paddr : undefined;
    this.#observer.guestWalk?.({ purpose, gpa, steps, paddr: found });
    return result;
  }

  #walk(
    gpa: Paddr,
    purpose: GuestWalk["purpose"],
    kind: AccessKind,
    needsExecute: boolean,
    steps: WalkStep[],
  ): Passed | GuestPageFault | WalkFault {
    if (!hasSecondStage(this.#state)) return { kind: "passed", paddr: gpa };
    const request = secondStageRequest(this.#state, gpa, kind, purpose === "access", needsExecute);
    const found = walkSv39(request, this.#readPte, (step) => steps.push(step));
    if (found.kind === "leaf") {
      this.updates.push(...updateOf(found, found.pteAddress));
      return { kind: "passed", paddr: found.paddr };
    }
    if (isAccessFault(found.reason)) return found;
    const implicit = IMPLICIT[purpose];
    return { kind: "guest-page-fault", reason: found.reason, level: found.level, gpa, implicit };
  }
}

const IMPLICIT = { "pte-read": "read", "pte-write": "write", access: undefined } as const satisfies Record<
  GuestWalk["purpose"],
  GuestPageFault["implicit"]
>;

/**
 * Finds where a guest's access goes, and changes nothing.
 *
 * Accesses to the guest's tables are loads to the second stage (stores, where hardware sets A or D), whatever the access
 * is; the fault is reported for the access.
 * @spec norm:H_vm_twostage
 * @spec norm:H_vm_gpatrans
 */
export function resolveTwoStage(
  state: HartState,
  bus: Bus,
  access: GuestAccess,
  lengthBytes: number,
  observer: WalkObserver,
): Translation | TranslationFault {
  const second = new SecondStage(state, bus, observer);
  const guest = hasGuestTables(state) ? guestStage(state, bus, access, second, observer) : undefined;
  if (guest !== undefined && guest.kind !== "leaf") return guest; // norm:H_exception_priority
  const { kind, mode, needsExecute } = access;
  const gpa = guest === undefined ? paddr(access.vaddr) : guest.leaf.paddr;
  const passed = second.pass(gpa, "access", kind, needsExecute);
  if (passed.kind !== "passed") return passed;
  const updates = [...(guest?.updates ?? NO_UPDATES), ...second.updates];
  // norm:hlsv_u_op: physical memory must be executable and readable.
  if (needsExecute && !checkPmp(state, mode, "fetch", passed.paddr, lengthBytes).allowed)
    return { kind: "pmp-fault", paddr: passed.paddr, entry: pmpEntryFor(state, passed.paddr, lengthBytes) };
  return checked(state, mode, kind, passed.paddr, lengthBytes, guest?.leaf, updates);
}

/** The guest's own leaf, and what is to be set in it, at its physical address. */
interface GuestLeaf {
  readonly kind: "leaf";
  readonly leaf: Leaf;
  readonly updates: readonly PteUpdate[];
}

function guestStage(
  state: HartState,
  bus: Bus,
  access: GuestAccess,
  second: SecondStage,
  observer: WalkObserver,
): GuestLeaf | TranslationFault {
  const readPte = pteReader(state, bus, observer);
  let refusal: GuestPageFault | WalkFault | undefined;
  const readGuestPte: ReadPte = (gpa) => {
    const passed = second.pass(gpa, "pte-read", "load", false);
    if (passed.kind === "passed") return readPte(passed.paddr);
    refusal = passed;
    return "pte-guest-fault";
  };
  const leaf = walkSv39(guestWalkRequest(state, access), readGuestPte, observer.step);
  if (leaf.kind === "walk-fault") return refusal ?? leaf;
  if (leaf.pte === leaf.wantedPte) return { kind: "leaf", leaf, updates: NO_UPDATES };
  const passed = second.pass(leaf.pteAddress, "pte-write", "store", false);
  return passed.kind === "passed" ? { kind: "leaf", leaf, updates: updateOf(leaf, passed.paddr) } : passed;
}
