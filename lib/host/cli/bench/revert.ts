/** `revert`: going back to a snapshot after a thousand pages were stored to, RAM compared with a full copy. */

import { buildBoard } from "../../../board/virt.ts";
import { PAGE_BYTES } from "../../../bus/machine-memory.ts";
import { type Bench, median, rounded, timed } from "./row.ts";

const PAGES = 1000;
const RUNS = 21;

/** Milliseconds of one revert over {@link PAGES} touched pages, for each run. */
export function benchRevert(): number[] {
  const board = buildBoard();
  const { ram } = board.bus;
  for (let page = 0; page < PAGES; page++) ram.store(page * PAGE_BYTES, 8, BigInt(page));
  const before = ram.u8.slice();
  const snapshot = board.snapshot();
  return Array.from({ length: RUNS }, (_, run) => {
    for (let page = 0; page < PAGES; page++) ram.store(page * PAGE_BYTES + 8 * run, 8, -1n);
    const { seconds } = timed(() => board.revert(snapshot));
    if (Buffer.compare(ram.u8, before) !== 0) throw new Error("RAM differs after a revert");
    return seconds * 1000;
  });
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: `snapshot, ${PAGES} pages stored to, back again; RAM compared with a full copy`,
  async run() {
    const milliseconds = rounded(median(benchRevert()));
    return [
      {
        bench: "revert",
        seconds: rounded(milliseconds / 1000),
        unit: `ms for ${PAGES} pages`,
        value: milliseconds,
      },
    ];
  },
};
