/**
 * Reads a 64-bit RISC-V ELF file: what to put where, where to start, and the names in it.
 * Every malformed input is a {@link LoadError}; no input makes it throw, and nothing is copied before all is checked.
 *
 * @spec gABI "ELF-64 Object File Format" 1.5; RISC-V ELF psABI "ELF Object Files"
 */
import { type LoadError, loadError } from "./load-error.ts";
import { type ImageSymbol, SymbolTable } from "./symbols.ts";

/** Bytes to put into RAM, then zeros up to `memoryBytes`. */
export interface Segment {
  /** Physical address of the first byte. */
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

/** An ELF file that fits the RAM it was checked against. */
export interface ElfImage {
  readonly kind: "elf";
  /** Physical address of the first instruction. */
  readonly entry: number;
  /** By address, never overlapping. */
  readonly segments: readonly Segment[];
  readonly symbols: SymbolTable;
}

/** Where RAM is. */
export interface RamRange {
  readonly base: number;
  readonly sizeBytes: number;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const RISCV = 243;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const MIB = 1024 * 1024;

/** Machines that people are most likely to have compiled for by mistake. */
const MACHINE_NAMES: Record<number, string> = {
  3: "x86",
  8: "MIPS",
  40: "Arm",
  62: "x86-64",
  183: "AArch64",
  258: "LoongArch",
};

/** Offsets in the file header. */
const Header = {
  CLASS: 4,
  BYTE_ORDER: 5,
  TYPE: 16,
  MACHINE: 18,
  ENTRY: 24,
  PROGRAM_HEADERS: 32,
  SECTION_HEADERS: 40,
  PROGRAM_HEADER_SIZE: 54,
  PROGRAM_HEADER_COUNT: 56,
  SECTION_HEADER_SIZE: 58,
  SECTION_HEADER_COUNT: 60,
} as const;

/**
 * Checks and reads an ELF file.
 *
 * @param file  The whole file. Segments are views of it, not copies.
 * @param ram   Where segments may go.
 */
export function parseElf(file: Uint8Array, ram: RamRange): ElfImage | LoadError {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerError = checkHeader(file, view);
  if (headerError !== undefined) return headerError;
  const loads = readProgramHeaders(view);
  if (!Array.isArray(loads)) return loads;
  const segments = placeSegments(file, loads, ram);
  if (!Array.isArray(segments)) return segments;
  const entry = findEntry(view.getBigUint64(Header.ENTRY, true), loads);
  if (typeof entry !== "number") return entry;
  return { kind: "elf", entry, segments, symbols: new SymbolTable(readSymbols(file, view)) };
}

function checkHeader(file: Uint8Array, view: DataView): LoadError | undefined {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (!magic.slice(0, file.length).every((byte, index) => file[index] === byte) || file.length === 0) {
    const start = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const found = file.length === 0 ? "the file is empty" : `it starts with ${start}, not 7f 45 4c 46`;
    return loadError(
      "not-elf",
      `Not an ELF file: ${found}. Give the file that the linker wrote, or load raw bytes with an origin.`,
    );
  }
  if (file.length < HEADER_BYTES) {
    return loadError(
      "truncated",
      `The ELF header is cut off: ${file.length} of ${HEADER_BYTES} bytes. Copy or build the file again.`,
    );
  }
  if (file[Header.CLASS] !== 2) {
    return loadError(
      "wrong-class",
      "This is a 32-bit ELF file and the hart is RV64. Compile with -march=rv64… -mabi=lp64.",
    );
  }
  if (file[Header.BYTE_ORDER] !== 1) {
    return loadError(
      "wrong-byte-order",
      "This ELF file is big-endian and the hart is little-endian. Compile for riscv64.",
    );
  }
  const machine = view.getUint16(Header.MACHINE, true);
  if (machine !== RISCV) {
    const name = MACHINE_NAMES[machine] ?? "another machine";
    const advice = "Compile with riscv64-unknown-elf-gcc.";
    return loadError(
      "wrong-machine",
      `This ELF file is for ${name} (machine ${machine}), not RISC-V (${RISCV}). ${advice}`,
    );
  }
  return checkType(view.getUint16(Header.TYPE, true));
}

function checkType(type: number): LoadError | undefined {
  if (type === 2) return undefined;
  if (type === 1) return loadError("wrong-type", "This is an object file, not a program. Link it first.");
  if (type === 3) {
    return loadError(
      "wrong-type",
      "This program is position-independent and has no fixed place. Link it with -static -no-pie.",
    );
  }
  return loadError(
    "wrong-type",
    `This ELF file has type ${type}, which is not an executable. Link a program.`,
  );
}

/** One PT_LOAD header. Numbers too large to be exact are too large for any file or RAM, and are refused as such. */
interface LoadHeader {
  readonly index: number;
  readonly fileOffset: number;
  /** Unsigned 64-bit: kernels are linked at addresses near 2^64. */
  readonly vaddr: bigint;
  readonly paddr: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

function readProgramHeaders(view: DataView): LoadHeader[] | LoadError {
  const count = view.getUint16(Header.PROGRAM_HEADER_COUNT, true);
  const entryBytes = view.getUint16(Header.PROGRAM_HEADER_SIZE, true);
  const start = Number(view.getBigUint64(Header.PROGRAM_HEADERS, true));
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

function placeSegments(file: Uint8Array, loads: readonly LoadHeader[], ram: RamRange): Segment[] | LoadError {
  const occupied = loads
    .filter((load) => load.memoryBytes > 0)
    .sort((left, right) => left.paddr - right.paddr);
  if (occupied.length === 0) {
    return loadError(
      "nothing-to-load",
      "This ELF file has no loadable segment. Link a program that has code.",
    );
  }
  const ramEnd = ram.base + ram.sizeBytes;
  for (const [position, load] of occupied.entries()) {
    const where = `Segment ${load.index}`;
    if (load.fileBytes > load.memoryBytes) {
      return loadError(
        "malformed",
        `${where} has more bytes in the file than in memory: the file is damaged. Build it again.`,
      );
    }
    if (load.fileOffset + load.fileBytes > file.length) {
      const message = `${where} ends at byte ${load.fileOffset + load.fileBytes} of ${file.length}. Copy or build the file again.`;
      return loadError("truncated", message);
    }
    if (load.memoryBytes > ram.sizeBytes) {
      const message = `${where} takes ${mebibytes(load.memoryBytes)} and RAM has ${mebibytes(ram.sizeBytes)}. Build the board with more ramBytes.`;
      return loadError("larger-than-ram", message);
    }
    const end = load.paddr + load.memoryBytes;
    if (load.paddr < ram.base || end > ramEnd) {
      const range = `${hex(load.paddr)}–${hex(end - 1)}`;
      const message = `${where} is for ${range}, outside RAM at ${hex(ram.base)}–${hex(ramEnd - 1)}. Link for RAM, or build a board with more.`;
      return loadError("outside-ram", message);
    }
    const next = occupied[position + 1];
    if (next !== undefined && next.paddr < end) {
      const message = `Segments ${load.index} and ${next.index} both want ${hex(next.paddr)}. Give them addresses of their own in the linker script.`;
      return loadError("overlap", message);
    }
  }
  return occupied.map((load) => ({
    paddr: load.paddr,
    bytes: file.subarray(load.fileOffset, load.fileOffset + load.fileBytes),
    memoryBytes: load.memoryBytes,
  }));
}

/** The entry is a virtual address; its physical one follows from the segment that holds it. */
function findEntry(entry: bigint, loads: readonly LoadHeader[]): number | LoadError {
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

/** Names are a convenience: a damaged or stripped symbol table gives fewer of them, not an error. */
function readSymbols(file: Uint8Array, view: DataView): ImageSymbol[] {
  const count = view.getUint16(Header.SECTION_HEADER_COUNT, true);
  const start = Number(view.getBigUint64(Header.SECTION_HEADERS, true));
  if (view.getUint16(Header.SECTION_HEADER_SIZE, true) !== SECTION_HEADER_BYTES) return [];
  if (start + count * SECTION_HEADER_BYTES > file.length) return [];
  const section = (index: number) => {
    const at = start + index * SECTION_HEADER_BYTES;
    const offset = Number(view.getBigUint64(at + 24, true));
    const sizeBytes = Number(view.getBigUint64(at + 32, true));
    const isInside = offset + sizeBytes <= file.length;
    return {
      type: view.getUint32(at + 4, true),
      link: view.getUint32(at + 40, true),
      offset,
      sizeBytes,
      isInside,
    };
  };
  for (let index = 0; index < count; index++) {
    const table = section(index);
    if (table.type !== SHT_SYMTAB || !table.isInside || table.link >= count) continue;
    const names = section(table.link);
    if (!names.isInside) continue;
    return symbolsOf(view, table, file.subarray(names.offset, names.offset + names.sizeBytes));
  }
  return [];
}

function symbolsOf(
  view: DataView,
  table: { offset: number; sizeBytes: number },
  names: Uint8Array,
): ImageSymbol[] {
  const symbols: ImageSymbol[] = [];
  for (let at = table.offset; at + SYMBOL_BYTES <= table.offset + table.sizeBytes; at += SYMBOL_BYTES) {
    const name = textAt(names, view.getUint32(at, true));
    const type = view.getUint8(at + 4) & 0xf;
    const isDefinedHere = view.getUint16(at + 6, true) !== 0;
    // 0–2: no type, object, function. Names with "$" mark what the bytes are, not where something is.
    if (type > 2 || !isDefinedHere || name === "" || name.startsWith("$")) continue;
    symbols.push({
      name,
      address: view.getBigUint64(at + 8, true),
      sizeBytes: view.getBigUint64(at + 16, true),
    });
  }
  return symbols;
}

function textAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  let text = "";
  for (let index = start; index < (end < 0 ? start : end); index++)
    text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

function hex(address: number | bigint): string {
  return `0x${address.toString(16)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil((bytes / MIB) * 10) / 10} MiB`;
}
