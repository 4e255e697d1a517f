/**
 * Page tables with which a hypervisor maps itself one to one: each address to itself, and each piece of memory with the rights
 * that it needs and no others (W^X).
 *
 * @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System"
 */
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import { PTE } from "../mmu/pte.ts";

/** What a piece of memory may be used for. */
export type Rights = "R" | "RW" | "RX" | "RWX";

/** Addresses from `base` up to `end`, multiples of the page size. What no region has is not mapped. */
export interface Region {
  readonly base: bigint;
  readonly end: bigint;
  readonly rights: Rights;
}

const LEVELS = 3;
const ENTRIES = 512;
const PAGE_SHIFT = 12n;
const INDEX_BITS = 9n;
const PPN_SHIFT = 10n;
/** Accessed and dirty from the start: the hypervisor's own tables are nobody's to write. */
const LEAF = PTE.V | PTE.A | PTE.D;

/** The lower half of Sv39's addresses: larger ones have no one-to-one mapping. */
export const MAPPABLE_END: bigint = 1n << 38n;

const flagsOf = (rights: Rights): bigint =>
  [...rights].reduce((flags, right) => flags | PTE[right as "R" | "W" | "X"], LEAF);

/** How much an entry of a level maps: 4 KiB, 2 MiB, 1 GiB. */
const reach = (level: number): bigint => 1n << (PAGE_SHIFT + INDEX_BITS * BigInt(level));

/**
 * Tables that map regions one to one, with entries as large as rights allow.
 *
 * @param at       Physical address of the tables; the root is the first page.
 * @param regions  They do not overlap.
 */
export function identityTables(at: bigint, regions: readonly Region[]): Uint8Array {
  const tables: BigUint64Array[] = [];
  const tableFrom = (level: number, base: bigint): bigint => {
    const table = new BigUint64Array(ENTRIES);
    const ppn = (at >> PAGE_SHIFT) + BigInt(tables.length);
    tables.push(table);
    for (let index = 0; index < ENTRIES; index++)
      table[index] = entryFor(level, base + BigInt(index) * reach(level));
    return (ppn << PPN_SHIFT) | PTE.V;
  };
  const entryFor = (level: number, base: bigint): bigint => {
    const end = base + reach(level);
    const touching = regions.filter((region) => region.base < end && region.end > base);
    const [only, ...others] = touching;
    if (only === undefined || base >= MAPPABLE_END) return 0n;
    if (others.length === 0 && only.base <= base && only.end >= end)
      return ((base >> PAGE_SHIFT) << PPN_SHIFT) | flagsOf(only.rights);
    return level === 0 ? 0n : tableFrom(level - 1, base);
  };
  tableFrom(LEVELS - 1, 0n);
  const bytes = new Uint8Array(tables.length * PAGE_BYTES);
  for (const [index, table] of tables.entries()) bytes.set(new Uint8Array(table.buffer), index * PAGE_BYTES);
  return bytes;
}
