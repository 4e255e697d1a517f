import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stepText } from "../../../lib/board/trace-text.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { eventsView, traceView } from "../../../lib/course/trace-view.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { boardWith } from "../../support/assembled.ts";

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));

describe("what happened last", () => {
  it("is found after the fact, step by step, and nobody hears of it twice", () => {
    const board = buildBoard({ ramBytes: 2 << 20 });
    board.loadElf(KERNEL);
    board.run({ instructions: 120_000 });
    const logged = board.run({ instructions: 500, log: true }).steps ?? [];
    let traps = 0;
    let printed = "";
    board.onTrap(() => {
      traps++;
    });
    board.console.onText((text) => {
      printed += text;
    });
    const hash = board.trace.hash();
    expect(board.lastSteps(50)).toEqual(logged.slice(-50));
    expect([traps, printed, board.trace.hash()]).toEqual([0, "", hash]);
  });

  it("is all there was when history is shorter than asked", () => {
    const board = boardWith("nop\n nop\n loop: j loop");
    board.run({ instructions: 5 });
    const steps = board.lastSteps(100);
    expect(Array.isArray(steps) && steps.map(({ pc }) => Number(pc) - 0x8000_0000)).toEqual([0, 4, 8, 8, 8]);
  });

  it("reads with names: places, registers, CSRs", () => {
    const board = boardWith("start: li t0, 5\n csrw mscratch, t0\n there: sw t0, 0(sp)\n j there");
    board.hart.write("sp", 0x8000_1000n);
    board.run({ instructions: 3 });
    const steps = board.lastSteps(3);
    if ("kind" in steps) return expect.unreachable(steps.message);
    const lines = steps.map(stepText);
    expect(lines[0]).toMatch(/^ +0 {2}M {2}start +li t0, 5 +t0: 0x0 → 0x5$|addi/);
    expect(lines[1]).toMatch(/ M {2}start\+0x4 .*mscratch: 0x0 → 0x5$/);
    expect(lines[2]).toMatch(/ M {2}there .*store 4 bytes at 0x80001000$/);
    expect(board.lastEvents(1)).toMatch(/^ +1 {2}M {2}mscratch := 0x5 at start\+0x4$/);
    expect(traceView(steps)["text/plain"]).toContain("there");
    expect(eventsView(board)["text/plain"]).toContain("mscratch := 0x5");
  });
});
