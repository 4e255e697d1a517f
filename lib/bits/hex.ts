/** Numbers as a manual prints them. */

/** Lower-case hexadecimal with `0x`, padded to `digits`; negative values are shown as 64-bit words. */
export function hex(value: bigint | number, digits = 1): string {
  const word = BigInt.asUintN(64, BigInt(value));
  return `0x${word.toString(16).padStart(digits, "0")}`;
}

/** Hexadecimal in groups of four digits, as addresses are printed in the course: `0x8000_2008`. */
export function groupedHex(value: bigint | number, digits = 1): string {
  const text = hex(value, digits).slice(2);
  return `0x${text.replaceAll(/\B(?=(?:[0-9a-f]{4})+$)/g, "_")}`;
}

/** A 32-bit (or 16-bit) instruction word with all its digits. */
export const hexWord = (word: number, bytes = 4): string => hex(BigInt(word >>> 0), bytes * 2);
