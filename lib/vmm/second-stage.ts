/**
 * The second stage: from guest-physical to host-physical addresses, Sv39x4. It is a page table like any other, but for its root, which
 * has four times as many entries, and for its pages, which are all user pages, whatever the guest's mode.
 *
 * All changes are made to pages of 4 KiB; a larger one is split first (`large-pages.ts`).
 *
 * @spec priv §"Guest-Page-Table Address Translation" "Two-Stage Address Translation"
 */
import { beyond, type GPA, gpa, type HPA, hpa } from "../hs/address.ts";
import { disown, refer, unrefer } from "./frames.ts";
import type { Host } from "./host.ts";
import { keptTable, splitPage } from "./large-pages.ts";
import { PAGE_BYTES, PAGE_SHIFT, ROOT_ENTRIES, TABLE_ENTRIES } from "./layout.ts";
import {
  addressIn,
  entryFor,
  isLeaf,
  isValid,
  type Leaf,
  leafFor,
  leafTo,
  pagesAt,
  Right,
  ROOT_LEVEL,
  rightsIn,
} from "./second-stage-entries.ts";

export { ALL_RIGHTS, Right } from "./second-stage-entries.ts";

/** Guest-physical addresses have 41 bits. @spec norm:hgatp_mode_sv39x4 */
export const GPA_END = 1n << 41n;

/** Where a guest-physical page lies, and what the guest may do with it. */
export interface Mapped {
  readonly at: HPA;
  readonly rights: bigint;
}

/** What a guest-physical page is mapped to. */
export function lookUp(host: Host, domain: number, page: GPA): Mapped | undefined {
  if (page >= GPA_END) return undefined;
  const leaf = leafFor(host, domain, page);
  if (leaf === undefined) return undefined;
  const part = (page >> PAGE_SHIFT) % BigInt(pagesAt(leaf.level));
  return { at: beyond(addressIn(leaf.entry), part << PAGE_SHIFT), rights: rightsIn(leaf.entry) };
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
  const at = entryFor(host, domain, page, 0);
  if (at === undefined || isValid(host.context.load(at, 8))) return false;
  refer(host, frame, isWritable(rights));
  host.context.store(at, 8, leafTo(frame, rights));
  return true;
}

/** Makes the tables that an entry for a page needs, and counts them. False: a larger page is in the way, or no frame is left. */
export const makeTablesFor = (host: Host, domain: number, page: GPA): boolean =>
  page < GPA_END && entryFor(host, domain, page, 0) !== undefined;

/** Takes a page away again. The fence comes before the reference goes: until then the hart may use what it remembers. */
export function unmapPage(host: Host, domain: number, page: GPA): HPA | undefined {
  const leaf = smallLeaf(host, domain, page);
  if (leaf === undefined) return undefined;
  host.context.store(leaf.at, 8, 0n);
  fencePage(host, domain, page);
  unrefer(host, addressIn(leaf.entry), isWritable(leaf.entry));
  return addressIn(leaf.entry);
}

/** Changes what the guest may do with a page that is mapped. */
export function protectPage(host: Host, domain: number, page: GPA, rights: bigint): boolean {
  const leaf = smallLeaf(host, domain, page);
  if (leaf === undefined) return false;
  const address = addressIn(leaf.entry);
  host.context.store(leaf.at, 8, leafTo(address, rights));
  fencePage(host, domain, page);
  const [did, does] = [isWritable(leaf.entry), isWritable(rights)];
  const frame = host.state.frame(host.state.frameNumber(address));
  if (did !== does) frame.typeCount += does ? 1 : -1;
  return true;
}

/** Maps a page that is mapped to another frame. The old one loses its reference behind the fence. */
export function remapPage(host: Host, domain: number, page: GPA, frame: HPA, rights: bigint): boolean {
  const leaf = smallLeaf(host, domain, page);
  if (leaf === undefined) return false;
  refer(host, frame, isWritable(rights));
  host.context.store(leaf.at, 8, leafTo(frame, rights));
  fencePage(host, domain, page);
  unrefer(host, addressIn(leaf.entry), isWritable(leaf.entry));
  return true;
}

/** The entry that maps a page alone. */
function smallLeaf(host: Host, domain: number, page: GPA): Leaf | undefined {
  if (page >= GPA_END) return undefined;
  const leaf = leafFor(host, domain, page);
  if (leaf === undefined || leaf.level === 0) return leaf;
  splitPage(host, domain, page);
  return leafFor(host, domain, page);
}

const isWritable = (bits: bigint): boolean => (bits & Right.WRITE) !== 0n;

/** HFENCE.GVMA takes the address shifted as `htval` gives it; the context does that. */
const fencePage = ({ context }: Host, domain: number, page: GPA): void =>
  context.fenceSecondStage(gpa(page), BigInt(domain));

/**
 * Takes everything away from a domain: what its tables map, the tables, and its frames. None of its virtual CPUs may run. What hangs on an
 * entry of the root is let go behind a fence for the whole domain: its number may be another's next.
 */
export function dismantle(host: Host, domain: number): void {
  const { context, state } = host;
  for (let index = 0; index < ROOT_ENTRIES; index++) {
    const at = beyond(state.root(domain), 8 * index);
    const entry = context.load(at, 8);
    if (!isValid(entry)) continue;
    context.store(at, 8, 0n);
    context.fenceSecondStage(undefined, BigInt(domain));
    release(host, domain, entry, ROOT_LEVEL);
  }
  while (state.domain(domain).spareTables !== 0) disown(host, keptTable(host, domain));
}

/** Lets go of what an entry maps or leads to. */
function release(host: Host, domain: number, entry: bigint, level: number): void {
  const to = addressIn(entry);
  if (isLeaf(entry)) {
    for (let page = 0; page < pagesAt(level); page++)
      drop(host, domain, beyond(to, page * PAGE_BYTES), isWritable(entry));
    return;
  }
  for (let index = 0; index < TABLE_ENTRIES; index++) {
    const below = host.context.load(beyond(to, 8 * index), 8);
    if (isValid(below)) release(host, domain, below, level - 1);
  }
  drop(host, domain, to, true);
}

/** The reference of an entry and, if the frame is the domain's own, its owner's. */
function drop(host: Host, domain: number, frame: HPA, counts: boolean): void {
  const isOwn = host.state.frame(host.state.frameNumber(frame)).owner === domain;
  unrefer(host, frame, counts);
  if (isOwn) disown(host, frame);
}
