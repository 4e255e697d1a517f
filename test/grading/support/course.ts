/** A course in a temporary folder, with assignment 01 and submissions that a test describes as changes of its release. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type AutogradeSettings, autograde, type GradingResult } from "../../../lib/grader/autograde.ts";
import { CAGE_LIMITS, type KitPaths } from "../../../lib/grader/cage/confined.ts";
import { chooseSandbox } from "../../../lib/grader/cage/sandbox.ts";
import { Course, type SourceAssignment } from "../../../lib/grader/course.ts";
import { isProblem } from "../../../lib/grader/problem.ts";
import { releaseNotebook } from "../../../lib/grader/release.ts";
import { type Cell, type JsonObject, type Notebook, writeNotebook } from "../../../lib/notebook/nbformat.ts";
import type { Answers } from "./answers.ts";

export const PROJECT = path.resolve(import.meta.dirname, "../../..");
export const ASSIGNMENT = "01-landing-on-the-island";
export const NOTEBOOK = "landing-on-the-island";

/** The kit as sources, as tests use it. */
export const KIT: KitPaths = {
  lib: path.join(PROJECT, "lib"),
  nodeModules: path.join(PROJECT, "node_modules"),
  frontDoor: path.join(PROJECT, "lib/host/front-door.ts"),
  compilerHost: path.join(PROJECT, "lib/host/kernel/headless-files.ts"),
  cache: path.join(PROJECT, ".cache/cage"),
};

/** Throws for a problem: in a test it is one. */
export function unwrap<T>(value: T): Exclude<T, { readonly kind: "problem" }> {
  if (isProblem(value)) throw new Error(value.message);
  return value as Exclude<T, { readonly kind: "problem" }>;
}

/** A temporary course. `dispose` removes it. */
export class TestCourse {
  readonly course: Course;
  readonly source: SourceAssignment;
  /** The student version, as students get it. */
  readonly released: Notebook;

  constructor() {
    const root = mkdtempSync(path.join(tmpdir(), "dom0-course-"));
    cpSync(path.join(PROJECT, "assignments/source"), path.join(root, "source"), { recursive: true });
    this.course = new Course(root);
    this.source = unwrap(this.course.readSource(ASSIGNMENT));
    const manifest = this.source.manifest.notebooks[0];
    const notebook = this.source.notebooks[0]?.notebook;
    if (manifest === undefined || notebook === undefined) throw new Error("the assignment has no notebook");
    this.released = unwrap(releaseNotebook(ASSIGNMENT, manifest, notebook));
  }

  dispose(): void {
    rmSync(this.course.root, { recursive: true, force: true });
  }

  /** Folder of a student's submission, created. */
  folder(student: string): string {
    const folder = this.course.folder("submitted", ASSIGNMENT, student);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Hands in a notebook. */
  submit(student: string, notebook: Notebook, file = `${NOTEBOOK}.ipynb`): void {
    writeFileSync(path.join(this.folder(student), file), writeNotebook(notebook));
  }

  /** Grades with limits that suit a test: short, and few instances unless the full size is asked for. */
  async grade(
    more: Partial<AutogradeSettings> = {},
    source: SourceAssignment = this.source,
  ): Promise<ReadonlyMap<string, GradingResult>> {
    const isFull = process.env["DOM0_TEST_FULL"] === "1";
    const results = unwrap(
      await autograde(source, {
        course: this.course,
        kit: KIT,
        sandbox: chooseSandbox(KIT),
        limits: { ...CAGE_LIMITS, cpuSeconds: 3, silenceMs: 20_000 },
        typeCheckMs: 2_500,
        jobs: 2,
        seed: "test",
        instances: isFull ? 200 : 20,
        force: true,
        toleratesMistakes: false,
        ...more,
      }),
    );
    return new Map(results.map((result) => [result.student, result]));
  }
}

/** The `grade_id` of a cell. */
export const gradeId = (cell: Cell): string | undefined => {
  const meta = cell.metadata["nbgrader"] as JsonObject | undefined;
  return typeof meta?.["grade_id"] === "string" ? meta["grade_id"] : undefined;
};

/** Puts answers into their cells. */
export function withAnswers(notebook: Notebook, answers: Partial<Answers>): Notebook {
  return mapCells(notebook, (cell) => {
    const id = gradeId(cell) ?? "";
    return Object.hasOwn(answers, id)
      ? { ...cell, source: answers[id as keyof Answers] ?? cell.source }
      : cell;
  });
}

/** Changes each cell; a list puts several in its place, none removes it. */
export function mapCells(
  notebook: Notebook,
  change: (cell: Cell, index: number) => Cell | readonly Cell[],
): Notebook {
  return { ...notebook, cells: notebook.cells.flatMap((cell, index) => change(cell, index)) };
}

let made = 0;

/** A code cell that a student inserts. */
export function codeCell(source: string, metadata: JsonObject = {}): Cell {
  made += 1;
  return { cell_type: "code", id: `inserted-${made}`, metadata, source, outputs: [], execution_count: null };
}

/** Puts a cell before every cell for which `where` holds. */
export const insertBefore = (
  notebook: Notebook,
  source: string,
  where: (id: string | undefined) => boolean,
): Notebook => mapCells(notebook, (cell) => (where(gradeId(cell)) ? [codeCell(source), cell] : cell));

/** Changes the cell of that name. */
export const changeCell = (
  notebook: Notebook,
  id: string,
  change: (cell: Cell) => Cell | readonly Cell[],
): Notebook => mapCells(notebook, (cell) => (gradeId(cell) === id ? change(cell) : cell));
