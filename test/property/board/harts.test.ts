import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import type { HartCount } from "../../../lib/board/virt.ts";
import { boardWith } from "../../support/assembled.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 300 : 40;
const POWER_OFF = "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)\n";

/** Each hart does `body` `times` times, then counts itself done; hart 0 waits for all and switches off. */
const counting = (body: string, times: number, harts: number): string => `
    la s0, counter
    la s1, done
    li s2, ${times}
  again:
    ${body}
    addi s2, s2, -1
    bnez s2, again
    li t0, 1
    amoadd.d zero, t0, (s1)
    csrr t0, mhartid
    bnez t0, stop
    li t1, ${harts}
  wait:
    ld t0, 0(s1)
    blt t0, t1, wait
    ${POWER_OFF}
  stop:
    wfi
    j stop
  .align 3
  counter: .dword 0
  done: .dword 0`;

const ADD = {
  "amoadd.d": "li t0, 1\n amoadd.d zero, t0, (s0)",
  "lr.d and sc.d": "retry: lr.d t0, (s0)\n addi t0, t0, 1\n sc.d t1, t0, (s0)\n bnez t1, retry",
  "lr.w and sc.w": "retry: lr.w t0, (s0)\n addi t0, t0, 1\n sc.w t1, t0, (s0)\n bnez t1, retry",
  "ld and sd": "ld t0, 0(s0)\n addi t0, t0, 1\n sd t0, 0(s0)",
};

const machines = fc.record({
  harts: fc.integer({ min: 2, max: 4 }) as fc.Arbitrary<HartCount>,
  seed: fc.nat(),
  turns: fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.nat(90))
    .map(([min, more]) => ({ min, max: min + more })),
});
const counter = (board: Board): bigint =>
  board.memory.load(board.symbols.addressOf("counter") ?? 0n, 8) as bigint;

describe("harts that take turns", () => {
  for (const [title, body] of Object.entries(ADD).filter(([name]) => name !== "ld and sd")) {
    it(`never lose a count that they add with ${title}, however short the turns`, () => {
      fc.assert(
        fc.property(machines, fc.integer({ min: 1, max: 30 }), ({ harts, seed, turns }, times) => {
          const board = boardWith(counting(body, times, harts), { harts, seed, turns, ramBytes: 1 << 16 });
          expect(board.run({ instructions: 1_000_000 }).reason).toBe("poweroff");
          expect(counter(board)).toBe(BigInt(harts * times));
        }),
        { seed: 1, numRuns: RUNS },
      );
    });
  }

  it("do lose counts that they add with a load and a store: in some runs with short turns, in the same way each time", () => {
    const results = Array.from({ length: 20 }, (_, seed) => {
      const run = (): [bigint, string] => {
        const board = boardWith(counting(ADD["ld and sd"], 50, 2), {
          harts: 2,
          seed,
          turns: { min: 1, max: 8 },
        });
        board.run({ instructions: 1_000_000 });
        return [counter(board), board.trace.hash()];
      };
      const [count, hash] = run();
      expect(run()).toEqual([count, hash]);
      return count;
    });
    expect(results.some((count) => count < 100n)).toBe(true);
    expect(new Set(results).size).toBeGreaterThan(3);
  });

  it("run the same whether the run is one, or cut into pieces, or made of single steps, or rewound in the middle", () => {
    const pieces = fc.array(
      fc.oneof(fc.nat(40), fc.constant("step" as const), fc.constant("detour" as const)),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(machines, pieces, ({ harts, seed, turns }, cuts) => {
        const make = (): Board =>
          boardWith(counting(ADD["lr.d and sc.d"], 20, harts), { harts, seed, turns, ramBytes: 1 << 16 });
        const whole = make();
        const total = 3000;
        whole.run({ instructions: total });
        const cut = make();
        for (const piece of cuts) {
          if (piece === "step") cut.step();
          else if (piece === "detour") {
            const here = cut.snapshot();
            cut.run({ instructions: 77 });
            cut.revert(here);
          } else cut.run({ instructions: piece });
        }
        cut.run({ instructions: total - cut.clock.retired });
        expect(cut.clock.retired).toBe(whole.clock.retired);
        expect(cut.trace.hash()).toBe(whole.trace.hash());
        expect(cut.harts.map(({ state }) => [...state.bytes])).toEqual(
          whole.harts.map(({ state }) => [...state.bytes]),
        );
      }),
      { seed: 2, numRuns: RUNS },
    );
  });

  it("end each turn at a retired count inside the range, and come round in order", () => {
    fc.assert(
      fc.property(machines, ({ harts, seed, turns }) => {
        const board = boardWith("again: addi a0, a0, 1\n j again", { harts, seed, turns });
        const { steps = [] } = board.run({ instructions: 2000, log: true });
        const lengths: number[] = [];
        let current = 0;
        let length = 0;
        for (const { hart } of steps) {
          if (hart !== current) {
            expect(hart).toBe((current + 1) % harts);
            lengths.push(length);
            current = hart;
            length = 0;
          }
          length += 1;
        }
        for (const done of lengths) {
          expect(done).toBeGreaterThanOrEqual(turns.min);
          expect(done).toBeLessThanOrEqual(turns.max);
        }
        expect(board.harts.reduce((sum, hart) => sum + hart.retired, 0)).toBe(2000);
      }),
      { seed: 3, numRuns: RUNS },
    );
  });
});
