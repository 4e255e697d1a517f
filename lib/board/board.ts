/**
 * An assembled machine: what notebooks, tests and graders hold in their hands. `virt.ts` wires it, `run-loop.ts` runs it.
 *
 * @invariant Nothing guest-visible lives here: it is in the state block, in RAM, in devices and clock. The course of a run
 *            depends on images, inputs and seed alone.
 */
import type { Bus } from "../bus/bus.ts";
import { CLOCK_AT_RESET, type Clock } from "../bus/clock.ts";
import type { BlockStore } from "../devices/virtio/block-store.ts";
import type { VirtioNet } from "../devices/virtio/net.ts";
import type { Counters } from "../engine/translator/runtime/counters.ts";
import { TranslatorEngine } from "../engine/translator/runtime/translator-engine.ts";
import type { HandlerTable } from "../hart/handler-table.ts";
import type { Hart } from "../hart/hart.ts";
import type { TrapEvent } from "../hart/trap-event.ts";
import type { AssemblyError } from "../isa/assembler/mistake.ts";
import type { FenceReport } from "../mmu/fence-report.ts";
import type { ArchiveError } from "./archive.ts";
import { registersAfterRom } from "./boot-rom.ts";
import type { Breakpoints } from "./breakpoints.ts";
import { captureMachine, restoreMachine } from "./capture.ts";
import type { Console } from "./console.ts";
import { type ElfImage, parseElf } from "./elf.ts";
import { History } from "./history.ts";
import { type ImageContent, packImage, restoreImage } from "./image.ts";
import { recordImage } from "./image-event.ts";
import { type LoadError, loadError } from "./load-error.ts";
import type { Machine } from "./machine.ts";
import { PhysicalMemory } from "./physical-memory.ts";
import { Recorder } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import { Replay } from "./replay.ts";
import type { RunOptions } from "./run-loop.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StepRecord } from "./step-record.ts";
import type { Stop } from "./stop.ts";
import { NO_SYMBOLS, SymbolTable } from "./symbols.ts";
import {
  goToRetired,
  type Landing,
  lastSteps,
  reverseContinue,
  stepBack,
  type Travel,
  type TravelError,
} from "./time-travel.ts";
import type { Trace } from "./trace.ts";
import { eventText } from "./trace-event.ts";
import { NO_TRAPS } from "./trap-loop.ts";

/** Bytes with a place, and names for places in them: what an assembler makes. */
export interface LoadableProgram {
  /** Physical address of the first byte, and of the first instruction. */
  readonly origin: bigint;
  readonly bytes: Uint8Array;
  readonly symbols?: ReadonlyMap<string, bigint>;
}

/** Boards with at most so much RAM keep a history without being asked: it can hold no more than as much again. */
const SMALL_RAM_BYTES = 64 * 1024 * 1024;

/** A machine as people use it. */
export class Board {
  /** Hart 0. */
  readonly hart: Hart;
  /** RAM by physical address, without side effects. */
  readonly memory: PhysicalMemory;
  /** What happened to this machine, and the way back. Boards of up to 64 MiB keep one; others when `keep` is called. */
  readonly history: History;
  readonly #machine: Machine;
  readonly #snapshots = new WeakSet<Snapshot>();
  /** Whether anybody may hold a snapshot. */
  #mayBeReverted = false;

  /** Use `buildBoard`. */
  constructor(machine: Machine) {
    this.#machine = machine;
    this.hart = machine.harts[0];
    this.history = new History(machine);
    this.memory = new PhysicalMemory(machine.ram, (paddr, bytes) => {
      recordImage(machine, paddr, bytes);
      this.history.noteMemory(paddr, bytes);
    });
    this.#powerOn();
    if (machine.ram.sizeBytes <= SMALL_RAM_BYTES)
      this.history.keep({ intervalInsns: Number.POSITIVE_INFINITY });
  }

  /** All harts, by number. */
  get harts(): readonly Hart[] {
    return this.#machine.harts;
  }

  get bus(): Bus {
    return this.#machine.bus;
  }

  get clock(): Clock {
    return this.#machine.clock;
  }

  /** What the guest printed. */
  get console(): Console {
    return this.#machine.console;
  }

  /** What the disk holds, on boards that have one. */
  get disk(): BlockStore | undefined {
    return this.#machine.peripherals.disk;
  }

  /** The network card, on boards that have one. */
  get network(): VirtioNet | undefined {
    return this.#machine.peripherals.network;
  }

  /** What the guest printed on the virtio console, on boards that have one. */
  get virtioConsole(): Console | undefined {
    return this.#machine.peripherals.virtioConsole;
  }

  /** Events so far and their running hash. */
  get trace(): Trace {
    return this.#machine.trace;
  }

