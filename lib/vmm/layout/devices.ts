/** Devices that are not there. */
import { array, struct, u8, u32, u64 } from "../../hs/struct.ts";
import { DOMAIN_VCPUS } from "./sizes.ts";

/** Typed bytes that a guest need not have read at once: a line that somebody pastes. */
export const TYPED_BYTES = 1024;

/** A 16550 that is not there. */
export const Uart = struct("uart", {
  interruptEnable: u8,
  fifoControl: u8,
  lineControl: u8,
  modemControl: u8,
  scratch: u8,
  divisorLow: u8,
  divisorHigh: u8,
  /** 1: the transmitter's interrupt was not yet acknowledged. */
  transmitterPending: u8,
  /** Bytes typed and not yet read: a ring, counted from the beginning. */
  typed: u32,
  read: u32,
  received: array(u8, TYPED_BYTES),
});

/** Sources of the virtual PLIC; 0 is none. */
export const PLIC_SOURCES = 64;
/** Contexts: two for each virtual CPU. */
export const PLIC_CONTEXTS = 2 * DOMAIN_VCPUS;
/** A PLIC that is not there: one context for each virtual CPU's machine mode and one for its supervisor mode. */
export const Plic = struct("plic", {
  priority: array(u32, PLIC_SOURCES),
  /** Level of each source's line, a bit each; those pending; those claimed and not completed. */
  level: u64,
  pending: u64,
  claimed: u64,
  enable: array(u64, PLIC_CONTEXTS),
  threshold: array(u32, PLIC_CONTEXTS),
});

/** What a domain has printed: a ring, `written` counted from the beginning. */
export const CONSOLE_BYTES = 16384;
export const ConsoleLog = struct("console_log", { written: u64, bytes: array(u8, CONSOLE_BYTES) });
