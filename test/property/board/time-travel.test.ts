import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { buildBoard, type HartCount } from "../../../lib/board/virt.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const RAM_BYTES = 1 << 20;
const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 400 : 25;

/** Everything guest-visible, RAM included, as one word. */
function everything(board: Board): string {
  const hash = createHash("sha256").update(board.bus.ram.u8);
  for (const { state } of board.harts) hash.update(state.bytes);
  const rest = [
    board.bus.regions.map(({ device }) => device.save()),
    [board.clock.save(), board.trace.hash(), board.trace.count, board.console.text],
  ];
  const text = JSON.stringify(rest, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  return hash.update(text).digest("hex");
}

type Input =
  | { kind: "type"; text: string }
  | { kind: "poke"; offset: number; value: bigint }
  | { kind: "register"; value: bigint };

const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ kind: fc.constant("type" as const), text: fc.string({ minLength: 1, maxLength: 4 }) }),
  fc.record({
    kind: fc.constant("poke" as const),
    offset: fc.integer({ min: RAM_BYTES / 2, max: RAM_BYTES - 8 }),
    value: fc.bigInt(0n, 2n ** 64n - 1n),
  }),
  fc.record({ kind: fc.constant("register" as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
);

function give(board: Board, given: Input): void {
  if (given.kind === "type") board.type(given.text);
  else if (given.kind === "poke") board.memory.store(BigInt(0x8000_0000 + given.offset), 8, given.value);
  else board.hart.write("t6", given.value);
}

const cases = fc.record({
  harts: fc.constantFrom<HartCount>(1, 1, 3),
  /** Where it begins: in the kernel's boot, at its system calls, at its timer. */
  start: fc.nat(60_000),
  maxPages: fc.constantFrom(0, 8, 10_000),
  /** Steps, and an input after each. */
  parts: fc.array(fc.tuple(fc.nat(25), fc.option(input)), { minLength: 1, maxLength: 8 }),
  /** Afterwards: back by so many steps, or to a place; or forward again. */
  journeys: fc.array(fc.tuple(fc.constantFrom("back", "to", "on"), fc.nat()), { maxLength: 8 }),
});

/** The long size takes minutes of a busy machine; timing never decides a test. */
const LONG_MS = 20 * 60_000;

describe("time travel", () => {
  it("keeps the future when steps forward meet a register that somebody had set there", () => {
    const board = buildBoard({ ramBytes: RAM_BYTES });
    board.history.keep({ intervalInsns: 1000, maxPages: 0 });
    board.loadElf(KERNEL);
    for (let step = 0; step < 9; step++) board.step();
    board.hart.write("t6", 1n);
    for (let step = 0; step < 5; step++) board.step();
    const last = board.clock.retired;
    expect(board.goTo(last - 7).kind).toBe("moment");
    for (let step = 0; step < 2; step++) board.step();
    expect(board.hart.read("t6")).toBe(1n);
    expect(board.goTo(last).kind).toBe("moment");
  });

  it(
    "leads to each step that was made, whatever came in on the way",
    () => {
      fc.assert(
        fc.property(cases, ({ harts, start, maxPages, parts, journeys }) => {
          const board = buildBoard({ ramBytes: RAM_BYTES, harts, turns: { min: 3, max: 400 } });
          board.history.keep({ intervalInsns: 1000, maxPages });
          board.loadElf(KERNEL);
          board.run({ instructions: start });
          const seen = [{ retired: board.clock.retired, state: everything(board) }];
          for (const [steps, given] of parts) {
            for (let step = 0; step < steps; step++) {
              board.step();
              seen.push({ retired: board.clock.retired, state: everything(board) });
            }
            if (given === null) continue;
            give(board, given);
            board.run({ instructions: 0 });
            seen[seen.length - 1] = { retired: board.clock.retired, state: everything(board) };
          }
          let at = seen.length - 1;
          const first = seen[0]?.retired ?? 0;
          for (const [kind, pick] of journeys) {
            if (kind === "back") {
              const steps = pick % (at + 1);
              expect(board.stepBack(steps).kind).toBe("moment");
              at -= steps;
            } else if (kind === "to") {
              const goal = seen[pick % seen.length]?.retired ?? 0;
              if (goal === first) continue; // the run there may have ended behind the first arrival
              expect(board.goTo(goal).kind).toBe("moment");
              at = seen.findIndex(({ retired }) => retired === goal);
            } else if (at < seen.length - 1) {
              board.step();
              at++;
            }
            expect(board.clock.retired).toBe(seen[at]?.retired);
            expect(everything(board)).toBe(seen[at]?.state);
          }
        }),
        { seed: 1, numRuns: RUNS },
      );
    },
    LONG_MS,
  );
});
