/** Where the guest's addresses lead by its own tables: in whose name it looks, and the walk. */

import type { AccessKind } from "../../hart/effective-mode.ts";
import { statusBit, statusField } from "../../hart/status.ts";
import { type GPA, type GVA, gpa } from "../../hs/address.ts";
import { decodeCsr, encodeCsr } from "../../isa/csr-map.ts";
import { EXCEPTION } from "../../isa/trap.ts";
import {
  isAccessFault,
  judgeLeaf,
  type Leaf,
  type ReadPte,
  type WalkRequest,
  walkPageTable,
} from "../../mmu/page-walk.ts";
import { PTE } from "../../mmu/pte.ts";
import { schemeOf } from "../../mmu/scheme.ts";
import { Mode, type Monitor } from "./host.ts";
import { hostAddress, isGuestRam, PAGE_BYTES } from "./layout.ts";
import { pmpRights } from "./pmp.ts";

/**
 * A *view*: whose rights an access has, and with which of the bits that change them. Bits 1:0 are the mode; a shadow is good for one view
 * of one `satp`, so that nothing has to be undone when the guest changes mode, SUM or MXR.
 */
export const ViewBit = {
  /** Supervisor mode may use user pages. */
  SUM: 4n,
  /** Loads may read executable pages. */
  MXR: 8n,
  /** Machine mode under MPRV: the hart may fetch and nothing else; loads and stores are made for the guest in the name of `MPP`. */
  FETCH_ONLY: 16n,
} as const;

/** In which address space and in whose name the guest looks. */
export interface View {
  readonly satp: bigint;
  readonly view: bigint;
}

const ADUE = encodeCsr("menvcfg", { ADUE: 1 });
const PBMTE = encodeCsr("menvcfg", { PBMTE: 1 });
const modeOf = (view: bigint): bigint => view & 3n;

function viewAs({ state: { csrs } }: Monitor, mode: bigint): View {
  if (mode === Mode.M || decodeCsr("satp", csrs.satp).MODE === 0n) return { satp: 0n, view: mode };
  const sum = mode === Mode.S && statusBit(csrs.mstatus, "SUM") ? ViewBit.SUM : 0n;
  const mxr = statusBit(csrs.mstatus, "MXR") ? ViewBit.MXR : 0n;
  return { satp: csrs.satp, view: mode | sum | mxr };
}

const isProxied = ({ state: { mode, csrs } }: Monitor): boolean =>
  mode === Mode.M && statusBit(csrs.mstatus, "MPRV") && statusField(csrs.mstatus, "MPP") !== Mode.M;

/** How the guest looks when it fetches: the shadow that the hart runs it with is for this. */
export function presentView(monitor: Monitor): View {
  const view = viewAs(monitor, monitor.state.mode);
  return isProxied(monitor) ? { ...view, view: view.view | ViewBit.FETCH_ONLY } : view;
}

/** How it looks when it loads and stores. @spec norm:mstatus_mprv_ldst_op */
export const dataView = (monitor: Monitor): View =>
  isProxied(monitor) ? viewAs(monitor, statusField(monitor.state.csrs.mstatus, "MPP")) : presentView(monitor);

/** Where an address leads. */
export interface Place {
  readonly kind: "place";
  /** Guest-physical. */
  readonly address: GPA;
  /** What the guest may do there without its tables being changed: R, W, X as in an entry. */
  readonly rights: bigint;
  /** Size of the guest's page. */
  readonly pageBytes: bigint;
}

/** Why it leads nowhere: the guest's own exception. */
export interface NoPlace {
  readonly kind: "no-place";
  readonly cause: number;
}

const PAGE_FAULT = {
  fetch: EXCEPTION.instructionPageFault,
  load: EXCEPTION.loadPageFault,
  store: EXCEPTION.storePageFault,
} as const;
const ACCESS_FAULT = {
  fetch: EXCEPTION.instructionAccessFault,
  load: EXCEPTION.loadAccessFault,
  store: EXCEPTION.storeAccessFault,
} as const;
export const accessFault = (kind: AccessKind): NoPlace => ({ kind: "no-place", cause: ACCESS_FAULT[kind] });
const RIGHTS: readonly (readonly [AccessKind, bigint])[] = [
  ["load", PTE.R],
  ["store", PTE.W],
  ["fetch", PTE.X],
];

