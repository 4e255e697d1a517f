/** `npm run bench -- [NAMES] [--json]`: speed, measured beside a peer in the same run wherever there is one. */
import process from "node:process";
import type { Bench, BenchRow } from "./bench/row.ts";
import type { Command } from "./main.ts";

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  mix: async () => (await import("./bench/mix.ts")).bench,
  "guest-boot": async () => (await import("./bench/guest-boot.ts")).bench,
  "linux-boot": async () => (await import("./bench/linux-boot.ts")).bench,
  "sbi-call": async () => (await import("./bench/sbi-call.ts")).bench,
  revert: async () => (await import("./bench/revert.ts")).bench,
  "time-travel": async () => (await import("./bench/time-travel.ts")).bench,
  cells: async () => (await import("./bench/cells.ts")).bench,
};

const COLUMNS = ["bench", "engine", "mips", "seconds", "value", "unit", "peer", "ratio"] as const;

function tableLine(cells: readonly string[]): string {
  const widths = [22, 10, 8, 9, 10, 16, 22, 6];
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(" ")
    .trimEnd();
}

const printRow = (row: BenchRow): string => tableLine(COLUMNS.map((column) => String(row[column] ?? "")));

export const command: Command = {
  summary: "measure speed, as ratios against a peer",
  usage: `Usage: npm run bench -- [NAMES] [--json]

Benchmarks: ${Object.keys(BENCHES).join(", ")}; all of them when none is named.
--json prints one object a line: bench, engine, mips, seconds, peer, ratio, unit, value; what does not apply is left out.
A ratio above 1 means faster than the peer. Figures depend on the machine: compare ratios, not seconds.`,
  async run(args) {
    const json = args.includes("--json");
    const names = args.filter((argument) => argument !== "--json" && argument !== "--");
    const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
    if (unknown.length > 0) {
      process.stderr.write(
        `dom0 bench: there is no benchmark "${unknown[0]}"; there are ${Object.keys(BENCHES).join(", ")}.\n`,
      );
      return 2;
    }
    if (!json) process.stdout.write(`${tableLine(COLUMNS)}\n`);
    for (const [name, load] of Object.entries(BENCHES)) {
      if (names.length > 0 && !names.includes(name)) continue;
      const bench = await load();
      if (!json) process.stderr.write(`${name}: ${bench.about}\n`);
      for (const row of await bench.run())
        process.stdout.write(`${json ? JSON.stringify(row) : printRow(row)}\n`);
    }
    return 0;
  },
};
