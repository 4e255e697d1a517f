/** Repeats a recorded run and compares it with what was recorded. */
import type { Board } from "./board.ts";
import type { Machine } from "./machine.ts";
import { compareMoments, type Moment, momentOf } from "./moment.ts";
import type { RecordedCheckpoint, RecordedInput, Recording } from "./recording.ts";

/** How a replay ended. */
export type ReplayReport =
  | {
      readonly kind: "same";
      /** Instructions that were repeated. */
      readonly retired: number;
      readonly hash: string;
      readonly checkpoints: number;
      readonly message: string;
    }
  | {
      readonly kind: "differs";
      /** The last place where both were the same. */
      readonly lastSame: number;
      /** The first place where they were not. */
      readonly firstDifference: number;
      readonly message: string;
    };

/** Steps without an instruction that lie between two moments at most: traps and sleeps. */
const MAX_NUDGES = 2_000_000;

const SLICE_INSNS = 100_000_000;

/** A replay that runs as far as it is told. */
export class Replay {
  readonly board: Board;
  /** Hears of each input just before the machine gets it. */
  onInput: ((input: RecordedInput) => void) | undefined;
  readonly #machine: Machine;
  readonly #recording: Recording;
  #input = 0;
  #checkpoint = 0;
  #lastSame: number;
  #report: ReplayReport | undefined;

  /** Use {@link openReplay}. */
  constructor(board: Board, machine: Machine, recording: Recording) {
    this.board = board;
    this.#machine = machine;
    this.#recording = recording;
    this.#lastSame = machine.clock.retired;
  }

  /** How it ended; undefined while there is more to repeat. */
  get report(): ReplayReport | undefined {
    return this.#report;
  }

  /** Instructions of the recording, and how many of them are repeated. */
  get progress(): { readonly retired: number; readonly of: number } {
    return { retired: this.#machine.clock.retired, of: this.#recording.end.moment.retired };
  }

  /** Repeats at most so many instructions more. */
  advance(instructions: number): ReplayReport | undefined {
    const deadline = this.#machine.clock.retired + instructions;
    while (this.#report === undefined && this.#machine.clock.retired <= deadline) {
      const next = this.#recording.inputs[this.#input];
      const goal = next?.moment ?? this.#recording.end.moment;
      if (this.#machine.clock.retired < goal.retired) {
        if (this.#machine.clock.retired >= deadline) break;
        this.#runTo(Math.min(goal.retired, deadline));
      } else if (!this.#reach(goal)) {
        this.#differs(this.#machine.clock.retired, "it never came to the moment of the next input");
      } else if (next === undefined) this.#finish();
      else if (this.#give(next)) this.#input++;
      else
        this.#differs(this.#machine.clock.retired, "this board has no place for an input of the recording");
    }
    return this.#report;
  }

  /** Repeats all of it. */
  toEnd(): ReplayReport {
    for (;;) {
      const report = this.advance(SLICE_INSNS);
      if (report !== undefined) return report;
    }
  }

  /** Runs on, at most to a retired count, and looks at the checkpoints on the way. */
  #runTo(retired: number): void {
    const { clock, trace } = this.#machine;
    const checkpoint = this.#nextCheckpoint();
    const pauseAt = Math.min(retired, checkpoint?.retired ?? Number.POSITIVE_INFINITY);
    const { reason } = this.board.history.run({ instructions: pauseAt - clock.retired });
    if (clock.retired < pauseAt && reason !== "budget")
      this.#differs(clock.retired, `the machine stopped (${reason}) where the recorded one went on`);
    else if (clock.retired === checkpoint?.retired) this.#compare(checkpoint, trace.hash());
  }

  #nextCheckpoint(): RecordedCheckpoint | undefined {
    const { checkpoints } = this.#recording;
    while (
      (checkpoints[this.#checkpoint]?.retired ?? Number.POSITIVE_INFINITY) <= this.#machine.clock.retired
    )
      this.#checkpoint++;
    return checkpoints[this.#checkpoint];
  }

  #compare({ retired, hash }: RecordedCheckpoint, ours: string): void {
    if (hash === ours) this.#lastSame = retired;
    else this.#differs(retired, "the trace hash at this checkpoint is another");
  }

  #give(input: RecordedInput): boolean {
    this.onInput?.(input);
    return this.board.history.give(input.input);
  }

  #reach(goal: Moment): boolean {
    for (let nudges = 0; nudges < MAX_NUDGES; nudges++) {
      const order = compareMoments(momentOf(this.#machine), goal);
      if (order >= 0) return order === 0;
      if (!this.board.history.advance(goal)) return false;
    }
    return false;
  }

  #finish(): void {
    const { end, checkpoints } = this.#recording;
    const hash = this.#machine.trace.hash();
    if (hash !== end.hash) {
      this.#differs(end.moment.retired, "the trace hash at the end is another");
      return;
    }
    const retired = end.moment.retired;
    const message = `The same run: ${retired} instructions, ${checkpoints.length} checkpoints, trace hash ${hash}.`;
    this.#report = { kind: "same", retired, hash, checkpoints: checkpoints.length, message };
  }

  #differs(firstDifference: number, how: string): void {
    const lastSame = this.#lastSame;
    const place = `The same up to ${lastSame} retired instructions, and different by ${firstDifference}`;
    this.#report = { kind: "differs", lastSame, firstDifference, message: `${place}: ${how}.` };
  }
}
