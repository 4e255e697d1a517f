/**
 * The trace of a machine: a running hash over architectural events, and the last events for people.
 *
 * Each event is one record of 40 bytes (`bus/event-record.ts`). The hash is a chain, so that what it has taken in so far is 32
 * bytes that any file can hold: it begins as the SHA-256 of the format's name and the board's configuration; after each 1024
 * records it becomes the SHA-256 of itself and the 128-bit digest of those records (`ring-digest.ts`); asked for, it is the
 * SHA-256 of itself and the records since. Nothing of the host enters it.
 *
 * Decision: SHA-256 over every record (format 2) took 145 ns an event, more than an engine needs for a whole system call; the
 * digest takes 5 ns. Two runs that differ still have different hashes unless somebody works for it: MurmurHash3 is no
 * cryptography, and collisions can be made. The hash answers "is this the same run?", not "who says so?"; a grader that must
 * not be deceived runs the machine itself.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { RECORD, RECORD_BYTES, retiredIn, writeRecord } from "../bus/event-record.ts";
import type { BatchSink, EventKind } from "../bus/event-sink.ts";
import { ringDigest } from "./ring-digest.ts";
import { type TraceEvent, type TraceRecord, traceEvent } from "./trace-event.ts";

const FORMAT = "dom0-trace-3";
/** Records in the ring: so many events stay readable, and so many wait at most to be hashed. */
const RING_RECORDS = 1024;
const RING_BYTES = RING_RECORDS * RECORD_BYTES;

/** Event sink, hash and memory of recent events in one. */
export class Trace implements BatchSink {
  readonly takesBatches = true;
  readonly #ring = new Uint8Array(RING_BYTES);
  readonly #view = new DataView(this.#ring.buffer);
  readonly #start: Uint8Array;
  /** The hash of all full rings so far. */
  #chain: Uint8Array;
  /** Events since reset; those of the ring that is not full wait to be hashed. */
  #count = 0;

  /** @param configuration  What identifies the machine besides its inputs: RAM size, harts, seed. */
  constructor(configuration: string) {
    this.#start = sha256(utf8ToBytes(`${FORMAT}\n${configuration}\n`));
    this.#chain = this.#start;
  }

  /** Forgets everything, as at power-on. */
  restart(): void {
    this.#chain = this.#start;
    this.#count = 0;
  }

  /** Events since reset. */
  get count(): number {
    return this.#count;
  }

  record(
    kind: EventKind,
    hart: number,
    detail: number,
    retired: number,
    a: bigint,
    b: bigint,
    c: bigint,
  ): void {
    const at = (this.#count % RING_RECORDS) * RECORD_BYTES;
    writeRecord(this.#view, at, kind, hart, detail, retired, a, b, c);
    this.#count++;
    if (this.#count % RING_RECORDS === 0) this.#condense();
  }

  recordAll(records: Uint8Array): void {
    let taken = 0;
    while (taken < records.length) {
      const at = (this.#count % RING_RECORDS) * RECORD_BYTES;
      const part = records.subarray(taken, taken + RING_BYTES - at);
      this.#ring.set(part, at);
      taken += part.length;
      this.#count += part.length / RECORD_BYTES;
      if (at + part.length === RING_BYTES) this.#condense();
    }
  }

  /** The running hash, 64 hexadecimal digits. Equal for equal configurations, images, inputs and run lengths. */
  hash(): string {
    const since = (this.#count % RING_RECORDS) * RECORD_BYTES;
    return bytesToHex(this.#chained(this.#ring.subarray(0, since)));
  }

  /** The last events, oldest first, at most {@link RING_RECORDS}. */
  get events(): TraceEvent[] {
    const first = Math.max(0, this.#count - RING_RECORDS);
    return Array.from({ length: this.#count - first }, (_, index) =>
      traceEvent(this.#recordAt(first + index)),
    );
  }

  /** What a snapshot keeps. */
  save(): TraceState {
    return { chain: this.#chain, ring: this.#ring.slice(), count: this.#count };
  }

  /** Goes on from a saved point as if nothing had happened since. */
  restore(state: TraceState): void {
    this.#chain = state.chain;
    this.#ring.set(state.ring);
    this.#count = state.count;
  }

  /** The ring is full. */
  #condense(): void {
    this.#chain = this.#chained(ringDigest(this.#ring));
  }

  #chained(bytes: Uint8Array): Uint8Array {
    return sha256.create().update(this.#chain).update(bytes).digest();
  }

  #recordAt(index: number): TraceRecord {
    const view = this.#view;
    const at = (index % RING_RECORDS) * RECORD_BYTES;
    return {
      kind: view.getUint8(at + RECORD.kind) as EventKind,
      hart: view.getUint8(at + RECORD.hart),
      detail: view.getUint8(at + RECORD.detail),
      retired: retiredIn(view, at),
      words: [
        view.getBigUint64(at + RECORD.a, true),
        view.getBigUint64(at + RECORD.b, true),
        view.getBigUint64(at + RECORD.c, true),
      ],
    };
  }
}

/** A point in a trace, as plain data. */
export interface TraceState {
  /** 32 bytes. */
  readonly chain: Uint8Array;
  /** The last records, {@link TRACE_RING_BYTES} bytes. */
  readonly ring: Uint8Array;
  readonly count: number;
}

/** Bytes of a saved ring. */
export const TRACE_RING_BYTES: number = RING_BYTES;

/** SHA-256 of bytes in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
