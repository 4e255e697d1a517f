/**
 * Tests for the tests of an assignment: what the instructor's answer, the released stub and wrong answers earn, and what students are told.
 * Cells run through the kit's own compiler; each verdict becomes a row of the table that the test file prints.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { type StartedCell, startCell } from "../../../lib/grader/cell-runner.ts";
import { Course } from "../../../lib/grader/course.ts";
import { releaseNotebook } from "../../../lib/grader/release.ts";
import { nodeCompilerHost } from "../../../lib/host/kernel/headless-files.ts";
import { createCellCompiler } from "../../../lib/notebook/compiler/cell-compiler.ts";
import { isNotebookError, parseNotebook } from "../../../lib/notebook/nbformat.ts";
import { exerciseTable } from "../../support/exercise-table.ts";
import { gradeId, PROJECT, unwrap } from "./course.ts";

/** Names that cells have declared. */
export type Names = Readonly<Record<string, unknown>>;

/** What a student hands in: names of some cells, and what of them a check is given. */
export interface Handed {
  readonly cells: readonly string[];
  readonly pick: (names: Names) => unknown;
}

/** One cell, and one name of it. */
export const named = (cell: string, name: string): Handed => ({
  cells: [cell],
  pick: (names) => names[name],
});

/** An answer, and what becomes of it. */
export interface Row {
  readonly name: string;
  /** What is handed in for a cell, made of the instructor's answer to it; `undefined`: the instructor's stays. */
  readonly source: (instructors: string) => string | undefined;
  readonly score: number;
  /** Part of what the student is told. */
  readonly says: RegExp;
  /** Part of the case that is shown with the first property that it breaks. */
  readonly shows?: RegExp;
}

/** The instructor's answer with some of its text replaced. */
export const row = (
  name: string,
  score: number,
  says: RegExp,
  from: string,
  to: string,
  shows?: RegExp,
): Row => ({
  name,
  score,
  says,
  source: (text) => (text.includes(from) ? text.replaceAll(from, to) : undefined),
  ...(shows === undefined ? {} : { shows }),
});

/** An answer of its own. */
export const own = (name: string, score: number, says: RegExp, source: string): Row => ({
  name,
  score,
  says,
  source: () => source,
});

/** The instructor's cell with lines before the instructor's: an answer that is after points, not after the work. */
export const instead = (name: string, score: number, says: RegExp, body: string): Row =>
  row(name, score, says, "// BEGIN SOLUTION", body);

const compiler = createCellCompiler(nodeCompilerHost(PROJECT));

/** Runs a cell after the imports and returns its names. */
export async function namesOf(imports: string, source: string): Promise<Names> {
  compiler.reset();
  const scopes = new Map<number, StartedCell>();
  for (const text of [imports, source]) {
    const compiled = compiler.compile(text);
    if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ message }) => message).join("; "));
    const load = () => import("../../../lib/index.ts");
    const started = startCell(compiled.cell, (id) => scopes.get(id)?.scope() ?? {}, load);
    await started.done;
    scopes.set(compiled.cell.id, started);
    compiler.commit(compiled.cell.id);
  }
  const scope = [...scopes.values()].at(-1)?.scope() ?? {};
  return Object.fromEntries(
    Object.getOwnPropertyNames(scope).map((name) => [name, Reflect.get(scope, name)]),
  );
}

/** An assignment on trial. */
export interface Assignment {
  /** Folder of `assignments/source`. */
  readonly folder: string;
  readonly notebook: string;
  /** The imports that its cells need. */
  readonly imports: string;
}

/** Tests each answer to a check; a test of a row fails when it changes no cell. */
export type Trial = (check: Check, answer: Handed, rows: readonly Row[]) => void;

/** The trial of an assignment; once in a file, outside of `describe`. */
export function assignmentTrial({ folder, notebook, imports }: Assignment): Trial {
  const instances = process.env["DOM0_TEST_FULL"] === "1" ? 1_000 : 40;
  const judged = exerciseTable();
  const judge = (check: Check, value: unknown): Verdict => check.run(localAnswer(value), { instances });

  const cellOf = (id: string): string => {
    const file = path.join(PROJECT, "assignments/source", folder, notebook);
    const parsed = parseNotebook(readFileSync(file, "utf8"));
    if (isNotebookError(parsed)) throw new Error(parsed.message);
    return parsed.cells.find((cell) => gradeId(cell) === id)?.source ?? "";
  };

  /** What students get in that cell. */
  const stubOf = (id: string): string => {
    const source = unwrap(new Course(path.join(PROJECT, "assignments")).readSource(folder));
    const manifest = source.manifest.notebooks[0];
    const first = source.notebooks[0]?.notebook;
    if (manifest === undefined || first === undefined) throw new Error("the assignment has no notebook");
    const released = unwrap(releaseNotebook(folder, manifest, first));
    return released.cells.find((cell) => gradeId(cell) === id)?.source ?? "";
  };

  const handed = async ({ cells, pick }: Handed, sourceOf: (id: string) => string): Promise<unknown> => {
    const names: Record<string, unknown> = {};
    for (const id of cells) Object.assign(names, await namesOf(imports, sourceOf(id)));
    return pick(names);
  };

  return (check, answer, rows) => {
    describe(`${check.id} ${check.title}`, () => {
      test("the instructor's answer earns everything", async () => {
        const verdict = judge(check, await handed(answer, cellOf));
        judged.add(check, "the instructor's answer", check.points, verdict);
        expect(verdict).toMatchObject({ passed: true, score: check.points });
      });
      test("the released stub earns nothing", async () => {
        const verdict = judge(check, await handed(answer, stubOf));
        judged.add(check, "the released stub", 0, verdict);
        expect(verdict.message).toMatch(/not written yet/);
        expect(verdict.score).toBe(0);
      });
      const minute = { timeout: 60_000 };
      test.each(rows)("$name earns $score", minute, async ({ name, source, score, says, shows = /^/ }) => {
        const texts = new Map(answer.cells.map((id) => [id, source(cellOf(id))]));
        expect([...texts.values()].some((text) => text !== undefined)).toBe(true);
        const verdict = judge(check, await handed(answer, (id) => texts.get(id) ?? cellOf(id)));
        judged.add(check, name, score, verdict);
        expect(verdict.message).toMatch(says);
        expect(verdict.score).toBe(score);
        expect(verdict.properties.find(({ passed }) => !passed)?.detail ?? "").toMatch(shows);
      });
    });
  };
}
