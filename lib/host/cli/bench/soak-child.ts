/** The process of `soak.ts`. Argument: a {@link SoakOrder}; answer: a {@link SoakAnswer}; both JSON. */
import process from "node:process";
import { buildBoard } from "../../../board/virt.ts";
import { BENCH_GUESTS, type BenchGuestName } from "../../../systems/bench-guests.ts";
import type { Sample } from "./arithmetic.ts";
import { answerOrder } from "./child-answer.ts";
import { withRounds } from "./guest-image.ts";
import type { SoakAnswer, SoakOrder } from "./soak.ts";

/** Each guest runs for so many instructions, or to its power-off. */
const SLICE_INSNS = 50_000_000;
/** More rounds than a slice has instructions, so that the slice decides. */
const ROUNDS = 1e9;

function runMixed({ minutes, engine }: SoakOrder): SoakAnswer {
  const board = buildBoard({ engine });
  const names = Object.keys(BENCH_GUESTS) as BenchGuestName[];
  const images = names.map((name) => withRounds(name, ROUNDS));
  const began = performance.now();
  const samples: Sample[] = [];
  let runs = 0;
  const elapsed = (): number => (performance.now() - began) / 1000;
  while (elapsed() < minutes * 60) {
    for (const image of images) {
      board.reset();
      const loaded = board.loadElf(image);
      if (loaded.kind === "load-error") throw new Error(loaded.message);
      board.run({ instructions: SLICE_INSNS });
      runs += 1;
      samples.push({ seconds: elapsed(), value: process.memoryUsage.rss() / 1e6 });
      if (elapsed() >= minutes * 60) break;
    }
  }
  return { samples, runs };
}

answerOrder(runMixed);
