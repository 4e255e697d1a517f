/** A hart, RAM and a bus like those of `bare-machine.ts`, with the translating engine, which makes regions as told. */
import { Bus } from "../../lib/bus/bus.ts";
import { Clock } from "../../lib/bus/clock.ts";
import { NO_EVENTS } from "../../lib/bus/event-sink.ts";
import { createMachineMemory } from "../../lib/bus/machine-memory.ts";
import { Ram } from "../../lib/bus/ram.ts";
import { createSlowPaths } from "../../lib/engine/reference/create.ts";
import { createRegions, type RegionOptions } from "../../lib/engine/translator/region/regions.ts";
import { createTranslatorEngines, ENGINE_PLAN } from "../../lib/engine/translator/runtime/create.ts";
import type { TranslatorParts } from "../../lib/engine/translator/runtime/translator.ts";
import type { TranslatorEngine } from "../../lib/engine/translator/runtime/translator-engine.ts";
import { Hart } from "../../lib/hart/hart.ts";
import { HART_STATE_BYTES } from "../../lib/hart/layout.ts";
import { type BareMachine, bareMachine, RAM_BASE } from "./bare-machine.ts";

/** As `BareMachine`, with the engine that translates. */
export interface TwoTierMachine extends Omit<BareMachine, "engine" | "checker"> {
  readonly engine: TranslatorEngine;
}

/** How eager the translator is. */
export type Eagerness = RegionOptions & Pick<TranslatorParts, "manyEnded">;

/** Makes one. Regions are made as soon as something is hot when the options do not say. */
export function twoTierMachine(
  { manyEnded = Number.POSITIVE_INFINITY, ...options }: Eagerness = {},
  ramBytes = 1 << 20,
): TwoTierMachine {
  const memory = createMachineMemory(HART_STATE_BYTES, ramBytes, ENGINE_PLAN);
  const ram = new Ram(memory, RAM_BASE);
  const clock = new Clock();
  const bus = new Bus(ram, clock, NO_EVENTS);
  const hart = new Hart({ buffer: memory.buffer, clock, bus, events: NO_EVENTS, remembered: undefined });
  const harts = [hart] as const;
  const [engine] = createTranslatorEngines(
    { harts, bus, memory, heatThreshold: 8, manyEnded, regions: createRegions({ batch: 1, ...options }) },
    (memories) => createSlowPaths(harts, bus, memories),
  );
  return { hart, ram, bus, clock, engine };
}

/** What a run is compared by. */
function seenOf({ hart, clock, ram }: Omit<BareMachine, "engine" | "checker">): Record<string, unknown> {
  const { state } = hart;
  return {
    pc: hart.pc.toString(16),
    x: [...state.x],
    f: [...state.f],
    instret: state.instretWord[0],
    retired: clock.retired,
    csrs: [...state.csrs],
    ram: ram.u8,
  };
}

/** The first difference between two machines after the same steps, in words; undefined for none. */
export function difference(expected: BareMachine, actual: TwoTierMachine): string | undefined {
  const [one, other] = [seenOf(expected), seenOf(actual)];
  for (const [name, value] of Object.entries(one)) {
    const seen = other[name];
    if (value instanceof Uint8Array && seen instanceof Uint8Array) {
      const at =
        Buffer.compare(value, seen) === 0 ? -1 : value.findIndex((byte, index) => byte !== seen[index]);
      if (at >= 0) return `${name} differs at ${(RAM_BASE + at).toString(16)}`;
    } else if (Array.isArray(value) && Array.isArray(seen)) {
      const at = value.findIndex((word, index) => word !== seen[index]);
      if (at >= 0) return `${name}${at} is ${hex(seen[at])}, not ${hex(value[at])}`;
    } else if (value !== seen) {
      return `${name} is ${seen}, not ${value}`;
    }
  }
  return undefined;
}

const hex = (word: unknown): string => BigInt.asUintN(64, word as bigint).toString(16);

/** A program in two machines, one for each engine. */
export class Pair {
  readonly reference = bareMachine();
  readonly translator: TwoTierMachine;

  constructor(bytes: Uint8Array, pc: bigint, options: RegionOptions = {}) {
    this.translator = twoTierMachine(options);
    for (const { ram, hart } of [this.reference, this.translator]) {
      ram.write(0, bytes);
      hart.pc = pc;
    }
  }

  /** Makes so many steps in both; the first difference. */
  run(steps: number): string | undefined {
    const expected = this.reference.engine.run(steps);
    const actual = this.translator.engine.run(steps);
    if (expected.reason !== actual.reason || expected.steps !== actual.steps)
      return `${actual.reason} after ${actual.steps}, not ${expected.reason} after ${expected.steps}`;
    return difference(this.reference, this.translator);
  }
}
