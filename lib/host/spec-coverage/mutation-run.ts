/**
 * The mutation run: changes each cited piece of code in small ways and runs exactly the tests that cite the same rule.
 *
 * A mutant is killed by a test when the test passes on the code as it is, and says no to the mutant by a wrong
 * expectation. A crash, a hook that fails, a file that no longer loads or a hang is no verdict. Mutants of an
 * instruction's picture are tried for rules about encodings alone: that a word is known says nothing of what it does.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { siblingModule } from "../kernel/headless-sibling.ts";
import { type CitedTest, isAboutEncoding, type Place } from "./citation.ts";
import { type Killer, type LedgerEntry, testsDigest } from "./ledger.ts";
import { type Mutant, mutantsOf, mutated } from "./mutants.ts";
import type { Answer, Order, TestOutcome } from "./mutation-messages.ts";

/** A place whose mutants are to be tried, with the tests that cite its rules. */
export interface Task {
  readonly place: Place;
  readonly tags: readonly string[];
  readonly tests: readonly CitedTest[];
}

export interface RunOptions {
  readonly root: string;
  readonly processes?: number;
  /** Without an answer for so long, a mutant hangs: half a minute, unless a test says otherwise. */
  readonly hangMilliseconds?: number;
  /** Mutants of each place: all of them, or those that this returns. */
  readonly choose?: (mutants: readonly Mutant[]) => readonly Mutant[];
  readonly onProgress?: (done: number, all: number, mutants: number) => void;
}

/** Nothing that does not hang takes a twentieth of it. */
const HANG_MS = 30_000;
/** Each order leaves its modules behind in the worker's memory, about 5 MB: then a new process takes over. */
const ORDERS_OF_A_PROCESS = 150;

/** A worker process that is replaced when it hangs or has grown. */
class Worker {
  readonly #hangMs: number;
  #child: ChildProcess | undefined;
  #orders = 0;
  #next = 0;

  constructor(hangMs: number = HANG_MS) {
    this.#hangMs = hangMs;
  }

  ask(order: Omit<Order, "id">): Promise<Answer | undefined> {
    if (this.#orders >= ORDERS_OF_A_PROCESS) this.end();
    this.#child ??= fork(siblingModule(import.meta.url, "mutation-worker"), [], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const child = this.#child;
    this.#orders += 1;
    const id = ++this.#next;
    return new Promise((resolve) => {
      const finish = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        child.removeListener("message", onMessage);
        child.removeListener("exit", onExit);
        if (answer === undefined) this.end();
        resolve(answer);
      };
      const onMessage = (answer: Answer): void => {
        if (answer.id === id) finish(answer);
      };
      const onExit = (): void => finish(undefined);
      const timer = setTimeout(() => finish(undefined), this.#hangMs);
      child.on("message", onMessage);
      child.once("exit", onExit);
      child.send({ ...order, id });
    });
  }

  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
    this.#orders = 0;
  }
}

const identity = ({ file, line, title }: TestOutcome): string => `${file}:${line} ${title}`;

/** What came of a task: one entry for each rule of the place, and what could not be counted. */
export interface TaskResult {
  readonly entries: readonly LedgerEntry[];
  readonly mutants: number;
  /** Tests that do not pass on the code as it is. */
  readonly failing: readonly string[];
  /** Mutants that no citing test noticed. */
  readonly survivors: readonly string[];
  /** Those of them without an answer: they hang, or end the process. */
  readonly unanswered: readonly string[];
}

class Tally {
  readonly kills = new Map<string, { readonly outcome: TestOutcome; count: number }>();
  tried = 0;
  killed = 0;
}

/** Whether a mutant can say anything about a rule. */
const bears = (mutant: Mutant, tag: string): boolean => !mutant.isPicture || isAboutEncoding(tag);

function killersOf(tally: Tally, tests: readonly CitedTest[]): Killer[] {
  const found = new Map<string, Killer>();
  for (const { outcome, count } of tally.kills.values()) {
    const test = tests.find(({ file, line }) => file === outcome.file && line === outcome.line);
    if (test === undefined) continue;
    const key = `${test.file}:${test.line}`;
    const kills = (found.get(key)?.kills ?? 0) + count;
    found.set(key, { file: test.file, title: test.title, hash: test.hash, kills });
  }
  return [...found.values()].sort((a, b) => (a.file + a.title < b.file + b.title ? -1 : 1));
}

async function runTask(worker: Worker, task: Task, options: RunOptions): Promise<TaskResult> {
  const { root } = options;
  const { place, tags, tests } = task;
  const content = await readFile(path.join(root, place.file), "utf8");
  const all = mutantsOf(place.file, content, place.start, place.end);
  const bearing = all.filter((mutant) => tags.some((tag) => bears(mutant, tag)));
  const mutants = options.choose?.(bearing) ?? bearing;
  const ask = (text: string | undefined): Promise<Answer | undefined> =>
    worker.ask({ root, tests, tags, mutated: text === undefined ? undefined : { file: place.file, text } });
  const baseline = await ask(undefined);
  const good = new Set(baseline?.outcomes.filter(({ outcome }) => outcome === "passed").map(identity) ?? []);
  const tallies = new Map(tags.map((tag) => [tag, new Tally()]));
  const survivors: string[] = [];
  const unanswered: string[] = [];
  for (const mutant of mutants) {
    const answer = await ask(mutated(content, mutant));
    if (answer === undefined) unanswered.push(mutant.change);
    const kills = (answer?.outcomes ?? []).filter(
      (outcome) => outcome.outcome === "failed" && good.has(identity(outcome)),
    );
    if (kills.length === 0) survivors.push(mutant.change);
    for (const [tag, tally] of tallies) {
      if (!bears(mutant, tag)) continue;
      tally.tried += 1;
      const own = kills.filter((outcome) => outcome.tags.includes(tag));
      if (own.length > 0) tally.killed += 1;
      for (const outcome of own) {
        const known = tally.kills.get(identity(outcome)) ?? { outcome, count: 0 };
        known.count += 1;
        tally.kills.set(identity(outcome), known);
      }
    }
  }
  const entries = [...tallies].map(
    ([tag, tally]): LedgerEntry => ({
      tag,
      file: place.file,
      place: place.name,
      hash: place.hash,
      against: testsDigest(tests.filter((test) => test.tags.includes(tag) || test.rowTags.includes(tag))),
      mutants: tally.tried,
      killed: tally.killed,
      by: killersOf(tally, tests),
    }),
  );
  const failing = baseline === undefined ? ["the tests do not end"] : [];
  if (baseline?.unloadable) failing.push(`the test files do not load: ${baseline.unloadable}`);
  failing.push(...(baseline?.outcomes ?? []).filter(({ outcome }) => outcome !== "passed").map(identity));
  return { entries, mutants: mutants.length, failing, survivors, unanswered };
}

/** Runs tasks in several processes; results come in the tasks' order. */
export async function runMutants(tasks: readonly Task[], options: RunOptions): Promise<TaskResult[]> {
  const results: TaskResult[] = [];
  let next = 0;
  let done = 0;
  let mutants = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(options.hangMilliseconds);
    try {
      for (let at = next++; at < tasks.length; at = next++) {
        const result = await runTask(worker, tasks[at] as Task, options);
        results[at] = result;
        done += 1;
        mutants += result.mutants;
        options.onProgress?.(done, tasks.length, mutants);
      }
    } finally {
      worker.end();
    }
  };
  await Promise.all(Array.from({ length: options.processes ?? 2 }, work));
  return results;
}
