/**
 * A hart, RAM and a bus without any board around them: the smallest machine that runs programs. Its engine is the default one,
 * or the reference engine where a test says something of that one's accelerations.
 */
import { defaultEngine } from "../../lib/board/engine-choice.ts";
import { Bus } from "../../lib/bus/bus.ts";
import { Clock } from "../../lib/bus/clock.ts";
import { type EventSink, NO_EVENTS } from "../../lib/bus/event-sink.ts";
import { createMachineMemory } from "../../lib/bus/machine-memory.ts";
import { Ram } from "../../lib/bus/ram.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import {
  createReferenceEngines,
  createSlowPaths,
  type ReferenceOptions,
} from "../../lib/engine/reference/create.ts";
import { createTranslatorEngines, ENGINE_PLAN } from "../../lib/engine/translator/runtime/create.ts";
import { Hart } from "../../lib/hart/hart.ts";
import { HART_STATE_BYTES } from "../../lib/hart/layout.ts";
import { RememberedTranslations } from "../../lib/hart/remembered-translations.ts";
import type { Program } from "../../lib/isa/assembler/program.ts";
import { FenceChecker } from "../../lib/mmu/fence-checker.ts";
import { assembled } from "./assembled.ts";

export const RAM_BASE = 0x8000_0000;

export interface BareMachine {
  readonly hart: Hart;
  readonly ram: Ram;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly checker: FenceChecker | undefined;
}

/** The four positions of the engine's two switches. */
export const SWITCH_POSITIONS: readonly (ReferenceOptions & { readonly title: string })[] = [
  { title: "both accelerations", decodeMemo: true, translationCache: true },
  { title: "decode memo alone", decodeMemo: true, translationCache: false },
  { title: "translation cache alone", decodeMemo: false, translationCache: true },
  { title: "neither", decodeMemo: false, translationCache: false },
];

/**
 * What machines of tests have when the test does not say: both accelerations, or with `DOM0_PLAIN_ENGINE=1`, which `npm test`
 * sets for a second run of the tests of the machine, neither.
 */
export const DEFAULT_ACCELERATIONS: ReferenceOptions =
  process.env["DOM0_PLAIN_ENGINE"] === "1" ? { decodeMemo: false, translationCache: false } : {};

export function bareMachine(
  options: ReferenceOptions & {
    readonly ramBytes?: number;
    readonly events?: EventSink;
    /** Translations live until a fence covers them. */
    readonly sticky?: boolean;
    /** Whether a checker looks at uses of translations. */
    readonly checksFences?: boolean;
  } = {},
): BareMachine {
  const isTranslator =
    defaultEngine() === "translator" &&
    options.decodeMemo === undefined &&
    options.translationCache === undefined;
  const plan = isTranslator ? ENGINE_PLAN : undefined;
  const memory = createMachineMemory(HART_STATE_BYTES, options.ramBytes ?? 1 << 20, plan);
  const ram = new Ram(memory, RAM_BASE);
  const clock = new Clock();
  const events = options.events ?? NO_EVENTS;
  const bus = new Bus(ram, clock, events);
  const { sticky = false, checksFences = false } = options;
  const remembered = sticky || checksFences ? new RememberedTranslations(sticky) : undefined;
  const hart = new Hart({ buffer: memory.buffer, clock, bus, events, remembered });
  const checker = checksFences ? new FenceChecker([hart], bus) : undefined;
  const [engine] = isTranslator
    ? createTranslatorEngines({ harts: [hart], bus, memory }, (memories) =>
        createSlowPaths([hart], bus, memories, checker),
      )
    : createReferenceEngines([hart], bus, { ...DEFAULT_ACCELERATIONS, ...options }, checker);
  if (engine === undefined) throw new Error("no engine");
  return { hart, ram, bus, clock, engine, checker };
}

/** Puts a program at the start of RAM, with the pc at its first instruction. */
export function loadText(machine: BareMachine, text: string): Program {
  const program = assembled(text);
  machine.ram.write(0, program.bytes);
  machine.hart.pc = program.origin;
  return program;
}

/** Runs until the hart waits for an interrupt, which programs of tests do at their end. */
export function runToWfi(machine: BareMachine, budgetSteps = 100_000): void {
  const { reason, steps } = machine.engine.run(budgetSteps);
  if (reason !== "waiting")
    throw new Error(`ended with ${reason} after ${steps} steps at ${machine.hart.pc.toString(16)}`);
}
