/** Linear scales and round tick values, shared by every figure with axes. */

/** Maps a number of the domain to a coordinate in CSS pixels. */
export type Scale = (value: number) => number;

/** Linear map of `domain` onto `range`; a domain of one point maps to the start of the range. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const span = domain[1] - domain[0];
  const slope = span === 0 ? 0 : (range[1] - range[0]) / span;
  return (value) => range[0] + (value - domain[0]) * slope;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `rough`, and never below 1: ticks count things. */
export function roundStep(rough: number): number {
  if (rough <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  return factor * power;
}

/** Whole-number ticks from the first multiple of a round step inside the domain, about `count` of them. */
export function countTicks(domain: readonly [number, number], count: number): number[] {
  const step = roundStep((domain[1] - domain[0]) / Math.max(1, count));
  const ticks: number[] = [];
  for (let tick = Math.ceil(domain[0] / step) * step; tick <= domain[1]; tick += step) ticks.push(tick);
  return ticks;
}

/** A whole number with commas between groups of three digits, the same in every locale. */
export const groupDigits = (value: number | bigint): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
