/**
 * What both halves of the codec share: tags, caps, and everything that either needs later, captured before any student's
 * code can run. Patching a prototype afterwards changes nothing here.
 */

/** Caps of one encoded value. A value over a cap is refused as a whole: a cut value could compare equal to another. */
export const CODEC_LIMITS = { bytes: 4 << 20, depth: 48, items: 200_000 } as const;

/** First byte of each value. */
export const TAG = {
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

/** Thrown and caught inside the codec: a value cannot cross, and why. */
export class Refused {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const { apply, defineProperty } = Reflect;
const sliceMethod = Uint8Array.prototype.slice;
const setMethod = Uint8Array.prototype.set;
const plain = Object.create(null) as PropertyDescriptor;
plain.writable = true;
plain.enumerable = true;
plain.configurable = true;

/** Adds an own member without meeting a setter, and with a descriptor that inherits nothing. */
export function put(target: object, key: PropertyKey, value: unknown): void {
  plain.value = value;
  defineProperty(target, key, plain);
  plain.value = undefined;
}

/** A copy of a part of some bytes. */
export const copyOf = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  apply(sliceMethod, bytes, [from, to]) as Uint8Array;

/** Copies all of `source` into `target`. */
export const putBytes = (target: Uint8Array, source: Uint8Array, at: number): void => {
  apply(setMethod, target, [source, at]);
};
