/**
 * The one WebAssembly.Memory that is the machine: hart state blocks, then what an engine needs for itself, then one flag byte
 * per RAM page, then guest RAM.
 * It is created at its final size and never grown, because growing detaches every typed view and every engine holds some.
 * Only the state blocks and RAM are guest state; the page flags are the host's notes about pages.
 */

const WASM_PAGE_BYTES = 65_536;
/** Bytes of a RISC-V base page, the grain of RAM bookkeeping. */
export const PAGE_BYTES = 4096;
/** log2 of {@link PAGE_BYTES}. */
export const PAGE_SHIFT = 12;

/** Where each part of the machine lies in the memory, in bytes from its start. */
export interface MachineMemory {
  readonly memory: WebAssembly.Memory;
  /** The memory's buffer; never detached. */
  readonly buffer: ArrayBuffer;
  /** Hart state blocks start at 0 and take this many bytes. */
  readonly stateBytes: number;
  /** First page-flag byte: one for each page of RAM. */
  readonly flagsOffset: number;
  /** First byte of RAM, page-aligned. */
  readonly ramOffset: number;
  /** Bytes of RAM, a multiple of {@link PAGE_BYTES}. */
  readonly ramBytes: number;
}

/** Largest RAM in bytes: 32-bit WebAssembly memories end at 4 GiB, and state and flags need room. */
export const MAX_RAM_BYTES = 2 ** 31;

/** Where an engine that keeps things of its own in the memory wants the parts behind them: multiples of {@link PAGE_BYTES}. */
export interface MemoryPlan {
  readonly flagsOffset: number;
  readonly ramOffset: number;
}

/** The parts directly behind each other. */
function densePlan(stateBytes: number, ramBytes: number): MemoryPlan {
  const flagsOffset = roundUp(stateBytes, PAGE_BYTES);
  return { flagsOffset, ramOffset: roundUp(flagsOffset + ramBytes / PAGE_BYTES, PAGE_BYTES) };
}

/**
 * Makes the memory of a machine, all zero.
 *
 * @param stateBytes  Bytes for hart state blocks, all harts together.
 * @param ramBytes    Bytes of guest RAM: a positive multiple of {@link PAGE_BYTES}, at most {@link MAX_RAM_BYTES}.
 *                    Callers check what people ask for; a bad number here is our bug and throws.
 * @param plan        Where flags and RAM begin; directly behind the state blocks when left out.
 */
export function createMachineMemory(stateBytes: number, ramBytes: number, plan?: MemoryPlan): MachineMemory {
  if (!Number.isInteger(stateBytes) || stateBytes < 0)
    throw new RangeError(`state block of ${stateBytes} bytes`);
  if (
    !Number.isInteger(ramBytes) ||
    ramBytes <= 0 ||
    ramBytes % PAGE_BYTES !== 0 ||
    ramBytes > MAX_RAM_BYTES
  ) {
    throw new RangeError(`RAM of ${ramBytes} bytes: needs whole pages, at most ${MAX_RAM_BYTES}`);
  }
  const { flagsOffset, ramOffset } = plan ?? densePlan(stateBytes, ramBytes);
  if (flagsOffset < stateBytes || ramOffset < flagsOffset + ramBytes / PAGE_BYTES)
    throw new RangeError(`no room for the page flags between ${flagsOffset} and ${ramOffset}`);
  const wasmPages = roundUp(ramOffset + ramBytes, WASM_PAGE_BYTES) / WASM_PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: wasmPages, maximum: wasmPages });
  return { memory, buffer: memory.buffer as ArrayBuffer, stateBytes, flagsOffset, ramOffset, ramBytes };
}

function roundUp(bytes: number, grain: number): number {
  return Math.ceil(bytes / grain) * grain;
}
