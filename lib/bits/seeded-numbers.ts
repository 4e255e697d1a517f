/**
 * Numbers that depend on a seed alone: xorshift32 after one round of multiplication. Not for secrets.
 *
 * @see G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003: shifts 13, 17, 5
 */
export class SeededNumbers {
  /** 32 bits, never zero. All that there is to save. */
  state: number;

  /** @param seed  Any number; seeds that are equal modulo 2³² give the same numbers. */
  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0 || 1;
  }

  /** The next 32 bits, unsigned. */
  next(): number {
    let word = this.state;
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    this.state = word >>> 0;
    return this.state;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + (this.next() % (max - min + 1));
  }
}