  /** What the translating engine has counted about itself: where work was done. Undefined on the reference engine. */
  get counters(): Counters | undefined {
    const [engine] = this.#machine.engines;
    return engine instanceof TranslatorEngine ? engine.counters : undefined;
  }

  /** Names of places in what was loaded. */
  get symbols(): SymbolTable {
    return this.#machine.symbols;
  }

  /** The flattened device tree that lies in RAM at power-on. */
  get deviceTree(): Uint8Array {
    return this.#machine.deviceTree;
  }

  /**
   * Puts a program into RAM and makes its first instruction the next one of every hart; harts that wait wake up. Nothing
   * else of the machine changes.
   *
   * @param program  What an assembler returned, mistakes included.
   * @returns  Undefined, or why nothing was loaded.
   */
  load(program: LoadableProgram | AssemblyError): LoadError | undefined {
    if ("mistakes" in program) return loadError("not-assembled", program.message);
    const { origin, bytes, symbols } = program;
    if (bytes.length === 0)
      return loadError("nothing-to-load", "The program is empty. Give it at least one instruction.");
    if (this.memory.write(origin, bytes) !== undefined) {
      const { base, sizeBytes } = this.#machine.ram;
      const end = base + sizeBytes - 1;
      const place = `${bytes.length} bytes at 0x${origin.toString(16)}`;
      const message = `The program has ${place}, outside RAM at 0x${base.toString(16)}–0x${end.toString(16)}. Choose another origin.`;
      return loadError("outside-ram", message);
    }
    for (const hart of this.harts) {
      hart.pc = origin;
      hart.state.waiting = false;
      hart.stateReplaced();
    }
    this.#machine.symbols = new SymbolTable(
      [...(symbols ?? [])].map(([name, address]) => ({ name, address, sizeBytes: 0n })),
    );
    return undefined;
  }

  /**
   * Loads a RISC-V ELF file and leaves each hart as the boot ROM would: at the entry, with its number in `a0` and the
   * device tree's address in `a1`.
   *
   * @returns  The entry, or why nothing was loaded.
   */
  loadElf(file: Uint8Array): ElfImage | LoadError {
    const machine = this.#machine;
    const image = parseElf(file, machine.ram);
    if (image.kind === "load-error") return image;
    for (const { paddr, bytes, memoryBytes } of image.segments) {
      const contents = new Uint8Array(memoryBytes);
      contents.set(bytes);
      this.memory.write(BigInt(paddr), contents);
    }
    const target = { entry: image.entry, deviceTree: machine.deviceTreeAddress };
    for (const hart of this.harts) {
      hart.pc = BigInt(image.entry);
      hart.state.waiting = false;
      for (const [register, value] of registersAfterRom(hart.id, target)) hart.write(register, value);
      hart.stateReplaced();
    }
    machine.symbols = image.symbols;
    return image;
  }

  /** Runs until the budget is used up or something else ends the run. */
  run(options: RunOptions): Stop {
    return this.history.run(options);
  }

  /** Runs one instruction, or takes one trap, of the hart whose turn it is. */
  step(): StepRecord {
    return this.history.step();
  }

  /** Types text at the guest's terminal, as UTF-8. */
  type(text: string): void {
    this.history.give({ kind: "port", port: "uart", bytes: new TextEncoder().encode(text) });
  }

  /**
   * The last steps that were made, oldest first: fewer when history is shorter. They are found by going back and repeating
   * them; the machine ends where it stood.
   */
  lastSteps(count: number): readonly StepRecord[] | TravelError {
    return this.history.repeating(() => lastSteps(this.#machine, this.history, count));
  }

  /** The last events in text, oldest first, a line each: traps, CSR writes, device accesses, input. */
  lastEvents(count = 20): string {
    const events = count > 0 ? this.trace.events.slice(-count) : [];
    return events.map((event) => eventText(event, this.symbols)).join("\n");
  }

  /**
   * Bytes from outside arrive at a port: `uart`, `virtio-console`, or a frame at `network`.
   *
   * @returns  False when the board has no such port.
   */
  receive(port: string, bytes: Uint8Array): boolean {
    return this.#machine.ports.has(port) && this.history.give({ kind: "port", port, bytes: bytes.slice() });
  }

  /** Starts to record what happens from now on. */
  record(): Recorder {
    return new Recorder(this.#machine, this.history);
  }

  /** The board as a file: `openImage` makes a board of it again, here or elsewhere. */
  saveImage(): Uint8Array {
    return packImage(this.#machine);
  }

  /**
   * Makes this board what an image says; its history begins anew.
   *
   * @returns  Undefined, or why the board stays as it was.
   */
  loadImage(content: ImageContent): ArchiveError | undefined {
    const refused = restoreImage(this.#machine, content);
    if (refused === undefined) this.history.restart();
    return refused;
  }

  /** A replay of a recording, on this board: it must stand where the recording begins. */
  replay(recording: Recording): Replay {
    return new Replay(this, this.#machine, recording);
  }

  /** Where runs stop: at addresses, at data, at CSRs, modes and traps. */
  get breakpoints(): Breakpoints {
    return this.#machine.breakpoints;
  }

  /**
   * Goes back over the last steps: instructions or traps, of one hart if it is named.
   *
   * @returns  Where the machine stands now, or why it cannot go there; then it stands where it stood.
   */
  stepBack(steps = 1, hart?: number): Travel | TravelError {
    return this.history.repeating(() => stepBack(this.#machine, this.history, steps, hart));
  }

  /** Goes to where the machine first had retired so many instructions: back, or forward to where it has been. */
  goTo(retired: number): Travel | TravelError {
    return this.history.repeating(() => goToRetired(this.#machine, this.history, retired));
  }

  /**
   * Runs backward to the last step that one of the breakpoints would have stopped, or to where history begins.
   *
   * @param landing  On which side of that step to stand: before it, unless asked.
   */
  reverseContinue(landing: Landing = "before"): Travel | TravelError {
    return this.history.repeating(() => reverseContinue(this.#machine, this.history, landing));
  }

  /** Names more places, beside those of what was loaded. */
  addSymbols(symbols: ReadonlyMap<string, bigint>): void {
    const added = [...symbols].map(([name, address]) => ({ name, address, sizeBytes: 0n }));
    this.#machine.symbols = new SymbolTable([...this.symbols.symbols, ...added]);
  }

  /** The TypeScript handlers that `hx` calls. They are wiring: a snapshot, a revert and a reset leave them alone. */
  get handlers(): HandlerTable {
    return this.hart.handlers;
  }

  /** Stops the machine for good, as after a panic: a handler went wrong. Runs end with `handler-error` and this message. */
  handlerFailed(message: string): void {
    const machine = this.#machine;
    machine.finish = { kind: "handler-error", message };
    machine.halt.set(machine.clock.now);
  }

  /**
   * Uses of translations that the tables no longer say, without the fence that should have come between; oldest first.
   * Throws `RangeError` on a board that was not built with `checksFences`.
   *
   * @param all  Also those of which correct software may think later: a change gave rights and took none.
   */
  fenceReports({ all = false }: { readonly all?: boolean } = {}): readonly FenceReport[] {
    const { fenceChecker } = this.#machine;
    if (fenceChecker === undefined)
      throw new RangeError(
        "this board does not check fences; build it with buildBoard({ checksFences: true })",
      );
    return all ? fenceChecker.reports : fenceChecker.reports.filter((report) => !report.mayFenceLater);
  }

  /** Tells `observer` of each trap that any hart takes. Returns how to stop. */
  onTrap(observer: (event: TrapEvent) => void): () => void {
    const stops = this.harts.map((hart) =>
      hart.onTrap((event) => {
        if (!this.history.isRepeating) observer(event);
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  /**
   * Remembers the machine as it is now.
   *
   * @cost  A few kilobytes and no copy of RAM: pages are copied when the guest first stores to them.
   */
  snapshot(): Snapshot {
    this.history.settle();
    const snapshot = captureMachine(this.#machine);
    this.history.mark(snapshot);
    this.#snapshots.add(snapshot);
    this.#mayBeReverted = true;
    return snapshot;
  }

  /**
   * Puts the machine back to a snapshot of this board. Snapshots taken before and after stay good, in any order.
   * Throws `RangeError` for a snapshot of another board.
   *
   * @cost  Proportional to the pages that differ.
   */
  revert(snapshot: Snapshot): void {
    if (!this.#snapshots.has(snapshot)) throw new RangeError("this snapshot belongs to another board");
    restoreMachine(this.#machine, snapshot);
    this.#machine.console.settle();
    this.history.reverted(snapshot);
  }

  /** Switches the machine off and on again: RAM is zero but for the device tree, and images must be loaded again. */
  reset(): void {
    const machine = this.#machine;
    // History ends here; but for the user's snapshots, nobody will ask for what RAM holds.
    if (!this.#mayBeReverted) machine.versions.abandon();
    machine.ram.fill(0, machine.ram.sizeBytes, 0);
    machine.clock.restore(CLOCK_AT_RESET);
    for (const { device } of machine.bus.regions) device.reset();
    for (const hart of machine.harts) hart.reset();
    machine.console.truncate(0);
    machine.trace.restart();
    machine.trapLoop.restore(NO_TRAPS);
    machine.turns.reset();
    machine.fenceChecker?.restart();
    this.handlers.unfinished.clear();
    machine.finish = undefined;
    machine.symbols = NO_SYMBOLS;
    this.#powerOn();
    this.history.restart();
  }

  #powerOn(): void {
    const { ram, deviceTree, deviceTreeAddress } = this.#machine;
    ram.write(deviceTreeAddress - ram.base, deviceTree);
  }
}
