import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { DirectDma } from "../../../lib/bus/direct-dma.ts";
import { boardWith } from "../../support/assembled.ts";

/** Turns of one instruction each: hart 0, hart 1, hart 0, … */
const ALTERNATING = { harts: 2, turns: { min: 1, max: 1 } } as const;

/** Hart 0 runs `zero`, hart 1 `one`, instruction by instruction; both began with the same three. */
const sideBySide = (zero: string, one: string): string => `
    csrr t0, mhartid
    la s0, word
    bnez t0, one
    ${zero}
  stop: wfi
    j stop
  one:
    ${one}
  stop1: wfi
    j stop1
  .align 3
  word: .dword 0
  next: .dword 0`;

const conditional = (reserve: string, store: string, other: string): bigint => {
  const board = boardWith(
    sideBySide(`${reserve}\n nop\n nop\n ${store}`, `nop\n ${other}\n nop\n nop`),
    ALTERNATING,
  );
  board.run({ instructions: 200 });
  return board.hart.read("a0");
};

describe("a reservation", () => {
  const LR = "lr.d t1, (s0)";
  const SC = "sc.d a0, t1, (s0)";
  const table: [string, string, string, string, bigint][] = [
    ["holds while another hart does nothing to it (norm:sc_success_conditions)", LR, SC, "nop", 0n],
    [
      "is broken by another hart's store to the word, even of the same value (norm:sc_other_hart_store_fail norm:sc_success_conditions)",
      LR,
      SC,
      "sd zero, 0(s0)",
      1n,
    ],
    [
      "is broken by another hart's store to one byte of it (norm:sc_other_hart_store_fail norm:lr_reservation_set_size norm:sc_success_conditions)",
      LR,
      SC,
      "sb zero, 7(s0)",
      1n,
    ],
    [
      "is broken by another hart's AMO (norm:sc_other_hart_store_fail)",
      LR,
      SC,
      "amoor.w zero, zero, (s0)",
      1n,
    ],
    [
      "survives another hart's store to the next word (norm:sc_other_hart_store_fail)",
      LR,
      SC,
      "sd zero, 8(s0)",
      0n,
    ],
    ["survives another hart's load", LR, SC, "ld t3, 0(s0)", 0n],
    [
      "of four bytes survives a store to the other half",
      "lr.w t1, (s0)",
      "sc.w a0, t1, (s0)",
      "sw zero, 4(s0)",
      0n,
    ],
    ["of the upper four bytes is none of all eight", "addi s1, s0, 4\n lr.w t1, (s1)", SC, "nop", 1n],
  ];
  it.each(table)("%s", (_, reserve, store, other, expected) => {
    expect(conditional(reserve, store, other)).toBe(expected);
  });

  it("lets one of two harts that loop for it succeed each time (norm:constrained_lrsc_forward_progress_intro norm:constrained_lrsc_forward_progress_sc)", () => {
    const loop = (end: string): string => `li s2, 40
    ${end}: lr.d t1, (s0)
    addi t1, t1, 1
    sc.d a0, t1, (s0)
    bnez a0, ${end}
    addi s2, s2, -1
    bnez s2, ${end}`;
    const board = boardWith(sideBySide(loop("again"), loop("again1")), ALTERNATING);
    board.run({ instructions: 5_000 });
    expect(board.bus.ram.load(Number(board.symbols.addressOf("word")) - board.bus.ram.base, 8)).toBe(80n);
  });

  it("survives its own hart's store", () => {
    const board = boardWith(
      sideBySide("lr.d t1, (s0)\n sd zero, 0(s0)\n sc.d a0, t1, (s0)", "nop"),
      ALTERNATING,
    );
    board.run({ instructions: 200 });
    expect(board.hart.read("a0")).toBe(0n);
  });

  for (const isReverted of [false, true]) {
    it(`is broken by a device's store${isReverted ? ", after the machine was rewound to it too" : ""} (norm:sc_other_device_write_fail norm:sc_device_write_failure)`, () => {
      const board = boardWith("la s0, word\n lr.d t1, (s0)\n sc.d a0, t1, (s0)\n .align 3\n word: .dword 0");
      board.run({ instructions: 3 });
      const snapshot = board.snapshot();
      if (isReverted) {
        board.run({ instructions: 1 });
        expect(board.hart.read("a0")).toBe(0n);
        board.revert(snapshot);
      }
      const dma = new DirectDma(board.bus.ram, board.clock, board.trace);
      dma.write(board.symbols.addressOf("word") ?? 0n, new Uint8Array(1));
      board.run({ instructions: 1 });
      expect(board.hart.read("a0")).toBe(1n);
    });
  }
});

