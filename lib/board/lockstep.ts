/**
 * Two boards in lockstep: the same machine on two engines, run in pieces and compared after each. Where they part ways, the
 * first instruction that differs is found by halving, and shown with everything that it left different.
 */
import type { Board } from "./board.ts";
import { type Difference, differencesBetween, type LockstepView, viewOf } from "./lockstep-compare.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StepRecord } from "./step-record.ts";
import type { Stop } from "./stop.ts";

/** A board on each engine, built and loaded alike. The first is the one that is believed. */
export type BoardPair = readonly [Board, Board];

/** How to run two boards in lockstep. */
export interface LockstepOptions {
  /** Builds both boards anew: at the beginning, and where going back does not show a difference again. */
  readonly build: () => BoardPair;
  /** What the two are called in the report. */
  readonly names?: readonly [string, string];
  /** Retired instructions to run. */
  readonly instructions: number;
  /** Retired instructions between comparisons; 1,000,000 when left out. */
  readonly every?: number;
  /** Gives both boards the same before each piece: input from outside, bytes into RAM. The piece's number is all it may depend on. */
  readonly before?: (board: Board, piece: number) => void;
}

/** How a lockstep run ended. */
export type LockstepReport =
  | {
      readonly kind: "same";
      readonly retired: number;
      readonly stop: Stop;
      readonly hash: string;
      readonly boards: BoardPair;
    }
  | LockstepDifference;

/** Where two engines part ways. */
export interface LockstepDifference {
  readonly kind: "different";
  /** Instructions that had retired when everything was still the same. */
  readonly retired: number;
  /** What the believed engine did next: traps, if any, and the instruction. Empty where the place could not be found again. */
  readonly steps: readonly StepRecord[];
  readonly differences: readonly Difference[];
  /** The last events of both. */
  readonly events: readonly [string, string];
  /** All of it in words. */
  readonly message: string;
}

const EVERY = 1_000_000;
/** Events of each side that a report shows. */
const SHOWN_EVENTS = 6;
/** Differences that a report shows. */
const SHOWN_DIFFERENCES = 24;
const NAMES = ["reference", "translator"] as const;

/** Runs both boards to the end, or to the first difference. */
export function lockstep(options: LockstepOptions): LockstepReport {
  const run = new LockstepRun(options);
  const begun = run.compare(true);
  if (begun.length > 0) return run.report(0, [], begun);
  for (;;) {
    const { found, isOver } = run.piece();
    if (found.length > 0) return run.locate(found);
    if (!isOver) continue;
    const atEnd = run.compare(true);
    // What only a look at all of RAM shows was written behind everybody's back: no piece knows when.
    return atEnd.length > 0 ? run.report(run.retired, [], atEnd) : run.same();
  }
}

type Stops = readonly [Stop, Stop];

class LockstepRun {
  readonly #options: LockstepOptions;
  readonly #every: number;
  #boards: BoardPair;
  #piece = 0;
  /** The beginning of the present piece. */
  #starts: readonly [Snapshot, Snapshot];
  #stops: Stops | undefined;

  constructor(options: LockstepOptions) {
    this.#options = options;
    this.#every = options.every ?? EVERY;
    this.#boards = options.build();
    this.#starts = snapshots(this.#boards);
  }

  get retired(): number {
    return this.#boards[0].clock.retired;
  }

