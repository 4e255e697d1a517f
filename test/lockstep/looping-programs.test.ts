/**
 * Random programs that loop, on both engines in lockstep: all modes, translated and not, coherent and sticky, one hart or
 * several with long turns or short, with interrupts, and with input and a disk's DMA from outside while they run.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { type BoardConfig, buildBoard, type HartCount } from "../../lib/board/virt.ts";
import { expectSame, PLANNED, Tally } from "../support/lockstep.ts";
import { diskOf, giveInput } from "../support/programs/input.ts";
import { type LoopingProgram, loopingProgram } from "../support/programs/looping.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
/** Another seed is another set of programs: DOM0_SEED=12345. */
const SEED = Number(process.env["DOM0_SEED"] ?? 1);
const INSTRUCTIONS = isFull ? 2_000_000 : 250_000;
const PROGRAMS_EACH = isFull ? 8 : 1;
const EVERY = isFull ? 100_000 : 50_000;

const MODES = ["M", "S", "U", "VS", "VU"] as const;
interface Setting extends Pick<BoardConfig, "translations" | "turns"> {
  readonly title: string;
  readonly harts?: HartCount;
  readonly isFloating?: boolean;
}
const SETTINGS: readonly Setting[] = [
  { title: "one hart" },
  { title: "one hart, sticky translations", translations: "sticky" },
  { title: "floating-point", isFloating: true },
  { title: "two harts", harts: 2 },
  { title: "four harts in short turns", harts: 4, turns: { min: 1, max: 64 } },
];

function runProgram(program: LoopingProgram, config: BoardConfig, tally: Tally): Board {
  const parts = loopingProgram(program);
  const disk = diskOf(parts);
  return expectSame({
    title: `${JSON.stringify(program)} ${JSON.stringify(config)}`,
    tally,
    isEager: program.seed % 3 !== 0,
    instructions: INSTRUCTIONS,
    every: EVERY,
    before: (board, piece) => giveInput(board, piece, program.seed),
    build: (engine) => {
      const board = buildBoard({ ...config, ...engine, ramBytes: 4 << 20, disk });
      for (const [address, bytes] of parts) board.memory.write(BigInt(address), bytes);
      return board;
    },
  });
}

describe("random programs that loop, on both engines in lockstep", () => {
  const total = new Tally();
  const causes = new Map<string, number>();
  let seed = SEED;
  for (const { title, harts = 1, isFloating = false, ...config } of SETTINGS)
    for (const mode of MODES)
      for (const isTranslated of [false, true]) {
        if (mode === "M" && isTranslated) continue;
        const first = seed;
        seed += PROGRAMS_EACH;
        it(`${title}, in ${mode}, ${isTranslated ? "translated" : "bare"}, from seed ${first} on`, () => {
          for (let at = 0; at < PROGRAMS_EACH; at++) {
            const program = { seed: first + at, mode, isTranslated, harts, isFloating };
            const board = runProgram(program, { ...config, harts, seed: first + at }, total);
            for (const { kind } of board.trace.events) causes.set(kind, (causes.get(kind) ?? 0) + 1);
          }
        }, 3_600_000);
      }

  afterAll(() => {
    console.log(total.words("programs that loop"));
    total.report("looping");
    expect(total.instructions).toBeGreaterThanOrEqual(PLANNED.looping);
    // Traps, devices and what is privileged go the slow way; everything else must not.
    expect(total.fallbacks({ share: 0.8, regionShare: 0.3 })).toEqual([]);
    for (const kind of [
      "exception",
      "interrupt",
      "trap-return",
      "csr-write",
      "device-load",
      "device-store",
      "dma-write",
    ])
      expect(causes.get(kind) ?? 0, kind).toBeGreaterThan(0);
  });
});
