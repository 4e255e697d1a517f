/** The privileged function in a module of its own, on a hart whose slow path is a reference engine. */

import { Bus } from "../../../../../lib/bus/bus.ts";
import { Clock } from "../../../../../lib/bus/clock.ts";
import { recordEach } from "../../../../../lib/bus/event-record.ts";
import type { BatchSink } from "../../../../../lib/bus/event-sink.ts";
import type { MachineMemory } from "../../../../../lib/bus/machine-memory.ts";
import { Ram } from "../../../../../lib/bus/ram.ts";
import { createReferenceEngines } from "../../../../../lib/engine/reference/create.ts";
import type { ReferenceEngine } from "../../../../../lib/engine/reference/reference-engine.ts";
import { FETCH_BANK_AREA, FETCH_BANK_BYTES, WORD } from "../../../../../lib/engine/translator/layout.ts";
import { fillCsrTable } from "../../../../../lib/engine/translator/privileged/csr-table.ts";
import { EventRing } from "../../../../../lib/engine/translator/privileged/event-ring.ts";
import { PrivilegedWords } from "../../../../../lib/engine/translator/privileged/words.ts";
import { writePrivileged } from "../../../../../lib/engine/translator/privileged/write-privileged.ts";
import { ModuleWriter } from "../../../../../lib/engine/translator/wasm/module.ts";
import { Hart } from "../../../../../lib/hart/hart.ts";
import { HART_STATE_BYTES } from "../../../../../lib/hart/layout.ts";

export const RAM_BASE = 0x8000_0000;
const RAM_BYTES = 1 << 16;
const RAM_OFFSET = 1 << 20;
/** What an event says, in the order of `record`. */
export type Told = readonly (number | bigint)[];

type Privileged = (h: number, budget: number, word: number) => number;

function compile(): WebAssembly.Module {
  const module = new ModuleWriter();
  module.importMemory("m", "memory", 1);
  const type = module.type({ parameters: ["i32", "i32"], results: ["i32"] });
  module.export("privileged", writePrivileged(module, { slow: module.importFunction("h", "slow", type) }));
  return new WebAssembly.Module(module.finish());
}

const compiled = compile();

function instantiate(memory: WebAssembly.Memory, slow: (h: number, budget: number) => number): Privileged {
  const { exports } = new WebAssembly.Instance(compiled, { m: { memory }, h: { slow } });
  return exports["privileged"] as Privileged;
}

/** A machine of hart 3 and a little RAM, that makes steps by the fast path, or by the reference engine alone. */
export class PrivilegedMachine {
  readonly events: Told[] = [];
  readonly hart: Hart;
  readonly clock = new Clock();
  readonly ram: Ram;
  readonly view: DataView;
  /** Steps that the fast path left to the slow one. */
  slowSteps = 0;
  /** Whether events are drained after each step; else when the slow path is called. */
  drains = true;
  /** Address of the bank of a data context in an address space; 0: not known. */
  bankOf: (context: number, satp: bigint) => number = dataBank;
  readonly #engine: ReferenceEngine;
  readonly #ring: EventRing;
  readonly #words: PrivilegedWords;
  readonly #privileged: Privileged;
  /** Where the hart's block lies. */
  readonly h = HART_STATE_BYTES;

  constructor() {
    const pages = (RAM_OFFSET + RAM_BYTES) >>> 16;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = memory.buffer as ArrayBuffer;
    const flagsOffset = RAM_OFFSET - 4096;
    const layout: MachineMemory = {
      ...{ memory, buffer, stateBytes: 2 * HART_STATE_BYTES },
      ...{ flagsOffset, ramOffset: RAM_OFFSET, ramBytes: RAM_BYTES },
    };
    this.ram = new Ram(layout, RAM_BASE);
    const told = this.events;
    const sink: BatchSink = {
      takesBatches: true,
      record: (...event) =>
        told.push(event.map((word) => (typeof word === "bigint" ? BigInt.asUintN(64, word) : word))),
      recordAll: (records) => recordEach(sink, records),
    };
    const bus = new Bus(this.ram, this.clock, sink);
    this.hart = new Hart({ buffer, base: this.h, id: 3, clock: this.clock, bus, events: sink });
    this.#engine = createReferenceEngines([this.hart], bus, {})[0] as ReferenceEngine;
    this.view = new DataView(buffer);
    this.#ring = new EventRing(buffer, sink);
    this.#words = new PrivilegedWords(buffer, this.h, this.hart);
    fillCsrTable(buffer);
    this.#setBanks();
    this.#privileged = instantiate(memory, (_h, budget) => this.#slow(budget));
    this.refresh();
  }

  /** As the runtime does when the address space has changed. */
  #setBanks(): void {
    const satp = this.hart.state.stored("satp");
    for (let number = 0; number < 32; number++)
      this.view.setInt32(this.h + WORD.dataBankOf + 4 * number, this.bankOf(number, satp), true);
    for (let number = 0; number < 8; number++)
      this.view.setInt32(this.h + WORD.fetchBankOf + 4 * number, fetchBank(number), true);
  }

  /** As the runtime does before generated code runs; but the last trap is long ago. */
  refresh(): void {
    this.#words.refresh();
    this.view.setInt32(this.h + WORD.fastPrivileged, this.#ring.isWelcome(this.hart) ? 1 : 0, true);
    this.view.setFloat64(this.h + WORD.retiredAtTrap, -1, true);
  }

  /** One step by the reference engine. */
  stepSlowly(): void {
    this.hart.attention |= 7;
    this.#engine.step();
  }

  /** One step by the fast path; what it says of the budget. */
  step(word: number, budget = 100): number {
    const { view, h, clock } = this;
    view.setFloat64(h + WORD.retiredBase, clock.retired + budget, true);
    view.setBigInt64(h + WORD.instretBase, this.hart.state.instret + BigInt(budget), true);
    const left = this.#privileged(h, budget, word | 0);
    this.#sync(left);
    if (this.drains) this.#ring.drain(h);
    return left;
  }

  #sync(budget: number): void {
    const { view, h, clock } = this;
    clock.retired = view.getFloat64(h + WORD.retiredBase, true) - budget;
    this.hart.state.instretWord[0] = view.getBigUint64(h + WORD.instretBase, true) - BigInt(budget);
  }

  #slow(budget: number): number {
    this.slowSteps++;
    this.#sync(budget);
    this.#ring.drain(this.h);
    this.stepSlowly();
    this.#setBanks();
    const { view, h, clock } = this;
    view.setFloat64(h + WORD.retiredBase, clock.retired + budget - 1, true);
    view.setBigInt64(h + WORD.instretBase, this.hart.state.instret + BigInt(budget - 1), true);
    this.#words.refresh();
    return budget - 1;
  }
}

/** Made-up addresses of banks. */
export const dataBank = (context: number): number => 0x1000 + context;
export const fetchBank = (context: number): number => FETCH_BANK_AREA + FETCH_BANK_BYTES * context;
