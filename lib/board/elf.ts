/**
 * Reads a 64-bit RISC-V ELF file: what to put where, where to start, and the names in it.
 * Every malformed input is a {@link LoadError}; no input makes it throw, and nothing is copied before all is checked.
 *
 * @spec gABI "ELF-64 Object File Format" 1.5; RISC-V ELF psABI "ELF Object Files"
 */
import { checkHeader, ElfHeader } from "./elf-header.ts";
import { findEntry, placeSegments, type RamRange, readProgramHeaders, type Segment } from "./elf-segments.ts";
import { readSymbols } from "./elf-symbols.ts";
import type { LoadError } from "./load-error.ts";
import { SymbolTable } from "./symbols.ts";

/** An ELF file that fits the RAM it was checked against. */
export interface ElfImage {
  readonly kind: "elf";
  /** Physical address of the first instruction. */
  readonly entry: number;
  /** By address, never overlapping. */
  readonly segments: readonly Segment[];
  readonly symbols: SymbolTable;
}

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
  const entry = findEntry(view.getBigUint64(ElfHeader.ENTRY, true), loads);
  if (typeof entry !== "number") return entry;
  return { kind: "elf", entry, segments, symbols: new SymbolTable(readSymbols(file, view)) };
}
