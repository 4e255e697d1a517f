/** Floating-point words that are likely to be rounded, boxed or compared wrongly. */

type Below = (limit: number) => number;

const pick = <T>(below: Below, list: readonly T[]): T => list[below(list.length)] as T;

const randomBits = (below: Below, width: number): bigint =>
  BigInt.asUintN(width, (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32)));

/** A word of a format: specials, edges of the exponent range, sparse and dense fractions, and anything. */
function formatWord(below: Below, exponentBits: number, fractionBits: number): bigint {
  const top = 2 ** exponentBits - 1;
  const bias = top >> 1;
  const exponent = pick(below, [
    0,
    1,
    top - 1,
    top,
    bias,
    bias + 1,
    bias + fractionBits,
    bias + below(40) - 20,
    below(top),
  ]);
  const ones = (1n << BigInt(fractionBits)) - 1n;
  const bit = 1n << BigInt(below(fractionBits));
  const fraction = pick(below, [
    0n,
    0n,
    1n,
    ones,
    bit,
    bit | 1n,
    ones ^ bit,
    randomBits(below, fractionBits),
  ]);
  const sign = BigInt(below(2));
  return (((sign << BigInt(exponentBits)) | BigInt(exponent)) << BigInt(fractionBits)) | fraction;
}

const BOX = 0xffff_ffffn << 32n;

/** A register: a double, a boxed single, a single without its box, or an integer (which conversions read). */
export function floatRegisterWord(below: Below): bigint {
  switch (below(8)) {
    case 0:
      return formatWord(below, 8, 23);
    case 1:
      return BigInt.asUintN(64, BigInt.asIntN(1 + below(64), randomBits(below, 64)));
    case 2:
    case 3:
    case 4:
      return BOX | formatWord(below, 8, 23);
    default:
      return formatWord(below, 11, 52);
  }
}
