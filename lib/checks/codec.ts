/**
 * A bounded, tagged byte format for inert values, and its decoder.
 *
 * Encoding runs beside a student's code, so it uses only what it captured when this module was loaded, never invokes an
 * accessor, a `toJSON` or an iterator of the value, and keeps own data properties alone. Decoding trusts no byte: every
 * length is checked against what is left, and depth, items and text are capped.
 */
import { FunctionHandle, type Inert, Opaque } from "./inert.ts";

/** Caps of one encoded value. A value over a cap is refused as a whole: a cut value could compare equal to another. */
export const CODEC_LIMITS = { bytes: 4 << 20, depth: 48, items: 200_000 } as const;

const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  bigint: 5,
  negativeBigint: 6,
  string: 7,
  bytes: 8,
  list: 9,
  map: 10,
  set: 11,
  record: 12,
  function: 13,
  opaque: 14,
} as const;

/** A value in bytes, or the reason why it cannot cross. */
export type Encoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** A decoded value, or the reason why the bytes were refused. */
export type Decoded =
  | { readonly ok: true; readonly value: Inert }
  | { readonly ok: false; readonly reason: string };

// Captured before any student's code can run: patching a prototype later changes nothing here.
const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
const isArray = Array.isArray;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const bigintToString = BigInt.prototype.toString;
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;
const setBytes = Uint8Array.prototype.set;
const sliceBytes = Uint8Array.prototype.slice;
const setFloat = DataView.prototype.setFloat64;
const getFloat = DataView.prototype.getFloat64;
const encodeText = TextEncoder.prototype.encode;
const decodeText = TextDecoder.prototype.decode;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const Bytes = Uint8Array;
const MapOf = Map;
const SetOf = Set;
const toBigInt = BigInt;
const objectCreate = Object.create;
const { defineProperty } = Reflect;
const { hasOwn } = Object;
const float = new DataView(new ArrayBuffer(8));
const floatBytes = new Uint8Array(float.buffer);

const plain = objectCreate(null) as PropertyDescriptor;
plain.writable = true;
plain.enumerable = true;
plain.configurable = true;

/** Adds an own member without meeting a setter, and with a descriptor that inherits nothing. */
function put(target: object, key: PropertyKey, value: unknown): void {
  plain.value = value;
  defineProperty(target, key, plain);
  plain.value = undefined;
}

class Refused {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

interface Writer {
  bytes: Uint8Array;
  length: number;
  items: number;
  /** Gives a function its number; without it functions are opaque. */
  readonly handleOf: ((value: object) => number) | undefined;
  /** True for values that answer reads with code of their own. */
  readonly isProxy: ((value: object) => boolean) | undefined;
}

/** What an encoder needs to know of its host. Both are optional: a page has no way to see a proxy. */
export interface EncodeHost {
  readonly handleOf?: (value: object) => number;
  readonly isProxy?: (value: object) => boolean;
}

/** Encodes a value. Never throws: what cannot cross is refused with a reason, what the value's own traps throw included. */
export function encodeInert(value: unknown, host: EncodeHost = {}): Encoded {
  const writer: Writer = {
    bytes: new Bytes(256),
    length: 0,
    items: 0,
    handleOf: host.handleOf,
    isProxy: host.isProxy,
  };
  try {
    write(writer, value, 0);
    return { ok: true, bytes: apply(sliceBytes, writer.bytes, [0, writer.length]) as Uint8Array };
  } catch (error) {
    return { ok: false, reason: error instanceof Refused ? error.reason : "reading the value threw" };
  }
}

function reserve(writer: Writer, count: number): void {
  const needed = writer.length + count;
  if (needed > CODEC_LIMITS.bytes) throw new Refused("the value is too large");
  if (needed <= writer.bytes.length) return;
  const larger = new Bytes(needed * 2);
  apply(setBytes, larger, [writer.bytes]);
  writer.bytes = larger;
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length] = byte;
  writer.length += 1;
}

