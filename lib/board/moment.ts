/**
 * A place in the course of a machine, between two steps. Instructions alone do not name it: traps and sleep take none.
 * The same machine that is given the same inputs passes through the same moments.
 */
import type { Machine } from "./machine.ts";

/** One moment. Moments of one course of events are ordered. */
export interface Moment {
  /** Instructions that the machine had retired. */
  readonly retired: number;
  /** Traps that it had taken since the last of them. */
  readonly traps: number;
  /** Machine time in instruction times, sleep included. */
  readonly now: number;
}

/** The first moment of all. */
export const POWER_ON: Moment = { retired: 0, traps: 0, now: 0 };

/** Where a machine stands. */
export function momentOf({ clock, trapLoop }: Machine): Moment {
  return { retired: clock.retired, traps: trapLoop.trapsAt(clock.retired), now: clock.now };
}

/** Negative, zero or positive: `left` is earlier, the same or later. */
export function compareMoments(left: Moment, right: Moment): number {
  return left.retired - right.retired || left.traps - right.traps || left.now - right.now;
}
