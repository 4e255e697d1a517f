/** Paravirtualized domains: what they are told when they begin, what they ask for, and how the hart tells them apart. */
import { pointer, struct, u32, u64 } from "../../hs/struct.ts";
import { PAGE_BYTES, TABLE_ENTRIES } from "./frames.ts";
import { DOMAIN_VCPUS } from "./sizes.ts";

/** Bits of a frame's `flags`, beside those of every frame. */
export const TableFlag = {
  /** Its domain wants it to stay a table, whether anything leads to it or not. */
  PINNED: 2,
} as const;

/** Where a paravirtualized domain finds its memory: page n of it is mapped at this address plus n pages. */
export const PARAVIRTUAL_BASE = 0x8000_0000n;

/**
 * What the builder puts at the end of so many pages: from page `info` on the start page, the list of frames, then its tables, the lowest
 * level first, the root last.
 */
export function paravirtualPlaces(pages: number) {
  const lowTables = Math.ceil(pages / TABLE_ENTRIES);
  const tables = pages - lowTables - 2;
  const list = tables - Math.ceil((8 * pages) / PAGE_BYTES);
  return { info: list - 1, list, tables, lowTables };
}

/** The letters "dom0-pv". */
export const START_MAGIC = 0x0076_702d_306d_6f64n;
/** What the domain builder leaves for the guest; `a1` has its virtual address. */
export const StartInfo = struct("start_info", {
  magic: u64,
  domain: u32,
  /** Its level-0 tables, which come in a row; behind them the table of level 1 and the root. */
  lowTables: u32,
  /** How many pages it has, all of them mapped from {@link PARAVIRTUAL_BASE} on. */
  pages: u64,
  /** Numbers of their frames, 64 bits each, by number of the page: a virtual address. */
  frames: u64,
  /** The first of its tables, mapped to be read. */
  tables: u64,
  /** Machine address of the root. */
  root: pointer,
  /** Linux's initial file system, or whatever else was loaded; 0 bytes: nothing. */
  files: u64,
  filesBytes: u64,
});

/** A change of one entry: its machine address, and what it shall be. */
export const PageUpdate = struct("page_update", { at: pointer, entry: u64 });
/** Updates that one call makes at most; whoever wants more calls again. */
export const MOST_UPDATES = 64;

/**
 * The address-space number of a virtual CPU. Without a second stage `hgatp` has VMID 0, whoever runs, so that what a hart remembers of
 * paravirtualized guests is told apart by ASID alone: the guests have none to choose. 0 is nobody's.
 */
export const asidOf = (domain: number, vcpu: number): number => domain * DOMAIN_VCPUS + vcpu;
/** The domain whose virtual CPU has this ASID. */
export const domainOfAsid = (asid: number): number => Math.floor(asid / DOMAIN_VCPUS);
