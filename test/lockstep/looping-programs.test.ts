/**
 * Random programs that loop, on both engines in lockstep: all modes, translated and not, coherent and sticky, one hart or
 * several with long turns or short, with interrupts, and with input and a disk's DMA from outside while they run.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { VIRT_MAP } from "../../lib/board/memory-map.ts";
import { type BoardConfig, buildBoard, type HartCount } from "../../lib/board/virt.ts";
import { expectSame, PLANNED, Tally } from "../support/lockstep.ts";
import { DATA, type LoopingProgram, loopingProgram } from "../support/programs/looping.ts";
import { seededNumbers } from "../support/random.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
/** Another seed is another set of programs: DOM0_SEED=12345. */
const SEED = Number(process.env["DOM0_SEED"] ?? 1);
const INSTRUCTIONS = isFull ? 2_000_000 : 250_000;
const PROGRAMS_EACH = isFull ? 8 : 1;
const EVERY = isFull ? 100_000 : 50_000;

const MODES = ["M", "S", "U", "VS", "VU"] as const;
interface Setting extends Pick<BoardConfig, "translations" | "turns"> {
  readonly title: string;
  readonly harts?: HartCount;
  readonly isFloating?: boolean;
}
const SETTINGS: readonly Setting[] = [
  { title: "one hart" },
  { title: "one hart, sticky translations", translations: "sticky" },
  { title: "floating-point", isFloating: true },
  { title: "two harts", harts: 2 },
  { title: "four harts in short turns", harts: 4, turns: { min: 1, max: 64 } },
];

const RAM = 0x8000_0000;
const QUEUE = RAM + 0x30_0000;
const SECTORS = 16;

/** A disk that holds what the first sectors of the program's code were. */
const diskOf = (parts: readonly (readonly [number, Uint8Array])[]): Uint8Array => {
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
function input(board: Board, piece: number, seed: number): void {
  const below = seededNumbers(seed * 1000 + piece + 1);
  if (piece === 0) beginDisk(board);
  board.type(String.fromCharCode(65 + below(26)));
  const bytes = Uint8Array.from({ length: 48 }, () => below(256));
  board.memory.write(BigInt(DATA + 4096 + below(0x5000)), bytes);
  const sector = below(SECTORS);
  readSector(board, piece + 1, sector, below(2) === 0 ? RAM + 512 * sector : DATA + 4096 + 512 * below(40));
}

function runProgram(program: LoopingProgram, config: BoardConfig, tally: Tally): Board {
  const parts = loopingProgram(program);
  const disk = diskOf(parts);
  return expectSame({
    title: `${JSON.stringify(program)} ${JSON.stringify(config)}`,
    tally,
    instructions: INSTRUCTIONS,
    every: EVERY,
    before: (board, piece) => input(board, piece, program.seed),
    build: (engine) => {
      const board = buildBoard({ ...config, ...engine, ramBytes: 4 << 20, disk });
      for (const [address, bytes] of parts) board.memory.write(BigInt(address), bytes);
      return board;
    },
  });
}

describe("random programs that loop, on both engines in lockstep", () => {
  const total = new Tally();
  const causes = new Map<string, number>();
  let seed = SEED;
  for (const { title, harts = 1, isFloating = false, ...config } of SETTINGS)
    for (const mode of MODES)
      for (const isTranslated of [false, true]) {
        if (mode === "M" && isTranslated) continue;
        const first = seed;
        seed += PROGRAMS_EACH;
        it(`${title}, in ${mode}, ${isTranslated ? "translated" : "bare"}, from seed ${first} on`, () => {
          for (let at = 0; at < PROGRAMS_EACH; at++) {
            const program = { seed: first + at, mode, isTranslated, harts, isFloating };
            const board = runProgram(program, { ...config, harts, seed: first + at }, total);
            for (const { kind } of board.trace.events) causes.set(kind, (causes.get(kind) ?? 0) + 1);
          }
        }, 3_600_000);
      }

  afterAll(() => {
    console.log(total.words("programs that loop"));
    expect(total.instructions).toBeGreaterThanOrEqual(PLANNED.looping);
    expect(total.regions, "regions").toBeGreaterThan(0);
    // Traps, devices and what is privileged go the slow way; everything else must not.
    expect(total.share, "share of generated code").toBeGreaterThan(0.8);
    for (const kind of [
      "exception",
      "interrupt",
      "trap-return",
      "csr-write",
      "device-load",
      "device-store",
      "dma-write",
    ])
      expect(causes.get(kind) ?? 0, kind).toBeGreaterThan(0);
  });
});
