/** What a domain could not have computed by itself: the log of one that is recorded or repeated. */
import { array, struct, u16, u32, u64 } from "../../hs/struct.ts";

/** What happens with a domain's log. */
export const LogRole = {
  NONE: 0,
  /** The domain that is saved next is recorded from there on. */
  RECORD_NEXT: 1,
  RECORDING: 2,
  /** The saved domain that comes next is to do what the log says. */
  REPLAY_NEXT: 3,
  REPLAYING: 4,
  /** It has done all that the log says, and stands still. */
  REPEATED: 5,
  /** It did something else than the log says, and stands still. */
  DIVERGED: 6,
  /** It cannot be recorded: more than one virtual CPU, a machine mode of its own, or virtio devices. */
  REFUSED: 7,
} as const;

/** Kinds of entries. */
export const LogKind = {
  /** It read a time or a counter, and this came. */
  VALUE: 1,
  /** What a hypercall returned. */
  ANSWER: 2,
  /** Its timer interrupt was raised. */
  TIMER: 3,
  /** A byte was typed to it. */
  INPUT: 4,
  /** Nothing, but a digest of its registers. */
  CHECK: 5,
  /** Here the recording ends. */
  END: 6,
} as const;

/** An entry: how many steps the domain had made, and what came then. */
export const LogEntry = struct("log_entry", { count: u64, kind: u64, value: u64 });
/** Entries that the ring holds. */
export const LOG_ENTRIES = 256;

/** The log of one domain of the machine, a ring between the hypervisor and the operator. */
export const VmLog = struct("vm_log", {
  /** One of {@link LogRole}; the operator sets those that end with NEXT. */
  role: u32,
  domain: u16,
  /** 1: it stands still until the ring has room, or something. */
  isWaiting: u16,
  /** Operator, 1: the recording shall end. */
  ends: u32,
  /** Ops of the vector and the way back that were counted last, by way. */
  entryWay: u32,
  /** `instret` when the hypervisor last left for the domain, and instructions that it has retired so far. */
  enteredAt: u64,
  count: u64,
  /** Where it stood when it came last. */
  pc: u64,
  /** When its timer is due, in its own time. */
  deadline: u64,
  /** Bytes typed to it that are in the log. */
  typed: u64,
  /** Entries written and taken so far. */
  written: u64,
  taken: u64,
  entries: array(LogEntry, LOG_ENTRIES),
});
