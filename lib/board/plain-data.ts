/**
 * Plain data as bytes and back: what the kit's files consist of. Equal data give equal bytes.
 *
 * A value is a tag byte and what follows; lengths and counts are u32, little-endian. Bytes come from anywhere: decoding
 * believes no length, allocates no more than the input has, and answers with a sentence.
 */

/** Values that files can hold. Fields that are `undefined` are left out. */
export type Plain =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [field: string]: Plain };

const TAG = { NONE: 0, NO: 1, YES: 2, NUMBER: 3, BIGINT: 4, TEXT: 5, BYTES: 6, LIST: 7, FIELDS: 8 } as const;

/** Deepest nesting that is read. */
const MAX_DEPTH = 16;
/** Values that are read at most: a value may take a single byte of a file and dozens in memory. */
const MAX_VALUES = 1_000_000;
const NUMBER_BYTES = 8;
const LENGTH_BYTES = 4;

/** A growing row of bytes. */
class Writer {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  value(value: Plain): void {
    if (value === undefined) this.#tag(TAG.NONE);
    else if (typeof value === "boolean") this.#tag(value ? TAG.YES : TAG.NO);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#chunk(TAG.BIGINT, encoder.encode(value.toString(16)));
    else if (typeof value === "string") this.#chunk(TAG.TEXT, encoder.encode(value));
    else if (value instanceof Uint8Array) this.#chunk(TAG.BYTES, value);
    else if (isList(value)) this.#list(value);
    else this.#fields(value);
  }

  #list(values: readonly Plain[]): void {
    this.#tag(TAG.LIST);
    this.#count(values.length);
    for (const value of values) this.value(value);
  }

  #fields(fields: { readonly [field: string]: Plain }): void {
    const present = Object.entries(fields).filter(([, value]) => value !== undefined);
    this.#tag(TAG.FIELDS);
    this.#count(present.length);
    for (const [name, value] of present) {
      this.value(name);
      this.value(value);
    }
  }

  #number(value: number): void {
    this.#tag(TAG.NUMBER);
    this.#room(NUMBER_BYTES);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += NUMBER_BYTES;
  }

  #chunk(tag: number, bytes: Uint8Array): void {
    this.#tag(tag);
    this.#count(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #tag(tag: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = tag;
  }

  #count(count: number): void {
    this.#room(LENGTH_BYTES);
    this.#view.setUint32(this.#length, count, true);
    this.#length += LENGTH_BYTES;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes));
    larger.set(this.written);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

const encoder = new TextEncoder();
const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value);

/** Plain data as bytes. */
export function encodePlain(value: Plain): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.written.slice();
}

/** Why bytes are not plain data. */
export interface PlainError {
  readonly kind: "plain-error";
  readonly message: string;
}

/** Thrown and caught in this file: the way out of a nested reader. */
class Refusal extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): Plain {
    this.#values++;
    if (this.#values > MAX_VALUES) throw new Refusal(`more than ${MAX_VALUES} values`);
    if (depth > MAX_DEPTH) throw new Refusal("nested too deeply");
    const tag = this.#bytes[this.#take(1)];
    switch (tag) {
      case TAG.NONE:
        return undefined;
      case TAG.NO:
      case TAG.YES:
        return tag === TAG.YES;
      case TAG.NUMBER:
        return this.#view.getFloat64(this.#take(NUMBER_BYTES), true);
      case TAG.BIGINT:
        return this.#bigint();
      case TAG.TEXT:
        return new TextDecoder().decode(this.#chunk());
      case TAG.BYTES:
        return this.#chunk().slice();
      case TAG.LIST:
        return Array.from({ length: this.#count() }, () => this.value(depth + 1));
      case TAG.FIELDS:
        return Object.fromEntries(Array.from({ length: this.#count() }, () => this.#field(depth + 1)));
      default:
        throw new Refusal(`byte ${this.#at - 1} is no tag`);
    }
  }

  #field(depth: number): [string, Plain] {
    const name = this.value(depth);
    if (typeof name !== "string" || name === "__proto__") throw new Refusal("a field without a name");
    return [name, this.value(depth)];
  }

  #bigint(): bigint {
    const digits = new TextDecoder().decode(this.#chunk());
    if (!/^-?[0-9a-f]{1,32}$/.test(digits)) throw new Refusal("a number that is none");
    return digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
  }

  #chunk(): Uint8Array {
    const length = this.#view.getUint32(this.#take(LENGTH_BYTES), true);
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Each value takes a byte at least, so a count beyond the bytes that are left is a lie. */
  #count(): number {
    const count = this.#view.getUint32(this.#take(LENGTH_BYTES), true);
    if (count > this.#bytes.length - this.#at) throw new Refusal("more values announced than bytes left");
    return count;
  }

  #take(length: number): number {
    if (length > this.#bytes.length - this.#at) throw new Refusal("it ends in the middle of a value");
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

/** Plain data from bytes; never throws. */
export function decodePlain(
  bytes: Uint8Array,
): { readonly kind: "plain"; readonly value: Plain } | PlainError {
  const reader = new Reader(bytes);
  try {
    const value = reader.value(0);
    if (!reader.isAtEnd) throw new Refusal("bytes are left over at its end");
    return { kind: "plain", value };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: "plain-error", message: error.message };
  }
}
