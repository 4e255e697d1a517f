/** `dom0 migrate`: guests that move from one machine to another while they run, in numbers and as a picture. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { OPTIONAL_PARTS } from "../bootstrap-modules.ts";
import { readLinuxFiles } from "../linux/packages.ts";
import type { Command } from "./main.ts";
import { migrationFigure } from "./migrate/figure.ts";
import { type LinuxMove, moveLinux } from "./migrate/linux.ts";
import { type MigrationRun, moveWriter } from "./migrate/runs.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";

const RATES = [5, 10, 20, 30, 40, 45, 50, 55, 60, 65, 70, 80] as const;
/** Rates whose rounds are drawn. */
const DRAWN: readonly number[] = [10, 50, 60];

export const command: Command = {
  summary: "move guests between two machines while they run, and draw how it went",
  usage: `Usage: dom0 migrate [--figure FILE] [--no-linux]

Moves guests that write to memory at ${RATES.length} rates from one machine to another, both in this process; then one of two stock Linux
kernels that print lines and use a disk each, while the other stays. Prints rounds, pages and downtime of each, and whether
all lines and all sectors are there. With --figure, writes a picture (SVG) of it. --no-linux leaves Linux out; it is left out,
too, where no kernel is (npx dom0 fetch linux).`,
  run: async (args) => refusing("migrate", async () => migrate(args)),
};

function migrate(args: string[]): number {
  const { values } = parsed(() =>
    parseArgs({ args, options: { figure: { type: "string" }, "no-linux": { type: "boolean" } } }),
  );
  const sweep = RATES.map((rate) => told(moveWriter(rate)));
  const kernel = values["no-linux"] === true ? undefined : OPTIONAL_PARTS.debianLinux.find();
  const linux = kernel === undefined ? undefined : tellLinux(path.dirname(kernel));
  if (values.figure === undefined) return 0;
  const drawn = sweep.filter(({ writesPerMs }) => DRAWN.includes(writesPerMs ?? 0));
  try {
    writeFileSync(values.figure, migrationFigure(drawn, sweep, linux));
  } catch (error) {
    throw new Refusal(`${values.figure} cannot be written: ${(error as NodeJS.ErrnoException).code}.`);
  }
  return 0;
}

function tellLinux(folder: string): LinuxMove {
  const linux = moveLinux(readLinuxFiles(folder));
  if ("kind" in linux) throw new Refusal(linux.message);
  const { run, verdict } = linux;
  told(run);
  for (const [round, { ram, disk, zeros }] of run.sent.entries()) {
    const when = round < run.sent.length - 1 ? `round ${round + 1}` : "stopped";
    process.stdout.write(`  ${when}: ${ram} pages of RAM, ${disk} of the disk, ${zeros} of zeros\n`);
  }
  process.stdout.write(`  ${verdict}\n`);
  return linux;
}

function told(run: MigrationRun): MigrationRun {
  const { name, roundPages, dirtiedPerMs, pages, downtimeMs, totalMs } = run;
  const rates = dirtiedPerMs.map((rate) => rate.toFixed(0)).join(" ");
  process.stdout.write(
    `${name.padEnd(16)} ${String(pages).padStart(6)} pages in ${totalMs.toFixed(0).padStart(5)} ms, downtime ${downtimeMs.toFixed(2).padStart(6)} ms, rounds ${roundPages.join(" ")}, dirtied in a ms ${rates}\n`,
  );
  return run;
}
