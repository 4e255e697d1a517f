/** Equal pages: how far the search for them is, and what it has seen. */
import { guestPointer, struct, u16, u32, u64, type ViewOf } from "../../hs/struct.ts";

/** The search for equal pages. */
export const PageSharing = struct("page_sharing", {
  /** Pages that are looked at with each of the scheduler's timer interrupts; 0: none. The operator sets it. */
  pace: u32,
  /** So many bits of a page's hash count; all when 0. With fewer, different pages have equal hashes: for tests. */
  hashBits: u32,
  /** The page that is looked at next: of which domain, and which of its RAM. */
  domain: u32,
  page: u32,
  /** Pages that were looked at; those whose hash was that of another, and bytes were not. */
  scanned: u64,
  collisions: u64,
  /** Pages that came to be shared, and those that were stored to and became their domain's own again. */
  merged: u64,
  broken: u64,
});

/** A page that was looked at, at a place that its hash says; a later one takes the place. It is a hint: who follows it compares. */
export const PageHint = struct("page_hint", {
  hash: u64,
  /** The frame that it lay in, and whose page it was. */
  frame: u32,
  domain: u16,
  reserved: u16,
  page: guestPointer,
});
export type PageHintView = ViewOf<typeof PageHint>;

/** Hints for a machine with so many frames. */
export const pageHintsFor = (frames: number): number => Math.max(64, frames >> 2);
