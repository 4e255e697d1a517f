/** `time-travel`: what a snapshot of a large board costs, and a step back in the middle of a real boot. */
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Board } from "../../../board/board.ts";
import { buildBoard } from "../../../board/virt.ts";
import { PAGE_BYTES } from "../../../bus/machine-memory.ts";
import { OPTIONAL_PARTS } from "../../bootstrap-modules.ts";
import { assetFile } from "../../node-assets.ts";
import { benchLinuxTravel } from "./linux-travel.ts";
import { type Bench, type BenchRow, median, processorTimed, rounded } from "./row.ts";

const LARGE_RAM_BYTES = 256 * 1024 * 1024;
const SMALL_RAM_BYTES = 64 * 1024 * 1024;
const RUNS = 11;
const TOUCHED_PAGES = 1000;
const U_BOOT_PADDR = 0x8020_0000n;
/** OpenSBI and U-Boot up to its prompt take fewer. */
const BOOT_INSNS = 30_000_000;
/** Places from which a step back is timed, as parts of the boot. */
const PLACES = [0.9, 0.31, 0.62, 0.07, 0.99];
const STEPS_AT_A_PLACE = 3;

/** Milliseconds of the first snapshot of a board, which flags all pages, and of later ones over touched pages. */
export function benchSnapshots(): { readonly first: number; readonly later: number } {
  const firsts = Array.from({ length: RUNS }, () => {
    const board = buildBoard({ ramBytes: LARGE_RAM_BYTES });
    return processorTimed(() => board.snapshot()).seconds * 1000;
  });
  const board = buildBoard({ ramBytes: LARGE_RAM_BYTES });
  const held = [board.snapshot()];
  const laters = Array.from({ length: RUNS }, () => {
    for (let page = 0; page < TOUCHED_PAGES; page++) board.bus.ram.store(page * PAGE_BYTES, 8, 1n);
    const { seconds, result } = processorTimed(() => board.snapshot());
    held.push(result);
    return seconds * 1000;
  });
  return { first: median(firsts), later: median(laters) };
}

/** A board at the end of the longest boot that this machine has files for, with a dense history. */
function bootedBoard(): { readonly board: Board; readonly guest: string } {
  const [firmware, loader] = [OPTIONAL_PARTS.opensbi.find(), OPTIONAL_PARTS.uboot.find()];
  const board = buildBoard({ ramBytes: SMALL_RAM_BYTES });
  board.history.keep();
  const isReal = firmware !== undefined && loader !== undefined && existsSync(loader);
  board.loadElf(new Uint8Array(readFileSync(isReal ? firmware : assetFile("images/mini-kernel.elf"))));
  if (isReal) board.memory.write(U_BOOT_PADDR, new Uint8Array(readFileSync(loader)));
  board.run({ instructions: BOOT_INSNS });
  return { board, guest: isReal ? "OpenSBI and U-Boot" : "the C kernel" };
}

/** Milliseconds of single steps back, at places all over a boot. Throws when one does not lead where it must. */
export function benchStepsBack(): { readonly guest: string; readonly milliseconds: readonly number[] } {
  const { board, guest } = bootedBoard();
  const end = board.clock.retired;
  const milliseconds: number[] = [];
  for (const place of PLACES) {
    board.goTo(Math.floor(end * place));
    for (let step = 0; step < STEPS_AT_A_PLACE; step++) {
      const before = board.clock.retired;
      const { seconds, result } = processorTimed(() => board.stepBack());
      if (result.kind !== "moment" || before - result.moment.retired > 1)
        throw new Error("a step back led elsewhere");
      milliseconds.push(seconds * 1000);
    }
  }
  return { guest, milliseconds };
}

const row = (bench: string, unit: string, milliseconds: number): BenchRow => ({
  bench,
  seconds: rounded(milliseconds / 1000),
  unit,
  value: rounded(milliseconds),
});

function linuxRows(): BenchRow[] {
  const travel = benchLinuxTravel();
  if (travel === undefined) {
    process.stderr.write("time-travel: Linux is left out; npx dom0 fetch linux brings the kernel.\n");
    return [];
  }
  const { jumps, stepsBack, checkpoints, pages } = travel;
  return [
    row("step back, median", "ms, Linux boot", median(stepsBack)),
    row("step back, worst", "ms, Linux boot", Math.max(...stepsBack)),
    row("jump, median", "ms, Linux boot", median(jumps)),
    row("jump, worst", "ms, Linux boot", Math.max(...jumps)),
    { bench: "checkpoints", unit: "of a Linux boot", value: checkpoints },
    { bench: "pages they hold", unit: "4 KiB", value: pages },
  ];
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: "snapshots of a 256 MiB board; single steps back, each verified, at places all over a boot",
  async run() {
    const { first, later } = benchSnapshots();
    const { guest, milliseconds } = benchStepsBack();
    return [
      row("first snapshot", "ms, 256 MiB", first),
      row("later snapshot", `ms, ${TOUCHED_PAGES} pages`, later),
      row("step back, median", `ms, ${guest}`, median(milliseconds)),
      row("step back, worst", `ms, ${guest}`, Math.max(...milliseconds)),
      ...linuxRows(),
    ];
  },
};
