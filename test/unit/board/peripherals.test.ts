import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { BlockStore } from "../../../lib/devices/virtio/block-store.ts";
import { boardWith } from "../../support/assembled.ts";
import { DeviceFuzzer } from "../../support/device-fuzzer.ts";

const EVERYTHING = (): BoardConfig => ({
  ramBytes: 1 << 20,
  disk: new Uint8Array(100_000).fill(3),
  network: {},
  virtioConsole: true,
  entropySeed: 5,
});

/** What a guest sees of the slots: device numbers. */
const inSlots = ({ bus }: Board) =>
  Array.from({ length: 8 }, (_, slot) => bus.load(0x1000_1008 + 0x1000 * slot, 4));

describe("virtio slots of a board", () => {
  it("are all there and empty, unless something is plugged in: disk, network, console, entropy from the first on", () => {
    expect(inSlots(buildBoard())).toEqual([0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
    expect(inSlots(buildBoard(EVERYTHING()))).toEqual([2n, 1n, 3n, 4n, 0n, 0n, 0n, 0n]);
    expect(inSlots(buildBoard({ entropySeed: 0 }))[3]).toBe(4n);
  });

  it("count as another board for the trace", () => {
    const hashes = [
      {},
      { disk: new Uint8Array(512) },
      { entropySeed: 1 },
      { entropySeed: 2 },
      { network: {} },
    ].map((config) => buildBoard(config).trace.hash());
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("refuse what cannot be: an epoch before 1970, a short MAC address", () => {
    expect(() => buildBoard({ rtcEpochSeconds: -1 })).toThrow(/epoch/);
    expect(() => buildBoard({ network: { mac: new Uint8Array(5) } })).toThrow(/MAC/);
  });
});

/** Reads sector 3 into RAM by interrupt: machine mode sets up, supervisor mode sleeps and handles. */
const READ_BY_INTERRUPT = `
  li   s0, 0x10001000
  sw   zero, 0x70(s0)
  li   t1, 3
  sw   t1, 0x70(s0)
  li   t1, 1
  sw   t1, 0x24(s0)
  sw   t1, 0x20(s0)
  li   t1, 11
  sw   t1, 0x70(s0)
  li   t1, 8
  sw   t1, 0x38(s0)
  li   s1, 0x80010000
  sw   s1, 0x80(s0)
  addi t1, s1, 0x100
  sw   t1, 0x90(s0)
  addi t1, t1, 0x100
  sw   t1, 0xa0(s0)
  li   t1, 1
  sw   t1, 0x44(s0)
  li   t1, 15
  sw   t1, 0x70(s0)
  li   t0, 0x80020000     # header: read sector 3
  li   t1, 3
  sd   t1, 8(t0)
  sd   t0, 0(s1)          # descriptor 0: the header
  li   t1, 16
  sw   t1, 8(s1)
  li   t1, 0x10001
  sw   t1, 12(s1)
  li   t0, 0x80030000     # descriptor 1: data and status
  sd   t0, 16(s1)
  li   t1, 513
  sw   t1, 24(s1)
  li   t1, 2
  sw   t1, 28(s1)
  li   t1, 1
  sh   t1, 0x102(s1)
  li   t0, 0x0c000000     # source 1 for hart 0 in S-mode
  sw   t1, 4(t0)
  li   t2, 0x0c002080
  li   t1, 2
  sw   t1, 0(t2)
  li   t0, 0x200
  csrs mideleg, t0
  csrs mie, t0
  la   t0, handler
  csrw stvec, t0
  li   t0, -1
  csrw pmpaddr0, t0
  li   t0, 0x1f
  csrw pmpcfg0, t0
  li   t0, 0x800
  csrw mstatus, t0
  csrsi sstatus, 2
  la   t0, idle
  csrw mepc, t0
  mret
  idle: sw zero, 0x50(s0)
  sleep: wfi
  j    sleep
  .balign 4
  handler: li t2, 0x0c201004
  lw   s2, 0(t2)          # claim
  csrr s3, scause
  lwu  s4, 0x60(s0)
  sw   s4, 0x64(s0)       # acknowledge: the wire falls
  sw   s2, 0(t2)          # complete
  csrr s5, sip
  sret`;

describe("a disk's interrupt", () => {
  it("reaches S-mode: virtio, PLIC, hart; and the data are there", () => {
    const disk = new Uint8Array(4096).map((_, at) => at >> 9);
    const board = boardWith(READ_BY_INTERRUPT, { ramBytes: 1 << 20, disk });
    expect(board.run({ instructions: 100_000 }).reason).toBe("wfi");
    const registers = (["s2", "s3", "s4", "s5"] as const).map((name) => board.hart.read(name));
    expect(registers).toEqual([1n, (1n << 63n) | 9n, 1n, 0n]);
    expect(board.memory.bytes(0x8003_0000n, 513)).toEqual(Uint8Array.of(...new Uint8Array(512).fill(3), 0));
    expect(board.trace.events.filter(({ kind }) => kind === "dma-write").length).toBeGreaterThanOrEqual(3);
  });

  it("comes in the same instruction in every run", () => {
    const hashes = [1, 2].map(() => {
      const board = boardWith(READ_BY_INTERRUPT, { ramBytes: 1 << 20, disk: new Uint8Array(4096) });
      board.run({ instructions: 100_000 });
      return board.trace.hash();
    });
    expect(hashes[0]).toBe(hashes[1]);
  });
});

describe("what was printed", () => {
  it("goes back and forward with snapshots, on the serial port and on a virtio console", () => {
    const emergency = 0x1000_1000 + 0x1000 * 2 + 0x108;
    const board = boardWith(
      `li a0, 0x10000000\n li a1, ${emergency}\n li a2, 97\n again: sb a2, (a0)\n sw a2, (a1)\n addi a2, a2, 1\n j again`,
      EVERYTHING(),
    );
    const texts = () => [board.console.text, board.virtioConsole?.text];
    board.run({ instructions: 30 });
    const [older, before] = [board.snapshot(), texts()];
    board.run({ instructions: 40 });
    const [newer, after] = [board.snapshot(), texts()];
    expect(after.map((text, index) => (text?.length ?? 0) - (before[index]?.length ?? 0))).toEqual([10, 10]);
    board.revert(older);
    expect(texts()).toEqual(before);
    board.hart.write("a2", 65n);
    board.run({ instructions: 8 });
    for (const text of texts()) expect(text).toMatch(/[A-Z]{2}$/);
    board.revert(newer);
    expect(texts()).toEqual(after);
    const heard: string[] = [];
    board.console.onText((text) => heard.push(text));
    board.run({ instructions: 8 });
    expect(texts().map((text) => text?.slice(0, -2))).toEqual(after);
    expect(heard.join("")).toBe(board.console.text.slice(-2));
  });
});

describe("a disk", () => {
  it("goes back with a snapshot, in any order, and shares what did not change", () => {
    const disk = new BlockStore(new Uint8Array(1 << 20));
    const board = buildBoard({ ramBytes: 1 << 20, disk });
    const snapshots = [1, 2, 3].map((value) => {
      disk.write(4096 * value, Uint8Array.of(value));
      return board.snapshot();
    });
    const contents = () => [1, 2, 3].map((value) => disk.read(4096 * value, 1)[0]);
    board.revert(snapshots[0]!);
    expect(contents()).toEqual([1, 0, 0]);
    board.revert(snapshots[2]!);
    expect(contents()).toEqual([1, 2, 3]);
    board.revert(snapshots[1]!);
    expect([contents(), disk.writtenChunks]).toEqual([[1, 2, 0], 2]);
  });

  it("keeps its contents when the board is switched off and on, and only those", () => {
    const board = buildBoard(EVERYTHING());
    const fuzzer = new DeviceFuzzer(board, 1);
    for (let step = 0; step < 20_000; step++) fuzzer.step();
    const contents = board.disk?.bytes();
    expect(board.disk?.writtenChunks).toBeGreaterThan(0);
    board.reset();
    expect(board.disk?.bytes()).toEqual(contents);
    const fresh = buildBoard(EVERYTHING());
    for (const [index, { device }] of board.bus.regions.entries())
      if (device.name !== "virtio0") expect(device.save()).toEqual(fresh.bus.regions[index]?.device.save());
    expect(board.trace.hash()).toBe(fresh.trace.hash());
  });
});

describe("a file of a board with everything plugged in", () => {
  it("goes on as the board does", () => {
    const board = buildBoard(EVERYTHING());
    const fuzzer = new DeviceFuzzer(board, 3);
    for (let step = 0; step < 10_000; step++) fuzzer.step();
    const again = openImage(board.saveImage());
    if ("kind" in again) throw new Error(again.message);
    for (const one of [board, again]) {
      const more = new DeviceFuzzer(one, 4);
      for (let step = 0; step < 2000; step++) more.step();
    }
    expect(again.trace.hash()).toBe(board.trace.hash());
    expect(again.disk?.bytes()).toEqual(board.disk?.bytes());
  });
});
