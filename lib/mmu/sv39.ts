/**
 * The Sv39 walk, and its sister Sv39x4 for guest-physical addresses: a pure function of the root, the entries that it reads and the access.
 *
 * It changes nothing: an A or D bit that hardware should set comes back as a wish.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import { type Paddr, paddr, type Vaddr } from "../isa/address.ts";
import { isPointer, PTE, PTE_RESERVED, pteHas, ptePpn } from "./pte.ts";

/** Levels of tables; the root is level 2. @spec norm:Sv39_LEVELS */
export const SV39_LEVELS = 3;
/** Bits of a virtual address that are translated; the others repeat bit 38. @spec norm:Sv39_va_signext */
export const SV39_VADDR_BITS = 39;
/** Bits of a guest-physical address; the others are zero. Its root table has four times the entries. @spec norm:hgatp_mode_x4 */
export const SV39X4_GPA_BITS = 41;
const VPN_BITS = 9;
const PTE_BYTES = 8n;

/** What is wanted, and by whose rights. */
export interface WalkRequest {
  /** Page number of the root table: the PPN of `satp`, `vsatp` (guest-physical) or `hgatp`. */
  readonly rootPpn: bigint;
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
  /** A load that needs X in place of R. @spec norm:hlsv_u_op */
  readonly needsExecute: boolean;
  /** The address is a guest's physical one: Sv39x4. */
  readonly isGuestPhysical: boolean;
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
  | "pointer-with-leaf-bits"
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
  /** 2 is the root. For an address that has no place in the tables, no level was looked at. */
  readonly level: number;
}

/** A walk that found a page. */
export interface Leaf {
  readonly kind: "leaf";
  readonly paddr: Paddr;
  readonly level: number;
  readonly pteAddress: Paddr;
  readonly pte: bigint;
  /** The entry with A and D as hardware wants them; equal to `pte` when nothing is to do. */
  readonly wantedPte: bigint;
}

