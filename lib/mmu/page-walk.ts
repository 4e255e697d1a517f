/**
 * The page walk, for every scheme: a pure function of the root, the entries that it reads and the access.
 *
 * It changes nothing: an A or D bit that hardware should set comes back as a wish.
 */
import { getField } from "../bits/field.ts";
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import { type Paddr, paddr, type Vaddr } from "../isa/address.ts";
import {
  isPointer,
  NAPOT_PAGE_BYTES,
  NAPOT_PATTERN,
  PTE,
  PTE_FIELDS,
  PTE_RESERVED,
  pteHas,
  pteIsNapot,
  ptePpn,
} from "./pte.ts";
import { isInScheme, pageBytesAt, type Scheme, tableIndex } from "./scheme.ts";

const PTE_BYTES = 8n;

/** What is wanted, and by whose rights. */
export interface WalkRequest {
  readonly scheme: Scheme;
  /** Page number of the root table: the PPN of `satp`, `vsatp` (guest-physical) or `hgatp`. */
  readonly rootPpn: bigint;
  /** A virtual address; for the schemes of the second stage a guest-physical one. */
  readonly vaddr: Vaddr;
  readonly kind: AccessKind;
  /** User mode's rights, or supervisor mode's. */
  readonly asUser: boolean;
  /** `mstatus.SUM`: supervisor mode may load from and store to user pages. */
  readonly sum: boolean;
  /** `mstatus.MXR`: loads may read executable pages. */
  readonly mxr: boolean;
  /** `menvcfg.ADUE` or `henvcfg.ADUE`: hardware sets A and D instead of faulting. */
  readonly setsAccessedDirty: boolean;
  /** `menvcfg.PBMTE` or `henvcfg.PBMTE`: leaves may say a memory type. @spec norm:menvcfg_pbmte_op */
  readonly allowsMemoryTypes: boolean;
  /** A load that needs X in place of R. @spec norm:hlsv_u_op */
  readonly needsExecute: boolean;
}

/** Why a walk gave no page. */
export type WalkFaultReason =
  | "not-canonical"
  | "beyond-guest-space"
  | "pte-guest-fault"
  | "pte-access-denied"
  | "pte-unreachable"
  | "invalid"
  | "write-without-read"
  | "reserved-bits"
  | "memory-type-disabled"
  | "memory-type-reserved"
  | "napot-size-reserved"
  | "napot-superpage"
  | "pointer-with-leaf-bits"
  | "pointer-with-napot"
  | "pointer-with-memory-type"
  | "pointer-at-last-level"
  | "misaligned-superpage"
  | "supervisor-page"
  | "user-page"
  | "user-page-fetch"
  | "not-readable"
  | "not-writable"
  | "not-executable"
  | "not-accessed"
  | "not-dirty";

/** A walk that failed: why, and at which entry. Cause inside; the trap is made at the edge. */
export interface WalkFault {
  readonly kind: "walk-fault";
  readonly reason: WalkFaultReason;
  /** 0 is the last level. For an address that has no place in the tables, the number of levels: none was looked at. */
  readonly level: number;
}

/** A walk that found a page. */
export interface Leaf {
  readonly kind: "leaf";
  readonly paddr: Paddr;
  readonly level: number;
  /** Bytes that the entry maps: a page of its level, or 64 KiB under Svnapot. */
  readonly pageBytes: bigint;
  /** G=1 in the leaf or above it: the mapping is the same in all address spaces. */
  readonly isGlobal: boolean;
  readonly pteAddress: Paddr;
  readonly pte: bigint;
  /** The entry with A and D as hardware wants them; equal to `pte` when nothing is to do. */
  readonly wantedPte: bigint;
}

/** One entry that a walk looked at. */
export interface WalkStep {
  readonly level: number;
  /** 9-bit index into the table; 11 bits in the root of a guest-physical scheme. */
  readonly vpnIndex: number;
  readonly pteAddress: Paddr;
  /** `undefined`: the entry could not be read. */
  readonly pte: bigint | undefined;
  readonly verdict: "pointer" | "leaf" | WalkFaultReason;
}

/** Reads an entry, or says why it cannot. */
export type ReadPte = (
  address: Paddr,
) => bigint | "pte-access-denied" | "pte-unreachable" | "pte-guest-fault";

