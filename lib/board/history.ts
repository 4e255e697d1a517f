/**
 * The course of events of one machine: the inputs that it got and when, checkpoints on the way, and how to be at any moment
 * of it again. Going back is going to a checkpoint and running forward; the same inputs come at the same moments.
 *
 * Wherever one travels, checkpoints appear.
 *
 * @invariant The present moment lies on the line. A new input in the past ends the line there: what came later never happened.
 */
import type { BreakpointHit } from "./breakpoint.ts";
import { restoreMachine } from "./capture.ts";
import { type Checkpoint, Checkpoints, DEFAULT_MAX_PAGES } from "./checkpoints.ts";
import { applyInput, type Input, type InputNode } from "./input.ts";
import type { Machine } from "./machine.ts";
import { compareMoments, type Moment, momentOf } from "./moment.ts";
import { nudgeMachine, type RunOptions, runMachine, stepOnce } from "./run-loop.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StepRecord } from "./step-record.ts";
import type { Stop } from "./stop.ts";

/** How densely a history is kept. */
export interface HistoryOptions {
  /** Retired instructions between checkpoints; infinite: only where one travels. */
  readonly intervalInsns?: number;
  /** Pages of RAM that checkpoints may hold, 4 KiB each. */
  readonly maxPages?: number;
}

/** At 5 million instructions a second, the slowest that is expected, a step back repeats a fifth of a second at most. */
export const DENSE_INTERVAL_INSNS = 1_000_000;
/** Distances before the goal at which traveling leaves checkpoints, so that the next step back is short. */
const APPROACH_INSNS = [200_000, 20_000, 2_000];

/** Hears of breakpoints that were met, and at which moment. */
export type HitListener = (hits: readonly BreakpointHit[], moment: Moment) => void;

/** Where a snapshot of the user's lies. */
interface Place {
  readonly inputs: InputNode | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** Somebody who looks at the machine at certain retired counts of its runs. */
export interface Sampler {
  /** The next count of interest. */
  readonly nextAtRetired: number;
  /** The machine stands there, before the inputs of that moment. */
  sample(): void;
  /** What came after this count never happened. */
  cut(retired: number): void;
}

/** The history of a machine. */
export class History {
  readonly #machine: Machine;
  #intervalInsns = Number.POSITIVE_INFINITY;
  #isKept = false;
  readonly #checkpoints: Checkpoints;
  /** Inputs of this line, in order; those from `#given` on lie in the future. */
  #inputs: InputNode[] = [];
  #given = 0;
  /** The farthest moment of this line that was reached. */
  #end: Moment;
  /** State blocks as the last run left them; undefined where nobody compares. */
  #left: Uint8Array | undefined;
  readonly #places = new WeakMap<Snapshot, Place>();
  #isRunning = false;
  #isRepeating = false;
  readonly #samplers = new Set<Sampler>();
  /** Inputs that came in the middle of a run. */
  #waiting: Input[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#checkpoints = new Checkpoints(machine);
    this.#end = momentOf(machine);
  }

  /** Whether one can go back: somebody asked for a history. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Where history begins: nothing earlier can be reached. */
  get start(): Moment | undefined {
    return this.#checkpoints.first?.moment;
  }

  /** The farthest moment that was reached. */
  get end(): Moment {
    return this.#isInPast ? this.#end : momentOf(this.#machine);
  }

  /** The last input that the machine has got. */
  get inputs(): InputNode | undefined {
    return this.#inputs[this.#given - 1];
  }

  /** Checkpoints and the pages that they hold, for figures. */
  get size(): { readonly checkpoints: number; readonly pages: number } {
    return this.#checkpoints.size;
  }

