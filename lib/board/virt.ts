/** The wiring list: QEMU's `virt` board, as far as we have it. */
import { Bus } from "../bus/bus.ts";
import { Clock } from "../bus/clock.ts";
import { createMachineMemory } from "../bus/machine-memory.ts";
import { Ram } from "../bus/ram.ts";
import { Clint } from "../devices/clint.ts";
import { Rom } from "../devices/rom.ts";
import { TestFinisher } from "../devices/test-finisher.ts";
import { Uart16550 } from "../devices/uart16550.ts";
import { DecodeMemo } from "../engine/reference/decode-memo.ts";
import { ReferenceEngine } from "../engine/reference/reference-engine.ts";
import { Hart } from "../hart/hart.ts";
import { HART_STATE_BYTES } from "../hart/layout.ts";
import { TranslationSources } from "../mmu/translation-cache.ts";
import { Board } from "./board.ts";
import { bootRom, deviceTreeAddress } from "./boot-rom.ts";
import { Console } from "./console.ts";
import { virtDeviceTree } from "./device-tree.ts";
import { isaString } from "./isa-string.ts";
import type { Machine } from "./machine.ts";
import { DEFAULT_RAM_BYTES, RAM_BASE, VIRT_MAP } from "./memory-map.ts";
import { RamVersions } from "./ram-versions.ts";
import { NO_SYMBOLS } from "./symbols.ts";
import { Trace } from "./trace.ts";

/** What may differ between boards. */
export interface BoardConfig {
  /** Bytes of RAM: a multiple of 4096, at least 64 KiB, at most 2 GiB. 16 MiB when left out. */
  readonly ramBytes?: number;
  /** Seed of everything that is drawn by lot; it is part of the trace hash. 0 when left out. */
  readonly seed?: number;
  /** Number of harts. One, for now. */
  readonly harts?: 1;
  /** The reference engine's two accelerations. Off, runs are slower and otherwise the same. */
  readonly accelerations?: { readonly decodeMemo?: boolean; readonly translationCache?: boolean };
}

const MIN_RAM_BYTES = 64 * 1024;
/** The largest translation scheme, as device trees spell it. */
const MMU_TYPE = "riscv,sv39";

/**
 * Builds a board and switches it on: RAM is zero but for the device tree, hart 0 stands at the start of RAM in M-mode.
 *
 * Throws `RangeError` for a size that no board can have.
 */
export function buildBoard(config: BoardConfig = {}): Board {
  const { ramBytes = DEFAULT_RAM_BYTES, seed = 0, harts: hartCount = 1, accelerations = {} } = config;
  if (ramBytes < MIN_RAM_BYTES)
    throw new RangeError(`a board needs at least ${MIN_RAM_BYTES} bytes of RAM, not ${ramBytes}`);
  const memory = createMachineMemory(HART_STATE_BYTES * hartCount, ramBytes);
  const { buffer } = memory;
  const clock = new Clock();
  const trace = new Trace(`ram=${ramBytes} harts=${hartCount} seed=${seed}`);
  const ram = new Ram(memory, RAM_BASE);
  const bus = new Bus(ram, clock, trace);
  const hart = new Hart({ buffer, base: 0, id: 0, clock, bus, events: trace });
  const engine = new ReferenceEngine({
    hart,
    bus,
    memo: new DecodeMemo(ram, accelerations.decodeMemo),
    sources: new TranslationSources(ram),
    cachesTranslations: accelerations.translationCache ?? true,
  });

  const deviceTree = virtDeviceTree({ ramBytes, hartCount, isa: isaString(), mmuType: MMU_TYPE });
  const treeAddress = deviceTreeAddress(ram, deviceTree.length);
  const console = new Console();
  const halt = clock.alarm(() => {});
  const rom = new Rom(VIRT_MAP.bootRom.sizeBytes, bootRom({ entry: RAM_BASE, deviceTree: treeAddress }));
  const uart = new Uart16550(clock, (byte) => console.print(byte));
  const clint = new Clint(clock, hartCount);
  const finisher = new TestFinisher((finish) => {
    machine.finish = finish;
    halt.set(clock.now);
  });
  hart.connect(clint.softwareLine(0), "machineSoftware");
  hart.connect(clint.timerLine(0), "machineTimer");
  for (const [base, device] of [
    [VIRT_MAP.bootRom.base, rom],
    [VIRT_MAP.testFinisher.base, finisher],
    [VIRT_MAP.clint.base, clint],
    [VIRT_MAP.uart.base, uart],
  ] as const) {
    const refused = bus.attach(base, device);
    if (refused !== undefined) throw new Error(refused.message);
  }

  const machine: Machine = {
    ram,
    clock,
    bus,
    harts: [hart],
    engine,
    uart,
    console,
    trace,
    versions: new RamVersions(ram),
    stateBlock: new Uint8Array(buffer, 0, memory.stateBytes),
    deviceTree,
    deviceTreeAddress: treeAddress,
    halt,
    finish: undefined,
    symbols: NO_SYMBOLS,
  };
  return new Board(machine);
}
