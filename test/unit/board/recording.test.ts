import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { openReplay, replay } from "../../../lib/board/open-replay.ts";
import { packRecording, type Recording, unpackRecording } from "../../../lib/board/recording.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { boardWith } from "../../support/assembled.ts";

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const ECHO = `li s0, 0x10000000
  loop: lbu t0, 5(s0)
  andi t0, t0, 1
  beqz t0, loop
  lbu a0, 0(s0)
  sb a0, 0(s0)
  j loop`;

function recorded(board: Board, doing: () => void): Recording {
  const recorder = board.record();
  doing();
  const recording = recorder.stop();
  if ("kind" in recording) throw new Error(recording.message);
  return recording;
}

/** Through the file and back. */
function reread(recording: Recording): Recording {
  const again = unpackRecording(packRecording(recording));
  if ("kind" in again) throw new Error(again.message);
  return again;
}

describe("a recording", () => {
  it("replays to the same trace hash from its file, with either acceleration off", () => {
    const board = buildBoard({ ramBytes: 2 << 20 });
    board.loadElf(KERNEL);
    const recording = reread(
      recorded(board, () => {
        board.run({ instructions: 60_123 });
        board.type("hello\n");
        board.run({ instructions: 60_000 });
      }),
    );
    for (const accelerations of [{}, { decodeMemo: false }, { translationCache: false }])
      expect(replay(recording, { accelerations })).toMatchObject({ kind: "same", hash: board.trace.hash() });
  });

  it("keeps what is typed in the middle of a run, from a listener, at its instruction", () => {
    const board = boardWith(ECHO);
    board.console.onText((text) => {
      if (board.console.length < 20) board.type(`${text}!`);
    });
    const recording = recorded(board, () => {
      board.type("a");
      board.run({ instructions: 5000 });
    });
    expect(board.console.text).toMatch(/^aa!a!/);
    expect(recording.inputs.length).toBeGreaterThan(5);
    expect(replay(recording)).toMatchObject({ kind: "same" });
  });

  it("keeps registers and memory that a debugger wrote, and input to a machine that sleeps for ever", () => {
    const board = boardWith(`li t0, 0x10000000
      li t1, 1
      sb t1, 1(t0)
      li t1, 0x800
      csrw mie, t1
      wfi
      lbu a0, 0(t0)
      add a0, a0, a1
      sd a0, 0(a2)
      li t2, 0xc200004
      lw t3, 0(t2)
      wfi`);
    const { memory, hart } = board;
    // Only the PLIC leads the serial port to the hart: switch its source 10 on for context 0.
    for (const [paddr, value] of [
      [0xc00_0028n, 1n],
      [0xc00_2000n, 1n << 10n],
    ] as const)
      board.bus.store(Number(paddr), 4, value);
    const recording = recorded(board, () => {
      expect(board.run({ instructions: 100 })).toMatchObject({ reason: "wfi" });
      hart.write("a1", 0x100n);
      hart.write("a2", 0x8000_1000n);
      memory.store(0x8000_1008n, 8, 7n);
      board.type("A");
      expect(board.run({ instructions: 100 })).toMatchObject({ reason: "wfi" });
    });
    expect(memory.load(0x8000_1000n, 8)).toBe(0x141n);
    const again = openReplay(reread(recording));
    if ("kind" in again) return expect.unreachable(again.message);
    expect(again.toEnd()).toMatchObject({ kind: "same" });
    expect(again.board.memory.load(0x8000_1000n, 8)).toBe(0x141n);
    expect(again.board.memory.load(0x8000_1008n, 8)).toBe(7n);
  });

  it("keeps an input apart from the trap that took no instruction before it", () => {
    const board = boardWith("la t0, handler\n csrw mtvec, t0\n ecall\n .balign 4\n handler: j handler");
    const recording = recorded(board, () => {
      expect(board.run({ instructions: 100, until: { trap: true } })).toMatchObject({
        at: "trap",
        retired: 3,
      });
      board.type("behind the trap");
      board.run({ instructions: 50 });
    });
    expect(recording.inputs[0]?.moment).toMatchObject({ retired: 3, traps: 1 });
    expect(replay(reread(recording))).toMatchObject({ kind: "same" });
    board.stepBack(52); // before the trap, so that travel must bring the text behind it
    board.run({ instructions: 51 });
    expect(board.trace.hash()).toBe(recording.end.hash);
  });

  it("leaves out what was undone", () => {
    const board = boardWith(ECHO);
    const recording = recorded(board, () => {
      board.run({ instructions: 100 });
      const before = board.snapshot();
      board.type("no");
      board.run({ instructions: 1_100_000 });
      board.revert(before);
      board.type("y");
      board.run({ instructions: 1_500_000 });
      board.goTo(1_200_000);
      board.type("es");
      board.run({ instructions: 900_000 });
    });
    expect(board.console.text).toBe("yes");
    expect(recording.checkpoints.map(({ retired }) => retired)).toEqual([1_000_000, 2_000_000]);
    expect(replay(recording)).toMatchObject({ kind: "same" });
  });

  it("that was changed names the first checkpoint that differs", () => {
    const board = boardWith(ECHO);
    const recording = recorded(board, () => {
      board.run({ instructions: 1_500_000 });
      board.type("x");
      board.run({ instructions: 700_000 });
    });
    const bytes = new TextEncoder().encode("y");
    const inputs = [{ ...recording.inputs[0], input: { kind: "port", port: "uart", bytes } }];
    const changed = { ...recording, inputs } as Recording;
    expect(replay(changed)).toMatchObject({
      kind: "differs",
      lastSame: 1_000_000,
      firstDifference: 2_000_000,
    });
  });

  it("says so when the machine was put back to before it began", () => {
    const board = boardWith(ECHO);
    const before = board.snapshot();
    board.run({ instructions: 10 });
    const recorder = board.record();
    board.revert(before);
    expect(recorder.stop()).toMatchObject({ kind: "recording-error", message: /before the recording began/ });
  });
});

describe("an image of a board", () => {
  it("goes on elsewhere with the same trace, and is the same file each time", () => {
    const board = buildBoard({ ramBytes: 2 << 20, harts: 2, seed: 7 });
    board.loadElf(KERNEL);
    board.run({ instructions: 300_000 });
    board.type("typed and not yet read");
    const file = board.saveImage();
    expect(Buffer.from(file).equals(Buffer.from(board.saveImage()))).toBe(true);
    const other = openImage(file);
    if ("kind" in other) return expect.unreachable(other.message);
    expect(Buffer.from(other.saveImage()).equals(Buffer.from(file))).toBe(true);
    for (const each of [board, other]) each.run({ instructions: 700_000 });
    expect(other.trace.hash()).toBe(board.trace.hash());
    expect(other.console.text).toBe(board.console.text);
    expect(other.symbols.symbols).toEqual(board.symbols.symbols);
    expect(Buffer.compare(other.bus.ram.u8, board.bus.ram.u8)).toBe(0);
  });

  it("holds no zero page: a fresh board of 64 MiB takes a few kilobytes", () => {
    expect(buildBoard({ ramBytes: 64 << 20 }).saveImage().length).toBeLessThan(8192);
  });
});
