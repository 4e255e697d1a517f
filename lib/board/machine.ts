/** The parts of an assembled machine, as `virt.ts` makes them and the files of this folder share them. */
import type { Bus } from "../bus/bus.ts";
import type { Alarm, Clock } from "../bus/clock.ts";
import type { DmaPort } from "../bus/dma.ts";
import type { Ram } from "../bus/ram.ts";
import type { Iommu, ModeAtReset } from "../devices/iommu/iommu.ts";
import type { Finish } from "../devices/test-finisher.ts";
import type { Uart16550 } from "../devices/uart16550.ts";
import type { Engine } from "../engine/engine.ts";
import type { Hart } from "../hart/hart.ts";
import type { IsaVariant } from "../isa/variant.ts";
import type { FenceChecker } from "../mmu/fence-checker.ts";
import type { Breakpoints } from "./breakpoints.ts";
import type { Console } from "./console.ts";
import type { HandlerFailure } from "./handler-failure.ts";
import type { Peripherals } from "./peripherals.ts";
import type { RamVersions } from "./ram-versions.ts";
import type { SymbolTable } from "./symbols.ts";
import type { Trace } from "./trace.ts";
import type { TrapLoop } from "./trap-loop.ts";
import type { TurnLengths, Turns } from "./turns.ts";

/** What makes two machines the same: the same images and inputs then give the same course of events. */
export interface MachineShape {
  readonly ramBytes: number;
  readonly harts: 1 | 2 | 3 | 4;
  readonly seed: number;
  readonly turns: TurnLengths;
  readonly iommu: ModeAtReset | undefined;
  readonly translations: "coherent" | "sticky";
  /** How the instruction set differs from the manual's; left out: not at all. */
  readonly isa?: IsaVariant;
}

/** Parts of a machine. Two of them change: why the guest ended the run, and the names of places in it. */
export interface Machine {
  readonly ram: Ram;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly harts: readonly [Hart, ...Hart[]];
  /** One for each hart, in their order. */
  readonly engines: readonly [Engine, ...Engine[]];
  /** Which hart runs now. */
  readonly turns: Turns;
  readonly uart: Uart16550;
  /** What stands between devices and memory, on boards that have one. */
  readonly iommu: Iommu | undefined;
  /** What the device with this number sees of memory: all of it, where there is no IOMMU. */
  readonly dmaPortOf: (deviceId: number) => DmaPort;
  readonly console: Console;
  /** What is plugged into the virtio slots. */
  readonly peripherals: Peripherals;
  readonly trace: Trace;
  readonly trapLoop: TrapLoop;
  /** Where the board checks fences. */
  readonly fenceChecker: FenceChecker | undefined;
  readonly versions: RamVersions;
  /** Bytes of all hart state blocks. */
  readonly stateBlock: Uint8Array;
  readonly deviceTree: Uint8Array;
  /** Physical address of the device tree. */
  readonly deviceTreeAddress: number;
  /** Set for now, it makes the engine return after the present instruction. */
  readonly halt: Alarm;
  /** What was asked of `buildBoard`: what an image needs to build the same machine again. */
  readonly shape: MachineShape;
  /** Where bytes from outside arrive, by name: a terminal, a network. */
  readonly ports: ReadonlyMap<string, (bytes: Uint8Array) => void>;
  readonly breakpoints: Breakpoints;
  /** Makes a run return as if its budget were used up: somebody outside has something for the machine. */
  pauseRequested: boolean;
  /** What the guest told the test finisher, or how a handler failed. The machine stays off until reset or revert. */
  finish: Finish | HandlerFailure | undefined;
  symbols: SymbolTable;
}