  get #isInPast(): boolean {
    return compareMoments(momentOf(this.#machine), this.#end) < 0 || this.#given < this.#inputs.length;
  }

  /** Keeps a history from the next run on, or changes how densely it is kept. */
  keep({ intervalInsns = DENSE_INTERVAL_INSNS, maxPages = DEFAULT_MAX_PAGES }: HistoryOptions = {}): void {
    this.#intervalInsns = Math.max(1000, intervalInsns);
    this.#checkpoints.maxPages = Math.max(0, maxPages);
    this.#isKept = true;
    this.#remember();
  }

  /** Forgets everything: the machine was switched off and on. */
  restart(): void {
    this.#checkpoints.clear();
    this.#inputs = [];
    this.#given = 0;
    this.#end = momentOf(this.#machine);
    this.#remember();
  }

  /**
   * A person's input, now: it ends the line here, what came later never happened. In the middle of a run, between the
   * present instruction and the next.
   *
   * @returns  False when the machine has no place for such an input.
   */
  give(input: Input): boolean {
    if (this.#isRunning) {
      this.#waiting.push(input);
      this.#machine.pauseRequested = true;
      this.#machine.halt.set(this.#machine.clock.now);
      return true;
    }
    this.settle();
    this.#machine.clock.ringDue();
    this.#cutFuture();
    if (!applyInput(this.#machine, input)) return false;
    this.#note(input);
    return true;
  }

  /**
   * Bytes that somebody outside has written to RAM. What handlers write while the machine runs is no input: the same run
   * calls the same handlers.
   */
  noteMemory(paddr: number, bytes: Uint8Array): void {
    if (this.#isRunning) return;
    this.settle();
    this.#cutFuture();
    if (this.#checkpoints.first !== undefined) this.#note({ kind: "memory", paddr, bytes: bytes.slice() });
  }

  /** Notices registers that somebody wrote since the last run. Comes before everything that depends on them. */
  settle(): void {
    const { stateBlock } = this.#machine;
    if (this.#left === undefined || isEqual(this.#left, stateBlock)) return;
    this.#cutFuture();
    this.#note({ kind: "state", block: stateBlock.slice() });
  }

  /** Before a run: registers are noted, and history has a beginning. */
  #beginRun(): void {
    if (!this.#isKept) return;
    this.settle();
    if (this.#checkpoints.first !== undefined) return;
    this.#inputs = [];
    this.#given = 0;
    this.#end = momentOf(this.#machine);
    this.#take();
  }

  #endRun(): void {
    this.#machine.clock.ringDue();
    const { retired } = this.#machine.clock;
    for (const sampler of this.#samplers) if (retired >= sampler.nextAtRetired) sampler.sample();
    const moment = momentOf(this.#machine);
    if (compareMoments(moment, this.#end) > 0) this.#end = moment;
    this.#remember();
  }

  /** Runs the machine, with pauses for checkpoints and for inputs: those that come now, and those of a past that is repeated. */
  run({ instructions, ...options }: RunOptions): Stop {
    const { clock, breakpoints } = this.#machine;
    const deadline = clock.retired + Math.max(0, instructions);
    const steps: StepRecord[] = [];
    this.#beginRun();
    this.#giveDue();
    breakpoints.begin();
    for (;;) {
      const samples = [...this.#samplers].map(({ nextAtRetired }) => nextAtRetired);
      const pauseAt = Math.max(clock.retired, Math.min(deadline, this.pauseAtRetired, ...samples));
      const stop = this.#piece(() =>
        runMachine(this.#machine, { ...options, instructions: pauseAt - clock.retired }),
      );
      for (const step of stop.steps ?? []) steps.push(step);
      const goesOn = this.#goesOn(stop, deadline);
      if (goesOn) continue;
      breakpoints.end();
      return { ...stop, retired: clock.retired, ...(options.log === true ? { steps } : {}) };
    }
  }

  /** Whether the machine repeats what it did before, for somebody who travels: observers have heard of that already. */
  get isRepeating(): boolean {
    return this.#isRepeating;
  }

  /** Does something that repeats the past; observers do not hear of it. */
  repeating<Result>(work: () => Result): Result {
    const before = this.#isRepeating;
    this.#isRepeating = true;
    try {
      return work();
    } finally {
      this.#isRepeating = before;
    }
  }

  /** One step, as `run` makes them. */
  step(): StepRecord {
    this.#beginRun();
    if (this.pauseAtRetired <= this.#machine.clock.retired) this.reach();
    this.#giveDue();
    const record = this.#piece(() => stepOnce(this.#machine));
    this.#giveDue();
    return record;
  }

  #piece<Result>(work: () => Result): Result {
    this.#isRunning = true;
    try {
      return work();
    } finally {
      // Also when a listener of the user's has thrown: the machine stands behind the instruction that it heard of.
      this.#isRunning = false;
      this.#endRun();
      this.#machine.pauseRequested = false;
      for (const input of this.#waiting.splice(0)) this.give(input);
    }
  }

  /** Whether a piece of a run ended only for a pause. */
  #goesOn({ reason }: Stop, deadline: number): boolean {
    const { retired } = this.#machine.clock;
    if (reason !== "budget" && reason !== "wfi") return false;
    const wasGiven = this.#given;
    if (this.pauseAtRetired <= retired && !this.reach()) this.#cutFuture();
    this.pause();
    return retired < deadline && (reason === "budget" || this.#given > wasGiven);
  }

  /** From now on, runs pause for a sampler. Returns how to stop that. */
  addSampler(sampler: Sampler): () => void {
    this.#samplers.add(sampler);
    return () => this.#samplers.delete(sampler);
  }

  #cutSamples(): void {
    for (const sampler of this.#samplers) sampler.cut(this.#machine.clock.retired);
  }

  /** The retired count at which a run must pause, for a checkpoint or for an input that came here. */
  get pauseAtRetired(): number {
    const next = this.#inputs[this.#given];
    if (!this.#isKept) return Number.POSITIVE_INFINITY;
    return Math.min(this.#nextCheckpoint(), next?.moment.retired ?? Number.POSITIVE_INFINITY);
  }

  /** At a pause: gives the inputs of this moment, takes a checkpoint if one is due. */
  pause(): void {
    if (!this.#isKept) return;
    this.#giveDue();
    if (this.#machine.clock.retired >= this.#dueAt()) this.#take();
  }

  /** Tells where a snapshot lies. */
  mark(snapshot: Snapshot): void {
    this.#places.set(snapshot, {
      inputs: this.inputs,
      checkpoint: this.#checkpoints.atOrBefore(momentOf(this.#machine)),
    });
  }

  /** The machine went back to a snapshot: the line ends there. */
  reverted(snapshot: Snapshot): void {
    const place = this.#places.get(snapshot);
    this.#inputs = listed(place?.inputs);
    this.#given = this.#inputs.length;
    this.#checkpoints.follow(place?.checkpoint);
    this.#end = momentOf(this.#machine);
    this.#cutSamples();
    this.#remember();
  }

  /**
   * Puts the machine to a moment of the line, with the inputs that came at it.
   *
   * @param onHit  Hears of breakpoints that are met on the way; nobody does when it is left out.
   * @returns      Whether the machine stands there. False: before history begins; or the machine, given the same inputs,
   *               did something else, which is our bug.
   */
  goTo(moment: Moment, onHit?: HitListener): boolean {
    // Hits are looked for on a way that has some length.
    const from =
      onHit === undefined ? this.#checkpoints.atOrBefore(moment) : this.#checkpoints.before(moment);
    if (from === undefined) return false;
    const here = momentOf(this.#machine);
    const isBehind = compareMoments(here, from.moment) >= 0 && compareMoments(here, moment) <= 0;
    if (!isBehind || onHit !== undefined) this.#restore(from);
    else this.settle();
    const isThere = this.#forwardTo(moment, onHit) && compareMoments(momentOf(this.#machine), moment) === 0;
    this.#remember();
    return isThere;
  }

  /** Puts the machine to where it first had retired so many instructions. */
  goToRetired(retired: number): boolean {
    const goal = { retired, traps: 0, now: Number.POSITIVE_INFINITY };
    const from = this.#checkpoints.atOrBefore(goal);
    if (from === undefined) return false;
    const here = momentOf(this.#machine);
    const isBehind =
      compareMoments(here, from.moment) >= 0 && (here.retired < retired || compareMoments(here, goal) <= 0);
    if (!isBehind) this.#restore(from);
    else this.settle();
    const isThere = this.#forwardTo({ retired, traps: 0, now: 0 }, undefined);
    this.#remember();
    return isThere;
  }

  /**
   * One step of what happened, or one sleep, with the inputs that came after it. False: nothing more happens.
   *
   * @param goal  A moment to come, beyond which no sleep leads; that of the next input when left out.
   */
  advance(goal = this.#inputs[this.#given]?.moment): boolean {
    const isMoving = nudgeMachine(this.#machine, sleepLimit(this.#machine, goal));
    this.#machine.clock.ringDue();
    this.#giveDue();
    this.#remember();
    return isMoving;
  }

  /** The last checkpoint before a moment. */
  momentBefore(moment: Moment): Moment | undefined {
    return this.#checkpoints.before(moment)?.moment;
  }

  /** Takes a checkpoint now unless there is one. */
  checkpoint(): void {
    const moment = momentOf(this.#machine);
    const last = this.#checkpoints.atOrBefore(moment);
    if (last === undefined || compareMoments(last.moment, moment) < 0) this.#take();
  }

  /** Takes a checkpoint now that is never dropped. What it returns says whether it still lies on the line. */
  pin(): () => boolean {
    this.keep({ intervalInsns: this.#intervalInsns, maxPages: this.#checkpoints.maxPages });
    this.#beginRun();
    this.checkpoint();
    const pinned = this.#checkpoints.atOrBefore(momentOf(this.#machine));
    if (pinned !== undefined) pinned.isPinned = true;
    return () => pinned !== undefined && this.#checkpoints.has(pinned);
  }

  /** Runs to the first moment at or after the goal. False: the machine stopped before. */
  #forwardTo(goal: Moment, onHit: HitListener | undefined): boolean {
    const { clock, breakpoints } = this.#machine;
    this.#giveDue();
    if (onHit !== undefined) breakpoints.begin("everywhere");
    let isMoving = true;
    while (isMoving && clock.retired < goal.retired) isMoving = this.#runOn(goal, onHit);
    while (isMoving && compareMoments(momentOf(this.#machine), goal) < 0) {
      isMoving = this.advance(goal);
      this.#tellHits(breakpoints.takeHits(), onHit);
    }
    breakpoints.end();
    return compareMoments(momentOf(this.#machine), goal) >= 0;
  }

  #runOn(goal: Moment, onHit: HitListener | undefined): boolean {
    const { clock } = this.#machine;
    const before = clock.retired;
    const approach = APPROACH_INSNS.map((distance) => goal.retired - distance).find((at) => at > before);
    const pauseAt = Math.min(goal.retired, this.pauseAtRetired, approach ?? Number.POSITIVE_INFINITY);
    const stop = runMachine(this.#machine, { instructions: Math.max(0, pauseAt - before) });
    const { reason } = stop;
    clock.ringDue();
    if (reason === "breakpoint" && this.#tellHits(stop.hits ?? [], onHit)) return true;
    const hasReached = this.reach();
    this.pause();
    if (clock.retired === approach) this.checkpoint();
    return hasReached || (reason === "budget" && clock.retired > before);
  }

  #tellHits(hits: readonly BreakpointHit[], onHit: HitListener | undefined): boolean {
    if (onHit === undefined || hits.length === 0) return false;
    onHit(hits, momentOf(this.#machine));
    this.#machine.breakpoints.begin();
    return true;
  }

  /** Brings the machine from the retired count of the next input to its very moment. Whether it stands there. */
  reach(): boolean {
    const next = this.#inputs[this.#given];
    const { clock } = this.#machine;
    if (next === undefined || next.moment.retired !== clock.retired) return false;
    while (compareMoments(momentOf(this.#machine), next.moment) < 0) {
      if (!nudgeMachine(this.#machine, sleepLimit(this.#machine, next.moment))) return false;
      clock.ringDue();
      if (clock.retired > next.moment.retired) return false;
    }
    return true;
  }

  #giveDue(): void {
    const here = momentOf(this.#machine);
    for (;;) {
      const next = this.#inputs[this.#given];
      if (next === undefined || compareMoments(next.moment, here) > 0) return;
      applyInput(this.#machine, next.input);
      this.#given++;
      // What it changed is no doing of somebody outside, which would cut the future off.
      this.#remember();
    }
  }

  /** Before history begins, inputs are part of its beginning. */
  #note(input: Input): void {
    if (this.#checkpoints.first === undefined) {
      this.#remember();
      return;
    }
    const previous = this.inputs;
    this.#inputs.push({ input, moment: momentOf(this.#machine), previous, index: this.#given });
    this.#given++;
    this.#end = momentOf(this.#machine);
    this.#remember();
  }

  #cutFuture(): void {
    if (!this.#isKept) return;
    const here = momentOf(this.#machine);
    this.#inputs.length = this.#given;
    this.#checkpoints.cutAfter(here);
    this.#end = here;
    this.#machine.console.settle();
    this.#cutSamples();
  }

  #restore(checkpoint: Checkpoint): void {
    if (checkpoint.snapshot === undefined) return;
    restoreMachine(this.#machine, checkpoint.snapshot);
    this.#given = checkpoint.inputs === undefined ? 0 : checkpoint.inputs.index + 1;
  }

  #remember(): void {
    this.#left = this.#isKept ? this.#machine.stateBlock.slice() : undefined;
  }

  /** When the present interval calls for a checkpoint. */
  #dueAt(): number {
    const last = this.#checkpoints.atOrBefore(momentOf(this.#machine));
    return (last?.moment.retired ?? 0) + this.#intervalInsns;
  }

  /** The next retired count of interest, later than now; a checkpoint that was dropped at once is not taken again at once. */
  #nextCheckpoint(): number {
    if (!Number.isFinite(this.#intervalInsns)) return Number.POSITIVE_INFINITY;
    const intervals = Math.floor(this.#machine.clock.retired / this.#intervalInsns);
    return Math.max(this.#dueAt(), (intervals + 1) * this.#intervalInsns);
  }

  #take(): void {
    this.#checkpoints.take(this.inputs, this.#end.retired);
  }
}

function listed(last: InputNode | undefined): InputNode[] {
  const nodes: InputNode[] = [];
  for (let at = last; at !== undefined; at = at.previous) nodes.unshift(at);
  return nodes;
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

/** Where a sleep toward a moment ends at the latest; infinite while instructions lie between. */
function sleepLimit({ clock }: Machine, goal: Moment | undefined): number {
  return goal !== undefined && goal.retired === clock.retired && goal.now > clock.now
    ? goal.now
    : Number.POSITIVE_INFINITY;
}
