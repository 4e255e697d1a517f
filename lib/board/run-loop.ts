/**
 * The run loop: lets the engine work, rings alarms, sleeps through WFI, takes state digests, and finds out why to stop.
 *
 * A run that is cut in pieces is the same run: nothing here depends on where a budget ended.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { EventKind } from "../bus/event-sink.ts";
import type { EngineStop, StopCondition } from "../engine/engine.ts";
import type { Machine } from "./machine.ts";
import { type StepRecord, stepMachine } from "./step-record.ts";
import type { BreakKind, Stop } from "./stop.ts";

/** How long to run. */
export interface RunOptions {
  /** Stop after this many instructions have retired. Traps and sleeping take none. */
  readonly instructions: number;
  /** Stop as soon as one of these holds after a step. */
  readonly until?: StopCondition;
  /** Keep a record of every step. Slow: for thousands of steps, not for millions. */
  readonly log?: boolean;
}

/** Retired instructions between two digests of the state blocks in the trace. */
const DIGEST_INTERVAL = 1_000_000;
/** So many traps in a row, with no instruction retired between them, are a loop. */
const TRAP_LOOP = 1000;

type Ending =
  | Omit<Extract<Stop, { reason: "breakpoint" }>, "retired">
  | { readonly reason: Exclude<Stop["reason"], "breakpoint" | "poweroff"> };

/** Runs a machine. */
export function runMachine(machine: Machine, { instructions, until, log = false }: RunOptions): Stop {
  const { clock, engine } = machine;
  const deadline = clock.retired + Math.max(0, instructions);
  const steps: StepRecord[] | undefined = log ? [] : undefined;
  let idleSteps = 0;
  for (;;) {
    clock.ringDue();
    const ending = finished(machine);
    if (ending !== undefined)
      return { ...ending, retired: clock.retired, ...(steps === undefined ? {} : { steps }) };
    const end = (stop: Ending): Stop => ({
      ...stop,
      retired: clock.retired,
      ...(steps === undefined ? {} : { steps }),
    });
    if (clock.retired >= deadline) return end({ reason: "budget" });
    if (idleSteps >= TRAP_LOOP) return end({ reason: "trap-loop" });

    const before = clock.retired;
    const budget = Math.min(deadline, nextDigest(before)) - before;
    const stop = steps === undefined ? engine.run(budget, until) : loggedStep(machine, steps, until);
    idleSteps = clock.retired === before ? idleSteps + stop.steps : 0;
    if (clock.retired > before && clock.retired % DIGEST_INTERVAL === 0) recordDigest(machine);
    if (stop.reason === "waiting" && !clock.sleep()) return end({ reason: "wfi" });
    if (stop.reason === "condition") return end({ reason: "breakpoint", at: reached(machine, until) });
  }
}

function nextDigest(retired: number): number {
  return (Math.floor(retired / DIGEST_INTERVAL) + 1) * DIGEST_INTERVAL;
}

/** What the guest told the finisher; the machine stays off. */
function finished({
  finish,
}: Machine): { reason: "poweroff"; exitCode: number } | { reason: "reset" } | undefined {
  if (finish === undefined) return undefined;
  return finish.kind === "reset" ? { reason: "reset" } : { reason: "poweroff", exitCode: finish.code };
}

/** One recorded step; nothing is recorded when the hart only sleeps or an alarm is due. */
function loggedStep(machine: Machine, steps: StepRecord[], until: StopCondition | undefined): EngineStop {
  let stop: EngineStop = { reason: "steps", steps: 0 };
  const record = stepMachine(machine, () => {
    stop = machine.engine.run(1, until);
  });
  if (stop.steps > 0) steps.push(record);
  return stop;
}

function reached({ harts: [hart] }: Machine, until: StopCondition | undefined): BreakKind {
  if (until?.pc === hart.pc) return "pc";
  return until?.mode === hart.mode ? "mode" : "trap";
}

/** Three words of SHA-256 over all state blocks. */
function recordDigest({ stateBlock, trace, clock }: Machine): void {
  const digest = sha256(stateBlock);
  const view = new DataView(digest.buffer, digest.byteOffset);
  const [a, b, c] = [view.getBigUint64(0), view.getBigUint64(8), view.getBigUint64(16)];
  trace.record(EventKind.STATE_DIGEST, 0, 0, clock.retired, a, b, c);
}

/**
 * One instruction, or one trap. A sleeping hart is first taken to the moment when something wakes it; if nothing ever
 * will, or the machine is off, the record shows the instruction that would come next and nothing done.
 */
export function stepOnce(machine: Machine): StepRecord {
  const { clock, engine } = machine;
  for (;;) {
    clock.ringDue();
    let stop: EngineStop = { reason: "waiting", steps: 0 };
    const record = stepMachine(machine, () => {
      if (machine.finish === undefined) stop = engine.run(1);
    });
    if (clock.retired > record.retired && clock.retired % DIGEST_INTERVAL === 0) recordDigest(machine);
    if (stop.steps > 0 || (stop.reason === "waiting" && (machine.finish !== undefined || !clock.sleep())))
      return record;
  }
}