const ACCESS_FAULTS: ReadonlySet<WalkFaultReason> = new Set(["pte-access-denied", "pte-unreachable"]);

/** Whether an entry could not even be read: an access fault and no page fault. */
export const isAccessFault = (reason: WalkFaultReason): boolean => ACCESS_FAULTS.has(reason);

/** What the manual's algorithm knows of an entry that it has found, whoever remembers it. */
export interface FoundEntry {
  readonly pte: bigint;
  readonly level: number;
  readonly pteAddress: Paddr;
  readonly isGlobal: boolean;
}

/**
 * Walks the tables for one access.
 *
 * @param record  Hears of every entry, in order; for explainers and for those who remember which entries were read.
 * @cost          At most one read for each level.
 */
export function walkPageTable(
  request: WalkRequest,
  readPte: ReadPte,
  record?: (step: WalkStep) => void,
): Leaf | WalkFault {
  const { scheme, vaddr, rootPpn } = request;
  const refused = addressRefusal(scheme, vaddr);
  if (refused !== undefined) return refused;
  let table = rootPpn << BigInt(PAGE_SHIFT);
  let isGlobal = false;
  for (let level = scheme.levels - 1; ; level--) {
    const index = tableIndex(scheme, vaddr, level);
    const pteAddress = paddr(table + BigInt(index) * PTE_BYTES);
    const read = readPte(pteAddress);
    const verdict = typeof read === "bigint" ? judge(read, level, request) : read;
    const pte = typeof read === "bigint" ? read : 0n;
    record?.({
      level,
      vpnIndex: index,
      pteAddress,
      pte: typeof read === "bigint" ? read : undefined,
      verdict,
    });
    isGlobal ||= pteHas(pte, "G");
    if (verdict === "leaf") return leaf(request, { pte, level, pteAddress, isGlobal });
    if (verdict !== "pointer") return { kind: "walk-fault", reason: verdict, level };
    table = ptePpn(pte) << BigInt(PAGE_SHIFT);
  }
}

/** What a leaf that was found before says to an access: the walk's last steps, without reading anything. */
export function judgeLeaf(request: WalkRequest, entry: FoundEntry): Leaf | WalkFault {
  const refused = addressRefusal(request.scheme, request.vaddr);
  if (refused !== undefined) return refused;
  const verdict = judge(entry.pte, entry.level, request);
  if (verdict === "leaf") return leaf(request, entry);
  if (verdict === "pointer") throw new RangeError("a pointer is no leaf");
  return { kind: "walk-fault", reason: verdict, level: entry.level };
}

/** Why an address has no place in the tables at all. */
function addressRefusal(scheme: Scheme, address: bigint): WalkFault | undefined {
  if (isInScheme(scheme, address)) return undefined;
  const reason = scheme.isGuestPhysical ? "beyond-guest-space" : "not-canonical";
  return { kind: "walk-fault", reason, level: scheme.levels };
}

/** What one entry says: go on, here it is, or no. In the manual's order. @spec priv §"Virtual Address Translation Process" */
function judge(pte: bigint, level: number, request: WalkRequest): "pointer" | "leaf" | WalkFaultReason {
  if (!pteHas(pte, "V")) return "invalid";
  if (!pteHas(pte, "R") && pteHas(pte, "W")) return "write-without-read";
  if ((pte & PTE_RESERVED) !== 0n) return "reserved-bits";
  const memoryType = getField(pte, PTE_FIELDS.PBMT);
  if (memoryType !== 0n && !request.allowsMemoryTypes) return "memory-type-disabled";
  if (isPointer(pte)) return judgePointer(pte, level, memoryType);
  if (memoryType === RESERVED_MEMORY_TYPE) return "memory-type-reserved";
  return leafRefusal(pte, level, request) ?? "leaf";
}

/** @spec norm:Svpbmt_leaf_pte_pbmt_reserved_3_fault */
const RESERVED_MEMORY_TYPE = 3n;

