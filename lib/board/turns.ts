/**
 * Whose turn it is. Several harts share one thread of the host: each runs for a number of retired instructions that is
 * drawn by lot, then the next one does. The same seed gives the same turns, so a race is an experiment that one can repeat.
 */
import { SeededNumbers } from "../bits/seeded-numbers.ts";
import type { Engine } from "../engine/engine.ts";

/** How long turns are, in retired instructions: whole numbers from `min` to `max`, at least 1. */
export interface TurnLengths {
  readonly min: number;
  readonly max: number;
}

/** Long enough to cost nothing, short enough that nobody waits for an interrupt. */
export const DEFAULT_TURNS: TurnLengths = { min: 2_000, max: 20_000 };

/** What a snapshot keeps. */
export interface TurnsState {
  readonly current: number;
  readonly endsAtRetired: number;
  readonly numbers: number;
}

/** The order of harts, and when the present turn ends. A hart alone has one turn without end. */
export class Turns {
  readonly #engines: readonly [Engine, ...Engine[]];
  readonly #lengths: TurnLengths;
  readonly #seed: number;
  readonly #numbers: SeededNumbers;
  #current = 0;
  #endsAtRetired = 0;

  constructor(engines: readonly [Engine, ...Engine[]], lengths: TurnLengths, seed: number) {
    this.#engines = engines;
    this.#lengths = lengths;
    this.#seed = seed;
    this.#numbers = new SeededNumbers(seed);
    this.#begin(0, 0);
  }

  /** Number of the hart whose turn it is. */
  get current(): number {
    return this.#current;
  }

  /** Its engine. */
  get engine(): Engine {
    return this.#engines[this.#current] ?? this.#engines[0];
  }

  /** The machine's retired count at which the turn ends; infinite when there is one hart. */
  get endsAtRetired(): number {
    return this.#endsAtRetired;
  }

  /** Gives the turn to the next hart if the present one's is over. */
  attend(retired: number): void {
    if (retired >= this.#endsAtRetired) this.#begin((this.#current + 1) % this.#engines.length, retired);
  }

  /** The hart whose turn it is sleeps: gives the turn to the next one that does not. False: all sleep. */
  pass(retired: number): boolean {
    const count = this.#engines.length;
    for (let distance = 1; distance < count; distance++) {
      const next = (this.#current + distance) % count;
      if (this.#engines[next]?.isAsleep() === false) {
        this.#begin(next, retired);
        return true;
      }
    }
    return false;
  }

  /** As at power-on. */
  reset(): void {
    this.#numbers.state = new SeededNumbers(this.#seed).state;
    this.#begin(0, 0);
  }

  save(): TurnsState {
    return { current: this.#current, endsAtRetired: this.#endsAtRetired, numbers: this.#numbers.state };
  }

  restore(state: TurnsState): void {
    this.#current = state.current;
    this.#endsAtRetired = state.endsAtRetired;
    this.#numbers.state = state.numbers;
  }

  #begin(hart: number, retired: number): void {
    this.#current = hart;
    this.#endsAtRetired =
      this.#engines.length === 1
        ? Number.POSITIVE_INFINITY
        : retired + this.#numbers.between(this.#lengths.min, this.#lengths.max);
  }
}
