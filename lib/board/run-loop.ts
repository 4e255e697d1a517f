/**
 * The run loop: lets harts work by turns, rings alarms, sleeps through WFI, takes state digests, and finds out why to stop.
 *
 * A run that is cut in pieces is the same run: nothing here depends on where a budget ended.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { EventKind } from "../bus/event-sink.ts";
import type { EngineStop, StopCondition } from "../engine/engine.ts";
import { interruptToTake } from "../hart/interrupts.ts";
import { isVirtual } from "../isa/mode.ts";
import type { BreakpointHit } from "./breakpoint.ts";
import type { Machine } from "./machine.ts";
import { type StepRecord, stepMachine } from "./step-record.ts";
import type { BreakKind, Stop, StopReason } from "./stop.ts";

/** How long to run. */
export interface RunOptions {
  /** Stop after this many instructions have retired. Traps and sleeping take none. */
  readonly instructions: number;
  /** Stop when guest time has come to this instruction time (`clock.now`), by running or by sleeping. */
  readonly untilInsns?: number;
  /** Stop as soon as one of these holds after a step. */
  readonly until?: StopCondition;
  /** Keep a record of every step. Slow: for thousands of steps, not for millions. */
  readonly log?: boolean;
}

/** Retired instructions between two digests of the state blocks in the trace. */
const DIGEST_INTERVAL = 1_000_000;

/** Runs a machine until something ends the run. */
export function runMachine(machine: Machine, options: RunOptions): Stop {
  const { clock, turns } = machine;
  const { instructions, untilInsns = Number.POSITIVE_INFINITY, until, log = false } = options;
  const deadline = clock.retired + Math.max(0, instructions);
  const steps: StepRecord[] = [];
  const runEngine = log
    ? (): EngineStop => loggedStep(machine, steps, until)
    : (budgetSteps: number): EngineStop => turns.engine.run(budgetSteps, until);
  const reason = runTo(machine, { deadline, untilInsns }, runEngine, until);
  return { ...reason, retired: clock.retired, ...(log ? { steps } : {}) };
}

function runTo(
  machine: Machine,
  { deadline, untilInsns }: { readonly deadline: number; readonly untilInsns: number },
  runEngine: (budgetSteps: number) => EngineStop,
  until: StopCondition | undefined,
): StopReason {
  const { clock, trapLoop, turns, breakpoints } = machine;
  for (;;) {
    clock.ringDue();
    const finish = finishReason(machine);
    if (finish !== undefined) return finish;
    const [hit, ...others] = breakpoints.takeHits();
    if (hit !== undefined)
      return { reason: "breakpoint", at: breakKind(hit), hart: hit.hart, hits: [hit, ...others] };
    if (clock.retired >= deadline || machine.pauseRequested) return { reason: "budget" };
    if (clock.now >= untilInsns) return { reason: "time" };
    if (trapLoop.isLooping(clock.retired) && !outlastLoop(machine, untilInsns - clock.now)) {
      if (clock.now >= untilInsns) continue;
      return { reason: "trap-loop" };
    }

    const before = clock.retired;
    turns.attend(before);
    const timeIsUp = before + untilInsns - clock.now;
    const stop = runEngine(Math.min(deadline, timeIsUp, turns.endsAtRetired, nextDigest(before)) - before);
    digestIfDue(machine, before);
    if (stop.reason === "condition") return { reason: "breakpoint", ...metCondition(machine, until) };
    if (stop.reason === "waiting" && !sleepOrPass(machine, untilInsns - clock.now) && clock.now < untilInsns)
      return { reason: "wfi" };
  }
}

/** What the guest told the finisher, or how a handler failed; the machine stays off. */
function finishReason({ finish }: Machine): StopReason | undefined {
  if (finish === undefined) return undefined;
  if (finish.kind === "handler-error") return { reason: "handler-error", message: finish.message };
  return finish.kind === "reset" ? { reason: "reset" } : { reason: "poweroff", exitCode: finish.code };
}

const breakKind = ({ breakpoint: { spec } }: BreakpointHit): BreakKind =>
  spec.kind === "execute" ? "pc" : spec.kind;

function metCondition(
  { harts, turns }: Machine,
  until: StopCondition | undefined,
): { at: BreakKind; hart: number } {
  const hart = harts[turns.current] ?? harts[0];
  const at = until?.pc === hart.pc ? "pc" : until?.mode === hart.mode ? "mode" : "trap";
  return { at, hart: hart.id };
}

