/** Programs whose floating-point numbers are whole never set NX; they run fast all the same. */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../../../lib/board/board.ts";
import { boardWith } from "../../../../support/assembled.ts";

const LOOPS = 20_000;
const FS_DIRTY = 0x6000;

/** Adds up products, quotients, roots, conversions; all of whole numbers. `last` comes once, behind half of the loops. */
const program = (last: string): string => `
  li t0, ${FS_DIRTY}
  csrs mstatus, t0
  li a0, 1
  li a1, ${LOOPS}
  li a2, ${LOOPS / 2}
  fcvt.d.w fa0, x0
  fcvt.s.w fa1, x0
loop:
  andi a3, a0, 1023
  fcvt.d.l fa2, a3
  fcvt.s.w fa3, a3
  fmul.d fa4, fa2, fa2
  fsqrt.d fa5, fa4
  fadd.d fa0, fa0, fa5
  fmadd.d fa0, fa2, fa2, fa0
  fsub.d fa0, fa0, fa4
  fmul.s fa6, fa3, fa3
  fsqrt.s fa7, fa6
  fadd.s fa1, fa1, fa7
  fsub.s fa1, fa1, fa3
  fmadd.s fa6, fa3, fa3, fa6
  fcvt.s.d fa6, fa5
  fcvt.d.s fa5, fa6
  fcvt.w.d a4, fa5, rtz
  add a5, a5, a4
  bne a0, a2, on
  ${last}
on:
  addi a0, a0, 1
  bne a0, a1, loop
  ebreak
`;
const OPERATIONS = 15 * LOOPS;

const ran = (last: string, engine: "reference" | "translator"): Board => {
  const board = boardWith(program(last), { engine });
  board.run({ instructions: 20 * LOOPS - 40 });
  return board;
};

const outcome = (board: Board) => ({
  hash: board.trace.hash(),
  retired: board.clock.retired,
  state: Buffer.from(board.harts[0]?.state.bytes ?? []).toString("hex"),
});

describe("exact arithmetic", () => {
  it.each([
    ["to the end", "nop", OPERATIONS / 1000],
    ["and after a rounded quotient, which sets NX", "fdiv.d ft0, fa2, fa0", OPERATIONS / 1000],
    ["until another rounding mode is set, in which x − x is −0", "csrwi frm, 2", 0.6 * OPERATIONS],
  ])("runs without the slow path, %s", (_name, last, most) => {
    const [reference, translator] = [ran(last, "reference"), ran(last, "translator")];
    expect(outcome(translator)).toEqual(outcome(reference));
    expect(translator.counters?.slowSteps).toBeLessThan(most);
  });
});
