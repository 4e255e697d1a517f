/**
 * `mix`: how many instructions a second the reference engine makes, bare and under Sv39 with 4 KiB pages.
 *
 * Seconds are processor time of the whole process (the engine's thread, compiler and collector), so that neighbors on a
 * busy machine do not count.
 */
import { buildBoard } from "../../../board/virt.ts";
import { mixGuest, mixModel } from "./mix-program.ts";
import { qemuName, runOnQemu } from "./qemu-peer.ts";
import { type Bench, type BenchRow, median, processorTimed, rounded } from "./row.ts";

/** One timed run of the guest. */
export interface MixResult {
  readonly retired: number;
  /** Processor time. */
  readonly seconds: number;
  /** The guest's result, which was compared with the model's before this was returned. */
  readonly check: bigint;
}

const ROUNDS = 500_000;
const WARM_UP_ROUNDS = 20_000;
const RUNS = 3;
/** Rounds that QEMU runs on top, to be long against its start-up. */
const QEMU_EXTRA_ROUNDS = 8_000_000;
/** More than any number of rounds here takes. */
const BUDGET = 1e10;

const expectedSums = new Map<number, bigint>();

/** The model's sum for a number of rounds, computed once. */
function expectedSum(rounds: number): bigint {
  const sum = expectedSums.get(rounds) ?? mixModel(rounds);
  expectedSums.set(rounds, sum);
  return sum;
}

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
  const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
  const check = board.hart.read("s3");
  const expected = expectedSum(rounds);
  if (result.reason !== "wfi" || check !== expected) {
    throw new Error(`mix ended with ${result.reason} and the sum ${check}; the model says ${expected}`);
  }
  return { retired: result.retired, seconds, check };
}

/** QEMU's millions of instructions a second on the same guest: a long run less a short one, so start-up cancels out. */
function qemuMips(sv39: boolean, insnsPerRound: number): number {
  const run = (rounds: number) => {
    const { program, tables } = mixGuest({ sv39, rounds, ends: "poweroff" });
    const blobs = tables.map(({ paddr, entries }) => ({ paddr, bytes: new Uint8Array(entries.buffer) }));
    return runOnQemu([{ paddr: program.origin, bytes: program.bytes }, ...blobs]);
  };
  const short = Array.from({ length: RUNS }, () => run(ROUNDS));
  const expected = Number(expectedSum(ROUNDS) & 0xffn);
  if (short[0]?.exitCode !== expected)
    throw new Error(`QEMU says ${short[0]?.exitCode}, the model ${expected}`);
  const long = Array.from({ length: RUNS }, () => run(ROUNDS + QEMU_EXTRA_ROUNDS));
  const seconds = median(long.map((each) => each.seconds)) - median(short.map((each) => each.seconds));
  return (insnsPerRound * QEMU_EXTRA_ROUNDS) / seconds / 1e6;
}

function row(sv39: boolean, peer: string | undefined): BenchRow {
  benchMix({ sv39, rounds: WARM_UP_ROUNDS });
  const runs = Array.from({ length: RUNS }, () => benchMix({ sv39 }));
  const seconds = median(runs.map((run) => run.seconds));
  const retired = runs[0]?.retired ?? 0;
  const mips = retired / seconds / 1e6;
  const measured = {
    bench: sv39 ? "mix-sv39" : "mix-bare",
    engine: "reference",
    mips: rounded(mips),
    seconds: rounded(seconds),
  } as const;
  return peer === undefined
    ? measured
    : { ...measured, peer, ratio: rounded(mips / qemuMips(sv39, retired / ROUNDS)) };
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: "integer mix with a 256 KiB table, its result checked against plain arithmetic; processor time",
  async run() {
    const peer = qemuName();
    return [row(false, peer), row(true, peer)];
  },
};
