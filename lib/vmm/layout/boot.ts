/** What the loader leaves for the hypervisor. */
import { array, guestPointer, pointer, struct, u32, u64 } from "../../hs/struct.ts";
import { DOMAINS } from "./sizes.ts";

/** Bytes that the loader left, in whole pages, and where a guest shall find them. The pages become the guest's own. */
export const BootPiece = struct("boot_piece", { from: pointer, bytes: u64, at: guestPointer });
/** Pieces of a guest: its image, its device tree, its initial file system. One of no bytes is none. */
export const BOOT_PIECES = 3;

/** What the loader left for the domain builder: one guest. */
export const BootDomain = struct("boot_domain", {
  pieces: array(BootPiece, BOOT_PIECES),
  /** What its disk holds at first; `at` says nothing. No bytes: it has none. */
  disk: BootPiece,
  diskBytes: u64,
  tree: guestPointer,
  entry: guestPointer,
  ramBytes: u64,
  vcpus: u32,
  weight: u32,
  cap: u32,
  flags: u32,
});

/** What the loader tells the hypervisor. */
export const BootInfo = struct("boot_info", {
  domains: u32,
  /** One of {@link SchedulerKind}. */
  scheduler: u32,
  /** Length of a slice, and of an accounting period, in ticks of `time`. */
  slice: u64,
  period: u64,
  /** 1: an operator gives orders. The hypervisor looks for them often, and stays on when no domain is left. */
  operated: u32,
  /** The first byte that is not the frame pool's: the loader's pieces begin here. */
  poolEnd: pointer,
  domain: array(BootDomain, DOMAINS),
});
