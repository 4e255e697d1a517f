/**
 * Values to bytes. This half runs beside a student's code: it never invokes an accessor, a `toJSON` or an iterator of the
 * value, and keeps own data properties alone.
 */
import { CODEC_LIMITS, copyOf, put, putBytes, Refused, TAG } from "./codec-format.ts";
import { FunctionHandle, Opaque } from "./inert.ts";

/** A value in bytes, or the reason why it cannot cross. */
export type Encoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

// Captured before any student's code can run.
const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
const { hasOwn } = Object;
const isArray = Array.isArray;
const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const bigintToString = BigInt.prototype.toString;
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;
const setFloat = DataView.prototype.setFloat64;
const encodeText = TextEncoder.prototype.encode;
const encoder = new TextEncoder();
const Bytes = Uint8Array;
const MapOf = Map;
const SetOf = Set;
const float = new DataView(new ArrayBuffer(8));
const floatBytes = new Uint8Array(float.buffer);

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
    return { ok: true, bytes: copyOf(writer.bytes, 0, writer.length) };
  } catch (error) {
    return { ok: false, reason: error instanceof Refused ? error.reason : "reading the value threw" };
  }
}

function reserve(writer: Writer, count: number): void {
  const needed = writer.length + count;
  if (needed > CODEC_LIMITS.bytes) throw new Refused("the value is too large");
  if (needed <= writer.bytes.length) return;
  const larger = new Bytes(needed * 2);
  putBytes(larger, writer.bytes, 0);
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
  putBytes(writer.bytes, bytes, writer.length);
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
  putBytes(writer.bytes, floatBytes, writer.length);
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
