/**
 * An event as bytes: kind u8, hart u8, detail u8, five zero bytes, retired u64, words a, b, c u64; little-endian. So it lies in
 * the trace and in its hash, and so generated code writes it.
 */
import type { EventKind, EventSink } from "./event-sink.ts";

/** Bytes of a record. */
export const RECORD_BYTES = 40;

/** Where each part of a record lies. */
export const RECORD = { kind: 0, hart: 1, detail: 2, retired: 8, a: 16, b: 24, c: 32 } as const;

const HIGH_WORD = 2 ** 32;

/** Instructions that had retired before the event in the record at `at`. */
export const retiredIn = (view: DataView, at: number): number =>
  view.getUint32(at + RECORD.retired, true) + view.getUint32(at + RECORD.retired + 4, true) * HIGH_WORD;

/** Writes a record. The words are taken modulo 2^64. */
export function writeRecord(
  view: DataView,
  at: number,
  kind: EventKind,
  hart: number,
  detail: number,
  retired: number,
  a: bigint,
  b: bigint,
  c: bigint,
): void {
  view.setUint32(at, kind | (hart << 8) | (detail << 16), true);
  view.setUint32(at + 4, 0, true);
  view.setUint32(at + RECORD.retired, retired >>> 0, true);
  view.setUint32(at + RECORD.retired + 4, Math.floor(retired / HIGH_WORD), true);
  view.setBigUint64(at + RECORD.a, a, true);
  view.setBigUint64(at + RECORD.b, b, true);
  view.setBigUint64(at + RECORD.c, c, true);
}

/** Reports records one by one. */
export function recordEach(sink: EventSink, records: Uint8Array): void {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    const word = (offset: number): bigint => view.getBigUint64(at + offset, true);
    sink.record(
      view.getUint8(at + RECORD.kind) as EventKind,
      view.getUint8(at + RECORD.hart),
      view.getUint8(at + RECORD.detail),
      retiredIn(view, at),
      word(RECORD.a),
      word(RECORD.b),
      word(RECORD.c),
    );
  }
}
