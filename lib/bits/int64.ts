/**
 * 64-bit words as BigInt.
 *
 * A register holds 64 bits and no sign; these two functions say how to read them. Everything is pure.
 */

/** Reads the low 64 bits of `value` as unsigned: 0 … 2⁶⁴−1. */
export const asU64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Reads the low 64 bits of `value` as two's complement: −2⁶³ … 2⁶³−1. */
export const asI64 = (value: bigint): bigint => BigInt.asIntN(64, value);

const onesOf = (width: number): bigint => (1n << BigInt(width)) - 1n;
const ONES: readonly bigint[] = Array.from({ length: 65 }, (_, width) => onesOf(width));

/** A mask of `width` ones from bit 0 up; `width` is 0 … 64 (or more). */
export const ones = (width: number): bigint => ONES[width] ?? onesOf(width);

/** True when `value` fits in `width` bits of two's complement. */
export const fitsSigned = (value: bigint, width: number): boolean => BigInt.asIntN(width, value) === value;

/** True when `value` fits in `width` unsigned bits. */
export const fitsUnsigned = (value: bigint, width: number): boolean => BigInt.asUintN(width, value) === value;