  /** Runs one more piece and compares. */
  piece(): { found: Difference[]; isOver: boolean } {
    this.#starts = snapshots(this.#boards);
    const length = Math.min(this.#every, this.#options.instructions - this.retired);
    this.#run(length);
    const found = this.compare();
    const reason = this.#stops?.[0].reason;
    const isOver = reason !== "budget" || this.retired >= this.#options.instructions;
    if (found.length === 0) this.#piece++;
    return { found, isOver };
  }

  /** What differs now; with `whole`, in all of RAM and not only where somebody has said that he stores. */
  compare(whole = false): Difference[] {
    const views = this.#boards.map((board, side) => viewOf(board, this.#starts[side], this.#stops?.[side]));
    return differencesBetween(views[0] as LockstepView, views[1] as LockstepView, whole);
  }

  same(): LockstepReport {
    const [left] = this.#boards;
    const stop = this.#stops?.[0] ?? { reason: "budget", retired: this.retired };
    return { kind: "same", retired: this.retired, stop, hash: left.trace.hash(), boards: this.#boards };
  }

  /** The present piece ended differently: finds the first instruction that does. */
  locate(found: readonly Difference[]): LockstepDifference {
    const start = this.#starts[0].retired;
    const length = Math.max(1, ...this.#boards.map((board) => board.clock.retired - start));
    for (const again of [() => this.#goBack(), () => this.#rebuild()]) {
      const differsAfter = (instructions: number): Difference[] => {
        again();
        this.#run(instructions);
        return this.compare();
      };
      if (differsAfter(length).length === 0) continue;
      let [same, different] = [0, length];
      while (different - same > 1) {
        const middle = Math.floor((same + different) / 2);
        if (differsAfter(middle).length > 0) different = middle;
        else same = middle;
      }
      const differences = differsAfter(different);
      const events = this.#events();
      again();
      this.#run(same);
      const { steps = [] } = this.#boards[0].run({ instructions: 1, log: true });
      return this.report(start + same, steps, differences, events);
    }
    return this.report(start, [], found);
  }

  report(
    retired: number,
    steps: readonly StepRecord[],
    differences: readonly Difference[],
    events: readonly [string, string] = this.#events(),
  ): LockstepDifference {
    const found = { kind: "different" as const, retired, steps, differences, events };
    return { ...found, message: inWords(found, this.#options.names ?? NAMES, this.#every) };
  }

  #events(): readonly [string, string] {
    const [left, right] = this.#boards;
    return [left.lastEvents(SHOWN_EVENTS), right.lastEvents(SHOWN_EVENTS)];
  }

  #run(instructions: number): void {
    const { before } = this.#options;
    if (before !== undefined) for (const board of this.#boards) before(board, this.#piece);
    const [left, right] = this.#boards;
    this.#stops = [left.run({ instructions }), right.run({ instructions })];
  }

  #goBack(): void {
    for (const [side, board] of this.#boards.entries()) board.revert(this.#starts[side] as Snapshot);
  }

  /** The same pieces again, on new boards: what an engine remembers is then as it was. */
  #rebuild(): void {
    const piece = this.#piece;
    this.#boards = this.#options.build();
    for (this.#piece = 0; this.#piece < piece; this.#piece++) this.#run(this.#every);
    this.#starts = snapshots(this.#boards);
  }
}

const snapshots = ([left, right]: BoardPair): [Snapshot, Snapshot] => [left.snapshot(), right.snapshot()];

function inWords(
  { retired, steps, differences, events }: Omit<LockstepDifference, "message">,
  names: readonly [string, string],
  every: number,
): string {
  const where =
    steps.length > 0
      ? `The engines part ways after ${retired} instructions, in this one:`
      : `The engines part ways within ${every} instructions after the first ${retired}, and not a second time: it depends on what ran before.`;
  const width = Math.max(...names.map((name) => name.length));
  const shown = differences.slice(0, SHOWN_DIFFERENCES);
  const more = differences.length - shown.length;
  return [
    where,
    ...steps.map(stepWords),
    ...shown.flatMap(({ what, left, right }) => [
      `  ${what}`,
      `    ${names[0].padEnd(width)}  ${left}`,
      `    ${names[1].padEnd(width)}  ${right}`,
    ]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...names.flatMap((name, side) => [
      `The last events on the ${name}:`,
      ...(events[side] ?? "").split("\n").map((line) => `  ${line}`),
    ]),
  ].join("\n");
}

function stepWords({ hart, pc, text, where, modeBefore, trap }: StepRecord): string {
  const place = where === undefined ? "" : ` <${where}>`;
  const end = trap === undefined ? "" : `  traps with cause ${trap.cause}`;
  return `  hart ${hart}  ${modeBefore.padEnd(2)}  0x${pc.toString(16)}${place}  ${text}${end}`;
}
