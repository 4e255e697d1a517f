/** How long a small guest takes from the construction of its board to power-off: what a reader of a page waits for. */

import type { EngineName } from "../../../board/engine-choice.ts";
import { middle } from "./arithmetic.ts";
import type { GuestAnswer, GuestOrder } from "./guest-child.ts";
import { timedScript } from "./timed-process.ts";

/** Medians of fresh processes. */
export interface StartUpFigures {
  readonly insns: number;
  readonly wallMs: number;
  readonly processorMs: number;
  /** The whole process: Node's start and the loading of the kit, too. */
  readonly processMs: number;
  readonly runs: number;
}

const RUNS = 5;
const LIMIT_MS = 60_000;
/** `mix` with so many rounds retires two million instructions. */
const ROUNDS = 13;

/** Measures it. */
export function measureStartUp(engine: EngineName): StartUpFigures {
  const order: GuestOrder = { guest: "mix", rounds: ROUNDS, engine };
  const runs = Array.from({ length: RUNS }, () => timedScript<GuestAnswer>("guest-child", order, LIMIT_MS));
  return {
    insns: runs[0]?.answer.retired ?? 0,
    wallMs: middle(runs.map((run) => run.answer.guestMs.wall)),
    processorMs: middle(runs.map((run) => run.answer.guestMs.processor)),
    processMs: middle(runs.map((run) => run.wallSeconds * 1000)),
    runs: RUNS,
  };
}
