/**
 * Points of one line of events that a machine can go back to at once. Memory is bounded: when they hold too many pages, the
 * one is dropped that is missed least, so that density is kept near the present moment.
 */
import { captureMachine } from "./capture.ts";
import type { InputNode } from "./input.ts";
import type { Machine } from "./machine.ts";
import { compareMoments, type Moment, momentOf } from "./moment.ts";
import type { Snapshot } from "./snapshot.ts";

/** Pages of RAM, 4 KiB each, that checkpoints hold when nobody says otherwise: 256 MiB. A Linux boot needs 190. */
export const DEFAULT_MAX_PAGES = 65_536;
/**
 * One every million instructions for a whole boot of Linux, which takes 0.65 thousand million, and for those that traveling
 * leaves. Each holds the last events of the trace, 40 KiB, and little else beside its pages: 45 MiB at most.
 */
const MAX_CHECKPOINTS = 1024;

/** A point of the line. */
export interface Checkpoint {
  /** Undefined once it was dropped. */
  snapshot: Snapshot | undefined;
  readonly moment: Moment;
  /** The last input before it. */
  readonly inputs: InputNode | undefined;
  /** The checkpoint before it: lines that part share what lies before. */
  previous: Checkpoint | undefined;
  /** A recording begins here: it is never dropped. */
  isPinned: boolean;
  /** Pages that this checkpoint holds; known when the next one is taken. */
  pages: number;
}

/** The checkpoints of the present line, in order; the first is where history begins. */
export class Checkpoints {
  readonly #machine: Machine;
  #line: Checkpoint[] = [];
  /** Pages that they may hold. */
  maxPages = DEFAULT_MAX_PAGES;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Where history begins. */
  get first(): Checkpoint | undefined {
    return this.#line[0];
  }

  /** How many there are, and the pages that they hold. */
  get size(): { readonly checkpoints: number; readonly pages: number } {
    return { checkpoints: this.#line.length, pages: this.#line.reduce((sum, { pages }) => sum + pages, 0) };
  }

  /** Whether a checkpoint still lies on the line. */
  has(checkpoint: Checkpoint): boolean {
    return this.#line.includes(checkpoint);
  }

  /** The last one at a moment or before it. */
  atOrBefore(moment: Moment): Checkpoint | undefined {
    return this.#line.findLast((checkpoint) => compareMoments(checkpoint.moment, moment) <= 0);
  }

  /** The last one before a moment. */
  before(moment: Moment): Checkpoint | undefined {
    return this.#line.findLast((checkpoint) => compareMoments(checkpoint.moment, moment) < 0);
  }

  /** Forgets all. */
  clear(): void {
    this.#line = [];
  }

  /** Forgets those later than a moment. */
  cutAfter(moment: Moment): void {
    this.#line = this.#line.filter((checkpoint) => compareMoments(checkpoint.moment, moment) <= 0);
  }

  /** Turns to the line that leads to a checkpoint, which may have been dropped since. */
  follow(last: Checkpoint | undefined): void {
    const line: Checkpoint[] = [];
    for (let at = last; at !== undefined; at = at.previous) if (at.snapshot !== undefined) line.push(at);
    this.#line = line.reverse();
  }

  /**
   * Takes one now.
   *
   * @param endRetired  The farthest count that this line has reached.
   */
  take(inputs: InputNode | undefined, endRetired: number): void {
    const moment = momentOf(this.#machine);
    const previous = this.atOrBefore(moment);
    if (previous !== undefined)
      previous.pages = Math.max(previous.pages, this.#machine.versions.touchedPages);
    const at = previous === undefined ? 0 : this.#line.indexOf(previous) + 1;
    const snapshot = captureMachine(this.#machine);
    const taken: Checkpoint = { snapshot, moment, inputs, previous, isPinned: false, pages: 0 };
    this.#line.splice(at, 0, taken);
    const next = this.#line[at + 1];
    if (next !== undefined) next.previous = taken;
    while (this.size.pages > this.maxPages || this.#line.length > MAX_CHECKPOINTS)
      if (!this.#dropOne(endRetired)) return;
  }

  #dropOne(endRetired: number): boolean {
    const at = this.#leastMissed(endRetired);
    const dropped = at === undefined ? undefined : this.#line[at];
    if (at === undefined || dropped?.snapshot === undefined) return false;
    const { ram } = dropped.snapshot;
    dropped.snapshot = undefined;
    this.#line.splice(at, 1);
    const [before, after] = [this.#line[at - 1], this.#line[at]];
    if (after?.previous === dropped) after.previous = before;
    const holders = this.#line.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot.ram]));
    const merged = this.#machine.versions.release(ram, holders);
    if (before !== undefined) before.pages = merged ?? before.pages + dropped.pages;
    return true;
  }

  /** The checkpoint whose loss makes the smallest gap, measured against its distance from now. Never the first. */
  #leastMissed(endRetired: number): number | undefined {
    const { retired } = this.#machine.clock;
    let least: number | undefined;
    let smallest = Number.POSITIVE_INFINITY;
    for (const [at, { isPinned, moment }] of this.#line.entries()) {
      if (at === 0 || isPinned) continue;
      const before = this.#line[at - 1]?.moment.retired ?? 0;
      const after = this.#line[at + 1]?.moment.retired ?? Math.max(endRetired, retired);
      const missed = (after - before) / (Math.abs(retired - moment.retired) + 1);
      if (missed < smallest) [least, smallest] = [at, missed];
    }
    return least;
  }
}
