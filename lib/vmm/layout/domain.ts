/** Domains: the virtual machines. */
import { array, guestPointer, pointer, struct, u16, u32, u64, type ViewOf } from "../../hs/struct.ts";
import { ConsoleLog, Plic, Uart } from "./devices.ts";
import { GRANTS, Grant, PORTS, Port } from "./sharing.ts";
import { Virtio } from "./virtio.ts";

/** What becomes of a domain. */
export const DomainState = {
  NONE: 0,
  RUNNING: 1,
  OFF: 2,
  CRASHED: 3,
  /** It runs on another machine now. */
  MOVED: 4,
  /** It has come from another machine, in part or whole, and does not run yet. */
  ARRIVING: 5,
  /** It is being put together: it has memory, and does not run yet. */
  BUILDING: 6,
  /** It was destroyed, and others still map pages of its. With the last of them it is gone, and its number free. */
  DYING: 7,
} as const;
/** Bits of a domain's `flags`. */
export const DomainFlag = {
  /** Begins in a machine mode of its own, as on a bare board; else in supervisor mode, with the hypervisor's SBI. */
  BEGINS_IN_MACHINE_MODE: 1,
  /** What it prints goes to the board's serial port, too. */
  HAS_TERMINAL: 2,
  /** Its memory are machine frames: it has no second stage, and page tables that the hypervisor has checked. */
  PARAVIRTUAL: 8,
  /** It has a virtio console. */
  HAS_VIRTIO_CONSOLE: 4,
  /** It may create, stop and destroy other domains. */
  PRIVILEGED: 16,
  /** Its RAM comes in pages of 2 MiB where the machine has frames in a row. */
  LARGE_PAGES: 32,
  /** Another machine is ready to go on with it: what it prints stays here until that machine has what went before. */
  HOLDS_OUTPUT: 64,
  /** Its harts have no timer of their own (Sstc): it asks for interrupts by SBI calls. */
  TIMER_BY_CALL: 128,
} as const;

/** A domain: a virtual machine. */
export const Domain = struct("domain", {
  id: u16,
  state: u16,
  flags: u32,
  /** Root of its second stage: 16 KiB. */
  root: pointer,
  /** Guest-physical RAM. */
  ramBase: guestPointer,
  ramBytes: u64,
  entry: guestPointer,
  tree: guestPointer,
  /** Frames that it owns, and may own. */
  frames: u32,
  maxFrames: u32,
  /** Number of the first of the tables that are kept to split large pages with; 0: none. */
  spareTables: u32,
  weight: u32,
  /** Hundredths of a hart that its virtual CPUs may use together; 0: no limit. */
  cap: u32,
  /** What it told the test finisher, or why it crashed: `scause`, `sepc` and `stval`. */
  exitCode: u64,
  crashCause: u64,
  crashPc: u64,
  crashValue: u64,
  uart: Uart,
  plic: Plic,
  virtio: Virtio,
  ports: array(Port, PORTS),
  /** A bit for each port: an event has come; no interrupt is wanted for it. */
  eventsPending: u64,
  eventsMasked: u64,
  grants: array(Grant, GRANTS),
  console: ConsoleLog,
});
export type DomainView = ViewOf<typeof Domain>;
