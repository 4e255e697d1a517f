/**
 * Shadow page tables: what the hart really walks. A shadow maps the guest's virtual pages to where they really are, with the rights that
 * the guest has in one view. It is made page by page, on faults, and is to the guest's tables what a TLB is: it may be older than they
 * are until the guest fences, and an entry that is missing says nothing. So a mapping that the guest adds needs no fence, one that it
 * takes away does, as the manual has it; stores to its tables are nobody's business.
 *
 * All shadows are Sv48, whatever the guest uses: each address of Sv39 is one of Sv48, and leads to the same place.
 *
 * @spec norm:sfence_vma_op
 */
import { type GVA, type HPA, hpa } from "../../hs/address.ts";
import { decodeCsr, encodeCsr } from "../../isa/csr-map.ts";
import { PTE } from "../../mmu/pte.ts";
import { SCHEMES, tableIndex } from "../../mmu/scheme.ts";
import type { View } from "./guest-translation.ts";
import type { Monitor } from "./host.ts";
import { PAGE_BYTES, POOL, POOL_PAGES, SHADOWS, type ShadowView } from "./layout.ts";

const SV48 = 9;
const ROOT_LEVEL = 3;
const ENTRIES = 512;
const PAGE_SHIFT = 12n;
/** Guest in user mode; accessed and dirty, so that the hart never writes a shadow. */
const LEAF = PTE.V | PTE.U | PTE.A | PTE.D;

const GIB = 1n << 30n;
/** The GiB of an address, as `Shadow.pieces` has it. */
const gibBit = (address: bigint): bigint => 1n << ((address >> 30n) & 63n);

const entryTo = (address: bigint, flags: bigint): bigint => ((address >> PAGE_SHIFT) << 10n) | flags;
const addressIn = (entry: bigint): bigint => ((entry >> 10n) & ((1n << 44n) - 1n)) << PAGE_SHIFT;

/** A page of the pool; `undefined`: none is left. */
function takePage(monitor: Monitor): HPA | undefined {
  const { state } = monitor;
  const { used } = state;
  if (used >= POOL_PAGES) return undefined;
  state.used = used + 1n;
  return hpa(POOL + used * BigInt(PAGE_BYTES));
}

function takeTable({ context }: Monitor, page: HPA | undefined): HPA | undefined {
  if (page !== undefined)
    for (let index = 0; index < ENTRIES; index++) context.store(hpa(page + BigInt(8 * index)), 8, 0n);
  return page;
}

/** The ASID of a shadow: one of its own, so that changing shadows needs no fence. */
const asidOf = (index: number): bigint => BigInt(index + 1);

/** Forgets one shadow, whose place another may have. */
function forget({ context }: Monitor, shadow: ShadowView, index: number): void {
  shadow.root = hpa(0n);
  shadow.pieces = 0n;
  context.fenceTranslations(undefined, asidOf(index));
}

/** Forgets all, and with them every page of the pool. */
export function forgetShadows(monitor: Monitor): void {
  const { state } = monitor;
  for (let index = 0; index < SHADOWS; index++) {
    const shadow = state.shadows.get(index);
    if (shadow.root !== 0n) forget(monitor, shadow, index);
  }
  state.used = 0n;
}

/** The place of the shadow for a view, which may be the place of an older one. */
function placeFor(monitor: Monitor, { satp, view }: View): number {
  const { state } = monitor;
  for (let index = 0; index < SHADOWS; index++) {
    const shadow = state.shadows.get(index);
    if (shadow.root !== 0n && shadow.satp === satp && shadow.view === view) return index;
  }
  const index = Number(state.oldest);
  state.oldest = BigInt((index + 1) % SHADOWS);
  const shadow = state.shadows.get(index);
  if (shadow.root !== 0n) forget(monitor, shadow, index);
  shadow.satp = satp;
  shadow.view = view;
  return index;
}

/** Before the guest goes on: the hart gets the shadow for how the guest looks now. */
export function useShadow(monitor: Monitor, view: View): void {
  const { state, context } = monitor;
  const index = placeFor(monitor, view);
  const shadow = state.shadows.get(index);
  if (shadow.root === 0n) shadow.root = takeTable(monitor, takePage(monitor)) ?? startAgain(monitor);
  state.current = BigInt(index);
  const satp = encodeCsr("satp", { MODE: SV48, ASID: asidOf(index), PPN: shadow.root >> PAGE_SHIFT });
  if (context.csr.read("satp") !== satp) context.csr.write("satp", satp);
}

function startAgain(monitor: Monitor): HPA {
  forgetShadows(monitor);
  return takeTable(monitor, takePage(monitor)) as HPA;
}

/** Address of the last entry for a virtual address; `undefined` where a table is missing and none may or can be made. */
function leafEntry(monitor: Monitor, root: HPA, address: GVA, makes: boolean): HPA | undefined {
  const { context } = monitor;
  let table: bigint = root;
  for (let level = ROOT_LEVEL; ; level--) {
    const at = hpa(table + BigInt(8 * tableIndex(SCHEMES.Sv48, address, level)));
    if (level === 0) return at;
    const entry = context.load(at, 8);
    if ((entry & PTE.V) !== 0n) {
      table = addressIn(entry);
      continue;
    }
    const made = makes ? takeTable(monitor, takePage(monitor)) : undefined;
    if (made === undefined) return undefined;
    context.store(at, 8, entryTo(made, PTE.V));
    table = made;
  }
}

/** Maps a page in the present shadow. When the pool is used up, everything is forgotten, and the guest faults its way back. */
export function mapShadow(monitor: Monitor, page: GVA, to: HPA, rights: bigint, pageBytes: bigint): void {
  const { state, context } = monitor;
  const shadow = state.shadows.get(Number(state.current));
  const at = leafEntry(monitor, shadow.root, page, true);
  if (at === undefined) {
    forgetShadows(monitor);
    return;
  }
  context.store(at, 8, entryTo(to, LEAF | rights));
  if (pageBytes > PAGE_BYTES) shadow.pieces |= pageBytes > GIB ? -1n : gibBit(page);
  context.fenceTranslations(page, asidOf(Number(state.current)));
}

/**
 * The guest's SFENCE.VMA: what it covers is forgotten in all shadows of the address space, or of all. An address inside a large page
 * stands for all of it, and of that a shadow may have any pieces: where it has some nearby, it is forgotten whole.
 */
export function fenceShadows(monitor: Monitor, address: GVA | undefined, asid: bigint | undefined): void {
  const { state, context } = monitor;
  for (let index = 0; index < SHADOWS; index++) {
    const shadow = state.shadows.get(index);
    if (shadow.root === 0n || shadow.satp === 0n) continue;
    if (asid !== undefined && decodeCsr("satp", shadow.satp).ASID !== (asid & 0xffffn)) continue;
    if (address === undefined || (shadow.pieces & gibBit(address)) !== 0n) {
      forget(monitor, shadow, index);
      continue;
    }
    const at = leafEntry(monitor, shadow.root, address, false);
    if (at === undefined) continue;
    context.store(at, 8, 0n);
    context.fenceTranslations(address, asidOf(index));
  }
}
