/** Memory that domains give back, and that they wait for. */
import { struct, u32, u64 } from "../../hs/struct.ts";

/** What a domain is asked for. */
export const Balloon = struct("balloon", {
  /** Frames that it should have, tables included; 0: nobody has said. It can read this, and is told when it changes. */
  target: u32,
  /** Pages that it has given back so far. */
  given: u32,
});

/** A virtual CPU that needed a frame when there was none. Its access is done again when some have come back. */
export const MemoryWait = struct("memory_wait", {
  /** When its domain is stopped if none have, in ticks of `time`. */
  deadline: u64,
  /** `scause`, `sepc` and `stval` of its access. */
  cause: u64,
  pc: u64,
  value: u64,
});
