/** The wiring list: QEMU's `virt` board, as far as we have it. */
import { Bus } from "../bus/bus.ts";
import { Clock } from "../bus/clock.ts";
import { DirectDma } from "../bus/direct-dma.ts";
import { createMachineMemory } from "../bus/machine-memory.ts";
import { Ram } from "../bus/ram.ts";
import { Iommu, type ModeAtReset } from "../devices/iommu/iommu.ts";
import { Uart16550 } from "../devices/uart16550.ts";
import {
  createReferenceEngines,
  createSlowPaths,
  type ReferenceOptions,
} from "../engine/reference/create.ts";
import { createRegions, type RegionOptions } from "../engine/translator/region/regions.ts";
import { createTranslatorEngines, ENGINE_PLAN } from "../engine/translator/runtime/create.ts";
import { HandlerTable } from "../hart/handler-table.ts";
import { Hart } from "../hart/hart.ts";
import { HART_STATE_BYTES } from "../hart/layout.ts";
import { RememberedTranslations } from "../hart/remembered-translations.ts";
import { Reservations } from "../hart/reservations.ts";
import { type IsaVariant, isStandardIsa, STANDARD_ISA, variantText } from "../isa/variant.ts";
import { FenceChecker } from "../mmu/fence-checker.ts";
import { Board } from "./board.ts";
import { deviceTreeAddress } from "./boot-rom.ts";
import { Breakpoints } from "./breakpoints.ts";
import { Console } from "./console.ts";
import { virtDeviceTree } from "./device-tree.ts";
import { defaultEngine, type EngineName } from "./engine-choice.ts";
import { isaStringOf } from "./isa-string.ts";
import type { Machine } from "./machine.ts";
import { DEFAULT_RAM_BYTES, RAM_BASE } from "./memory-map.ts";
import { createPeripherals, type PeripheralConfig, peripheralNote } from "./peripherals.ts";
import { RamVersions } from "./ram-versions.ts";
import { NO_SYMBOLS } from "./symbols.ts";
import { Trace } from "./trace.ts";
import { TrapLoop } from "./trap-loop.ts";
import { DEFAULT_TURNS, type TurnLengths, Turns } from "./turns.ts";
import { attachDevices } from "./virt-devices.ts";

/** What may differ between boards. */
export interface BoardConfig extends PeripheralConfig {
  /** Bytes of RAM: a multiple of 4096, at least 64 KiB, at most 2 GiB. 16 MiB when left out. */
  readonly ramBytes?: number;
  /** Seed of everything that is drawn by lot; it is part of the trace hash. 0 when left out. */
  readonly seed?: number;
  /** Number of harts, 1 when left out. */
  readonly harts?: HartCount;
  /** How long each hart's turn is; only with several harts. Turns of 1 to 64 instructions show races. */
  readonly turns?: TurnLengths;
  /**
   * Puts an IOMMU between devices and memory, which after reset lets nothing through (`off`) or everything (`bare`). None
   * when left out: devices reach all of RAM.
   */
  readonly iommu?: ModeAtReset;
  /**
   * Whether harts remember translations. `coherent`, when left out: each access sees the tables as they are. `sticky`: a
   * translation, once used, holds until a fence covers it, so that a missing fence shows.
   */
  readonly translations?: "coherent" | "sticky";
  /** Reports each use of a translation that an earlier change of the tables should have fenced. Costs time; changes nothing. */
  readonly checksFences?: boolean;
  /**
   * What makes harts run: the engine that can be read, or the one that translates to WebAssembly. Runs are the same on both, to
   * the last bit. When left out: the one that `chooseEngine` chose, which is the first unless somebody called it.
   */
  readonly engine?: EngineName;
  /**
   * What of the instruction set differs from the manual: no hypervisor extension, CSRs that leak into user mode. What is left out is as
   * the manual has it.
   */
  readonly isa?: Partial<IsaVariant>;
  /** How soon the translating engine makes functions of what is hot: for tests and measurements. Runs are otherwise the same. */
  readonly translating?: TranslatingOptions;
  /** The reference engine's two accelerations. Off, runs are slower and otherwise the same. */
  readonly accelerations?: ReferenceOptions;
}

/** How soon the translating engine translates. */
export interface TranslatingOptions extends RegionOptions {
  /** Arrivals after which code is hot: a power of two. */
  readonly heatThreshold?: number;
}

/** Numbers of harts that a board can have. */
export type HartCount = 1 | 2 | 3 | 4;

function translatorParts({ heatThreshold, ...regions }: TranslatingOptions = {}) {
  return {
    regions: createRegions(regions),
    ...(heatThreshold === undefined ? {} : { heatThreshold }),
  };
}

const MIN_RAM_BYTES = 64 * 1024;
/** The largest translation scheme, as device trees spell it. */
const MMU_TYPE = "riscv,sv48";

