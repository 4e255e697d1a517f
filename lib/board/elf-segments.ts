/** Program headers and the segments that they load, all checked before a byte is copied. */
import { ElfHeader } from "./elf-header.ts";
import { type LoadError, loadError } from "./load-error.ts";

/** Bytes to put into RAM, then zeros up to `memoryBytes`. */
export interface Segment {
  /** Physical address of the first byte. */
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

/** Where RAM is. */
export interface RamRange {
  readonly base: number;
  readonly sizeBytes: number;
}

const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
const MIB = 1024 * 1024;

/** One PT_LOAD header. Numbers too large to be exact are too large for any file or RAM, and are refused as such. */
export interface LoadHeader {
  readonly index: number;
  readonly fileOffset: number;
  /** Unsigned 64-bit: kernels are linked at addresses near 2^64. */
  readonly vaddr: bigint;
  readonly paddr: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** The headers of loadable segments. */
export function readProgramHeaders(view: DataView): LoadHeader[] | LoadError {
  const count = view.getUint16(ElfHeader.PROGRAM_HEADER_COUNT, true);
  const entryBytes = view.getUint16(ElfHeader.PROGRAM_HEADER_SIZE, true);
  const start = Number(view.getBigUint64(ElfHeader.PROGRAM_HEADERS, true));
  if (count > 0 && entryBytes !== PROGRAM_HEADER_BYTES) {
    const message = `Program headers of ${entryBytes} bytes, not ${PROGRAM_HEADER_BYTES}: the file is damaged. Build it again.`;
    return loadError("malformed", message);
  }
  if (count > 0 && start + count * PROGRAM_HEADER_BYTES > view.byteLength) {
    const end = start + count * PROGRAM_HEADER_BYTES;
    return loadError(
      "truncated",
      `Program headers end at byte ${end} of ${view.byteLength}. Copy or build the file again.`,
    );
  }
  const loads: LoadHeader[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * PROGRAM_HEADER_BYTES;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const word = (offset: number): number => Number(view.getBigUint64(at + offset, true));
    loads.push({
      index,
      fileOffset: word(8),
      vaddr: view.getBigUint64(at + 16, true),
      paddr: word(24),
      fileBytes: word(32),
      memoryBytes: word(40),
    });
  }
  return loads;
}

/** The segments with their bytes, if all of them fit. */
export function placeSegments(
  file: Uint8Array,
  loads: readonly LoadHeader[],
  ram: RamRange,
): Segment[] | LoadError {
  const occupied = loads
    .filter((load) => load.memoryBytes > 0)
    .sort((left, right) => left.paddr - right.paddr);
  if (occupied.length === 0) {
    const message = "This ELF file has no loadable segment. Link a program that has code.";
    return loadError("nothing-to-load", message);
  }
  for (const [position, load] of occupied.entries()) {
    const next = occupied[position + 1];
    const problem = contentsProblem(load, file) ?? placeProblem(load, ram) ?? overlapProblem(load, next);
    if (problem !== undefined) return problem;
  }
  return occupied.map((load) => ({
    paddr: load.paddr,
    bytes: file.subarray(load.fileOffset, load.fileOffset + load.fileBytes),
    memoryBytes: load.memoryBytes,
  }));
}

function contentsProblem(load: LoadHeader, file: Uint8Array): LoadError | undefined {
  const { index, fileOffset, fileBytes, memoryBytes } = load;
  if (fileBytes > memoryBytes) {
    const message = `Segment ${index} has more bytes in the file than in memory: the file is damaged. Build it again.`;
    return loadError("malformed", message);
  }
  const end = fileOffset + fileBytes;
  if (end <= file.length) return undefined;
  return loadError(
    "truncated",
    `Segment ${index} ends at byte ${end} of ${file.length}. Copy or build the file again.`,
  );
}

function placeProblem({ index, paddr, memoryBytes }: LoadHeader, ram: RamRange): LoadError | undefined {
  if (memoryBytes > ram.sizeBytes) {
    const sizes = `takes ${mebibytes(memoryBytes)} and RAM has ${mebibytes(ram.sizeBytes)}`;
    return loadError("larger-than-ram", `Segment ${index} ${sizes}. Build the board with more ramBytes.`);
  }
  const [end, ramEnd] = [paddr + memoryBytes, ram.base + ram.sizeBytes];
  if (paddr >= ram.base && end <= ramEnd) return undefined;
  const places = `is for ${hex(paddr)}–${hex(end - 1)}, outside RAM at ${hex(ram.base)}–${hex(ramEnd - 1)}`;
  return loadError("outside-ram", `Segment ${index} ${places}. Link for RAM, or build a board with more.`);
}

/** Segments come by address, so only the next one can overlap first. */
function overlapProblem(load: LoadHeader, next: LoadHeader | undefined): LoadError | undefined {
  if (next === undefined || next.paddr >= load.paddr + load.memoryBytes) return undefined;
  const both = `Segments ${load.index} and ${next.index} both want ${hex(next.paddr)}`;
  return loadError("overlap", `${both}. Give them addresses of their own in the linker script.`);
}

/** The entry is a virtual address; its physical one follows from the segment that holds it. */
export function findEntry(entry: bigint, loads: readonly LoadHeader[]): number | LoadError {
  const home = loads.find((load) => entry >= load.vaddr && entry < load.vaddr + BigInt(load.memoryBytes));
  if (home === undefined) {
    return loadError(
      "bad-entry",
      `The entry point ${hex(entry)} lies in no segment. Check ENTRY in the linker script.`,
    );
  }
  if (entry % 2n !== 0n) {
    return loadError(
      "bad-entry",
      `The entry point ${hex(entry)} is odd, and instructions are not. Check ENTRY in the linker script.`,
    );
  }
  return Number(entry - home.vaddr) + home.paddr;
}

function hex(address: number | bigint): string {
  return `0x${address.toString(16)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil((bytes / MIB) * 10) / 10} MiB`;
}
