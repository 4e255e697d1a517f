/**
 * What goes over the wire when a domain moves: records, one at a time in a mailbox of machine RAM. Each has a header of two words (kind and
 * magic, number and length), a payload of whole words, and a checksum. They are numbered, so that a lost one is noticed.
 */
import { crc32 } from "../bits/crc32.ts";
import { beyond, type HPA } from "../hs/address.ts";
import type { HsContext } from "../hs/context.ts";
import type { Host } from "./host.ts";
import { MAILBOX_BYTES } from "./layout.ts";

/** Kinds of records. */
export const RecordKind = {
  /** What the domain is like. */
  HELLO: 1,
  /** A page of its RAM; without bytes: all zero. */
  PAGE: 2,
  /** A piece of a virtual CPU or a device. */
  STATE: 3,
  /** That was all. */
  END: 4,
  /** The source has let go of it. */
  GO: 5,
  /** The sender gives up. */
  GIVE_UP: 6,
  /** Destination: all has come. */
  READY: 7,
  /** Primary: that was all of an epoch. */
  EPOCH: 8,
  /** Backup: it has the epoch. */
  ACK: 9,
} as const;

const MAGIC = 0x4d30_6d44n;
const WORD = 0xffff_ffffn;
const HEADER = 16;
const CHECKSUM = 8;

/** A record that came: words first, whatever is behind them as bytes. */
export interface Record {
  readonly kind: number;
  word(index: number): bigint;
  bytesFrom(index: number): Uint8Array;
}

/** Copies a piece of RAM, in whole words. */
export function readBytes(context: HsContext, at: HPA, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  const view = new DataView(bytes.buffer);
  for (let offset = 0; offset < count; offset += 8)
    view.setBigUint64(offset, context.load(beyond(at, offset), 8), true);
  return bytes;
}

/** Copies whole words to RAM. */
export function writeBytes(context: HsContext, at: HPA, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let offset = 0; offset < bytes.length; offset += 8)
    context.store(beyond(at, offset), 8, view.getBigUint64(offset, true));
}

const mixed = (digest: bigint, checksum: bigint): bigint =>
  BigInt.asUintN(64, (digest ^ checksum) * 0x9e37_79b9_7f4a_7c15n + 1n);

function encode(kind: number, number: bigint, words: readonly bigint[], body: Uint8Array): Uint8Array {
  const length = 8 * words.length + body.length;
  const bytes = new Uint8Array(HEADER + length + CHECKSUM);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC | (BigInt(kind) << 32n), true);
  view.setBigUint64(8, (number & WORD) | (BigInt(length) << 32n), true);
  for (const [index, word] of words.entries()) view.setBigUint64(HEADER + 8 * index, word, true);
  bytes.set(body, HEADER + 8 * words.length);
  view.setBigUint64(HEADER + length, BigInt(crc32(bytes.subarray(0, HEADER + length))), true);
  return bytes;
}

function put({ context, state }: Host, bytes: Uint8Array): void {
  const { outbox } = state.migration;
  writeBytes(context, outbox.bytes.addressOf(0), bytes);
  outbox.length = BigInt(bytes.length);
}

/** The source's next record. The outbox must be empty. */
export function sendRecord(
  host: Host,
  kind: number,
  words: readonly bigint[],
  body: Uint8Array = new Uint8Array(),
): void {
  const { migration } = host.state;
  const bytes = encode(kind, migration.sequence, words, body);
  put(host, bytes);
  migration.sequence += 1n;
  migration.bytes += BigInt(bytes.length);
  migration.digest = mixed(migration.digest, checksumOf(bytes));
}

/** An answer, or a last word: whatever is in the outbox is not sent any more. */
export const sendAnswer = (host: Host, kind: number, word: bigint): void =>
  put(host, encode(kind, 0n, [word], new Uint8Array()));

const checksumOf = (bytes: Uint8Array): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(bytes.length - CHECKSUM, true);

/**
 * The record that has come.
 *
 * @param isStream  Records of a source are numbered; answers have number 0.
 * @returns         `undefined` as long as it is not whole; "corrupted" for bytes that are no record, or not the next.
 */
export function takeRecord(host: Host, isStream: boolean): Record | "corrupted" | undefined {
  const { context, state } = host;
  const { migration } = state;
  const { inbox } = migration;
  const arrived = inbox.length;
  if (arrived < HEADER) return undefined;
  const start = inbox.bytes.addressOf(0);
  const [first, second] = [context.load(start, 8), context.load(beyond(start, 8), 8)];
  const length = Number(second >> 32n);
  const whole = HEADER + length + CHECKSUM;
  const isHeader = (first & WORD) === MAGIC && length % 8 === 0 && whole <= MAILBOX_BYTES;
  if (isHeader && arrived < whole) return undefined;
  inbox.length = 0n;
  if (!isHeader || arrived > whole) return "corrupted";
  const bytes = readBytes(context, start, whole);
  const checksum = BigInt(crc32(bytes.subarray(0, whole - CHECKSUM)));
  const kind = Number(first >> 32n);
  const isAnswer = kind === RecordKind.GIVE_UP || !isStream;
  const number = isAnswer ? 0n : migration.sequence & WORD;
  if (checksum !== checksumOf(bytes) || (second & WORD) !== number) return "corrupted";
  if (!isAnswer) {
    migration.sequence += 1n;
    migration.bytes += BigInt(whole);
    migration.digest = mixed(migration.digest, checksum);
  }
  const view = new DataView(bytes.buffer);
  const word = (index: number): bigint =>
    8 * index + 8 > length ? 0n : view.getBigUint64(HEADER + 8 * index, true);
  return {
    kind,
    word,
    bytesFrom: (index) => bytes.slice(HEADER + 8 * index, HEADER + Math.max(8 * index, length)),
  };
}

/** Which page a whole record brings, as somebody on the wire sees it; `undefined` for another kind of record. */
export function pageInRecord(
  bytes: Uint8Array,
): { readonly number: number; readonly isZero: boolean } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER + 8 + CHECKSUM || view.getUint32(4, true) !== RecordKind.PAGE) return undefined;
  return { number: Number(view.getBigUint64(HEADER, true)), isZero: bytes.length === HEADER + 8 + CHECKSUM };
}
