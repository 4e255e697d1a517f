import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../../../lib/bits/seeded-numbers.ts";
import type { Board } from "../../../../../lib/board/board.ts";
import { type BoardConfig, buildBoard } from "../../../../../lib/board/virt.ts";
import { assetFile } from "../../../../../lib/host/node-assets.ts";
import { boardWith } from "../../../../support/assembled.ts";

const ENGINES = ["reference", "translator"] as const;
const MINI_KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));

/** Everything that a run leaves behind, as far as anybody can see it. */
const outcome = (board: Board) => ({
  hash: board.trace.hash(),
  retired: board.clock.retired,
  now: board.clock.now,
  console: board.console.text,
  harts: board.harts.map(({ state }) => Buffer.from(state.bytes).toString("hex")),
});

const booted = (config: BoardConfig): Board => {
  const board = buildBoard(config);
  board.loadElf(MINI_KERNEL);
  return board;
};

/** The share of steps that generated code made. */
const fastShare = ({ counters }: Board): number =>
  counters === undefined ? 0 : counters.fastSteps / counters.steps;

describe("the mini kernel on the translating engine", () => {
  it("makes the same run as on the reference engine, and nearly all of it fast", () => {
    const [reference, translator] = ENGINES.map((engine) => {
      const board = booted({ engine });
      expect(board.run({ instructions: 2_000_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
      return board;
    }) as [Board, Board];
    expect(outcome(translator)).toEqual(outcome(reference));
    expect(reference.counters).toBeUndefined();
    expect(fastShare(translator)).toBeGreaterThan(0.99);
  });

  it("makes the same run in pieces of any length, and step by step, and until conditions hold", () => {
    const whole = booted({ engine: "reference" });
    whole.run({ instructions: 2_000_000 });
    const numbers = new SeededNumbers(1);
    const cut = booted({ engine: "translator" });
    for (let stop = cut.run({ instructions: 0 }); stop.reason !== "poweroff"; ) {
      const way = numbers.between(0, 20);
      if (way === 0) cut.step();
      if (way === 1) cut.run({ instructions: numbers.between(1, 300), until: { trap: true } });
      stop = cut.run({ instructions: numbers.between(1, 3000) });
    }
    expect(outcome(cut)).toEqual(outcome(whole));
  });

  it("goes back to snapshots and comes to the same end again, on either side of a change of code", () => {
    const board = booted({ engine: "translator" });
    board.run({ instructions: 300_000 });
    const middle = board.snapshot();
    board.run({ instructions: 2_000_000 });
    const end = outcome(board);
    board.revert(middle);
    expect(board.clock.retired).toBe(300_000);
    board.run({ instructions: 2_000_000 });
    expect(outcome(board)).toEqual(end);
    board.reset();
    board.loadElf(MINI_KERNEL);
    board.run({ instructions: 2_000_000 });
    expect(outcome(board).hash).toBe(end.hash);
  });

  it("travels back in time to where the reference engine was", () => {
    const [reference, translator] = ENGINES.map((engine) => {
      const board = booted({ engine });
      board.run({ instructions: 700_000 });
      board.goTo(123_457);
      board.stepBack(3);
      return board;
    }) as [Board, Board];
    expect(outcome(translator)).toEqual(outcome(reference));
  });

  for (const config of [
    { translations: "sticky" },
    { checksFences: true },
    { translations: "sticky", checksFences: true },
  ] as const satisfies BoardConfig[]) {
    it(`makes the same run on a board with ${JSON.stringify(config)}`, () => {
      const [reference, translator] = ENGINES.map((engine) => {
        const board = booted({ ...config, engine });
        board.run({ instructions: 2_000_000 });
        return board;
      }) as [Board, Board];
      expect(outcome(translator)).toEqual(outcome(reference));
      expect(fastShare(translator)).toBeGreaterThan(0.9);
      if ("checksFences" in config) expect(translator.fenceReports()).toEqual(reference.fenceReports());
    });
  }
});

/** Each hart takes a number of its own from a lock-protected counter and adds it up, by LR/SC and by AMO. */
const CROWD = `
    la s0, lock
    addi s3, s0, 16
    li s2, 2000
  again:
    li t0, 1
    amoswap.w.aq t1, t0, (s0)
    bnez t1, again
    ld t2, 8(s0)
    addi t2, t2, 1
    sd t2, 8(s0)
    amoswap.w.rl zero, zero, (s0)
  reserve:
    lr.d t3, (s3)
    addi t3, t3, 3
    sc.d t4, t3, (s3)
    bnez t4, reserve
    addi s2, s2, -1
    bnez s2, again
  stop: wfi
    j stop
  .align 3
  lock: .dword 0, 0, 0`;

describe("several harts on the translating engine", () => {
  for (const harts of [2, 3, 4] as const)
    for (const turns of [
      { min: 1, max: 7 },
      { min: 2000, max: 20_000 },
    ])
      it(`${harts} of them with turns of ${turns.min} to ${turns.max} make the run that they make on the reference engine`, () => {
        const [reference, translator] = ENGINES.map((engine) => {
          const board = boardWith(CROWD, { engine, harts, turns });
          board.run({ instructions: 150_000 });
          return board;
        }) as [Board, Board];
        expect(outcome(translator)).toEqual(outcome(reference));
        expect(fastShare(translator)).toBeGreaterThan(0.5);
      });
});
