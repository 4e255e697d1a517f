/** Reading plain data from a file field by field: what is missing or of another kind is a sentence, not a surprise. */
import type { Plain } from "./plain-data.ts";

/** Thrown by {@link PlainFields} and caught by {@link readFields}: a way out, never seen by callers. */
class WrongField extends Error {}

/** Fields of one record. Every getter ends the reading when the field is not what it should be. */
export class PlainFields {
  readonly #fields: Readonly<Record<string, Plain>>;
  readonly #place: string;

  constructor(value: Plain, place: string) {
    if (typeof value !== "object" || value instanceof Uint8Array || Array.isArray(value))
      throw new WrongField(`${place} is no record`);
    this.#fields = value as Readonly<Record<string, Plain>>;
    this.#place = place;
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Whatever is there. */
  any(name: string): Plain {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  /** A whole number from `least` to `most`. */
  whole(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.any(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.refuse(name, `a whole number from ${least} to ${most}`);
  }

  /** A number that counts up to infinity. */
  count(name: string): number {
    const value = this.any(name);
    return typeof value === "number" && value >= 0 ? value : this.refuse(name, "a number from 0 on");
  }

  bigint(name: string): bigint {
    const value = this.any(name);
    return typeof value === "bigint" ? value : this.refuse(name, "a 64-bit number");
  }

  text(name: string, mostBytes = 4096): string {
    const value = this.any(name);
    const isText = typeof value === "string" && value.length <= mostBytes;
    return isText ? value : this.refuse(name, `text of at most ${mostBytes} characters`);
  }

  bytes(name: string, length?: number): Uint8Array {
    const value = this.any(name);
    const isIt = value instanceof Uint8Array && (length === undefined || value.length === length);
    return isIt ? value : this.refuse(name, length === undefined ? "bytes" : `${length} bytes`);
  }

  list(name: string): readonly Plain[] {
    const value = this.any(name);
    return Array.isArray(value) ? (value as readonly Plain[]) : this.refuse(name, "a list");
  }

  fields(name: string): PlainFields {
    return new PlainFields(this.any(name), `${this.#place}.${name}`);
  }

  /** Ends the reading. */
  refuse(name: string, wanted: string): never {
    throw new WrongField(`${this.#place}.${name} is not ${wanted}`);
  }
}

/** What `read` returns, or what was wrong with the fields, in words. */
export function readFields<Result>(
  value: Plain,
  place: string,
  read: (fields: PlainFields) => Result,
): { readonly kind: "read"; readonly result: Result } | { readonly kind: "wrong"; readonly message: string } {
  try {
    return { kind: "read", result: read(new PlainFields(value, place)) };
  } catch (error) {
    if (!(error instanceof WrongField)) throw error;
    return { kind: "wrong", message: error.message };
  }
}
