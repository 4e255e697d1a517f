/** Writes ELF files by the book (gABI, ELF-64), good ones and, with `poke`, bad ones. Knows nothing of the loader under test. */

/** A segment to be. */
export interface Load {
  type?: number;
  fileOffset?: number;
  vaddr?: bigint;
  paddr: bigint;
  bytes: Uint8Array;
  memoryBytes?: bigint;
}

/** Writes an ELF file by the book: header, program headers, segment bytes. `poke` damages it afterwards. */
export function elf(
  loads: Load[],
  entry = 0x8000_0000n,
  poke: (view: DataView) => void = () => {},
): Uint8Array {
  const dataStart = 64 + 56 * loads.length;
  const file = new Uint8Array(dataStart + loads.reduce((sum, load) => sum + load.bytes.length, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, loads.length, true);
  let offset = dataStart;
  for (const [index, load] of loads.entries()) {
    const at = 64 + 56 * index;
    view.setUint32(at, load.type ?? 1, true);
    view.setBigUint64(at + 8, BigInt(load.fileOffset ?? offset), true);
    view.setBigUint64(at + 16, load.vaddr ?? load.paddr, true);
    view.setBigUint64(at + 24, load.paddr, true);
    view.setBigUint64(at + 32, BigInt(load.bytes.length), true);
    view.setBigUint64(at + 40, load.memoryBytes ?? BigInt(load.bytes.length), true);
    file.set(load.bytes, offset);
    offset += load.bytes.length;
  }
  poke(view);
  return file;
}