describe("several harts", () => {
  it("start together, each knows its number, and an ELF file finds them as the boot ROM leaves them", () => {
    const board = boardWith("csrr a0, mhartid\n stop: wfi\n j stop", { harts: 4 });
    board.run({ instructions: 100 });
    expect(board.harts.map((hart) => hart.read("a0"))).toEqual([0n, 1n, 2n, 3n]);
  });

  it("read one time, the board's (norm:zicntr_time_hart_sync)", () => {
    const board = boardWith(
      "li t0, 50\n again: addi t0, t0, -1\n bnez t0, again\n rdtime a0\n stop: wfi\n j stop",
      {
        harts: 2,
        turns: { min: 1, max: 1 },
      },
    );
    board.run({ instructions: 400 });
    const [zero = 0n, one = 0n] = board.harts.map((hart) => hart.read("a0"));
    expect(one - zero).toBeGreaterThanOrEqual(0n);
    expect(one - zero).toBeLessThanOrEqual(1n);
    // 2 × 101 instructions, ten to a tick.
    expect(zero).toBe(20n);
  });

  it("wake each other through the CLINT", () => {
    const board = boardWith(
      `csrr t0, mhartid
       bnez t0, sleeper
       li t1, 0x2000004
       li t2, 1
       li t3, 1000
     busy: addi t3, t3, -1
       bnez t3, busy
       sw t2, 0(t1)
     stop: wfi
       j stop
     sleeper:
       csrwi mie, 8
       wfi
       li a0, 42
       li t0, 0x100000
       li t1, 0x5555
       sw t1, 0(t0)`,
      { harts: 2 },
    );
    expect(board.run({ instructions: 100_000 })).toMatchObject({ reason: "poweroff" });
    expect(board.harts[1]?.read("a0")).toBe(42n);
    expect(board.harts[1]?.retired).toBe(9);
  });

  it("let time jump when all sleep, and the run ends when nothing will ever wake one", () => {
    const board = boardWith("csrw mie, zero\n stop: wfi\n j stop", { harts: 3 });
    expect(board.run({ instructions: 100_000 })).toMatchObject({ reason: "wfi", retired: 6 });
    const sleeper = boardWith(
      `li t1, 0x2004000
       csrr t0, mhartid
       slli t2, t0, 3
       add t1, t1, t2
       li t2, -1
       sd t2, 0(t1)
       bnez t0, stop
       li t2, 5000
       sd t2, 0(t1)
       li t0, 128
       csrw mie, t0
     stop: wfi
       li a0, 1
       j stop`,
      { harts: 2 },
    );
    sleeper.run({ instructions: 50 });
    expect(sleeper.hart.read("a0")).toBe(1n);
    expect(sleeper.clock.mtime).toBeGreaterThanOrEqual(5000n);
    expect(sleeper.harts[1]?.read("a0")).toBe(0n);
  });

  it("stop at a condition that any of them meets, which is named", () => {
    const board = boardWith("csrr t0, mhartid\n beqz t0, stop\n there: nop\n stop: j stop", ALTERNATING);
    const pc = board.symbols.addressOf("there") ?? 0n;
    expect(board.run({ instructions: 1000, until: { pc } })).toMatchObject({
      reason: "breakpoint",
      at: "pc",
      hart: 1,
    });
  });

  it("cannot have turns of no length", () => {
    expect(() => buildBoard({ harts: 2, turns: { min: 0, max: 5 } })).toThrow("turns last");
    expect(() => buildBoard({ harts: 2, turns: { min: 5, max: 4 } })).toThrow("turns last");
  });
});
