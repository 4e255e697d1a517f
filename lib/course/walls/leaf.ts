/** The one entry that decides about an address, and a way to change a bit of it, as the kernel could. */
import type { Board } from "../../board/board.ts";
import { PTE, type PteFlag } from "../../mmu/pte.ts";
import { tablesOf, walkTo } from "../../referee/page-tables.ts";

/** A leaf entry: where it lies and what it says. */
export interface LeafEntry {
  /** Physical address of the entry. */
  readonly at: bigint;
  readonly entry: bigint;
}

/** The leaf for an address in the tables that `satp` names now; `undefined` where nothing is mapped. */
export function leafFor(board: Board, vaddr: bigint): LeafEntry | undefined {
  const tables = tablesOf("satp", board.hart.csr("satp"));
  if (tables === undefined) return undefined;
  const read = (paddr: bigint): bigint | undefined => {
    const word = board.memory.load(paddr, 8);
    return typeof word === "bigint" ? word : undefined;
  };
  const { page } = walkTo(tables, read, vaddr);
  return page === undefined ? undefined : { at: page.at, entry: read(page.at) ?? 0n };
}

/**
 * Sets or clears one bit of the leaf for an address.
 *
 * @returns  The entry as it is now; `undefined` where nothing is mapped, and then nothing is changed.
 */
export function setBit(board: Board, vaddr: bigint, flag: PteFlag, isSet: boolean): bigint | undefined {
  const leaf = leafFor(board, vaddr);
  if (leaf === undefined) return undefined;
  const entry = isSet ? leaf.entry | PTE[flag] : leaf.entry & ~PTE[flag];
  board.memory.store(leaf.at, 8, entry);
  return entry;
}
