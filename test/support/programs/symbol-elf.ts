/** An ELF file with one segment and a symbol table, by the book (gABI, ELF-64). Knows nothing of the loader under test. */
import { HARNESS, RAM_END, RAM_START, RESULTS, TOHOST } from "./layout.ts";

/** The places that other simulators look for. */
const SYMBOLS: readonly (readonly [name: string, value: number])[] = [
  ["tohost", TOHOST],
  ["fromhost", TOHOST + 8],
  ["begin_signature", RESULTS],
  ["end_signature", RAM_END],
];
const STRINGS = Buffer.from(`\0${SYMBOLS.map(([name]) => name).join("\0")}\0.symtab\0.strtab\0`);
const SYMBOL_BYTES = 24;
const SECTION_BYTES = 64;
const DATA_START = 4096;
const LOAD = 1;
const SYMTAB = 2;
const STRTAB = 3;
const ABSOLUTE = 0xfff1;
const GLOBAL = 0x10;

/** Numbers at offsets of a view. */
function put(
  view: DataView,
  width: 2 | 4 | 8,
  fields: readonly (readonly [offset: number, value: number])[],
): void {
  for (const [offset, value] of fields) {
    if (width === 2) view.setUint16(offset, value, true);
    else if (width === 4) view.setUint32(offset, value, true);
    else view.setBigUint64(offset, BigInt(value), true);
  }
}

const nameOffset = (name: string): number => STRINGS.indexOf(`\0${name}\0`) + 1;

function putSymbols(view: DataView, start: number): void {
  for (const [index, [name, value]] of SYMBOLS.entries()) {
    const at = start + SYMBOL_BYTES * (index + 1);
    put(view, 4, [[at, nameOffset(name)]]);
    view.setUint8(at + 4, GLOBAL);
    put(view, 2, [[at + 6, ABSOLUTE]]);
    put(view, 8, [[at + 8, value]]);
  }
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly start: number;
  readonly bytes: number;
  readonly link: number;
  readonly entryBytes: number;
}

function putSection(
  view: DataView,
  at: number,
  { name, type, start, bytes, link, entryBytes }: Section,
): void {
  put(view, 4, [
    [at, nameOffset(name)],
    [at + 4, type],
    [at + 40, link],
    [at + 44, 1],
  ]);
  put(view, 8, [
    [at + 24, start],
    [at + 32, bytes],
    [at + 48, 1],
    [at + 56, entryBytes],
  ]);
}

function putHeaders(view: DataView, ramBytes: number, sectionStart: number): void {
  // type, machine, header sizes, one program header, three sections, names in the third
  put(view, 2, [
    [16, 2],
    [18, 243],
    [52, 64],
    [54, 56],
    [56, 1],
    [58, SECTION_BYTES],
    [60, 3],
    [62, 2],
  ]);
  put(view, 4, [
    [20, 1],
    [64, LOAD],
    [68, 7],
  ]);
  put(view, 8, [
    [24, HARNESS],
    [32, 64],
    [40, sectionStart],
    [72, DATA_START],
  ]);
  put(view, 8, [
    [80, RAM_START],
    [88, RAM_START],
    [96, ramBytes],
    [104, ramBytes],
    [112, DATA_START],
  ]);
}

/** The file that loads an image at the start of RAM. */
export function elfOf(ram: Uint8Array): Uint8Array {
  const symbolStart = DATA_START + ram.length;
  const symbolBytes = SYMBOL_BYTES * (SYMBOLS.length + 1);
  const stringStart = symbolStart + symbolBytes;
  const sectionStart = (stringStart + STRINGS.length + 7) & ~7;
  const file = new Uint8Array(sectionStart + 3 * SECTION_BYTES);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  putHeaders(view, ram.length, sectionStart);
  file.set(ram, DATA_START);
  putSymbols(view, symbolStart);
  file.set(STRINGS, stringStart);
  const symtab = {
    name: ".symtab",
    type: SYMTAB,
    start: symbolStart,
    bytes: symbolBytes,
    link: 2,
    entryBytes: SYMBOL_BYTES,
  };
  const strtab = {
    name: ".strtab",
    type: STRTAB,
    start: stringStart,
    bytes: STRINGS.length,
    link: 0,
    entryBytes: 0,
  };
  putSection(view, sectionStart + SECTION_BYTES, symtab);
  putSection(view, sectionStart + 2 * SECTION_BYTES, strtab);
  return file;
}