/** One entry that a walk looked at. */
export interface WalkStep {
  readonly level: number;
  /** 9-bit index into the table; 11 bits in the root of Sv39x4. */
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

/** Whether bits 63…39 repeat bit 38. */
export const isCanonical = (vaddr: bigint): boolean =>
  BigInt.asIntN(64, vaddr) === BigInt.asIntN(SV39_VADDR_BITS, vaddr);

/** Index into the table of a level. */
export const vpnIndex = (vaddr: bigint, level: number): number =>
  Number((vaddr >> BigInt(PAGE_SHIFT + VPN_BITS * level)) & 0x1ffn);

/** Index into the table of a level: eleven bits in the root of Sv39x4. @spec norm:hgatp_mode_sv39x4 */
const indexAt = ({ vaddr, isGuestPhysical }: WalkRequest, level: number): number =>
  isGuestPhysical && level === SV39_LEVELS - 1
    ? Number(vaddr >> BigInt(PAGE_SHIFT + VPN_BITS * level))
    : vpnIndex(vaddr, level);

/** Why an address has no place in the tables at all. @spec norm:H_vm_gpatrans */
function addressRefusal({ vaddr, isGuestPhysical }: WalkRequest): WalkFaultReason | undefined {
  if (isGuestPhysical) return vaddr >> BigInt(SV39X4_GPA_BITS) === 0n ? undefined : "beyond-guest-space";
  return isCanonical(vaddr) ? undefined : "not-canonical";
}

/** Bytes of a page that a leaf of this level maps: 4 KiB, 2 MiB, 1 GiB. @spec norm:Sv39_page_sizes */
export const pageBytesAt = (level: number): bigint => BigInt(PAGE_BYTES) << BigInt(VPN_BITS * level);

/**
 * Walks the tables for one access.
 *
 * @param record  Hears of every entry, in order; for explainers and for those who remember which entries were read.
 * @cost          At most three reads.
 */
export function walkSv39(
  request: WalkRequest,
  readPte: ReadPte,
  record?: (step: WalkStep) => void,
): Leaf | WalkFault {
  const refused = addressRefusal(request);
  if (refused !== undefined) return { kind: "walk-fault", reason: refused, level: SV39_LEVELS };
  let table = request.rootPpn << BigInt(PAGE_SHIFT);
  for (let level = SV39_LEVELS - 1; ; level--) {
    const index = indexAt(request, level);
    const pteAddress = paddr(table + BigInt(index) * PTE_BYTES);
    const read = readPte(pteAddress);
    const verdict = typeof read === "bigint" ? judge(read, level, request) : read;
    const pte = typeof read === "bigint" ? read : undefined;
    record?.({ level, vpnIndex: index, pteAddress, pte, verdict });
    if (verdict === "leaf" && pte !== undefined) return leaf(request, level, pteAddress, pte);
    if (verdict !== "pointer" || pte === undefined)
      return { kind: "walk-fault", reason: verdict as WalkFaultReason, level };
    table = ptePpn(pte) << BigInt(PAGE_SHIFT);
  }
}

/** What one entry says: go on, here it is, or no. In the manual's order. @spec priv §"Virtual Address Translation Process" */
function judge(pte: bigint, level: number, request: WalkRequest): "pointer" | "leaf" | WalkFaultReason {
  if (!pteHas(pte, "V")) return "invalid";
  if (!pteHas(pte, "R") && pteHas(pte, "W")) return "write-without-read";
  if ((pte & PTE_RESERVED) !== 0n) return "reserved-bits";
  if (isPointer(pte)) {
    if ((pte & (PTE.A | PTE.D | PTE.U)) !== 0n) return "pointer-with-leaf-bits";
    return level === 0 ? "pointer-at-last-level" : "pointer";
  }
  return leafRefusal(pte, level, request) ?? "leaf";
}

/** Why a leaf does not allow the access. @spec norm:Sv39_superpage_align_fault */
function leafRefusal(pte: bigint, level: number, request: WalkRequest): WalkFaultReason | undefined {
  const pageMask = pageBytesAt(level) / BigInt(PAGE_BYTES) - 1n;
  if ((ptePpn(pte) & pageMask) !== 0n) return "misaligned-superpage";
  return ownerRefusal(pte, request) ?? rightsRefusal(pte, request) ?? accessedDirtyRefusal(pte, request);
}

/** U: whose page it is. Supervisor mode never executes user pages, SUM or not. @spec norm:sstatus_sum */
function ownerRefusal(pte: bigint, { asUser, kind, sum }: WalkRequest): WalkFaultReason | undefined {
  const isUserPage = pteHas(pte, "U");
  if (asUser) return isUserPage ? undefined : "supervisor-page";
  if (!isUserPage) return undefined;
  if (kind === "fetch") return "user-page-fetch";
  return sum ? undefined : "user-page";
}

/** R, W, X. @spec norm:sstatus_mxr */
function rightsRefusal(pte: bigint, { kind, mxr, needsExecute }: WalkRequest): WalkFaultReason | undefined {
  if (needsExecute) return pteHas(pte, "X") ? undefined : "not-executable";
  switch (kind) {
    case "fetch":
      return pteHas(pte, "X") ? undefined : "not-executable";
    case "load":
      return pteHas(pte, "R") || (mxr && pteHas(pte, "X")) ? undefined : "not-readable";
    case "store":
      return pteHas(pte, "W") ? undefined : "not-writable";
  }
}

/** A and D, while software manages them. @spec norm:svade_access_ad_bit_clear */
function accessedDirtyRefusal(pte: bigint, request: WalkRequest): WalkFaultReason | undefined {
  if (request.setsAccessedDirty) return undefined;
  if (!pteHas(pte, "A")) return "not-accessed";
  return request.kind === "store" && !pteHas(pte, "D") ? "not-dirty" : undefined;
}

function leaf({ vaddr, kind }: WalkRequest, level: number, pteAddress: Paddr, pte: bigint): Leaf {
  const offsetMask = pageBytesAt(level) - 1n;
  const base = ptePpn(pte) << BigInt(PAGE_SHIFT);
  const wantedPte = pte | PTE.A | (kind === "store" ? PTE.D : 0n);
  return { kind: "leaf", paddr: paddr(base | (vaddr & offsetMask)), level, pteAddress, pte, wantedPte };
}