/** The hart whose turn it is sleeps: another one's turn comes, or time jumps. False: nothing will ever happen. */
const sleepOrPass = ({ clock, turns }: Machine, limitInsns?: number): boolean =>
  turns.pass(clock.retired) || clock.sleep(limitInsns);

/** Alarms that ring and interrupt nobody; so many at most. */
const VAIN_ALARMS = 64;

/**
 * A guest's hart takes trap after trap: another hart's turn comes, or time jumps to an interrupt that ends it, for on real hardware time would
 * pass. False: none will come, or the program is no guest, and nobody is there to be protected from it.
 */
function outlastLoop({ clock, turns, harts }: Machine, limitInsns?: number): boolean {
  const hart = harts[turns.current];
  if (hart === undefined || !isVirtual(hart.state.modeNumber)) return false;
  const endsInsns = clock.now + (limitInsns ?? Number.POSITIVE_INFINITY);
  for (let alarms = 0; alarms < VAIN_ALARMS; alarms++) {
    if (interruptToTake(hart.state) !== undefined || turns.pass(clock.retired)) return true;
    if (!clock.sleep(endsInsns - clock.now)) return false;
    clock.ringDue();
  }
  return false;
}

/** One recorded step. Nothing is recorded when the hart only sleeps or an alarm is due. */
function loggedStep(machine: Machine, steps: StepRecord[], until: StopCondition | undefined): EngineStop {
  const { record, stop } = stepMachine(machine, until);
  if (stop.steps > 0) steps.push(record);
  return stop;
}

/**
 * One instruction, or one trap. A sleeping hart is first taken to the moment when something wakes it; if nothing ever
 * will, or the machine is off, the record shows the instruction that would come next and nothing done.
 */
export function stepOnce(machine: Machine): StepRecord {
  const { clock, trapLoop, turns } = machine;
  for (;;) {
    clock.ringDue();
    const before = clock.retired;
    if (trapLoop.isLooping(before)) outlastLoop(machine);
    turns.attend(before);
    const { record, stop } = stepMachine(machine);
    digestIfDue(machine, before);
    if (stop.steps > 0 || machine.finish !== undefined) return record;
    if (stop.reason === "waiting" && !sleepOrPass(machine)) return record;
  }
}

/**
 * One step of the engine, or one sleep, without a record. Breakpoints stop nothing here.
 *
 * @param untilInsns  Sleep no further than to this instruction time: something came from outside while the machine slept.
 * @returns  False: nothing more will happen.
 */
export function nudgeMachine(machine: Machine, untilInsns = Number.POSITIVE_INFINITY): boolean {
  const { clock, trapLoop, turns } = machine;
  if (machine.finish !== undefined) return false;
  clock.ringDue();
  const before = clock.retired;
  if (trapLoop.isLooping(before)) {
    outlastLoop(machine, Math.max(0, untilInsns - clock.now));
    if (clock.now >= untilInsns) return true;
  }
  turns.attend(before);
  const stop = turns.engine.run(1);
  digestIfDue(machine, before);
  if (stop.reason !== "waiting") return true;
  return sleepOrPass(machine, Math.max(0, untilInsns - clock.now)) || Number.isFinite(untilInsns);
}

function nextDigest(retired: number): number {
  return (Math.floor(retired / DIGEST_INTERVAL) + 1) * DIGEST_INTERVAL;
}

/** SHA-256 over all state blocks, and over what harts remember of translations where a guest can see it. */
function stateDigest({ stateBlock, harts }: Machine): Uint8Array {
  const hash = sha256.create().update(stateBlock);
  for (const { remembered } of harts)
    if (remembered?.answers) hash.update(new TextEncoder().encode(`${remembered.describe()}\n\n`));
  return hash.digest();
}

/**
 * At each multiple of the interval: three words of the state's digest. A handler retires several instructions in
 * one step; where it passes the multiple, the digest is that of the state behind it.
 */
function digestIfDue(machine: Machine, before: number): void {
  const { trace, clock } = machine;
  if (clock.retired < nextDigest(before)) return;
  const digest = stateDigest(machine);
  const view = new DataView(digest.buffer, digest.byteOffset);
  const [a, b, c] = [view.getBigUint64(0), view.getBigUint64(8), view.getBigUint64(16)];
  trace.record(EventKind.STATE_DIGEST, 0, 0, clock.retired, a, b, c);
}
