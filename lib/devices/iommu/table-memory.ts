/** The IOMMU's own view of memory: words of RAM at physical addresses. */
import type { DmaPort } from "../../bus/dma.ts";

/** Reads `count` little-endian words of 64 bits; `undefined` where one of them is not in RAM. */
export function readWords(memory: DmaPort, address: bigint, count: number): readonly bigint[] | undefined {
  const bytes = memory.read(address, count * 8);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, index) => view.getBigUint64(index * 8, true));
}

/** Reads one word. */
export const readWord = (memory: DmaPort, address: bigint): bigint | undefined =>
  readWords(memory, address, 1)?.[0];

/** Writes words; false where one of them would not be in RAM. */
export function writeWords(memory: DmaPort, address: bigint, words: readonly bigint[]): boolean {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setBigUint64(index * 8, word, true);
  return memory.write(address, bytes) === undefined;
}