/** Unsigned LEB128, at most 32 bits. */
function writeCount(writer: Writer, count: number): void {
  let rest = count;
  while (rest > 0x7f) {
    writeByte(writer, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  writeByte(writer, rest);
}

function writeBytes(writer: Writer, tag: number | undefined, bytes: Uint8Array): void {
  if (tag !== undefined) writeByte(writer, tag);
  writeCount(writer, bytes.length);
  reserve(writer, bytes.length);
  apply(setBytes, writer.bytes, [bytes, writer.length]);
  writer.length += bytes.length;
}

function writeText(writer: Writer, tag: number | undefined, text: string): void {
  if (text.length > CODEC_LIMITS.bytes) throw new Refused("the text is too long");
  writeBytes(writer, tag, apply(encodeText, encoder, [text]) as Uint8Array);
}

function write(writer: Writer, value: unknown, depth: number): void {
  writer.items += 1;
  if (writer.items > CODEC_LIMITS.items) throw new Refused("the value has too many parts");
  if (depth > CODEC_LIMITS.depth) throw new Refused("the value is nested too deeply or contains itself");
  if (value === undefined) writeByte(writer, TAG.undefined);
  else if (value === null) writeByte(writer, TAG.null);
  else if (value === false) writeByte(writer, TAG.false);
  else if (value === true) writeByte(writer, TAG.true);
  else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "bigint") writeBigint(writer, value);
  else if (typeof value === "string") writeText(writer, TAG.string, value);
  else if (typeof value === "symbol") writeText(writer, TAG.opaque, "a symbol");
  else if (typeof value === "function") writeFunction(writer, value);
  else writeObject(writer, value as object, depth);
}

function writeNumber(writer: Writer, value: number): void {
  writeByte(writer, TAG.number);
  apply(setFloat, float, [0, value, true]);
  reserve(writer, 8);
  apply(setBytes, writer.bytes, [floatBytes, writer.length]);
  writer.length += 8;
}

const WIDEST_BIGINT = 1n << 4096n;

function writeBigint(writer: Writer, value: bigint): void {
  const magnitude = value < 0n ? -value : value;
  if (magnitude >= WIDEST_BIGINT) throw new Refused("the bigint is wider than 4096 bits");
  writeText(
    writer,
    value < 0n ? TAG.negativeBigint : TAG.bigint,
    apply(bigintToString, magnitude, [16]) as string,
  );
}

function writeFunction(writer: Writer, value: object): void {
  if (writer.handleOf === undefined) {
    writeText(writer, TAG.opaque, "a function");
  } else writeHandle(writer, writer.handleOf(value));
}

function writeHandle(writer: Writer, id: number): void {
  writeByte(writer, TAG.function);
  writeCount(writer, id >>> 0);
}

function writeObject(writer: Writer, value: object, depth: number): void {
  if (writer.isProxy?.(value) === true) writeText(writer, TAG.opaque, "a proxy");
  else if (value instanceof FunctionHandle) writeHandle(writer, value.id);
  else if (value instanceof Opaque) writeText(writer, TAG.opaque, value.what);
  else if (isArray(value)) writeList(writer, value, depth);
  else if (isUint8Array(value)) writeBytes(writer, TAG.bytes, value);
  else if (isReally(MapOf, mapForEach, value)) writeMap(writer, value as Map<unknown, unknown>, depth);
  else if (isReally(SetOf, setForEach, value)) writeSet(writer, value as Set<unknown>, depth);
  else writeRecord(writer, value, depth);
}

const isUint8Array = (value: object): value is Uint8Array =>
  typedArrayTag !== undefined && apply(typedArrayTag, value, []) === "Uint8Array";

const ignore = (): void => {};

/** A method of Map or Set throws on anything else; the class is asked first because throwing is slow. */
function isReally(
  kind: typeof Map | typeof Set,
  method: typeof mapForEach | typeof setForEach,
  value: object,
): boolean {
  if (!(value instanceof kind)) return false;
  try {
    apply(method, value, [ignore]);
    return true;
  } catch {
    return false;
  }
}

function writeList(writer: Writer, value: readonly unknown[], depth: number): void {
  const length = getOwnPropertyDescriptor(value, "length")?.value as number;
  if (length > CODEC_LIMITS.items) throw new Refused("the list is too long");
  writeByte(writer, TAG.list);
  writeCount(writer, length);
  for (let index = 0; index < length; index += 1) writeProperty(writer, value, `${index}`, depth);
}

function writeProperty(writer: Writer, owner: object, key: string, depth: number): void {
  const property = getOwnPropertyDescriptor(owner, key);
  if (property === undefined) writeByte(writer, TAG.undefined);
  else if (hasOwn(property, "value")) write(writer, property.value, depth + 1);
  else writeText(writer, TAG.opaque, "an accessor");
}

function writeMap(writer: Writer, value: Map<unknown, unknown>, depth: number): void {
  const flat: unknown[] = [];
  let size = 0;
  const collect = (item: unknown, key: unknown) => {
    put(flat, size, key);
    put(flat, size + 1, item);
    size += 2;
  };
  apply(mapForEach, value, [collect]);
  if (size > CODEC_LIMITS.items) throw new Refused("the map is too large");
  writeByte(writer, TAG.map);
  writeCount(writer, size / 2);
  for (let index = 0; index < size; index += 1) write(writer, flat[index], depth + 1);
}

function writeSet(writer: Writer, value: Set<unknown>, depth: number): void {
  const items: unknown[] = [];
  let size = 0;
  const collect = (item: unknown) => {
    put(items, size, item);
    size += 1;
  };
  apply(setForEach, value, [collect]);
  if (size > CODEC_LIMITS.items) throw new Refused("the set is too large");
  writeByte(writer, TAG.set);
  writeCount(writer, size);
  for (let index = 0; index < size; index += 1) write(writer, items[index], depth + 1);
}

function writeRecord(writer: Writer, value: object, depth: number): void {
  const keys = ownKeys(value);
  const count = keys.length;
  if (count > CODEC_LIMITS.items) throw new Refused("the object has too many members");
  const named: string[] = [];
  let size = 0;
  for (let index = 0; index < count; index += 1) {
    const key = keys[index];
    if (typeof key !== "string") continue;
    if (getOwnPropertyDescriptor(value, key)?.enumerable !== true) continue;
    put(named, size, key);
    size += 1;
  }
  writeByte(writer, TAG.record);
  writeCount(writer, size);
  for (let index = 0; index < size; index += 1) {
    const key = named[index] as string;
    writeText(writer, undefined, key);
    writeProperty(writer, value, key, depth);
  }
}

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
  const bytes = apply(sliceBytes, reader.bytes, [reader.at, reader.at + length]) as Uint8Array;
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
