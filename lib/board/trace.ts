/**
 * The trace of a machine: a running SHA-256 over architectural events, and the last events for people.
 *
 * Each event is one record of 40 bytes, little-endian:
 * kind u8, hart u8, detail u8, five zero bytes, retired u64, words a, b, c u64. The hash covers the format's name and the
 * board's configuration, then all records since reset in order. Nothing of the host enters it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { EventKind, EventSink } from "../bus/event-sink.ts";
import { type TraceEvent, type TraceRecord, traceEvent } from "./trace-event.ts";

/** A SHA-256 under way. */
interface RunningHash {
  update(bytes: Uint8Array): this;
  digest(): Uint8Array;
  /** An independent hash that has taken in the same bytes. */
  clone(): RunningHash;
}

const FORMAT = "dom0-trace-1";
const RECORD_BYTES = 40;
/** Records in the ring: so many events stay readable, and so many wait at most to be hashed. */
const RING_RECORDS = 1024;

/** Event sink, hash and memory of recent events in one. */
export class Trace implements EventSink {
  readonly #ring = new Uint8Array(RING_RECORDS * RECORD_BYTES);
  readonly #view = new DataView(this.#ring.buffer);
  #hash: RunningHash;
  /** Events since reset. */
  #count = 0;
  /** Events that the hash has taken in; the rest wait in the ring. */
  #hashed = 0;

  readonly #start: Uint8Array;

  /** @param configuration  What identifies the machine besides its inputs: RAM size, harts, seed. */
  constructor(configuration: string) {
    this.#start = utf8ToBytes(`${FORMAT}\n${configuration}\n`);
    this.#hash = sha256.create().update(this.#start);
  }

  /** Forgets everything, as at power-on. */
  restart(): void {
    this.#hash = sha256.create().update(this.#start);
    this.#count = 0;
    this.#hashed = 0;
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
    if (this.#count - this.#hashed === RING_RECORDS) this.#absorb();
    const view = this.#view;
    const at = (this.#count % RING_RECORDS) * RECORD_BYTES;
    view.setUint32(at, kind | (hart << 8) | (detail << 16), true);
    view.setUint32(at + 8, retired >>> 0, true);
    view.setUint32(at + 12, Math.floor(retired / 2 ** 32), true);
    view.setBigUint64(at + 16, a, true);
    view.setBigUint64(at + 24, b, true);
    view.setBigUint64(at + 32, c, true);
    this.#count++;
  }

  /** The running hash, 64 hexadecimal digits. Equal for equal configurations, images, inputs and run lengths. */
  hash(): string {
    this.#absorb();
    return bytesToHex(this.#hash.clone().digest());
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
    this.#absorb();
    return { hash: this.#hash.clone(), ring: this.#ring.slice(), count: this.#count };
  }

  /** Goes on from a saved point as if nothing had happened since. */
  restore(state: TraceState): void {
    this.#hash = state.hash.clone();
    this.#ring.set(state.ring);
    this.#count = state.count;
    this.#hashed = state.count;
  }

  /** Hashes what waits: one run of records, or two where the ring wraps. */
  #absorb(): void {
    while (this.#hashed < this.#count) {
      const start = this.#hashed % RING_RECORDS;
      const length = Math.min(this.#count - this.#hashed, RING_RECORDS - start);
      this.#hash.update(this.#ring.subarray(start * RECORD_BYTES, (start + length) * RECORD_BYTES));
      this.#hashed += length;
    }
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

/** A point in a trace. */
export interface TraceState {
  readonly hash: RunningHash;
  readonly ring: Uint8Array;
  readonly count: number;
}

/** SHA-256 of bytes in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
