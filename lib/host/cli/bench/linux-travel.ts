/** Steps back all over a boot of stock Linux: the promise is a fifth of a second anywhere. */
import { existsSync } from "node:fs";
import path from "node:path";
import { SeededNumbers } from "../../../bits/seeded-numbers.ts";
import type { Board } from "../../../board/board.ts";
import { DENSE_INTERVAL_INSNS } from "../../../board/history.ts";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { PROMPT } from "../../linux/file-systems.ts";
import { linuxMachine } from "../../linux/machine.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { processorTimed } from "./row.ts";

const SEED = 1;
/** Equal parts of the boot; a place is drawn in each. */
const PLACES = 10;
const SLICE = 5_000_000;
/** More than a boot takes. */
const BUDGET = 2e9;

/** Milliseconds of processor time, one figure a place, and what the history holds. */
export interface LinuxTravel {
  /** From wherever the machine stood to a place. */
  readonly jumps: readonly number[];
  /** One step back, from a place that was reached by running on. */
  readonly stepsBack: readonly number[];
  readonly checkpoints: number;
  readonly pages: number;
}

/** A board at the shell's prompt, with a dense history from the first instruction on. */
function bootedBoard(): Board {
  const machine = linuxMachine(readLinuxFiles(path.join(DEBIAN_CACHE, LINUX_FOLDER)));
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board } = machine;
  board.history.keep();
  while (!board.console.text.endsWith(PROMPT)) {
    const { reason, retired } = board.run({ instructions: SLICE });
    if (reason !== "budget" || retired > BUDGET)
      throw new Error(`Linux ended with ${reason} after:\n${board.console.text.slice(-2000)}`);
  }
  return board;
}

/** Undefined without the packages. Throws when a journey leads elsewhere. */
export function benchLinuxTravel(): LinuxTravel | undefined {
  if (!existsSync(path.join(DEBIAN_CACHE, LINUX_FOLDER))) return undefined;
  const board = bootedBoard();
  const end = board.clock.retired;
  const { checkpoints, pages } = board.history.size;
  const numbers = new SeededNumbers(SEED);
  const part = Math.floor(end / PLACES);
  const order = Array.from({ length: PLACES }, (_, index) => (index * 7 + 3) % PLACES);
  const jumps: number[] = [];
  const stepsBack: number[] = [];
  for (const index of order) {
    const place = index * part + numbers.between(1, part - DENSE_INTERVAL_INSNS);
    jumps.push(milliseconds(() => board.goTo(place)));
    // Traveling leaves checkpoints shortly before its goal, which would make the next step too easy.
    board.run({ instructions: numbers.between(1, DENSE_INTERVAL_INSNS) });
    const before = board.clock.retired;
    if (before < place) throw new Error("a journey led elsewhere");
    stepsBack.push(milliseconds(() => board.stepBack()));
    if (before - board.clock.retired > 1) throw new Error("a step back led elsewhere");
  }
  return { jumps, stepsBack, checkpoints, pages };
}

function milliseconds(travel: () => ReturnType<Board["stepBack"]>): number {
  const { seconds, result } = processorTimed(travel);
  if (result.kind !== "moment") throw new Error(result.message);
  return seconds * 1000;
}
