/** Lockstep finds the first instruction after which two boards differ: differences are planted, so their places are known. */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { type LockstepDifference, type LockstepReport, lockstep } from "../../../lib/board/lockstep.ts";
import { boardWith } from "../../support/assembled.ts";

const PROGRAM = `
  li s0, 0x80010000
  li s1, 0x10000000
again:
  addi a0, a0, 1
  sd a0, 0(s0)
  andi t0, a0, 0xff
  bnez t0, again
  li t1, 65
  sb t1, 0(s1)
  j again`;
const newBoard = (): Board => boardWith(PROGRAM, { ramBytes: 1 << 20 });

/** A board to which something happens as soon as it has retired so many instructions, in whatever pieces it is run. */
function spoiled(atRetired: number, spoil: (board: Board) => void): Board {
  const board = newBoard();
  const run = board.run.bind(board);
  board.run = (options) => {
    const left = atRetired - board.clock.retired;
    if (left <= 0 || left > options.instructions) return run(options);
    run({ instructions: left });
    spoil(board);
    return run({ ...options, instructions: options.instructions - left });
  };
  return board;
}

function runBoth(
  other: () => Board,
  options: { instructions?: number; every?: number } = {},
): LockstepReport {
  return lockstep({ build: () => [newBoard(), other()], instructions: 50_000, every: 7_000, ...options });
}

function difference(report: LockstepReport): LockstepDifference {
  if (report.kind !== "different") throw new Error("no difference");
  return report;
}

describe("two boards in lockstep", () => {
  it("that do the same are said to do the same, with the trace hash of both", () => {
    const alone = newBoard();
    alone.run({ instructions: 50_000 });
    expect(runBoth(newBoard)).toMatchObject({ kind: "same", retired: 50_000, hash: alone.trace.hash() });
  });

  it("end together when the guest does, and so differ when one of them goes on", () => {
    const off = "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)";
    const build = (): Board => boardWith(off, { ramBytes: 1 << 20 });
    const report = lockstep({ build: () => [build(), build()], instructions: 1000 });
    expect(report).toMatchObject({ kind: "same", retired: 4, stop: { reason: "poweroff" } });
    const other = (): Board => boardWith(off.replace("0x5555", "0x1111"), { ramBytes: 1 << 20 });
    expect(lockstep({ build: () => [build(), other()], instructions: 1000 }).kind).toBe("different");
  });

  it.each([1, 2, 6_999, 7_000, 7_001, 33_333])("part ways where a register was changed: at %i", (at) => {
    const report = difference(
      runBoth(() => spoiled(at, (board) => board.hart.write("s11", 0x1234_5678_9abcn))),
    );
    expect(report.retired).toBe(at - 1);
    expect(report.steps).toHaveLength(1);
    expect(report.differences).toEqual([{ what: "hart 0 s11", left: "0x0", right: "0x123456789abc" }]);
    expect(report.message).toContain(report.steps[0]?.text);
  });

  it.each([
    ["memory", (board: Board) => board.bus.ram.store(0x2_0008, 8, 7n), "RAM at 0x80020008"],
    ["a CSR", (board: Board) => board.hart.state.setStored("sepc", 8n), "hart 0 sepc"],
    ["the console", (board: Board) => board.console.print(66), "console"],
    ["a device", (board: Board) => board.bus.store(0x1000_0007, 1, 9n), "uart"],
    ["time", (board: Board) => board.clock.sleep(100), "clock"],
  ] as const)("see a difference of %s", (_, spoil, what) => {
    const { differences, message } = difference(runBoth(() => spoiled(12_345, spoil)));
    expect(differences.map((each) => each.what).join()).toContain(what);
    expect(message).toContain(what);
  });

  it("see in the end what was written to RAM behind everybody's back", () => {
    const other = (): Board =>
      spoiled(10_000, ({ bus }) => {
        bus.ram.u8[0x3_0000] = 1;
      });
    expect(difference(runBoth(other)).differences).toEqual([
      { what: "RAM at 0x80030000", left: "0x0", right: "0x1" },
    ]);
  });

  it("find a difference again that going back makes unseen, by beginning anew", () => {
    // This board goes wrong only in the first run that it makes past the place.
    const once = (): Board => {
      let isDone = false;
      return spoiled(20_000, (board) => {
        if (!isDone) board.hart.write("s11", 1n);
        isDone = true;
      });
    };
    const { retired, differences } = difference(runBoth(once));
    expect([retired, differences.length]).toEqual([19_999, 1]);
  });

  it("say so when a difference does not come again at all", () => {
    let isDone = false;
    const once = (): Board =>
      spoiled(20_000, (board) => {
        if (!isDone) board.hart.write("s11", 1n);
        isDone = true;
      });
    const { retired, steps, message } = difference(runBoth(once));
    expect([retired, steps]).toEqual([14_000, []]);
    expect(message).toContain("not a second time");
  });

  it("are given the same input, the same again on the way back", () => {
    const echo = `
      li s1, 0x10000000
    again: lbu t0, 5(s1)
      andi t0, t0, 1
      beqz t0, again
      lbu t1, 0(s1)
      sb t1, 0(s1)
      j again`;
    const build = (): Board => boardWith(echo, { ramBytes: 1 << 20 });
    const report = lockstep({
      build: () => [build(), build()],
      instructions: 10_000,
      every: 1000,
      before: (board, piece) => board.type(String(piece)),
    });
    if (report.kind !== "same") throw new Error(report.message);
    expect(report.boards[1].console.text).toBe("0123456789");
  });
});
