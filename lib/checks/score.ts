/** Score arithmetic. Whatever comes in, a score is finite, between nothing and everything, and rounded one way. */

const STEPS_PER_POINT = 10_000;

/** A share of a whole: 0 for anything that is not a finite number, else clamped to 0…1. */
export function clampShare(share: unknown): number {
  if (typeof share !== "number" || !Number.isFinite(share)) return 0;
  return Math.min(1, Math.max(0, share)) + 0;
}

/** Rounds points to four decimals; never -0. */
export function roundPoints(points: number): number {
  return Math.round(points * STEPS_PER_POINT) / STEPS_PER_POINT + 0;
}

/** Points earned by a share of a maximum. */
export const pointsFor = (share: unknown, most: number): number => roundPoints(clampShare(share) * most);
