/**
 * A network cable between two boards.
 *
 * The boards take turns of equal guest time, left before right. Frames that a board sends in its turn reach the other at the
 * end of that turn, in the order in which they were sent: at a time that depends on neither board's host, nor on how a run is
 * cut. What arrives is an input like typed text, so each board can be recorded and replayed alone.
 */
import type { Board } from "./board.ts";
import type { StopReason } from "./stop.ts";

/** A hundred microseconds of guest time. */
const TURN_INSNS = 10_000;

/** Why the boards stopped: both have come to the time asked for, or one of them stopped for a reason of its own. */
export type WireStop =
  | { readonly reason: "time" }
  | { readonly board: Board; readonly reason: StopReason["reason"] };

/**
 * Two boards and a cable. Run the boards through it, not each by itself. At the end of a turn nothing is on the cable: take
 * snapshots of both there.
 */
export class Wire {
  readonly #left: Board;
  readonly #right: Board;
  readonly #turnInsns: number;
  #toLeft: Uint8Array[] = [];
  #toRight: Uint8Array[] = [];

  /**
   * Connects two boards. Throws `RangeError` where one has no network card or the two are at different times.
   *
   * @param turnInsns  Length of a turn in instruction times, and the longest that a frame is on its way.
   */
  constructor(left: Board, right: Board, { turnInsns = TURN_INSNS } = {}) {
    if (left.network === undefined || right.network === undefined)
      throw new RangeError(
        "a wire connects two boards with a network card each: buildBoard({ network: {} })",
      );
    if (left.clock.now !== right.clock.now)
      throw new RangeError("a wire connects boards that are at the same time");
    this.#left = left;
    this.#right = right;
    this.#turnInsns = turnInsns;
    left.network.plug((frame) => this.#toRight.push(frame));
    right.network.plug((frame) => this.#toLeft.push(frame));
  }

  /** Runs both boards for this long. A board that sleeps with nothing to do still lets time pass: a frame may wake it. */
  run({ insns }: { readonly insns: number }): WireStop {
    const end = this.#left.clock.now + insns;
    while (this.#left.clock.now < end || this.#right.clock.now < end) {
      const turnEnd = (Math.floor(this.#right.clock.now / this.#turnInsns) + 1) * this.#turnInsns;
      const until = Math.min(end, turnEnd);
      for (const board of [this.#left, this.#right]) {
        const { reason } = board.run({ instructions: until - board.clock.now, untilInsns: until });
        if (board.clock.now < until) return { board, reason };
      }
      if (until === turnEnd) this.#exchange();
    }
    return { reason: "time" };
  }

  #exchange(): void {
    for (const frame of this.#toRight.splice(0)) this.#right.receive("network", frame);
    for (const frame of this.#toLeft.splice(0)) this.#left.receive("network", frame);
  }
}
