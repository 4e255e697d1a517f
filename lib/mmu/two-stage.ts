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
import { CSRS } from "../isa/csr-map.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import {
  isAccessFault,
  type Leaf,
  type ReadPte,
  type WalkFault,
  type WalkRequest,
  type WalkStep,
  walkPageTable,
} from "./page-walk.ts";
import { checkPmp, pmpEntryFor } from "./pmp.ts";
import { guestSchemeOf, type Scheme, schemeOf } from "./scheme.ts";
import type { StageWalker } from "./stage-walker.ts";
import {
  checked,
  type GuestPageFault,
  type GuestWalk,
  NO_UPDATES,
  type PteUpdate,
  pteReader,
  refusedUpdate,
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
const PBMTE = 1n << BigInt(CSRS.menvcfg.fields.PBMTE.lsb);

/** The scheme of the guest's own stage; `undefined`: Bare. */
export const guestTableScheme = (state: HartState): Scheme | undefined =>
  schemeOf(getField(state.stored("vsatp"), VSATP.MODE));

/** The scheme of the second stage; `undefined`: Bare. @spec norm:hgatp_mode_bare_trans */
export const secondStageScheme = (state: HartState): Scheme | undefined =>
  guestSchemeOf(getField(state.stored("hgatp"), HGATP.MODE));

/**
 * What the guest's own walk needs to know. HS-mode's MXR holds in both stages, the guest's in its own.
 * @spec norm:vsstatus_mxr_vm
 * @spec norm:sstatus_mxr_vm
 * @spec norm:henvcfg_adue_op
 * @spec norm:henvcfg_pbmte_op
 */
export function guestWalkRequest(state: HartState, scheme: Scheme, access: GuestAccess): WalkRequest {
  const vsstatus = statusOf(state, access.mode);
  const henvcfg = state.stored("henvcfg") & environmentMask(state);
  return {
    ...access,
    scheme,
    rootPpn: getField(state.stored("vsatp"), VSATP.PPN),
    asUser: access.mode === MODE_NUMBER.VU,
    sum: statusBit(vsstatus, "SUM"), // norm:hlsv_trans
    // norm:hlsv_sstatus_mxr norm:hlsv_vsstatus_mxr
    mxr: statusBit(vsstatus, "MXR") || statusBit(state.stored("mstatus"), "MXR"),
    setsAccessedDirty: (henvcfg & ADUE) !== 0n,
    allowsMemoryTypes: (henvcfg & PBMTE) !== 0n,
  };
}

/**
 * What a walk of the second stage needs to know. All its accesses are user mode's. MXR is about explicit accesses: not
 * about those to the guest's tables.
 * @spec norm:H_vm_gstagetrans
 * @spec norm:H_vm_gpapriv
 * @spec norm:hgatp_mode_sv39x4
 * @spec norm:hgatp_mode_sv48x4
 */
export function secondStageRequest(
  state: HartState,
  scheme: Scheme,
  gpa: Paddr,
  kind: AccessKind,
  isExplicit: boolean,
  needsExecute: boolean,
): WalkRequest {
  const menvcfg = state.stored("menvcfg");
  return {
    scheme,
    rootPpn: getField(state.stored("hgatp"), HGATP.PPN),
    vaddr: gpa as bigint as Vaddr,
    kind,
    needsExecute,
    asUser: true,
    sum: false,
    // norm:hlsv_sstatus_mxr
    mxr: isExplicit && statusBit(state.stored("mstatus"), "MXR"),
    setsAccessedDirty: (menvcfg & ADUE) !== 0n,
    allowsMemoryTypes: (menvcfg & PBMTE) !== 0n,
  };
}

/** A guest-physical address that the second stage has let pass. */
interface Passed {
  readonly kind: "passed";
  readonly paddr: Paddr;
}

/** The second stage during one translation. */
class SecondStage {
  /** What it wants to set in its own entries: for reads of the guest's tables, and for the access. */
  readonly readUpdates: PteUpdate[] = [];
  readonly updates: PteUpdate[] = [];
  readonly #state: HartState;
  readonly #observer: WalkObserver;
  readonly #walker: StageWalker;
  readonly #readPte: ReadPte;

  constructor(state: HartState, bus: Bus, observer: WalkObserver, walker: StageWalker) {
    this.#state = state;
    this.#observer = observer;
    this.#walker = walker;
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
    this.#observer.guestWalk?.({ purpose, gpa, remembered: this.#walker.lastUse, steps, paddr: found });
    return result;
  }

  #walk(
    gpa: Paddr,
    purpose: GuestWalk["purpose"],
    kind: AccessKind,
    needsExecute: boolean,
    steps: WalkStep[],
  ): Passed | GuestPageFault | WalkFault {
    const scheme = secondStageScheme(this.#state);
    if (scheme === undefined) return { kind: "passed", paddr: gpa };
    const request = secondStageRequest(this.#state, scheme, gpa, kind, purpose === "access", needsExecute);
    const space = { stage: "G", vmid: getField(this.#state.stored("hgatp"), HGATP.VMID) } as const;
    const found = this.#walker.walk(space, request, this.#readPte, (step) => steps.push(step));
    if (found.kind === "leaf") {
      const updates = updateOf(found, found.pteAddress);
      const refused = refusedUpdate(this.#state, updates);
      if (refused !== undefined) return refused;
      (purpose === "pte-read" ? this.readUpdates : this.updates).push(...updates);
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
 * Finds where a guest's access goes, and changes nothing: also a refusal may come with A to be set, for the pages in which
 * the guest's tables were read.
 */
export function resolveTwoStage(
  state: HartState,
  bus: Bus,
  access: GuestAccess,
  lengthBytes: number,
  observer: WalkObserver,
  walker: StageWalker,
): Translation | TranslationFault {
  const second = new SecondStage(state, bus, observer, walker);
  const result = throughBothStages(state, bus, access, lengthBytes, observer, walker, second);
  // The guest's tables were read, whatever became of the access.
  if (result.kind === "translation" || second.readUpdates.length === 0) return result;
  return { ...result, updates: second.readUpdates };
}

/**
 * Accesses to the guest's tables are loads to the second stage (stores, where hardware sets A or D), whatever the access
 * is; the fault is reported for the access.
 * @spec norm:H_vm_twostage
 * @spec norm:H_vm_gpatrans
 */
function throughBothStages(
  state: HartState,
  bus: Bus,
  access: GuestAccess,
  lengthBytes: number,
  observer: WalkObserver,
  walker: StageWalker,
  second: SecondStage,
): Translation | TranslationFault {
  const scheme = guestTableScheme(state);
  const guest =
    scheme === undefined ? undefined : guestStage(state, bus, scheme, access, second, observer, walker);
  if (guest !== undefined && guest.kind !== "leaf") return guest; // norm:H_exception_priority
  const { kind, mode, needsExecute } = access;
  const gpa = guest === undefined ? paddr(access.vaddr) : guest.leaf.paddr;
  const passed = second.pass(gpa, "access", kind, needsExecute);
  if (passed.kind !== "passed") return passed;
  const updates = [...(guest?.updates ?? NO_UPDATES), ...second.readUpdates, ...second.updates];
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
  scheme: Scheme,
  access: GuestAccess,
  second: SecondStage,
  observer: WalkObserver,
  walker: StageWalker,
): GuestLeaf | TranslationFault {
  const readPte = pteReader(state, bus, observer);
  let refusal: GuestPageFault | WalkFault | undefined;
  const readGuestPte: ReadPte = (gpa) => {
    const passed = second.pass(gpa, "pte-read", "load", false);
    if (passed.kind === "passed") return readPte(passed.paddr);
    refusal = passed;
    return "pte-guest-fault";
  };
  const space = {
    stage: "VS",
    vmid: getField(state.stored("hgatp"), HGATP.VMID),
    asid: getField(state.stored("vsatp"), VSATP.ASID),
  } as const;
  const request = guestWalkRequest(state, scheme, access);
  const leaf = walker.walk(space, request, readGuestPte, observer.step);
  if (leaf.kind === "walk-fault") return refusal ?? leaf;
  if (leaf.pte === leaf.wantedPte) return { kind: "leaf", leaf, updates: NO_UPDATES };
  const passed = second.pass(leaf.pteAddress, "pte-write", "store", false);
  return passed.kind === "passed" ? { kind: "leaf", leaf, updates: updateOf(leaf, passed.paddr) } : passed;
}

/** Where the second stage's tables lead a guest-physical address now, for somebody who only looks; `undefined`: nowhere. */
export function presentSecondStage(state: HartState, bus: Bus, gpa: Paddr): Paddr | undefined {
  const scheme = secondStageScheme(state);
  if (scheme === undefined) return gpa;
  const request = secondStageRequest(state, scheme, gpa, "load", false, false);
  const found = walkPageTable(request, pteReader(state, bus));
  return found.kind === "leaf" ? found.paddr : undefined;
}
