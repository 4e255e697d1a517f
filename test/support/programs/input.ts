/** What comes from outside while a looping program runs: keys, bytes into RAM, and a disk that writes to RAM by itself. */
import type { Board } from "../../../lib/board/board.ts";
import { VIRT_MAP } from "../../../lib/board/memory-map.ts";
import { seededNumbers } from "../random.ts";
import { DATA } from "./looping.ts";

const RAM = 0x8000_0000;
const QUEUE = RAM + 0x30_0000;
const SECTORS = 16;

/** A disk that holds what the first sectors of the program's code were. */
export const diskOf = (parts: readonly (readonly [number, Uint8Array])[]): Uint8Array => {
  const disk = new Uint8Array(512 * SECTORS);
  disk.set(parts[0]?.[1].subarray(0, disk.length) ?? []);
  return disk;
};

const SLOT = VIRT_MAP.virtio.base;
const write = (board: Board, offset: number, value: number): void => {
  board.bus.store(SLOT + offset, 4, BigInt(value));
};

/** Brings the disk up. @spec virtio 1.2, sections 3.1.1 and 4.2.2 */
function beginDisk(board: Board): void {
  for (const status of [0, 1, 3]) write(board, 0x70, status);
  for (const [half, features] of [
    [0, 0],
    [1, 1],
  ] as const) {
    write(board, 0x24, half);
    write(board, 0x20, features);
  }
  for (const [offset, value] of [
    [0x70, 0xb],
    [0x30, 0],
    [0x38, 8],
    [0x80, QUEUE],
    [0x90, QUEUE + 128],
    [0xa0, QUEUE + 256],
    [0x44, 1],
    [0x70, 0xf],
  ] as const)
    write(board, offset, value);
}

/** Has the disk read a sector to an address: a header, 512 bytes, a status byte. */
function readSector(board: Board, request: number, sector: number, address: number): void {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  const descriptor = (index: number, at: number, length: number, flags: number): void => {
    view.setBigUint64(16 * index, BigInt(at), true);
    view.setUint32(16 * index + 8, length, true);
    view.setUint16(16 * index + 12, flags, true);
    view.setUint16(16 * index + 14, index + 1, true);
  };
  descriptor(0, QUEUE + 400, 16, 1);
  descriptor(1, address, 512, 3);
  descriptor(2, QUEUE + 420, 1, 2);
  for (let entry = 0; entry < 8; entry++) view.setUint16(128 + 4 + 2 * entry, 0, true);
  view.setUint16(128 + 2, request & 0xffff, true);
  view.setBigUint64(408, BigInt(sector), true);
  // The used ring is the device's.
  board.memory.write(BigInt(QUEUE), bytes.subarray(0, 256));
  board.memory.write(BigInt(QUEUE + 400), bytes.subarray(400, 424));
  write(board, 0x50, 0);
}

/** What comes from outside before a piece: keys, bytes into data, a sector into data or over the program's own code. */
export function giveInput(board: Board, piece: number, seed: number): void {
  const below = seededNumbers(seed * 1000 + piece + 1);
  if (piece === 0) beginDisk(board);
  board.type(String.fromCharCode(65 + below(26)));
  const bytes = Uint8Array.from({ length: 48 }, () => below(256));
  board.memory.write(BigInt(DATA + 4096 + below(0x5000)), bytes);
  const sector = below(SECTORS);
  readSector(board, piece + 1, sector, below(2) === 0 ? RAM + 512 * sector : DATA + 4096 + 512 * below(40));
}