/** Follows the guest's tables for one access, as its hart would: A and D are set if the guest wants its hart to. */
export function translate(
  monitor: Monitor,
  { satp, view }: View,
  vaddr: GVA,
  kind: AccessKind,
): Place | NoPlace {
  const scheme = schemeOf(decodeCsr("satp", satp).MODE);
  if (scheme === undefined) return allowed(monitor, view, bare(vaddr), kind);
  const { csrs } = monitor.state;
  const request: WalkRequest = {
    scheme,
    rootPpn: decodeCsr("satp", satp).PPN,
    vaddr,
    kind,
    asUser: modeOf(view) === Mode.U,
    sum: (view & ViewBit.SUM) !== 0n,
    mxr: (view & ViewBit.MXR) !== 0n,
    setsAccessedDirty: (csrs.menvcfg & ADUE) !== 0n,
    allowsMemoryTypes: (csrs.menvcfg & PBMTE) !== 0n,
    needsExecute: false,
  };
  const leaf = walkPageTable(request, readEntry(monitor));
  if (leaf.kind === "walk-fault")
    return isAccessFault(leaf.reason) ? accessFault(kind) : { kind: "no-place", cause: PAGE_FAULT[kind] };
  const place = allowed(monitor, view, placeOf(request, leaf), kind);
  if (place.kind === "place" && leaf.wantedPte !== leaf.pte) {
    if ((pmpRights(monitor, leaf.pteAddress & ~4095n, Mode.S) & 2) === 0) return accessFault(kind);
    monitor.context.store(hostAddress(leaf.pteAddress), 8, leaf.wantedPte);
  }
  return place;
}

/** What PMP leaves of it. @spec norm:pmp_check_priv_modes */
function allowed(monitor: Monitor, view: bigint, place: Place, kind: AccessKind): Place | NoPlace {
  const left = pmpRights(monitor, place.address & ~BigInt(PAGE_BYTES - 1), modeOf(view));
  const rights = place.rights & (BigInt(left) << 1n);
  const wanted = RIGHTS.find(([right]) => right === kind)?.[1] ?? 0n;
  return (rights & wanted) === 0n ? accessFault(kind) : { ...place, rights };
}

const bare = (address: bigint): Place => ({
  kind: "place",
  address: gpa(address),
  rights: PTE.R | PTE.W | PTE.X,
  pageBytes: BigInt(PAGE_BYTES),
});

const placeOf = (request: WalkRequest, leaf: Leaf): Place => ({
  kind: "place",
  address: gpa(leaf.paddr),
  rights: rightsOf(request, leaf),
  pageBytes: leaf.pageBytes,
});

/** The guest's tables are in its RAM, and its PMP holds for walks as for its supervisor. */
const readEntry =
  (monitor: Monitor): ReadPte =>
  (address) => {
    if (!isGuestRam(monitor.state, address, 8)) return "pte-unreachable";
    if ((pmpRights(monitor, address & ~4095n, Mode.S) & 1) === 0) return "pte-access-denied";
    return monitor.context.load(hostAddress(address), 8);
  };

/** Each kind of access that the entry allows as it is now. A page that is not dirty yet is not writable: the first store comes here. */
function rightsOf(request: WalkRequest, leaf: Leaf): bigint {
  const entry = {
    pte: leaf.wantedPte,
    level: leaf.level,
    pteAddress: leaf.pteAddress,
    isGlobal: leaf.isGlobal,
  };
  return RIGHTS.reduce((rights, [kind, right]) => {
    const verdict = judgeLeaf({ ...request, kind, setsAccessedDirty: false }, entry);
    return verdict.kind === "leaf" ? rights | right : rights;
  }, 0n);
}
