/** Named seeds: every random choice of a check comes from a number that is derived from names and can be printed. */

/** A seed and where it comes from. */
export interface NamedSeed {
  /** Unsigned 32 bits. */
  readonly value: number;
  /** Parts that the value was derived from, such as `01-landing-on-the-island/alice/codec`. */
  readonly name: string;
}

/** Derives a seed from names, in order: FNV-1a over their UTF-16 units, then a finalizer that spreads every bit. */
export function seedFor(...names: readonly string[]): NamedSeed {
  const name = names.join("/");
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return { value: (hash ^ (hash >>> 16)) >>> 0, name };
}

/** The seed of a check where nothing is hidden: the same for everybody, so that two readers see the same instance. */
export const visibleSeed = (check: string): NamedSeed => seedFor(check, "visible");

/** `0x1a2b3c4d (01-landing/alice/codec)`: what a reader needs to run the same instance again. */
export const describeSeed = (seed: NamedSeed): string =>
  `0x${seed.value.toString(16).padStart(8, "0")} (${seed.name})`;

/** Small seeded generator for instances that are data and not properties (mulberry32): unsigned 32 bits per call. */
export function seededWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
}
