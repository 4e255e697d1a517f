/** The benchmarks beside the guests: one part of the kit each, with a peer where there is one. */
import type { Bench, BenchRow } from "./row.ts";

/** By name. */
export const OTHER_BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  reference: async () => (await import("./mix.ts")).bench,
  "guest-boot": async () => (await import("./guest-boot.ts")).bench,
  "linux-boot": async () => (await import("./linux-boot.ts")).bench,
  "linux-guest": async () => (await import("./linux-guest.ts")).bench,
  "linux-in-chromium": async () => (await import("./linux-in-chromium.ts")).bench,
  hypercall: async () => (await import("./hypercall.ts")).bench,
  "sbi-call": async () => (await import("./sbi-call.ts")).bench,
  revert: async () => (await import("./revert.ts")).bench,
  "time-travel": async () => (await import("./time-travel.ts")).bench,
  cells: async () => (await import("./cells.ts")).bench,
};

const COLUMNS = ["bench", "engine", "mips", "seconds", "value", "unit", "peer", "ratio"] as const;
const WIDTHS = [22, 10, 8, 9, 10, 16, 22, 6];

const tableLine = (cells: readonly string[]): string =>
  cells
    .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
    .join(" ")
    .trimEnd();

/** Runs them one after another, and tells each row as soon as it is there. */
export async function runOtherBenches(
  names: readonly string[],
  tell: { readonly about: (line: string) => void; readonly row: (line: string) => void },
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  if (names.length > 0) tell.row(tableLine(COLUMNS));
  for (const name of names) {
    const load = OTHER_BENCHES[name];
    if (load === undefined) continue;
    const bench = await load();
    tell.about(`${name}: ${bench.about}`);
    for (const row of await bench.run()) {
      rows.push(row);
      tell.row(tableLine(COLUMNS.map((column) => String(row[column] ?? ""))));
    }
  }
  return rows;
}
