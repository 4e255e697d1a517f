/** Paravirtualized domains: what they are told when they begin, what they ask for, and how the hart tells them apart. */
import { guestPointer, pointer, struct, u32, u64 } from "../../hs/struct.ts";
import { DOMAIN_VCPUS } from "./sizes.ts";

/** Bits of a frame's `flags`, beside those of every frame. */
export const TableFlag = {
  /** Its domain wants it to stay a table, whether anything leads to it or not. */
  PINNED: 2,
} as const;

/** Where a paravirtualized domain finds its memory: page n of it is mapped at this address plus n pages. */
export const PARAVIRTUAL_BASE = 0x8000_0000n;

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
  frames: guestPointer,
  /** The first of its tables, mapped to be read. */
  tables: guestPointer,
  /** Machine address of the root. */
  root: pointer,
  /** Linux's initial file system, or whatever else was loaded; 0 bytes: nothing. */
  files: guestPointer,
  filesBytes: u64,
});

/** A change of one entry: its machine address, and what it shall be. */
export const PageUpdate = struct("page_update", { at: pointer, entry: u64 });
/** Updates of one call that are looked at; whoever has more calls again. */
export const MOST_UPDATES = 64;

/**
 * The address-space number of a virtual CPU. Without a second stage `hgatp` has VMID 0, whoever runs, so that what a hart remembers of
 * paravirtualized guests is told apart by ASID alone: the guests have none to choose. 0 is nobody's.
 */
export const asidOf = (domain: number, vcpu: number): number => domain * DOMAIN_VCPUS + vcpu;
/** The domain whose virtual CPU has this ASID. */
export const domainOfAsid = (asid: number): number => Math.floor(asid / DOMAIN_VCPUS);
