/**
 * A guest's driver tells a real disk to write a sector over the hypervisor: over the whole path, from the store to the
 * doorbell to the device, the IOMMU and RAM. Everything is done by instructions of the machine.
 */
import { describe, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { readFaultRecord } from "../../lib/devices/iommu/fault.ts";
import type { ModeAtReset } from "../../lib/devices/iommu/iommu.ts";
import { assembled } from "../support/assembled.ts";

const SLOT = 0x1000_1000;
const IOMMU = 0x301_0000;
const QUEUE = 0x8001_0000;
const REQUEST = 0x8001_3000;
const HYPERVISOR = 0x8004_0000;
const TABLES = 0x8002_0000;
const FAULTS = 0x8003_0000;
const DEVICE = 1;
const SECTOR_BYTES = 512;

const ppn = (address: number): bigint => BigInt(address >>> 12);
const pte = (address: number, flags: bigint): bigint => (ppn(address) << 10n) | flags;
const DISK = Uint8Array.from({ length: 4 * SECTOR_BYTES }, (_, index) => 0x80 | (index & 0x7f));

/** Stores of the guest's program, in order: width in bytes, address, value. */
type Store = readonly [4 | 8, number, bigint];

/** Virtio 1.2: reset, acknowledge, features VERSION_1 and (behind an IOMMU) ACCESS_PLATFORM, queue 0 of 8, one request, doorbell. */
const driver = (target: number): readonly Store[] => [
  [4, SLOT + 0x70, 0n],
  [4, SLOT + 0x70, 3n],
  [4, SLOT + 0x24, 1n],
  [4, SLOT + 0x20, 3n],
  [4, SLOT + 0x70, 11n],
  [4, SLOT + 0x30, 0n],
  [4, SLOT + 0x38, 8n],
  [4, SLOT + 0x80, BigInt(QUEUE)],
  [4, SLOT + 0x90, BigInt(QUEUE + 0x1000)],
  [4, SLOT + 0xa0, BigInt(QUEUE + 0x2000)],
  [4, SLOT + 0x44, 1n],
  [4, SLOT + 0x70, 15n],
  // Descriptors: the request (read sector 1), where the sector goes, where the status goes.
  [8, QUEUE, BigInt(REQUEST)],
  [8, QUEUE + 8, 16n | (1n << 32n) | (1n << 48n)],
  [8, QUEUE + 16, BigInt(target)],
  [8, QUEUE + 24, BigInt(SECTOR_BYTES) | (3n << 32n) | (2n << 48n)],
  [8, QUEUE + 32, BigInt(REQUEST + 64)],
  [8, QUEUE + 40, 1n | (2n << 32n)],
  [8, REQUEST, 0n],
  [8, REQUEST + 8, 1n],
  [8, REQUEST + 64, 0xffn],
  // The available ring: one entry, descriptor 0.
  [4, QUEUE + 0x1000, 1n << 16n],
  [4, SLOT + 0x50, 0n],
];

/** One level of directory, one context: Sv39 tables that map the queue's and the request's pages to themselves, and nothing else. */
const confinement: readonly Store[] = [
  [8, TABLES + 32 * DEVICE, 1n],
  [8, TABLES + 32 * DEVICE + 24, (8n << 60n) | ppn(TABLES + 0x1000)],
  [8, TABLES + 0x1000 + 8 * 2, pte(TABLES + 0x2000, 1n)],
  [8, TABLES + 0x2000, pte(TABLES + 0x3000, 1n)],
  ...[0, 1, 2, 3].map(
    (page): Store => [8, TABLES + 0x3000 + 8 * (0x10 + page), pte(QUEUE + 4096 * page, 0xd7n)],
  ),
  [8, IOMMU + 40, (ppn(FAULTS) << 10n) | 3n],
  [4, IOMMU + 76, 1n],
  [8, IOMMU + 16, (ppn(TABLES) << 10n) | 2n],
];

/** The program that makes the stores, gives the device time, and sleeps. */
function program(stores: readonly Store[]): string {
  const lines = stores.map(
    ([width, address, value]) =>
      `li t0, ${address}\n li t1, ${value}\n ${width === 4 ? "sw" : "sd"} t1, 0(t0)`,
  );
  return `${lines.join("\n")}\n li t2, 2000000\n wait: addi t2, t2, -1\n bnez t2, wait\n csrw mie, zero\n stop: wfi\n j stop`;
}

function run(iommu: ModeAtReset | undefined, stores: readonly Store[]): Board {
  const board = buildBoard({ ramBytes: 1 << 20, disk: DISK, ...(iommu === undefined ? {} : { iommu }) });
  expect(board.load(assembled(program(stores)))).toBeUndefined();
  expect(board.run({ instructions: 1e7 }).reason).toBe("wfi");
  return board;
}

function hypervisorOf(board: Board): Uint8Array {
  const bytes = board.memory.bytes(BigInt(HYPERVISOR), 4096);
  if (!(bytes instanceof Uint8Array)) throw new Error("the hypervisor's page is outside RAM");
  return bytes;
}
const status = (board: Board): bigint => board.memory.load(BigInt(REQUEST + 64), 1) as bigint;

describe("a disk that is told to write over the hypervisor", () => {
  it("does so on a board without an IOMMU, and behind one that lets everything pass", () => {
    for (const iommu of [undefined, "bare"] as const) {
      const board = run(iommu, driver(HYPERVISOR));
      expect([...hypervisorOf(board).subarray(0, SECTOR_BYTES)]).toEqual([
        ...DISK.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES),
      ]);
      expect(status(board)).toBe(0n);
    }
  });

  it("changes no byte of it behind tables that do not give it that page, and a fault record says who and where", () => {
    const board = run("off", [...confinement, ...driver(HYPERVISOR)]);
    expect(hypervisorOf(board)).toEqual(new Uint8Array(4096));
    const words = [0, 8, 16, 24].map((offset) => board.memory.load(BigInt(FAULTS + offset), 8) as bigint);
    expect(readFaultRecord(words)).toMatchObject({
      cause: 15,
      deviceId: DEVICE,
      access: "store",
      iova: BigInt(HYPERVISOR),
    });
    expect(board.bus.load(IOMMU + 52, 4)).toBe(1n);
  });

  it("still serves its guest there: a sector for a page that it may write arrives", () => {
    const board = run("off", [...confinement, ...driver(REQUEST + 1024)]);
    expect(status(board)).toBe(0n);
    expect(board.memory.bytes(BigInt(REQUEST + 1024), SECTOR_BYTES)).toEqual(
      DISK.slice(SECTOR_BYTES, 2 * SECTOR_BYTES),
    );
    expect(board.bus.load(IOMMU + 52, 4)).toBe(0n);
  });

  it("reaches nothing at all while the IOMMU is off: not even its own queue", () => {
    const board = run("off", [
      [8, IOMMU + 40, (ppn(FAULTS) << 10n) | 3n],
      [4, IOMMU + 76, 1n],
      ...driver(HYPERVISOR),
    ]);
    expect(hypervisorOf(board)).toEqual(new Uint8Array(4096));
    expect(status(board)).toBe(0xffn);
    const head = board.memory.load(BigInt(FAULTS), 8) as bigint;
    expect(Number(head & 0xfffn)).toBe(256);
  });
});
