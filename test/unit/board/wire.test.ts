import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { openReplay } from "../../../lib/board/open-replay.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { Wire } from "../../../lib/board/wire.ts";
import { assembled } from "../../support/assembled.ts";

/** Exchanges end when the number in the frame has reached this. */
const LAST = 20;

const queue = (index: number, base: number) => `
  li   t1, ${index}
  sw   t1, 0x30(s0)
  li   t1, 8
  sw   t1, 0x38(s0)
  li   t1, ${base}
  sw   t1, 0x80(s0)
  addi t1, t1, 0x100
  sw   t1, 0x90(s0)
  addi t1, t1, 0x100
  sw   t1, 0xa0(s0)
  li   t1, 1
  sw   t1, 0x44(s0)`;

/** A driver of the network card: takes a number from a frame, sends the next one. The left board begins. */
const pingPong = (begins: boolean) => `
  li   s0, 0x10002000
  sw   zero, 0x70(s0)
  li   t1, 3
  sw   t1, 0x70(s0)
  li   t1, 1
  sw   t1, 0x24(s0)
  sw   t1, 0x20(s0)
  li   t1, 11
  sw   t1, 0x70(s0)
  ${queue(0, 0x8001_0000)}
  ${queue(1, 0x8001_1000)}
  li   t1, 15
  sw   t1, 0x70(s0)
  li   s1, 0x80010000     # what comes: descriptor 0, its buffer at 0x80012000
  li   s2, 0x80011000     # what goes: descriptor 0, its buffer at 0x80013000
  li   s3, 0x80012000
  li   s4, 0x80013000
  sd   s3, 0(s1)
  li   t1, 64
  sw   t1, 8(s1)
  li   t1, 2
  sh   t1, 12(s1)
  sd   s4, 0(s2)
  li   t1, 20
  sw   t1, 8(s2)
  li   s5, 0              # frames taken
  li   s6, 0              # the number
  li   s7, 0              # frames sent
  li   t1, 1
  sh   t1, 0x102(s1)
  sw   zero, 0x50(s0)
  ${begins ? "j send" : ""}
  receive: lhu t1, 0x202(s1)
  beq  t1, s5, receive
  addi s5, s5, 1
  lw   s6, 12(s3)
  addi s6, s6, 1
  lhu  t1, 0x102(s1)
  addi t1, t1, 1
  sh   t1, 0x102(s1)
  sw   zero, 0x50(s0)
  li   t1, ${LAST}
  bge  s6, t1, end
  send: sw s6, 12(s4)
  addi s7, s7, 1
  sh   s7, 0x102(s2)
  li   t1, 1
  sw   t1, 0x50(s0)
  j    receive
  end: sw s6, 12(s4)
  addi s7, s7, 1
  sh   s7, 0x102(s2)
  li   t1, 1
  sw   t1, 0x50(s0)
  sleep: wfi
  j    sleep`;

function pair(): [Board, Board] {
  const boards = [1, 2].map((host) =>
    buildBoard({ ramBytes: 1 << 20, network: { mac: Uint8Array.of(2, 0, 0, 0, 0, host) } }),
  ) as [Board, Board];
  for (const [index, board] of boards.entries())
    expect(board.load(assembled(pingPong(index === 0)))).toBeUndefined();
  return boards;
}

const numbers = (boards: readonly Board[]) => boards.map((board) => Number(board.hart.read("s6")));
const hashes = (boards: readonly Board[]) => boards.map((board) => board.trace.hash());
const TIME = 1_000_000;

describe("two boards on a wire", () => {
  it("exchange frames, each a turn or two after it was sent", () => {
    const boards = pair();
    expect(new Wire(...boards).run({ insns: TIME })).toEqual({ reason: "time" });
    expect(numbers(boards)).toEqual([LAST, LAST + 1]);
    expect(boards.map((board) => board.clock.now)).toEqual([TIME, TIME]);
  });

  it("have the same traces in every run, however it is cut", () => {
    const whole = pair();
    new Wire(...whole).run({ insns: TIME });
    for (const piece of [7777, 10_000, 123_456]) {
      const cut = pair();
      const wire = new Wire(...cut);
      for (let at = 0; at < TIME; at += piece) wire.run({ insns: Math.min(piece, TIME - at) });
      expect(hashes(cut)).toEqual(hashes(whole));
    }
  });

  it("let time pass while both sleep, and stop with a board that stops", () => {
    const boards = pair();
    const wire = new Wire(...boards);
    wire.run({ insns: TIME });
    expect(wire.run({ insns: 50_000 })).toEqual({ reason: "time" });
    boards[1].load(assembled("li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)\nj 0x80000000"));
    expect(wire.run({ insns: 50_000 })).toEqual({ board: boards[1], reason: "poweroff" });
  });

  it("can be replayed one by one: what came over the wire is an input", () => {
    const boards = pair();
    const recorder = boards[1].record();
    new Wire(...boards).run({ insns: TIME });
    const recording = recorder.stop();
    if ("kind" in recording) throw new Error(recording.message);
    const replay = openReplay(recording);
    if ("kind" in replay) throw new Error(replay.message);
    expect(replay.toEnd()).toMatchObject({ kind: "same" });
  });

  it("need a network card each", () => {
    expect(() => new Wire(buildBoard(), buildBoard({ network: {} }))).toThrow(/network card/);
  });
});

describe("a peer", () => {
  it("answers frames in place of another board", () => {
    const seen: number[] = [];
    const board = buildBoard({
      ramBytes: 1 << 20,
      network: {
        peer: (frame) => {
          seen.push(frame[0] ?? 0);
          const answer = frame.slice();
          answer[0] = (answer[0] ?? 0) + 1;
          return [answer];
        },
      },
    });
    board.load(assembled(pingPong(true)));
    board.run({ instructions: TIME });
    expect(seen).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });
});
