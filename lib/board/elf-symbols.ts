/** The symbol table of an ELF file. Names are a convenience: a damaged or stripped table gives fewer, never an error. */
import { ElfHeader } from "./elf-header.ts";
import type { ImageSymbol } from "./symbols.ts";

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const SHT_SYMTAB = 2;

/** Functions, objects and labels that the file defines. */
export function readSymbols(file: Uint8Array, view: DataView): ImageSymbol[] {
  const count = view.getUint16(ElfHeader.SECTION_HEADER_COUNT, true);
  const start = Number(view.getBigUint64(ElfHeader.SECTION_HEADERS, true));
  if (view.getUint16(ElfHeader.SECTION_HEADER_SIZE, true) !== SECTION_HEADER_BYTES) return [];
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
