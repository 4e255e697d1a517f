/** Runs a Linux machine for a person: boot, then their keys to the guest and its text to them. */
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Board } from "../../board/board.ts";
import type { Stop } from "../../board/stop.ts";
import { INSNS_PER_SECOND } from "../../bus/clock.ts";

/** Instructions between two looks at the keyboard. */
const SLICE = 500_000;
/** The same while the guest mostly sleeps: it wakes for a few thousand instructions, and its time flies in between. */
const IDLE_SLICE = 2_000;
/** How far a sleeping guest's clock may be ahead of the wall's. */
const LEAD_MS = 20;
/** Between two looks whether a key was pressed. */
const NAP_MS = 10;

/**
 * One run of a machine.
 *
 * A boot is not paced: the guest's sleeps are skipped. At a prompt they last as long as they say, so that a waiting guest
 * costs nothing and `sleep 1` takes a second. What the guest does is the same.
 */
export class Session {
  readonly #board: Board;
  #isPaced = false;
  #isOver = false;
  #keyPressed = false;
  #guestAt = 0;
  #wallAt = 0;

  constructor(board: Board) {
    this.#board = board;
  }

  /** From now on the guest's sleeps take real time. */
  pace(): void {
    this.#isPaced = true;
    this.#restartClock();
  }

  /** Gives the guest what was typed. */
  type(text: string): void {
    this.#board.type(text);
    this.#keyPressed = true;
  }

  /** Ends the run after the present slice. */
  end(): void {
    this.#isOver = true;
  }

  /**
   * Runs until the machine ends, `end` was called, or so many instructions have retired.
   *
   * @param onSlice  Called after each slice.
   * @returns        How the machine stopped; undefined: it was ended.
   */
  async run(instructions: number, onSlice: () => void): Promise<Stop | undefined> {
    const board = this.#board;
    const deadline = board.clock.retired + instructions;
    let isIdle = false;
    while (!this.#isOver) {
      const { retired, sleptInsns } = board.clock;
      const slice = isIdle ? IDLE_SLICE : SLICE;
      const stop = board.run({ instructions: Math.min(slice, deadline - retired) });
      onSlice();
      const waitsForKeys = stop.reason === "wfi" && this.#isPaced;
      if (!waitsForKeys && (stop.reason !== "budget" || board.clock.retired >= deadline)) return stop;
      isIdle = this.#isPaced && board.clock.sleptInsns - sleptInsns > board.clock.retired - retired;
      await setImmediate();
      if (waitsForKeys || isIdle) await this.#nap(waitsForKeys);
    }
    return undefined;
  }

  /** Waits until the wall clock has caught up, or a key is pressed. */
  async #nap(forKeysOnly: boolean): Promise<void> {
    if (this.#aheadMs() < 0) this.#restartClock();
    while (!this.#keyPressed && !this.#isOver && (forKeysOnly || this.#aheadMs() > LEAD_MS)) {
      await setTimeout(NAP_MS);
    }
    if (this.#keyPressed) this.#restartClock();
    this.#keyPressed = false;
  }

  #aheadMs(): number {
    const guestMs = ((this.#board.clock.now - this.#guestAt) / INSNS_PER_SECOND) * 1000;
    return guestMs - (performance.now() - this.#wallAt);
  }

  #restartClock(): void {
    this.#guestAt = this.#board.clock.now;
    this.#wallAt = performance.now();
  }
}
