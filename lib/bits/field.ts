/**
 * Bit fields: where a named group of bits sits inside a register, and how to read and replace it.
 */
import { ones } from "./int64.ts";

/** The place of a field: its lowest bit and its width in bits. */
export interface BitField {
  readonly lsb: number;
  readonly width: number;
}

/** Makes a field from the manual's notation: `bits(12, 11)` is bits 12 down to 11; `bits(7)` is one bit. */
export function bits(msb: number, lsb: number = msb): BitField {
  if (!(Number.isInteger(lsb) && Number.isInteger(msb) && lsb >= 0 && msb >= lsb)) {
    throw new RangeError(`no such bit field: ${msb}:${lsb}`);
  }
  return { lsb, width: msb - lsb + 1 };
}

/** Distances as BigInt, made once: fields are read and replaced at every trap. */
const DISTANCES: readonly bigint[] = Array.from({ length: 64 }, (_, bit) => BigInt(bit));
const distance = (lsb: number): bigint => DISTANCES[lsb] ?? BigInt(lsb);
/** Masks of fields inside 64 bits, by lowest bit and width, made when first asked for. */
const MASKS: (bigint | undefined)[] = new Array(64 * 64);

/** The field's bits in place, as a mask. */
export function fieldMask({ lsb, width }: BitField): bigint {
  if (lsb > 63 || width > 64 || width < 1) return ones(width) << BigInt(lsb);
  const at = lsb * 64 + width - 1;
  const mask = MASKS[at] ?? ones(width) << distance(lsb);
  MASKS[at] = mask;
  return mask;
}

/** The field's value, shifted down to bit 0, unsigned. */
export const getField = (word: bigint, { lsb, width }: BitField): bigint =>
  (word >> distance(lsb)) & ones(width);

/** `word` with the field replaced by the low bits of `value`. */
export function setField(word: bigint, field: BitField, value: bigint): bigint {
  const mask = fieldMask(field);
  return (word & ~mask) | ((value << distance(field.lsb)) & mask);
}

/** The manual's name of the place: `12:11`, or `7` for one bit. */
export const fieldRange = ({ lsb, width }: BitField): string =>
  width === 1 ? `${lsb}` : `${lsb + width - 1}:${lsb}`;
