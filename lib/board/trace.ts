/**
 * The trace of a machine: a running SHA-256 over architectural events, and the last events for people.
 *
 * Each event is one record of 40 bytes, little-endian:
 * kind u8, hart u8, detail u8, five zero bytes, retired u64, words a, b, c u64. The hash is a chain, so that what it has
 * taken in so far is 32 bytes that any file can hold: it begins as the SHA-256 of the format's name and the board's
 * configuration; after each 1024 records it becomes the SHA-256 of itself and those records; asked for, it is the SHA-256
 * of itself and the records since. Nothing of the host enters it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { EventKind, EventSink } from "../bus/event-sink.ts";
import { type TraceEvent, type TraceRecord, traceEvent } from "./trace-event.ts";

const FORMAT = "dom0-trace-2";
const RECORD_BYTES = 40;
/** Records in the ring: so many events stay readable, and so many wait at most to be hashed. */
const RING_RECORDS = 1024;

/** Event sink, hash and memory of recent events in one. */
export class Trace implements EventSink {
  readonly #ring = new Uint8Array(RING_RECORDS * RECORD_BYTES);
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
    const view = this.#view;
    const at = (this.#count % RING_RECORDS) * RECORD_BYTES;
    view.setUint32(at, kind | (hart << 8) | (detail << 16), true);
    view.setUint32(at + 8, retired >>> 0, true);
    view.setUint32(at + 12, Math.floor(retired / 2 ** 32), true);
    view.setBigUint64(at + 16, a, true);
    view.setBigUint64(at + 24, b, true);
    view.setBigUint64(at + 32, c, true);
    this.#count++;
    if (this.#count % RING_RECORDS === 0) this.#chain = this.#hashOf(RING_RECORDS);
  }

  /** The running hash, 64 hexadecimal digits. Equal for equal configurations, images, inputs and run lengths. */
  hash(): string {
    return bytesToHex(this.#hashOf(this.#count % RING_RECORDS));
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

  /** The chain, and the first records of the ring. */
  #hashOf(records: number): Uint8Array {
    return sha256
      .create()
      .update(this.#chain)
      .update(this.#ring.subarray(0, records * RECORD_BYTES))
      .digest();
  }

  #recordAt(index: number): TraceRecord {
    const view = this.#view;
    const at = (index % RING_RECORDS) * RECORD_BYTES;
    return {
      kind: view.getUint8(at) as EventKind,
      hart: view.getUint8(at + 1),
      detail: view.getUint8(at + 2),
      retired: view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 2 ** 32,
      words: [
        view.getBigUint64(at + 16, true),
        view.getBigUint64(at + 24, true),
        view.getBigUint64(at + 32, true),
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
export const TRACE_RING_BYTES: number = RING_RECORDS * RECORD_BYTES;

/** SHA-256 of bytes in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
