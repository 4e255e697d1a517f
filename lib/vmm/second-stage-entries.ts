/** Entries of a second stage: what they say, and where the one for a page is. Who changes them counts (`second-stage.ts`). */
import { type GPA, type HPA, hpa } from "../hs/address.ts";
import { PTE } from "../mmu/pte.ts";
import { refer, takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import { FrameType, PAGE_SHIFT } from "./layout.ts";

/** What a guest may do with a page. */
export const Right = { READ: PTE.R, WRITE: PTE.W, EXECUTE: PTE.X } as const;
/** Everything. */
export const ALL_RIGHTS = PTE.R | PTE.W | PTE.X;

const PPN_SHIFT = 10n;
const PPN_MASK = (1n << 44n) - 1n;
const INDEX_BITS = 9n;
const INDEX_MASK = (1n << INDEX_BITS) - 1n;
/** The root's index has two bits more. */
const ROOT_MASK = (INDEX_MASK << 2n) | 3n;
/** The level of the root; tables of level 0 map pages. */
export const ROOT_LEVEL = 2;
/** A leaf is accessed and dirty from the start, so that the hart never has to write to it; and a user page. */
const LEAF = PTE.V | PTE.U | PTE.A | PTE.D;

/** Whether an entry says anything. */
export const isValid = (entry: bigint): boolean => (entry & PTE.V) !== 0n;
/** Whether it maps memory, and does not lead to a table. */
export const isLeaf = (entry: bigint): boolean => (entry & ALL_RIGHTS) !== 0n;
/** What it lets the guest do. */
export const rightsIn = (entry: bigint): bigint => entry & ALL_RIGHTS;
/** Where it leads. */
export const addressIn = (entry: bigint): HPA => hpa(((entry >> PPN_SHIFT) & PPN_MASK) << PAGE_SHIFT);

const entryTo = (address: HPA, flags: bigint): bigint => ((address >> PAGE_SHIFT) << PPN_SHIFT) | flags;
/** An entry that maps. */
export const leafTo = (address: HPA, rights: bigint): bigint => entryTo(address, LEAF | rights);
/** An entry that leads to a table. */
export const tableAt = (address: HPA): bigint => entryTo(address, PTE.V);

/** Pages that a leaf of a level maps: 1, 512, 262,144. */
export const pagesAt = (level: number): number => 1 << (Number(INDEX_BITS) * level);

/** Address of the entry for a guest-physical address in a table of a level. */
function entryAddress(table: HPA, level: number, address: GPA): HPA {
  const index = address >> (PAGE_SHIFT + INDEX_BITS * BigInt(level));
  return hpa(table + 8n * (index & (level === ROOT_LEVEL ? ROOT_MASK : INDEX_MASK)));
}

/** An entry on the way to a page: where it is, what it says, and in a table of which level. */
export interface Leaf {
  readonly at: HPA;
  readonly entry: bigint;
  readonly level: number;
}

/** The entry at which a walk for a guest-physical page ends: it maps the page, or nothing. */
export function lastEntry({ context, state }: Host, domain: number, page: GPA): Leaf {
  let table = state.root(domain);
  for (let level = ROOT_LEVEL; ; level--) {
    const at = entryAddress(table, level, page);
    const entry = context.load(at, 8);
    if (level === 0 || !isValid(entry) || isLeaf(entry)) return { at, entry, level };
    table = addressIn(entry);
  }
}

/** The entry that maps a guest-physical page, alone (level 0) or with its neighbors. */
export function leafFor(host: Host, domain: number, page: GPA): Leaf | undefined {
  const last = lastEntry(host, domain, page);
  return isValid(last.entry) ? last : undefined;
}

/**
 * Address of the entry for a page in a table of a level; tables that are missing on the way are made.
 *
 * @returns `undefined`: a larger page is in the way, or a table could not be made.
 */
export function entryFor(host: Host, domain: number, page: GPA, lowest: number): HPA | undefined {
  const { context, state } = host;
  let table = state.root(domain);
  for (let level = ROOT_LEVEL; level > lowest; level--) {
    const at = entryAddress(table, level, page);
    const entry = context.load(at, 8);
    if (isValid(entry)) {
      if (isLeaf(entry)) return undefined;
      table = addressIn(entry);
      continue;
    }
    const made = takeFrame(host, domain, FrameType.G_TABLE);
    if (made === undefined) return undefined;
    refer(host, made, true);
    context.store(at, 8, tableAt(made));
    table = made;
  }
  return entryAddress(table, lowest, page);
}
