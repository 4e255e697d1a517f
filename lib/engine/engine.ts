/**
 * What an engine is to a board: it makes one hart run for a while.
 *
 * All engines do the same to the state block, to RAM and to devices, instruction for instruction.
 */
import type { AccessKind } from "../hart/effective-mode.ts";
import type { Mode } from "../isa/mode.ts";
import type { Trap } from "../isa/trap.ts";
import type { AccessWatch } from "../mmu/access-watch.ts";

/** When a run ends early. Each is looked at after every step; the first that holds ends the run. */
export interface StopCondition {
  /** The next instruction is at this address (64 bits, unsigned). */
  readonly pc?: bigint;
  /** The hart is in this mode. */
  readonly mode?: Mode;
  /** A trap was taken in this step. */
  readonly trap?: boolean;
}

/** How a run ended. */
export interface EngineStop {
  /**
   * - `steps`: the budget is used up
   * - `alarm`: a device wants to be heard; the board rings it and goes on
   * - `waiting`: the hart sleeps in WFI and nothing pending ends the sleep
   * - `condition`: the stop condition holds
   */
  readonly reason: "steps" | "alarm" | "waiting" | "condition";
  /** Steps made: instructions retired plus traps taken. */
  readonly steps: number;
}

/**
 * An engine bound to one hart.
 *
 * Lifecycle: `run` and `step` alternate with the board's work. After the state block, RAM behind the bus, or devices were
 * replaced from outside (restore, reset), `hart.stateReplaced()` must come before the next run. Nothing throws for what a
 * guest does, and a run always ends: each step retires one instruction or takes one trap.
 */
export interface Engine {
  /** Lower-case name, for reports. */
  readonly name: string;
  /**
   * Runs at most `budgetSteps` steps. Returns before the first one if an alarm is due or the hart waits.
   *
   * @invariant On return the state block is complete, and `clock.retired` counts exactly the instructions retired.
   */
  run(budgetSteps: number, until?: StopCondition): EngineStop;
  /** One step, alarm or not: an instruction, or a trap (returned). A waiting hart whose sleep nothing ends does nothing. */
  step(): Trap | undefined;
  /** Whether the hart sleeps in WFI and nothing that is pending now ends the sleep. Asking changes nothing. */
  isAsleep(): boolean;
  /**
   * Says who wants to hear of accesses, or that nobody does. The instruction that `takeStop` stops is neither executed nor
   * trapped; the run goes on unless an alarm is due, so whoever stops it sets one.
   */
  watch(watch: AccessWatch | undefined): void;
}

/** An engine that makes the steps which another, faster one leaves to it; both work on the same hart and take turns. */
export interface SlowPath extends Engine {
  /**
   * Attends to all that has changed since the last step, as far as that is no step.
   *
   * @returns  False: an interrupt is due, so the next step takes it. A hart that waits is to be looked at before.
   */
  settle(): boolean;
  /** Remembers from where an instruction at this address would be fetched now, if nobody can see that it was looked up. */
  foresee(vaddr: bigint): void;
  /**
   * Remembers where an access to this address would go now, if that is quickly said and nobody can see that it was looked up.
   *
   * @param vaddr  64 bits, unsigned.
   */
  lookUp(vaddr: bigint, kind: AccessKind): void;
}
