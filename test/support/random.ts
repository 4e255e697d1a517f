/** Random numbers that depend on their seed alone (xorshift32). Returns a function: a whole number in [0, limit). */
export function seededNumbers(seed: number): (limit: number) => number {
  let state = (seed * 2_654_435_769) >>> 0 || 1;
  return (limit) => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
