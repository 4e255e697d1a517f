/**
 * The values that may cross between a student's code and the code that judges it: inert data, and functions as
 * opaque handles. The same set holds in the page, where both live in one realm, so that a verdict never depends on
 * where it was computed.
 */

/** A function of the other side. It can be called through the `Answer` that holds it; its source cannot be read. */
export class FunctionHandle {
  /** Number by which the other side knows the function. */
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

/** Something that is neither data nor a function (a symbol, an accessor, a proxy, a promise); only its kind is kept. */
export class Opaque {
  /** What it was, in plain words, such as "an accessor". */
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

/** Own, enumerable, string-keyed data properties on an object without prototype. */
export interface InertRecord {
  readonly [key: string]: Inert;
}

/** Data that runs no code when it is read. */
export type Inert =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Inert[]
  | ReadonlyMap<Inert, Inert>
  | ReadonlySet<Inert>
  | InertRecord
  | FunctionHandle
  | Opaque;

/** Is the value a record, as opposed to a list, bytes, a map, a handle or a scalar? */
export function isInertRecord(value: Inert): value is InertRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(
    value instanceof Uint8Array ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof FunctionHandle ||
    value instanceof Opaque
  );
}

/** Member of a record; `undefined` when the value is no record or has no such own member. */
export function member(value: Inert, key: string): Inert {
  return isInertRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Equality of two inert values by content. NaN equals NaN; 0 and -0 differ, as in `Object.is`. Handles are never equal. */
export function sameInert(left: Inert, right: Inert): boolean {
  if (Object.is(left, right)) return !(left instanceof FunctionHandle);
  if (left instanceof Uint8Array) return right instanceof Uint8Array && sameList([...left], [...right]);
  if (Array.isArray(left)) return Array.isArray(right) && sameList(left, right);
  if (left instanceof Map) {
    return right instanceof Map && sameList([...left].flat(), [...right].flat());
  }
  if (left instanceof Set) return right instanceof Set && sameList([...left], [...right]);
  if (!isInertRecord(left) || !isInertRecord(right)) return false;
  const keys = Object.keys(left).sort();
  return (
    sameList(keys, Object.keys(right).sort()) &&
    keys.every((key) => sameInert(member(left, key), member(right, key)))
  );
}

const sameList = (left: readonly Inert[], right: readonly Inert[]): boolean =>
  left.length === right.length && left.every((item, index) => sameInert(item, right[index]));

const LONGEST_TEXT = 160;

/** One line that names a value for a reader: words in hexadecimal, long data cut with an ellipsis. */
export function describeInert(value: Inert): string {
  const text = plainText(value, 0);
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}

const DEEPEST_TEXT = 4;
const MOST_ITEMS = 12;

function plainText(value: Inert, depth: number): string {
  if (typeof value === "bigint")
    return value < 0n ? `-0x${(-value).toString(16)}n` : `0x${value.toString(16)}n`;
  if (typeof value === "string") return JSON.stringify(value.slice(0, LONGEST_TEXT));
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (value instanceof FunctionHandle) return "a function";
  if (value instanceof Opaque) return value.what;
  if (depth >= DEEPEST_TEXT) return "…";
  const list = (items: readonly string[]) =>
    items.slice(0, MOST_ITEMS).concat(items.length > MOST_ITEMS ? ["…"] : []);
  const nested = (item: Inert) => plainText(item, depth + 1);
  if (value instanceof Uint8Array) {
    const bytes = Array.from(value.subarray(0, MOST_ITEMS + 1), (byte) => byte.toString(16).padStart(2, "0"));
    return `${value.length} bytes [${list(bytes).join(" ")}]`;
  }
  if (value instanceof Map) {
    return `Map {${list([...value].slice(0, MOST_ITEMS + 1).map(([key, item]) => `${nested(key)} => ${nested(item)}`)).join(", ")}}`;
  }
  if (value instanceof Set)
    return `Set {${list([...value].slice(0, MOST_ITEMS + 1).map(nested)).join(", ")}}`;
  if (Array.isArray(value)) return `[${list(value.slice(0, MOST_ITEMS + 1).map(nested)).join(", ")}]`;
  const record = value as InertRecord;
  const keys = Object.keys(record);
  return `{${list(keys.slice(0, MOST_ITEMS + 1).map((key) => `${key}: ${nested(member(record, key))}`)).join(", ")}}`;
}
