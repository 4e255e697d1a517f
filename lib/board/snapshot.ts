/**
 * Everything guest-visible at one moment: the state block, the devices, the clock, the trace so far, what was printed, and
 * a copy-on-write version of RAM. Wiring and configuration are not in it: they belong to the board that took it.
 */
import type { ClockState } from "../bus/clock.ts";
import type { DeviceState } from "../bus/device.ts";
import type { Finish } from "../devices/test-finisher.ts";
import type { RememberedState } from "../hart/remembered-translations.ts";
import type { UnfinishedCall } from "../hart/unfinished-calls.ts";
import type { FenceCheckerState } from "../mmu/fence-checker.ts";
import type { ConsoleMark } from "./console.ts";
import type { HandlerFailure } from "./handler-failure.ts";
import type { RamVersion } from "./ram-versions.ts";
import type { SymbolTable } from "./symbols.ts";
import type { TraceState } from "./trace.ts";
import type { TrapLoopState } from "./trap-loop.ts";
import type { TurnsState } from "./turns.ts";

/** A point to which its board can go back, as often as one likes. Held for nothing else; let go of it and it is freed. */
export interface Snapshot {
  /** Instructions that the machine had retired. */
  readonly retired: number;
  /** Bytes of the hart state blocks. */
  readonly stateBlock: Uint8Array;
  /** Device states by device name. */
  readonly devices: ReadonlyMap<string, DeviceState>;
  /** What each hart remembers of translations, where harts do. */
  readonly remembered: readonly (RememberedState | undefined)[];
  /** What the fence checker knows, where there is one. */
  readonly fences: FenceCheckerState | undefined;
  /** Handlers in the middle of their work. */
  readonly unfinishedCalls: readonly UnfinishedCall[];
  readonly clock: ClockState;
  readonly ram: RamVersion;
  readonly trace: TraceState;
  readonly trapLoop: TrapLoopState;
  readonly turns: TurnsState;
  readonly consoleLength: number;
  /** What was printed on the serial port and on the virtio console, if there is one. */
  readonly printed: readonly (ConsoleMark | undefined)[];
  readonly finish: Finish | HandlerFailure | undefined;
  readonly symbols: SymbolTable;
}

/** What of it a file holds in the same form. */
export type SnapshotParts = Omit<Snapshot, "ram" | "printed">;
