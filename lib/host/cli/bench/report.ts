/** Everything that one run of the benchmarks found, and its table for people. */
import { BENCH_GUESTS } from "../../../systems/bench-guests.ts";
import { geometricMean } from "./arithmetic.ts";
import type { GuestFigures } from "./guest-contest.ts";
import type { LinuxFigures } from "./linux-contest.ts";
import type { MachineNames } from "./machine-names.ts";
import type { SoakFigures } from "./soak.ts";
import type { StartUpFigures } from "./start-up.ts";
import {
  GROWTH_MB_PER_MINUTE,
  GUEST_TARGETS,
  INTEGER_GUESTS,
  INTEGER_TARGET,
  LINUX_RESIDENT_MB,
  LINUX_TARGET,
  START_UP_MS,
  type Target,
  verdictOf,
} from "./targets.ts";

/** What was found. What was not asked for is left out. */
export interface BenchReport {
  readonly machine: MachineNames;
  /** How long each guest ran, in words. */
  readonly size: string;
  readonly engine: string;
  /** Names of the QEMUs, in the order of the columns. */
  readonly peers: readonly string[];
  readonly guests: readonly GuestFigures[];
  readonly linux?: LinuxFigures;
  readonly startUp?: StartUpFigures;
  readonly soak?: SoakFigures;
  /** What went wrong, one line each: a wrong result, a run that did not end. */
  readonly failures: readonly string[];
}

/** One line of the figure and of the table's last columns. */
export interface RatioRow {
  readonly name: string;
  readonly ratio: number;
  readonly target: Target;
}

/** The ratios that have a target, in the order of the table. */
export function ratioRows({ guests, linux }: Pick<BenchReport, "guests" | "linux">): RatioRow[] {
  const rows: RatioRow[] = guests.flatMap(({ guest, ratio }) => {
    const target = GUEST_TARGETS[guest];
    return target === undefined ? [] : [{ name: guest, ratio, target }];
  });
  const integers = guests.filter(({ guest }) => INTEGER_GUESTS.includes(guest));
  if (integers.length === INTEGER_GUESTS.length) {
    const ratio = geometricMean(integers.map((each) => each.ratio));
    rows.push({ name: "mean of integers", ratio, target: INTEGER_TARGET });
  }
  if (linux !== undefined) rows.push({ name: "linux", ratio: linux.ratio, target: LINUX_TARGET });
  return rows;
}

/** Three digits, or a dash where nothing was measured. */
export const shown = (value: number): string => {
  if (Number.isNaN(value)) return "-";
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
};

function targetText(target: Target | undefined): string {
  if (target === undefined) return "-";
  const { atLeast, stretch } = target;
  return stretch === undefined ? `${atLeast}` : `${atLeast} (${stretch})`;
}

/** Columns padded to their widest cell: the first to the right, the others to the left; the last is not padded. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === columns - 1) return cell;
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

function guestTable(report: BenchReport): string[] {
  const peers = report.peers;
  const head = [
    "guest",
    "ours",
    "steady",
    ...peers,
    "ratio",
    "steady",
    "short",
    "target",
    "",
    "what it does",
  ];
  const body = report.guests.map((row) => [
    row.guest,
    shown(row.ours.mips),
    shown(row.steady.mips),
    ...peers.map((name) => shown(row.peers.find((peer) => peer.name === name)?.mips ?? Number.NaN)),
    shown(row.ratio),
    shown(row.steady.ratio),
    shown(row.shortRatio),
    targetText(GUEST_TARGETS[row.guest]),
    verdictOf(row.ratio, GUEST_TARGETS[row.guest]),
    BENCH_GUESTS[row.guest].about,
  ]);
  return body.length === 0 ? [] : alignedLines([head, ...body]);
}

const within = (value: number, limit: number): string => (value <= limit ? "met" : "missed");

function otherLines(report: BenchReport): string[] {
  const { linux, startUp, soak } = report;
  const lines: string[] = [];
  const mean = ratioRows(report).find((row) => row.name === "mean of integers");
  if (mean !== undefined) {
    const verdict = verdictOf(mean.ratio, mean.target);
    const said = `geometric mean ${shown(mean.ratio)}, target ${targetText(mean.target)}: ${verdict}`;
    lines.push(`${INTEGER_GUESTS.join(" ")}: ${said}`);
  }
  if (linux !== undefined) {
    const peers = linux.peers.map(({ name, seconds }) => `${name} ${shown(seconds)} s`).join(", ");
    const verdict = verdictOf(linux.ratio, LINUX_TARGET);
    lines.push(
      `Debian's kernel to a command and to power-off: ${shown(linux.seconds)} s of processor time (${shown(linux.wallSeconds)} s on the wall, ${shown(linux.retired / linux.seconds / 1e6)} MIPS)${peers === "" ? "" : `, ${peers}`}; ratio ${shown(linux.ratio)}, target ${targetText(LINUX_TARGET)}: ${verdict}`,
      `  resident memory afterwards: guest's RAM + ${shown(linux.residentMb - linux.ramMb)} MB, limit ${LINUX_RESIDENT_MB}: ${within(linux.residentMb - linux.ramMb, LINUX_RESIDENT_MB)}`,
    );
  }
  if (startUp !== undefined) {
    lines.push(
      `start-up and ${shown(startUp.insns / 1e6)} million instructions: ${shown(startUp.wallMs)} ms on the wall, ${shown(startUp.processorMs)} ms of processor time, limit ${START_UP_MS}: ${within(startUp.wallMs, START_UP_MS)} (the whole process with Node's own start: ${shown(startUp.processMs)} ms)`,
    );
  }
  if (soak !== undefined) {
    lines.push(
      `mixed guests for ${shown(soak.minutes)} minutes: resident memory grows ${shown(soak.mbPerMinute)} MB a minute, limit ${GROWTH_MB_PER_MINUTE}: ${within(soak.mbPerMinute, GROWTH_MB_PER_MINUTE)} (${soak.runs} runs, ${shown(soak.firstMb)} MB at first, ${shown(soak.lastMb)} in the end)`,
    );
  }
  return lines;
}

/** The report as text. */
export function reportText(report: BenchReport): string {
  const { machine, engine, size } = report;
  const lines = [
    `${engine} on ${machine.processor}, ${machine.threads} threads (load ${shown(machine.load)}); Node ${machine.node} (V8 ${machine.v8}), ${machine.system}`,
    `${size}. Millions of guest instructions a processor second; ratio: ours over the fastest QEMU; short: QEMU uses 0.5 s. Targets in parentheses: what would be fine.`,
    "",
    ...guestTable(report),
    "",
    ...otherLines(report),
    ...report.failures.map((failure) => `FAILED: ${failure}`),
  ];
  return `${lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}
