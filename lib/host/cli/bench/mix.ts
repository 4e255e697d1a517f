/** `mix`: how many instructions a second the reference engine makes, bare and under Sv39 with 4 KiB pages. */
import { buildBoard } from "../../../board/virt.ts";
import { mixGuest, mixModel } from "./mix-program.ts";
import { type Bench, median, rounded, timed } from "./row.ts";

/** One timed run of the guest. */
export interface MixResult {
  readonly retired: number;
  readonly seconds: number;
  /** The guest's result, which was compared with the model's before this was returned. */
  readonly check: bigint;
}

const ROUNDS = 250_000;
const WARM_UP_ROUNDS = 20_000;
const RUNS = 3;
/** More than any number of rounds here takes. */
const BUDGET = 1e10;

/** Runs the guest on a fresh board, and compares its result with plain arithmetic. */
export function benchMix({
  sv39,
  rounds = ROUNDS,
}: {
  readonly sv39: boolean;
  readonly rounds?: number;
}): MixResult {
  const board = buildBoard();
  const { program, tables } = mixGuest({ sv39, rounds });
  const refused = board.load(program);
  if (refused !== undefined) throw new Error(refused.message);
  for (const { paddr, entries } of tables) board.memory.write(paddr, new Uint8Array(entries.buffer));
  const { seconds, result } = timed(() => board.run({ instructions: BUDGET }));
  const check = board.hart.read("s3");
  const expected = mixModel(rounds);
  if (result.reason !== "wfi" || check !== expected) {
    throw new Error(`mix ended with ${result.reason} and the sum ${check}; the model says ${expected}`);
  }
  return { retired: result.retired, seconds, check };
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: "integer mix with a 256 KiB table, its result checked against plain arithmetic",
  async run() {
    return [false, true].map((sv39) => {
      benchMix({ sv39, rounds: WARM_UP_ROUNDS });
      const runs = Array.from({ length: RUNS }, () => benchMix({ sv39 }));
      const seconds = median(runs.map((run) => run.seconds));
      const mips = (runs[0]?.retired ?? 0) / seconds / 1e6;
      return {
        bench: sv39 ? "mix-sv39" : "mix-bare",
        engine: "reference" as const,
        mips: rounded(mips),
        seconds: rounded(seconds),
        unit: "million instructions per second",
        value: rounded(mips),
      };
    });
  },
};