/** Bits of leaves are reserved in pointers. @spec norm:Svpbmt_nonleaf_pte_pbmt_must_be_zero @spec norm:Sv39_pte_svnapot_rsv */
function judgePointer(pte: bigint, level: number, memoryType: bigint): "pointer" | WalkFaultReason {
  if ((pte & (PTE.A | PTE.D | PTE.U)) !== 0n) return "pointer-with-leaf-bits";
  if (pteIsNapot(pte)) return "pointer-with-napot";
  if (memoryType !== 0n) return "pointer-with-memory-type";
  return level === 0 ? "pointer-at-last-level" : "pointer";
}

/** Why a leaf does not allow the access. @spec norm:Sv39_superpage_align @spec norm:Sv39_superpage_align_fault @spec norm:Sv48_superpage_align_fault */
function leafRefusal(pte: bigint, level: number, request: WalkRequest): WalkFaultReason | undefined {
  const pageMask = (pageBytesAt(level) >> BigInt(PAGE_SHIFT)) - 1n;
  if ((ptePpn(pte) & pageMask) !== 0n) return "misaligned-superpage";
  return (
    napotRefusal(pte, level) ??
    ownerRefusal(pte, request) ??
    rightsRefusal(pte, request) ??
    accessedDirtyRefusal(pte, request)
  );
}

/** N: of all sizes 64 KiB alone is defined. @spec norm:Svnapot_valid_encoding @spec norm:Svnapot_reserved_encoding_fault */
function napotRefusal(pte: bigint, level: number): WalkFaultReason | undefined {
  if (!pteIsNapot(pte)) return undefined;
  if (level > 0) return "napot-superpage";
  return getField(pte, PTE_FIELDS.napot) === NAPOT_PATTERN ? undefined : "napot-size-reserved";
}

/** U: whose page it is. Supervisor mode never executes user pages, SUM or not. @spec norm:sstatus_sum @spec norm:mstatus_sum_op */
function ownerRefusal(pte: bigint, { asUser, kind, sum }: WalkRequest): WalkFaultReason | undefined {
  const isUserPage = pteHas(pte, "U");
  if (asUser) return isUserPage ? undefined : "supervisor-page";
  if (!isUserPage) return undefined;
  if (kind === "fetch") return "user-page-fetch";
  return sum ? undefined : "user-page";
}

/** R, W, X. @spec norm:sstatus_mxr @spec norm:mstatus_mxr_op */
function rightsRefusal(pte: bigint, { kind, mxr, needsExecute }: WalkRequest): WalkFaultReason | undefined {
  if (needsExecute) return pteHas(pte, "X") ? undefined : "not-executable";
  switch (kind) {
    case "fetch":
      return pteHas(pte, "X") ? undefined : "not-executable"; // norm:fetch_page_fault_no_x
    case "load":
      return pteHas(pte, "R") || (mxr && pteHas(pte, "X")) ? undefined : "not-readable"; // norm:load_page_fault_no_r
    case "store":
      return pteHas(pte, "W") ? undefined : "not-writable"; // norm:store_page_fault_no_w
  }
}

/** A and D, while software manages them. @spec norm:svade_access_ad_bit_clear */
function accessedDirtyRefusal(pte: bigint, request: WalkRequest): WalkFaultReason | undefined {
  if (request.setsAccessedDirty) return undefined;
  if (!pteHas(pte, "A")) return "not-accessed";
  return request.kind === "store" && !pteHas(pte, "D") ? "not-dirty" : undefined;
}

/** @spec norm:Svnapot_implicit_read_ppn_subst */
function leaf({ vaddr, kind }: WalkRequest, { pte, level, pteAddress, isGlobal }: FoundEntry): Leaf {
  // norm:Svnapot_pte_N norm:Svnapot_range_napot norm:Svnapot_hyp_gstage
  const pageBytes = pteIsNapot(pte) ? NAPOT_PAGE_BYTES : pageBytesAt(level);
  const within = pageBytes - 1n;
  const base = (ptePpn(pte) << BigInt(PAGE_SHIFT)) & ~within;
  const wantedPte = pte | PTE.A | (kind === "store" ? PTE.D : 0n);
  return {
    kind: "leaf",
    paddr: paddr(base | (vaddr & within)),
    level,
    pageBytes,
    isGlobal,
    pteAddress,
    pte,
    wantedPte,
  };
}
