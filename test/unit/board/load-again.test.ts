/** Loading as notebooks do it: what an assembler returned, again and again, on one board. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { program } from "../../../lib/isa/assembler/program.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";

describe("loading again", () => {
  it("wakes a hart that waits, so that the program runs a second time", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    const made = program({}, [asm.addi("a0", "a0", 7), asm.wfi()]);
    for (const expected of [7n, 14n]) {
      expect(board.load(made)).toBeUndefined();
      expect(board.run({ instructions: 10 }).reason).toBe("wfi");
      expect(board.hart.read("a0")).toBe(expected);
    }
  });

  it("answers a program with mistakes by the assembler's message, and loads nothing", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    const before = board.trace.hash();
    expect(board.load(program({}, [asm.addi("a0", "zero", 5000)]))).toMatchObject({
      kind: "load-error",
      reason: "not-assembled",
      message: expect.stringContaining("5000 does not fit in 12 bits"),
    });
    expect(board.trace.hash()).toBe(before);
  });
});
