/**
 * The second stage: from guest-physical to host-physical addresses, Sv39x4. It is a page table like any other, but for its root, which
 * has four times as many entries, and for its pages, which are all user pages, whatever the guest's mode.
 *
 * @spec priv §"Guest-Page-Table Address Translation" "Two-Stage Address Translation"
 */
import { beyond, type GPA, gpa, type HPA, hpa } from "../hs/address.ts";
import { PTE } from "../mmu/pte.ts";
import { disown, refer, takeFrame, unrefer } from "./frames.ts";
import type { Host } from "./host.ts";
import { FrameType, PAGE_SHIFT, ROOT_ENTRIES, TABLE_ENTRIES } from "./layout.ts";

/** What a guest may do with a page. */
export const Right = { READ: PTE.R, WRITE: PTE.W, EXECUTE: PTE.X } as const;
/** Everything. */
export const ALL_RIGHTS = PTE.R | PTE.W | PTE.X;

const RIGHTS = ALL_RIGHTS;
const PPN_SHIFT = 10n;
const PPN_MASK = (1n << 44n) - 1n;
const INDEX_BITS = 9n;
const LEVELS = 3;
const INDEX_MASK = (1n << INDEX_BITS) - 1n;
/** The root's index has two bits more. */
const ROOT_MASK = (INDEX_MASK << 2n) | 3n;
/** Guest-physical addresses have 41 bits. @spec norm:hgatp_mode_sv39x4 */
export const GPA_END = 1n << 41n;
/** A leaf is accessed and dirty from the start, so that the hart never has to write to it; and a user page. */
const LEAF = PTE.V | PTE.U | PTE.A | PTE.D;

const addressIn = (entry: bigint): HPA => hpa(((entry >> PPN_SHIFT) & PPN_MASK) << PAGE_SHIFT);
const entryTo = (address: HPA, flags: bigint): bigint => ((address >> PAGE_SHIFT) << PPN_SHIFT) | flags;

/** Address of the entry for a guest-physical address in a table of a level; the root has level 2. */
function entryAddress(table: HPA, level: number, address: GPA): HPA {
  const index = address >> (PAGE_SHIFT + INDEX_BITS * BigInt(level));
  return hpa(table + 8n * (index & (level === LEVELS - 1 ? ROOT_MASK : INDEX_MASK)));
}

/** Where a guest-physical page lies, and what the guest may do with it. */
export interface Mapped {
  readonly at: HPA;
  readonly rights: bigint;
}

/**
 * Address of the page's entry in the lowest table.
 *
 * @param makes  Whether tables that are missing are made.
 * @returns      `undefined` when a table is missing and was not to be made, or could not be.
 */
function leafEntry(host: Host, domain: number, page: GPA, makes: boolean): HPA | undefined {
  const { context, state } = host;
  let table = state.root(domain);
  for (let level = LEVELS - 1; level > 0; level--) {
    const at = entryAddress(table, level, page);
    const entry = context.load(at, 8);
    if ((entry & PTE.V) !== 0n) {
      table = addressIn(entry);
      continue;
    }
    const made = makes ? takeFrame(host, domain, FrameType.G_TABLE) : undefined;
    if (made === undefined) return undefined;
    refer(host, made, true);
    context.store(at, 8, entryTo(made, PTE.V));
    table = made;
  }
  return entryAddress(table, 0, page);
}

/** What a guest-physical page is mapped to. */
export function lookUp(host: Host, domain: number, page: GPA): Mapped | undefined {
  if (page >= GPA_END) return undefined;
  const at = leafEntry(host, domain, page, false);
  const entry = at === undefined ? 0n : host.context.load(at, 8);
  if ((entry & PTE.V) === 0n) return undefined;
  return { at: addressIn(entry), rights: entry & RIGHTS };
}

/** Host-physical address of a byte of guest-physical memory, where it is mapped. */
export function hostAddress(host: Host, domain: number, address: GPA): HPA | undefined {
  const mapped = lookUp(host, domain, address);
  return mapped === undefined ? undefined : hpa(mapped.at | (address & 0xfffn));
}

/**
 * Maps a guest-physical page that is not mapped, and counts it. No fence: what was invalid is not remembered by this machine, and a
 * guest that faults on it again comes here again.
 *
 * @returns False: there is no such guest-physical address, it is mapped already, or no frame is left for a table.
 */
export function mapPage(host: Host, domain: number, page: GPA, frame: HPA, rights: bigint): boolean {
  if (page >= GPA_END) return false;
  const at = leafEntry(host, domain, page, true);
  if (at === undefined || (host.context.load(at, 8) & PTE.V) !== 0n) return false;
  refer(host, frame, (rights & Right.WRITE) !== 0n);
  host.context.store(at, 8, entryTo(frame, LEAF | rights));
  return true;
}

/** Takes a page away again. The fence comes before the reference goes: until then the hart may use what it remembers. */
export function unmapPage(host: Host, domain: number, page: GPA): HPA | undefined {
  const mapped = lookUp(host, domain, page);
  const at = mapped === undefined ? undefined : leafEntry(host, domain, page, false);
  if (mapped === undefined || at === undefined) return undefined;
  host.context.store(at, 8, 0n);
  fencePage(host, domain, page);
  unrefer(host, mapped.at, (mapped.rights & Right.WRITE) !== 0n);
  return mapped.at;
}

/** Changes what the guest may do with a page that is mapped. */
export function protectPage(host: Host, domain: number, page: GPA, rights: bigint): boolean {
  const mapped = lookUp(host, domain, page);
  const at = mapped === undefined ? undefined : leafEntry(host, domain, page, false);
  if (mapped === undefined || at === undefined) return false;
  host.context.store(at, 8, entryTo(mapped.at, LEAF | rights));
  fencePage(host, domain, page);
  const [did, does] = [mapped.rights & Right.WRITE, rights & Right.WRITE];
  const frame = host.state.frame(host.state.frameNumber(mapped.at));
  if (did !== does) frame.typeCount += does === 0n ? -1 : 1;
  return true;
}

/** HFENCE.GVMA takes the address shifted as `htval` gives it; the context does that. */
const fencePage = ({ context }: Host, domain: number, page: GPA): void =>
  context.fenceSecondStage(gpa(page), BigInt(domain));

/** Takes everything away from a domain: what its tables map, the tables, and its frames. None of its virtual CPUs may run. */
export function dismantle(host: Host, domain: number): void {
  clearTable(host, domain, host.state.root(domain), LEVELS - 1);
  host.context.fenceSecondStage(undefined, BigInt(domain));
}

function clearTable(host: Host, domain: number, table: HPA, level: number): void {
  const { context, state } = host;
  const entries = level === LEVELS - 1 ? ROOT_ENTRIES : TABLE_ENTRIES;
  for (let index = 0; index < entries; index++) {
    const at = beyond(table, 8 * index);
    const entry = context.load(at, 8);
    if ((entry & PTE.V) === 0n) continue;
    const to = addressIn(entry);
    context.store(at, 8, 0n);
    if (level > 0) clearTable(host, domain, to, level - 1);
    const isOwn = state.frame(state.frameNumber(to)).owner === domain;
    unrefer(host, to, level > 0 || (entry & Right.WRITE) !== 0n);
    if (isOwn) disown(host, to);
  }
}
