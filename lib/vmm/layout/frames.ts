/** Frames of machine RAM, and tables over them. */
import { struct, u8, u16, u32, type ViewOf } from "../../hs/struct.ts";

/** What a frame is used for. It changes only while `typeCount` is 0. */
export const FrameType = {
  /** Nobody has it. Entries of frames that were never handed out are all zero, and this is what that means. */
  FREE: 0,
  /** A guest's memory. */
  RAM: 1,
  /** A table of some domain's second stage, below its root. */
  G_TABLE: 2,
  /** Page tables of a paravirtualized guest, by level: 0 has the leaves. */
  PAGE_TABLE_0: 3,
  PAGE_TABLE_1: 4,
  PAGE_TABLE_2: 5,
  /** A page of a domain's disk: the hypervisor alone reads and writes it, and no table leads to it. */
  DISK: 6,
  /** Equal pages of guests' memory: owned by domain 0, and mapped by whoever has such a page, to be read. */
  SHARED: 7,
} as const;

/** Bits of a frame's `flags`. */
export const FrameFlag = {
  /** It holds bytes of its last owner, and is cleared before anybody gets it. */
  UNCLEAN: 1,
} as const;

/**
 * A frame: 4 KiB of machine RAM. Entry n is about the n-th of RAM.
 *
 * `refCount` counts who would miss it: 1 as long as it has an owner, and 1 for each entry that maps it, or that leads to it, in any
 * second stage. The entry of a large page counts for each of its 512 frames. Two kinds of owners miss nothing: the hypervisor, of frames
 * that pages share, and a domain that was destroyed, of frames that others still map. `typeCount` counts those uses that depend on its
 * type: for RAM each entry that maps it writable; for a table each entry that leads to it.
 */
export const Frame = struct("frame", {
  /** Number of a domain; 0: the hypervisor's. */
  owner: u16,
  /** One of {@link FrameType}. */
  type: u8,
  /** Bits of {@link FrameFlag}. */
  flags: u8,
  typeCount: u32,
  refCount: u32,
  /** While it is free: number of the next free frame, 0 for none. Of a table that is kept for later: of the next one kept. */
  next: u32,
});
export type FrameView = ViewOf<typeof Frame>;

/** Which frames can be handed out. Free ones are a list, the last freed first, and after it those from `untouched` on. */
export const FramePool = struct("frame_pool", {
  /** Numbers of frames: the first of the pool, and the first behind it. */
  first: u32,
  end: u32,
  /** The first that was never handed out. */
  untouched: u32,
  /** The free frame that is next, 0 for none. */
  head: u32,
  /** How many are free, listed or untouched. */
  free: u32,
});

/** Entries of a second stage's root, and of any other table. */
export const ROOT_ENTRIES = 2048;
export const TABLE_ENTRIES = 512;
export const TABLE_BYTES = 8 * TABLE_ENTRIES;

/** More frames than any machine has: numbers of frames have 32 bits. */
export const MOST_FRAMES = (1n << 32n) - 1n;

/** Bytes of a page, and the number of bits below its number. */
export const PAGE_BYTES = 4096;
export const PAGE_SHIFT = 12n;
