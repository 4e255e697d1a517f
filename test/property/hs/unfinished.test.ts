/** Random handlers on two harts: however a run is cut, saved, taken back or made to forget, it is the same run. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { type HandlerOptions, type HsHandler, installHandlers, type Steps } from "../../../lib/hs/install.ts";
import { paddr } from "../../../lib/isa/address.ts";
import { boardWith } from "../../support/assembled.ts";

const WORDS = paddr(0x8001_0000n);
const NOWHERE = paddr(0x4000_0000n);
const PROGRAM = `csrr t0, mhartid\n slli t0, t0, 10\n la sp, areas\n add sp, sp, t0\n li s0, 6
  loop: hx 1\n addi s0, s0, -1\n bnez s0, loop\n end: wfi\n j end\n .balign 8\n areas: .zero 2048`;
const RUN = { instructions: 4_000 } as const;

/** What a random handler does, line by line: it carries a value from each to the next. */
type Line =
  | { readonly act: "load" | "store" | "add"; readonly word: number }
  | { readonly act: "register" | "time" | "refused" | "yield" };

const line: fc.Arbitrary<Line> = fc.oneof(
  fc.record({
    act: fc.constantFrom("load", "store", "add"),
    word: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ act: fc.constantFrom("register", "time", "refused", "yield", "yield") }),
);

function valueAfter(context: HsContext, made: Line, value: bigint): bigint {
  switch (made.act) {
    case "load":
      return value + context.load(paddr(WORDS + 8n * BigInt(made.word)), 8);
    case "store":
      context.store(paddr(WORDS + 8n * BigInt(made.word)), 8, value);
      return value + 1n;
    case "add":
      return context.atomic("add", paddr(WORDS + 8n * BigInt(made.word)), value);
    case "register":
      context.registers.a3 = value;
      return context.registers.a3 + 3n;
    case "time":
      return value + context.csr.read("mcycle");
    case "refused":
      return typeof context.attempt(() => context.load(NOWHERE, 8)) === "bigint" ? 0n : value * 3n;
    case "yield":
      return value;
  }
}

/** The lines as a generator, or as a handler that runs to its end. */
const handlerOf = (lines: readonly Line[], yields: boolean): HsHandler =>
  yields
    ? {
        name: "random",
        *handle(context): Steps {
          let value = BigInt(context.hart);
          for (const made of lines) {
            value = BigInt.asUintN(64, valueAfter(context, made, value));
            if (made.act === "yield") yield;
          }
        },
      }
    : {
        name: "random",
        handle(context): void {
          let value = BigInt(context.hart);
          for (const made of lines) value = BigInt.asUintN(64, valueAfter(context, made, value));
        },
      };

const scenario = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 12 }),
  yields: fc.boolean(),
  races: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
  cuts: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
});

describe("random handlers on two harts", () => {
  const runs = process.env["DOM0_TEST_FULL"] === "1" ? 1500 : 60;

  it("make the same run cut in pieces, in amnesia mode, from a snapshot and from an image", () => {
    let unfinished = 0;
    fc.assert(
      fc.property(scenario, ({ lines, yields, races, seed, cuts }) => {
        const install = (board: Board, options: HandlerOptions = {}): void =>
          installHandlers(board, () => ({ 1: handlerOf(lines, yields) }), { races, ...options });
        const boardOf = (options: HandlerOptions = {}): Board => {
          const board = boardWith(PROGRAM, { harts: 2, ramBytes: 1 << 20, seed, turns: { min: 1, max: 7 } });
          install(board, options);
          return board;
        };
        const hashOf = (board: Board): string => {
          expect(board.run(RUN).reason).toBe("wfi");
          return board.trace.hash();
        };
        const whole = hashOf(boardOf());
        expect(hashOf(boardOf({ amnesia: { seed } }))).toBe(whole);

        const cut = boardOf();
        for (const instructions of cuts) cut.run({ instructions });
        unfinished += cut.handlers.unfinished.count;
        const middle = cut.snapshot();
        const opened = openImage(cut.saveImage(), { prepare: (copy) => install(copy) });
        if (!(opened instanceof Board)) throw new Error(opened.message);
        expect(hashOf(opened)).toBe(whole);
        expect(hashOf(cut)).toBe(whole);
        cut.revert(middle);
        expect(hashOf(cut)).toBe(whole);
      }),
      { seed: 1, numRuns: runs },
    );
    expect(unfinished).toBeGreaterThan(10); // the middle was one
  });
});
