/** Decides what must be run again, runs it, and writes the ledger. */
import type { CitedTest } from "./citation.ts";
import { type Ledger, type LedgerEntry, readLedger, testsDigest } from "./ledger.ts";
import { type RunOptions, runMutants, type Task, type TaskResult } from "./mutation-run.ts";
import { type ChapterCoverage, type Coverage, readCoverage } from "./report.ts";

/** What a run left. */
export interface Updated {
  readonly ledger: Ledger;
  readonly results: readonly TaskResult[];
  readonly tasks: readonly Task[];
}

interface Wanted extends RunOptions {
  /** Everything again, or only what the ledger does not know as it is now. */
  readonly all: boolean;
}

const placeKey = (file: string, start: number): string => `${file}:${start}`;

/** Places with a rule to verify, each with the rules and tests in question. */
export function tasksOf(chapters: readonly ChapterCoverage[], all: boolean): Task[] {
  const tasks = new Map<string, { place: Task["place"]; tags: string[]; tests: Set<CitedTest> }>();
  for (const rule of chapters.flatMap((chapter) => chapter.rules)) {
    if (rule.tests.length === 0) continue;
    const against = testsDigest(rule.tests);
    for (const { place, entry, verified } of rule.places) {
      const isKnown = verified || entry?.mutants === 0 || entry?.against === against;
      if (!place.runs || (isKnown && !all)) continue;
      const key = placeKey(place.file, place.start);
      const task = tasks.get(key) ?? { place, tags: [], tests: new Set<CitedTest>() };
      task.tags.push(rule.tag);
      for (const test of rule.tests) task.tests.add(test);
      tasks.set(key, task);
    }
  }
  return [...tasks.values()].map(({ place, tags, tests }) => ({ place, tags, tests: [...tests] }));
}

/** Entries that still speak about something; the newer of two about the same. */
function merged(old: Ledger, fresh: readonly LedgerEntry[], { chapters }: Coverage): Ledger {
  const key = ({ tag, file, hash }: { tag: string; file: string; hash: string }): string =>
    [tag, file, hash].join("\0");
  const current = new Set(
    chapters
      .flatMap((chapter) => chapter.rules)
      .flatMap((rule) =>
        rule.places.map(({ place }) => key({ tag: rule.tag, file: place.file, hash: place.hash })),
      ),
  );
  const entries = new Map(old.map((entry) => [key(entry), entry]));
  for (const entry of fresh) entries.set(key(entry), entry);
  return [...entries.values()].filter((entry) => current.has(key(entry)));
}

/** Runs the mutants of everything that is not verified (or of everything), and merges the results into the ledger. */
export async function updated(options: Wanted): Promise<Updated> {
  const coverage = await readCoverage(options.root);
  const tasks = tasksOf(coverage.chapters, options.all);
  const results = await runMutants(tasks, options);
  const fresh = results.flatMap((result) => result.entries);
  const old = options.all ? [] : await readLedger(options.root);
  return { ledger: merged(old, fresh, coverage), results, tasks };
}
