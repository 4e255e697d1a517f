/** Whole processes and the processor time that they took, all their threads included. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { siblingModule } from "../../kernel/headless-sibling.ts";

/** How a process ended by itself. */
export interface TimedProcess {
  /** Processor seconds, user and system, from its first instruction to its last. */
  readonly seconds: number;
  /** Seconds by the clock on the wall. */
  readonly wallSeconds: number;
  readonly exitCode: number;
  /** What it printed. */
  readonly output: string;
}

/** Runs a program under POSIX `times`, whose second line is the processor time of what the shell ran. */
const TIMED = '"$0" "$@"; status=$?; times; exit $status';
const OUTPUT_BYTES = 64 << 20;

/** What `times` prints, behind what the program printed: two lines like `0m1.25s 0m0.02s`, the second of the program. */
const TIMES = /\d+m[\d.]+s \d+m[\d.]+s\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/;

/** A program's own output and its processor seconds, from all that the shell printed. */
export function splitTimes(printed: string): { readonly output: string; readonly seconds: number } {
  const found = TIMES.exec(printed);
  if (found === null) throw new Error(`sh printed no processor times: "${printed.slice(-200)}"`);
  const [userMinutes, user, systemMinutes, system] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return {
    output: printed.slice(0, found.index),
    seconds: 60 * (userMinutes + systemMinutes) + user + system,
  };
}

/** Options of Node that a child gets, too: never `-e` with its script, which would start itself over and over. */
const KEPT_OPTION = /^--(?:disable-warning|max-semi-space-size)=/;

/** Runs a program to its end. Throws when it does not end within the limit. */
export function timedProcess(program: string, args: readonly string[], limitMs: number): TimedProcess {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync("sh", ["-c", TIMED, program, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMs,
    maxBuffer: OUTPUT_BYTES,
  });
  if (status === null) throw new Error(`${program} did not end within ${limitMs / 1000} s: ${stderr}`);
  const { output, seconds } = splitTimes(stdout);
  return {
    seconds,
    wallSeconds: (performance.now() - began) / 1000,
    exitCode: status,
    output: status === 0 ? output : stderr,
  };
}

/**
 * Runs a script of this folder in a process of its own, with one argument and one answer, both JSON. Its Node has the options
 * that this one was started with, so that what is measured is what everybody gets.
 * Throws with its words when it fails.
 */
export function timedScript<Answer>(
  name: string,
  order: unknown,
  limitMs: number,
): TimedProcess & { readonly answer: Answer } {
  const script = siblingModule(import.meta.url, name).pathname;
  const options = process.execArgv.filter((option) => KEPT_OPTION.test(option));
  const args = [...options, script, JSON.stringify(order)];
  const ended = timedProcess(process.execPath, args, limitMs);
  if (ended.exitCode !== 0) throw new Error(`${name} ended with ${ended.exitCode}: ${ended.output}`);
  return { ...ended, answer: JSON.parse(ended.output) as Answer };
}
