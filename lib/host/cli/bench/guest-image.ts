/** The image of a benchmark guest with its number of rounds in it: a peer has no other way to be told. */
import { readFileSync } from "node:fs";
import { parseElf } from "../../../board/elf.ts";
import { DEFAULT_RAM_BYTES, RAM_BASE } from "../../../board/memory-map.ts";
import { BENCH_GUESTS, type BenchGuestName, ROUNDS_SYMBOL } from "../../../systems/bench-guests.ts";
import { assetFile } from "../../node-assets.ts";

const RAM = { base: RAM_BASE, sizeBytes: DEFAULT_RAM_BYTES };

/** Bytes of the ELF file, which does the guest's work `rounds` times (at least once). */
export function withRounds(name: BenchGuestName, rounds: number): Uint8Array {
  const file = new Uint8Array(readFileSync(assetFile(BENCH_GUESTS[name].asset)));
  const image = parseElf(file, RAM);
  if (image.kind === "load-error") throw new Error(image.message);
  const address = Number(image.symbols.addressOf(ROUNDS_SYMBOL));
  // A segment's bytes are a view of the file, so this writes into the file.
  for (const { paddr, bytes } of image.segments) {
    const offset = address - paddr;
    if (offset < 0 || offset + 8 > bytes.length) continue;
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(offset, BigInt(rounds), true);
    return file;
  }
  throw new Error(`${name} has no word ${ROUNDS_SYMBOL} in its data`);
}
