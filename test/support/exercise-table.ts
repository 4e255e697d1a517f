/**
 * The table "exercise, answer, expected, got" of the tests for exercises. A test of an answer adds the row that it judged; behind
 * the last one the file prints its table. `npx dom0 exercises` runs all such files and prints one table from the same rows: it
 * names a folder in `DOM0_EXERCISE_ROWS`, where each file leaves them.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterAll, expect } from "vitest";
import type { Check, Verdict } from "../../lib/checks/check.ts";
import { type ExerciseRow, tableText } from "../../lib/host/exercise-rows.ts";

/** Rows of one test file. */
export interface ExerciseTable {
  /**
   * Adds what an answer earned, beside what it should. To be called before the test expects anything.
   *
   * @param answer  What kind of answer it is, in words.
   * @param expected  Points.
   */
  add(check: Pick<Check, "id" | "points">, answer: string, expected: number, verdict: Verdict): void;
}

/** The table of the test file that calls this; once in a file, outside of `describe`. */
export function exerciseTable(): ExerciseTable {
  const rows: ExerciseRow[] = [];
  afterAll(() => {
    console.log(tableText(rows));
    const folder = process.env["DOM0_EXERCISE_ROWS"];
    const file = path.basename(expect.getState().testPath ?? "unknown");
    if (folder !== undefined) writeFileSync(path.join(folder, `${file}.json`), JSON.stringify(rows));
  });
  return {
    add({ id, points }, answer, expected, { score, message }) {
      rows.push({ exercise: id, answer, points, expected, got: score, message });
    },
  };
}