/**
 * Builds a board and switches it on: RAM is zero but for the device tree, all harts stand at the start of RAM in M-mode.
 *
 * Throws `RangeError` for a size that no board can have.
 */
export function buildBoard(config: BoardConfig = {}): Board {
  const { ramBytes = DEFAULT_RAM_BYTES, seed = 0, harts: hartCount = 1, accelerations = {} } = config;
  const lengths = config.turns ?? DEFAULT_TURNS;
  if (!(lengths.min >= 1 && lengths.max >= lengths.min)) {
    throw new RangeError(`turns last from 1 instruction on: ${lengths.min} to ${lengths.max} is no range`);
  }
  if (ramBytes < MIN_RAM_BYTES) {
    throw new RangeError(`a board needs at least ${MIN_RAM_BYTES} bytes of RAM, not ${ramBytes}`);
  }
  const { engine = defaultEngine() } = config;
  const memoryPlan = engine === "translator" ? ENGINE_PLAN : undefined;
  const memory = createMachineMemory(HART_STATE_BYTES * hartCount, ramBytes, memoryPlan);
  const { buffer } = memory;
  const clock = new Clock();
  const { translations = "coherent", checksFences = false } = config;
  const isa = { ...STANDARD_ISA, ...config.isa };
  const isaNote = isStandardIsa(isa) ? "" : ` isa=${variantText(isa)}`;
  const turnNote = hartCount === 1 ? "" : ` turns=${lengths.min}-${lengths.max}`;
  const iommuNote = config.iommu === undefined ? "" : ` iommu=${config.iommu}`;
  const stickyNote = translations === "sticky" ? " translations=sticky" : "";
  const trace = new Trace(
    `ram=${ramBytes} harts=${hartCount} seed=${seed}${turnNote}${iommuNote}${stickyNote}${isaNote}${peripheralNote(config)}`,
  );
  const ram = new Ram(memory, RAM_BASE);
  const bus = new Bus(ram, clock, trace);
  const memoryPort = new DirectDma(ram, clock, trace);
  const iommu = config.iommu === undefined ? undefined : new Iommu(memoryPort, config.iommu);
  const halt = clock.alarm(() => {});
  const trapLoop = new TrapLoop(trace, () => halt.set(clock.now));
  const breakpoints = new Breakpoints(trapLoop);
  const reservations = new Reservations(ram);
  const handlers = new HandlerTable();
  const harts = Array.from({ length: hartCount }, (_, id) => {
    const base = id * HART_STATE_BYTES;
    const isSticky = translations === "sticky";
    const remembered = isSticky || checksFences ? new RememberedTranslations(isSticky) : undefined;
    return new Hart({
      buffer,
      base,
      id,
      isa,
      clock,
      bus,
      events: breakpoints,
      reservations,
      handlers,
      remembered,
    });
  }) as [Hart, ...Hart[]];
  const fenceChecker = checksFences ? new FenceChecker(harts, bus) : undefined;
  const engines =
    engine === "reference"
      ? createReferenceEngines(harts, bus, accelerations, fenceChecker)
      : createTranslatorEngines({ harts, bus, memory, ...translatorParts(config.translating) }, (memories) =>
          createSlowPaths(harts, bus, memories, fenceChecker),
        );
  const deviceTree = virtDeviceTree({
    ramBytes,
    hartCount,
    isa: isaStringOf(isa),
    mmuType: MMU_TYPE,
    hasIommu: config.iommu !== undefined,
  });
  const console = new Console();
  const uart = new Uart16550(clock, (byte) => console.print(byte));
  const peripherals = createPeripherals(config, clock);
  const machine: Machine = {
    ram,
    clock,
    bus,
    harts,
    engines,
    turns: new Turns(engines, lengths, seed),
    uart,
    iommu,
    dmaPortOf: (deviceId) => iommu?.portOf(deviceId) ?? memoryPort,
    console,
    peripherals,
    trace,
    trapLoop,
    fenceChecker,
    versions: new RamVersions(ram),
    stateBlock: new Uint8Array(buffer, 0, memory.stateBytes),
    deviceTree,
    deviceTreeAddress: deviceTreeAddress(ram, deviceTree.length),
    halt,
    shape: {
      ramBytes,
      harts: hartCount,
      seed,
      turns: lengths,
      iommu: config.iommu,
      translations,
      ...(isStandardIsa(isa) ? {} : { isa }),
    },
    ports: new Map([["uart", (bytes: Uint8Array) => uart.receive(bytes)], ...peripherals.ports]),
    breakpoints,
    pauseRequested: false,
    finish: undefined,
    symbols: NO_SYMBOLS,
  };
  attachDevices(machine);
  breakpoints.attach(machine);
  return new Board(machine);
}
