/**
 * Architectural events: what the trace hash is made of. One call, numbers and words only, so that an engine can report
 * without allocating. What the three words mean is in {@link EVENT_WORDS}, and nowhere else.
 */

/** Kinds of events, by the number under which they enter the hash. Numbers are for ever. */
export const EventKind = {
  /** An exception was taken. */
  EXCEPTION: 1,
  /** An interrupt was taken. */
  INTERRUPT: 2,
  /** MRET or SRET retired. */
  TRAP_RETURN: 3,
  /** Privileged code wrote a CSR by instruction. */
  CSR_WRITE: 4,
  /** A hart read a device register. */
  DEVICE_LOAD: 5,
  /** A hart wrote a device register. */
  DEVICE_STORE: 6,
  /** A device wrote guest RAM. */
  DMA_WRITE: 7,
  /** Something came in from outside: a typed byte. */
  INPUT: 8,
  /** Digest of the state blocks, taken at a fixed instruction count. */
  STATE_DIGEST: 9,
  /** The board put bytes of an image into RAM. */
  IMAGE: 10,
  /** Privileged code called a TypeScript handler by `hx`. */
  HX_CALL: 11,
} as const;
/** One of {@link EventKind}. */
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Name of each kind, and of the three 64-bit words that go with it; `""` where a word is always zero. */
export const EVENT_WORDS = {
  [EventKind.EXCEPTION]: ["exception", "cause", "epc", "tval"],
  [EventKind.INTERRUPT]: ["interrupt", "cause", "epc", ""],
  [EventKind.TRAP_RETURN]: ["trap-return", "pc", "target", ""],
  [EventKind.CSR_WRITE]: ["csr-write", "csr", "value", "pc"],
  [EventKind.DEVICE_LOAD]: ["device-load", "paddr", "value", ""],
  [EventKind.DEVICE_STORE]: ["device-store", "paddr", "value", ""],
  [EventKind.DMA_WRITE]: ["dma-write", "paddr", "length", "digest"],
  [EventKind.INPUT]: ["input", "byte", "", ""],
  [EventKind.STATE_DIGEST]: ["state-digest", "digest", "", ""],
  [EventKind.IMAGE]: ["image", "paddr", "length", "digest"],
  [EventKind.HX_CALL]: ["hx-call", "number", "pc", ""],
} as const satisfies Record<EventKind, readonly [string, string, string, string]>;

/**
 * Where events go.
 *
 * `detail` is one byte that depends on the kind: for traps and returns `from << 4 | to` as privilege-mode numbers
 * (0 U, 1 S, 3 M, 4 VU, 5 VS); for CSR writes and `hx` the mode that does it; for device accesses the width in bytes;
 * else zero.
 */
export interface EventSink {
  /**
   * Reports one event.
   *
   * @param retired  Instructions that the machine has retired before the instruction that caused the event.
   * @param a,b,c    64-bit words, signed or unsigned; taken modulo 2^64. Named in {@link EVENT_WORDS}.
   */
  record(
    kind: EventKind,
    hart: number,
    detail: number,
    retired: number,
    a: bigint,
    b: bigint,
    c: bigint,
  ): void;
}

/**
 * A sink that also takes events by the handful, as records (`event-record.ts`). What it does with them is the same as if
 * they had come one by one.
 */
export interface BatchSink extends EventSink {
  /**
   * Whether nobody behind this sink wants to hear of an event at once. While false, whoever could report later must report
   * each event when it happens. May change between two runs, not within one.
   */
  readonly takesBatches: boolean;
  /**
   * Reports events that happened since the last report, oldest first.
   *
   * @param records  Whole records; theirs is the caller's memory, good until the call returns.
   */
  recordAll(records: Uint8Array): void;
}

/** The sink as one that takes batches, or `undefined` if it is none. */
export const batchSink = (sink: EventSink): BatchSink | undefined =>
  "recordAll" in sink && "takesBatches" in sink ? (sink as BatchSink) : undefined;

/** Throws every event away. */
export const NO_EVENTS: BatchSink = { takesBatches: true, record() {}, recordAll() {} };
