/** Going back: by steps, to a retired count, to the last breakpoint. */
import type { BreakpointHit } from "./breakpoint.ts";
import type { History } from "./history.ts";
import type { Machine } from "./machine.ts";
import { compareMoments, type Moment, momentOf } from "./moment.ts";
import type { StepRecord } from "./step-record.ts";

/** Where the machine stands after a journey. */
export interface Travel {
  readonly kind: "moment";
  readonly moment: Moment;
  /** Which breakpoints the next step meets. */
  readonly hits?: readonly BreakpointHit[];
  /** History begins here: nothing earlier can be reached. */
  readonly isStart?: boolean;
}

/** Why the machine stayed where it was. */
export interface TravelError {
  readonly kind: "travel-error";
  readonly reason: "no-history" | "before-history" | "beyond-history" | "diverged";
  readonly message: string;
}

/** How much farther each attempt to find enough steps reaches. */
const WIDER = 16;

/** Goes back over `steps` steps, of one hart if it is named. */
export function stepBack(
  machine: Machine,
  history: History,
  steps: number,
  hart?: number,
): Travel | TravelError {
  history.settle();
  const start = history.start;
  if (start === undefined) return noHistory(history);
  const here = momentOf(machine);
  if (!(steps >= 1)) return travel(machine);
  for (let reach = steps; ; reach *= WIDER) {
    const from = goBack(machine, history, here.retired - reach, start);
    if (from === undefined) return diverged(history, here);
    const made = stepsTo(machine, history, here, hart);
    const wanted = made.length - steps;
    const goal = made[wanted];
    if (goal !== undefined)
      return arrive(machine, history, from, goal) ? travel(machine) : diverged(history, here);
    if (compareMoments(from, start) <= 0) return refuseSteps(history, here, made.length, steps);
  }
}

/** The last steps, oldest first; fewer when history is shorter. The machine ends where it stood. */
export function lastSteps(
  machine: Machine,
  history: History,
  count: number,
): readonly StepRecord[] | TravelError {
  const here = momentOf(machine);
  const { start } = history;
  if (start === undefined) return noHistory(history);
  const back = stepBack(machine, history, count);
  if (back.kind === "travel-error" && (back.reason !== "before-history" || !history.goTo(start))) return back;
  const steps: StepRecord[] = [];
  while (compareMoments(momentOf(machine), here) < 0) {
    const before = momentOf(machine);
    const record = history.step();
    if (compareMoments(momentOf(machine), before) === 0) break;
    steps.push(record);
  }
  return steps;
}

/** To a retired count, or to where history begins if that is later; a checkpoint is left there. Where that is. */
function goBack(machine: Machine, history: History, retired: number, start: Moment): Moment | undefined {
  const isThere = retired > start.retired ? history.goToRetired(retired) : history.goTo(start);
  if (!isThere) return undefined;
  history.checkpoint();
  return momentOf(machine);
}

/**
 * Repeats the course of events up to a moment. For each step (of the hart that is named): how many nudges came before it.
 */
function stepsTo(machine: Machine, history: History, end: Moment, hart: number | undefined): number[] {
  const made: number[] = [];
  for (let nudges = 0; ; nudges++) {
    const before = momentOf(machine);
    if (compareMoments(before, end) >= 0 || !history.advance()) return made;
    const after = momentOf(machine);
    const isStep = before.retired !== after.retired || before.traps !== after.traps;
    if (isStep && (hart === undefined || machine.turns.current === hart)) made.push(nudges);
  }
}

function arrive(machine: Machine, history: History, from: Moment, nudges: number): boolean {
  if (!history.goTo(from)) return false;
  for (let made = 0; made < nudges; made++) if (!history.advance()) return false;
  return machine.finish === undefined;
}

/** Goes to where the machine first had retired so many instructions. */
export function goToRetired(machine: Machine, history: History, retired: number): Travel | TravelError {
  history.settle();
  const start = history.start;
  if (start === undefined) return noHistory(history);
  const here = momentOf(machine);
  if (!(retired >= start.retired)) {
    return error(
      "before-history",
      `History begins at ${start.retired} retired instructions; ${retired} lies before.`,
    );
  }
  if (retired > history.end.retired) {
    const message = `The machine has retired ${history.end.retired} instructions so far; run it to get to ${retired}.`;
    return error("beyond-history", message);
  }
  const isThere = retired === start.retired ? history.goTo(start) : history.goToRetired(retired);
  return isThere ? travel(machine) : diverged(history, here);
}

/** On which side of the step that a breakpoint waits for a run backward ends. An execute breakpoint has one side only. */
export type Landing = "before" | "after";

/** Runs backward to the last step that a breakpoint would have stopped. */
export function reverseContinue(machine: Machine, history: History, landing: Landing): Travel | TravelError {
  history.settle();
  const start = history.start;
  if (start === undefined) return noHistory(history);
  const here = momentOf(machine);
  for (let upper = here; ; ) {
    const lower = history.momentBefore(upper);
    if (lower === undefined) break;
    let last: { hits: readonly BreakpointHit[]; moment: Moment } | undefined;
    const isThere = history.goTo(upper, (hits, moment) => {
      const isExecute = hits.some(({ breakpoint }) => breakpoint.spec.kind === "execute");
      const isBefore = compareMoments(moment, here) < (isExecute ? 0 : 1);
      if (isBefore) last = { hits, moment };
    });
    if (!isThere) return diverged(history, here);
    if (last !== undefined) return atHit(machine, history, last, landing);
    upper = lower;
  }
  return history.goTo(start) ? { ...travel(machine), isStart: true } : diverged(history, here);
}

/** For an instruction that was stopped before it ran: there. Else beside the step that did what the breakpoint waits for. */
function atHit(
  machine: Machine,
  history: History,
  { hits, moment }: { readonly hits: readonly BreakpointHit[]; readonly moment: Moment },
  landing: Landing,
): Travel | TravelError {
  if (!history.goTo(moment)) return diverged(history, moment);
  const isExecute = hits.some(({ breakpoint }) => breakpoint.spec.kind === "execute");
  const isThere = isExecute || landing === "after";
  const result = isThere ? travel(machine) : stepBack(machine, history, 1);
  return result.kind === "moment" ? { ...result, hits } : result;
}

const travel = (machine: Machine): Travel => ({ kind: "moment", moment: momentOf(machine) });

const error = (reason: TravelError["reason"], message: string): TravelError => ({
  kind: "travel-error",
  reason,
  message,
});

const noHistory = (history: History): TravelError =>
  error(
    "no-history",
    history.isKept
      ? "The machine has not run yet."
      : "Nobody keeps this board's history. Call board.history.keep() before you run it.",
  );

function refuseSteps(history: History, here: Moment, made: number, wanted: number): TravelError {
  if (!history.goTo(here)) return diverged(history, here);
  return error(
    "before-history",
    `Only ${made} steps lie between here and where history begins, not ${wanted}.`,
  );
}

/** Never seen unless the kit is broken, or somebody changed the machine behind the board's back. */
function diverged(history: History, here: Moment): TravelError {
  history.goTo(here);
  const message =
    "Given the same inputs, the machine did something else. Was it changed past the board (board.bus.ram, a device, an hx handler with a memory of its own)?";
  return error("diverged", message);
}
