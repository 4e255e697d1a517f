/** What an address space needs of whoever remembers translations for it. */
import type { AccessKind } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";

/** Who remembers translations, and is told to forget one (by its place) or all. */
export interface Rememberer {
  forgetAt(place: number): void;
  forget(): void;
}

/**
 * One hart's memory of translations: pages of RAM that an access of some kind was allowed to use.
 *
 * @invariant The guest cannot see it: what `remember` was told holds until `forget`, `forgetAt` for one of its sources, or
 *            (for what was remembered in another address space or context) until that one is back.
 */
export interface TranslationMemory extends Rememberer {
  /** False: it remembers nothing, and need not be told. */
  readonly isEnabled: boolean;
  /** Offset in RAM of an instruction's first 16 bits, given its address in halves; negative: not known. */
  locateFetch(low: number, high: number): number;
  /** Offset in RAM of a load that is aligned; negative: not known, or not aligned. */
  locateLoad(vaddr: bigint, widthBytes: number): number;
  /** The same for a store. */
  locateStore(vaddr: bigint, widthBytes: number): number;
  /**
   * Remembers the page of an access that was allowed.
   *
   * @param ramOffset  Where the access itself went, in bytes from the start of RAM.
   * @param sources    Offsets in RAM of the page-table entries that were read.
   */
  remember(kind: AccessKind, vaddr: bigint, ramOffset: number, sources: readonly number[]): void;
  /** Forgets everything, in all address spaces and contexts. */
  forget(): void;
  /** `satp`, `vsatp` or `hgatp` was written: turns to what holds in the new address space, if there is anything. */
  changeAddressSpace(): void;
  /** Turns to what holds for the hart's present mode and `mstatus`. */
  selectContext(state: HartState): void;
}
