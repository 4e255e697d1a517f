/** Bytes to values. This half trusts no byte: each length is checked against what is left, and everything is capped. */
import { CODEC_LIMITS, copyOf, put, Refused, TAG } from "./codec-format.ts";
import { FunctionHandle, type Inert, Opaque } from "./inert.ts";

/** A decoded value, or the reason why the bytes were refused. */
export type Decoded =
  | { readonly ok: true; readonly value: Inert }
  | { readonly ok: false; readonly reason: string };

// Captured before any student's code can run: the cage decodes too.
const { apply } = Reflect;
const getFloat = DataView.prototype.getFloat64;
const decodeText = TextDecoder.prototype.decode;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const MapOf = Map;
const SetOf = Set;
const toBigInt = BigInt;
const objectCreate = Object.create;
const float = new DataView(new ArrayBuffer(8));
const floatBytes = new Uint8Array(float.buffer);

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
  items: number;
}

/** Decodes bytes of `encodeInert`. Never throws; bytes left over are refused too. */
export function decodeInert(bytes: Uint8Array): Decoded {
  if (bytes.length > CODEC_LIMITS.bytes) return { ok: false, reason: "the value is too large" };
  const reader: Reader = { bytes, at: 0, items: 0 };
  try {
    const value = read(reader, 0);
    return reader.at === bytes.length ? { ok: true, value } : { ok: false, reason: "bytes are left over" };
  } catch (error) {
    return { ok: false, reason: error instanceof Refused ? error.reason : "the bytes are not a value" };
  }
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.at];
  if (byte === undefined) throw new Refused("the value is cut short");
  reader.at += 1;
  return byte;
}

function readCount(reader: Reader): number {
  let count = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(reader);
    count |= (byte & 0x7f) << shift;
    if (byte < 0x80) return count;
  }
  throw new Refused("a length is out of range");
}

function readBytes(reader: Reader): Uint8Array {
  const length = readCount(reader);
  if (length > reader.bytes.length - reader.at) throw new Refused("the value is cut short");
  const bytes = copyOf(reader.bytes, reader.at, reader.at + length);
  reader.at += length;
  return bytes;
}

const readText = (reader: Reader): string => apply(decodeText, decoder, [readBytes(reader)]) as string;

/** Every part takes at least one byte, so a count above the bytes left cannot be honest. */
function readSize(reader: Reader, bytesEach: number): number {
  const count = readCount(reader);
  if (count * bytesEach > reader.bytes.length - reader.at) throw new Refused("a length is out of range");
  return count;
}

const SCALARS: Readonly<Record<number, Inert>> = {
  [TAG.undefined]: undefined,
  [TAG.null]: null,
  [TAG.false]: false,
  [TAG.true]: true,
};

const READERS: Readonly<Record<number, (reader: Reader, depth: number) => Inert>> = {
  [TAG.number]: readNumber,
  [TAG.bigint]: (reader) => readMagnitude(reader),
  [TAG.negativeBigint]: (reader) => -readMagnitude(reader),
  [TAG.string]: readText,
  [TAG.bytes]: readBytes,
  [TAG.list]: readList,
  [TAG.map]: readMap,
  [TAG.set]: readSet,
  [TAG.record]: readRecord,
  [TAG.function]: (reader) => new FunctionHandle(readCount(reader)),
  [TAG.opaque]: (reader) => new Opaque(readText(reader).slice(0, 80)),
};

function read(reader: Reader, depth: number): Inert {
  reader.items += 1;
  if (reader.items > CODEC_LIMITS.items) throw new Refused("the value has too many parts");
  if (depth > CODEC_LIMITS.depth) throw new Refused("the value is nested too deeply");
  const tag = readByte(reader);
  if (tag <= TAG.true) return SCALARS[tag];
  const reads = READERS[tag];
  if (reads === undefined) throw new Refused("an unknown kind of value");
  return reads(reader, depth);
}

function readNumber(reader: Reader): number {
  if (reader.bytes.length - reader.at < 8) throw new Refused("the value is cut short");
  for (let index = 0; index < 8; index += 1) floatBytes[index] = readByte(reader);
  return apply(getFloat, float, [0, true]) as number;
}

function readMagnitude(reader: Reader): bigint {
  const digits = readText(reader);
  if (digits.length === 0 || digits.length > 1025) throw new Refused("a bigint is out of range");
  return toBigInt(`0x${digits}`);
}

function readList(reader: Reader, depth: number): Inert {
  const count = readSize(reader, 1);
  const list: Inert[] = [];
  for (let index = 0; index < count; index += 1) {
    put(list, index, read(reader, depth + 1));
  }
  return list;
}

function readMap(reader: Reader, depth: number): Inert {
  const count = readSize(reader, 2);
  const map = new MapOf<Inert, Inert>();
  for (let index = 0; index < count; index += 1) {
    const key = read(reader, depth + 1);
    map.set(key, read(reader, depth + 1));
  }
  return map;
}

function readSet(reader: Reader, depth: number): Inert {
  const count = readSize(reader, 1);
  const set = new SetOf<Inert>();
  for (let index = 0; index < count; index += 1) set.add(read(reader, depth + 1));
  return set;
}

function readRecord(reader: Reader, depth: number): Inert {
  const count = readSize(reader, 2);
  const record = objectCreate(null) as Record<string, Inert>;
  for (let index = 0; index < count; index += 1) {
    const key = readText(reader);
    put(record, key, read(reader, depth + 1));
  }
  return record;
}
