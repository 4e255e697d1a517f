/** Somebody who wants to hear of accesses: a debugger with breakpoints and watchpoints. */
import type { AccessKind } from "../hart/effective-mode.ts";

/** Hears of accesses of one hart to the pages that it covers. Those pages are never remembered, so no access escapes it. */
export interface AccessWatch {
  /**
   * Whether a page is covered for accesses of a kind.
   *
   * @param vaddr,paddr  Addresses in the page, unsigned 64-bit.
   */
  covers(kind: AccessKind, vaddr: bigint, paddr: bigint): boolean;
  /** An access that was allowed is about to happen; it stays inside a page. */
  access(kind: AccessKind, vaddr: bigint, paddr: bigint, lengthBytes: number): void;
  /** Whether the fetch that was heard of last is not to be executed. Asking takes it back. */
  takeStop(): boolean;
}
