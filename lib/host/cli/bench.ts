/** `npm run bench -- [NAMES]`: speed, measured beside QEMU in the same run. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { findPeers, ourName, type Peer } from "./bench/contestants.ts";
import { type GuestFigures, guestContest } from "./bench/guest-contest.ts";
import { isLinuxHere, linuxContest } from "./bench/linux-contest.ts";
import { machineNames } from "./bench/machine-names.ts";
import { BENCH_NAMES, type BenchPlan, benchPlan, SIZES } from "./bench/options.ts";
import { runOtherBenches } from "./bench/other-benches.ts";
import { profileText } from "./bench/profile.ts";
import { ratioFigure } from "./bench/ratio-figure.ts";
import { type BenchReport, reportText } from "./bench/report.ts";
import { soak } from "./bench/soak.ts";
import { measureStartUp } from "./bench/start-up.ts";
import type { Command } from "./main.ts";

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs a part, and keeps what it throws as a line of the report: one wrong result does not hide the other figures. */
function attempt<T>(failures: string[], part: () => T): T | undefined {
  try {
    return part();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    failures.push(message);
    tell(`FAILED: ${message}`);
    return undefined;
  }
}

function sizeText({ sizeName }: BenchPlan, peers: readonly Peer[]): string {
  const { peerSeconds, turns } = SIZES[sizeName];
  const often = turns === 1 ? "once" : `${turns} times, in turns; medians`;
  if (peers.length === 0) return "No QEMU is installed: no ratios";
  return `Size "${sizeName}": QEMU uses about ${peerSeconds} s a guest, each measured ${often}`;
}

function measure(plan: BenchPlan): BenchReport {
  const { engine } = plan;
  const peers = findPeers();
  const failures: string[] = [];
  const guests: GuestFigures[] = [];
  for (const guest of plan.guests) {
    const figures = attempt(failures, () => guestContest(guest, engine, peers, SIZES[plan.sizeName], tell));
    if (figures !== undefined) guests.push(figures);
  }
  const startUp = plan.startUp ? attempt(failures, () => measureStartUp(engine)) : undefined;
  if (plan.linux) tell("linux: a boot to a command and to power-off");
  const linux = plan.linux
    ? attempt(failures, () => linuxContest(engine, peers, SIZES[plan.sizeName].turns))
    : undefined;
  if (plan.linux && !isLinuxHere()) tell("linux: no figure; npx dom0 fetch linux brings the kernel");
  const { soakMinutes: minutes } = plan;
  if (minutes > 0) tell(`soak: ${minutes} minutes of mixed guests`);
  const soaked = minutes > 0 ? attempt(failures, () => soak({ minutes, engine })) : undefined;
  return {
    machine: machineNames(),
    size: sizeText(plan, peers),
    engine: ourName(engine),
    peers: peers.map((peer) => peer.name),
    guests,
    ...(linux === undefined ? {} : { linux }),
    ...(startUp === undefined ? {} : { startUp }),
    ...(soaked === undefined ? {} : { soak: soaked }),
    failures,
  };
}

function write(path: string, text: string): void {
  if (path === "-") process.stdout.write(text);
  else writeFileSync(path, text);
}

export const command: Command = {
  summary: "measure speed, as ratios against a peer",
  usage: `Usage: npm run bench -- [NAMES] [--long | --short] [--guests A,B] [--engine NAME] [--soak MINUTES] [--json PATH] [--figure PATH]
       npm run bench -- --profile GUEST|linux [--engine NAME]

Names: ${BENCH_NAMES.join(", ")}.
Without one: all guests, a boot of Linux, and start-up, on the translator beside each QEMU that is installed.
  --quick         QEMU uses about 2 s a guest, measured twice: some six minutes in all (the default)
  --long          QEMU uses 8 s or more, measured three times: the figures to quote
  --short         half a second, once: shows that everything works
  --engine NAME   translator (the default) or reference
  --soak MINUTES  besides, how memory grows while guests of all kinds run
  --json PATH     all figures and what they belong to; "-" prints them
  --figure PATH   the ratios as a picture (SVG)
  --profile NAME  where the time of one guest goes, and why translated code was left

Times are processor time of whole processes, compile threads included, less a run that does the work once. Each result is
compared before its time counts. A ratio above 1 means faster than the faster QEMU. Nothing is a test: a missed target
exits with 0, a wrong result with 1.`,
  async run(args) {
    const plan = benchPlan(args);
    if ("problem" in plan) {
      process.stderr.write(`dom0 bench: ${plan.problem}.\n`);
      return 2;
    }
    if (plan.profile !== undefined) {
      process.stdout.write(profileText(plan.profile, plan.engine));
      return 0;
    }
    const report = measure(plan);
    const isEmpty = report.guests.length === 0 && !plan.linux && !plan.startUp && plan.soakMinutes === 0;
    if (!isEmpty) process.stdout.write(reportText(report));
    const others = await runOtherBenches(plan.others, {
      about: tell,
      row: (line) => process.stdout.write(`${line}\n`),
    });
    if (plan.jsonPath !== undefined)
      write(plan.jsonPath, `${JSON.stringify({ format: "dom0-bench 1", ...report, others }, null, 1)}\n`);
    if (plan.figurePath !== undefined) write(plan.figurePath, ratioFigure(report));
    return report.failures.length === 0 ? 0 : 1;
  },
};
