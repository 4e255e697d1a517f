/**
 * The orchestrator: a folder of submissions in, a gradebook and reports out.
 *
 * It alone touches the database. One submission's fate changes nothing for another: refusals and failures of ours
 * are results of that submission, and the batch goes on.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { type Notebook, type Output, writeNotebook } from "../notebook/nbformat.ts";
import type { CageLimits, KitPaths, Sandbox } from "./cage/confined.ts";
import { Compiler } from "./compile/compiler.ts";
import type { Course, SourceAssignment } from "./course.ts";
import { type Draw, labelOf } from "./draw.ts";
import { replaceFolder, writeFileWhole } from "./files.ts";
import {
  type Bench,
  type GradeOptions,
  gradeSubmission,
  type PreparedAssignment,
  prepareAssignment,
  runReference,
} from "./grade-submission.ts";
import { Gradebook, type SubmissionRecord } from "./gradebook/gradebook.ts";
import { claimedId } from "./nbgrader/metadata.ts";
import { Oracle } from "./oracle/oracle.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { gradedEntries, type SubmissionReport, statusOf, textOf } from "./report.ts";
import { readSubmission, type Submission } from "./submission.ts";
import { findTwins } from "./twins.ts";

/** What a grading run is given. */
export interface AutogradeSettings extends Omit<GradeOptions, "draw"> {
  /** Name of the draw of random instances, for tests and disputes; left out: the course's secret. */
  readonly seed?: string | undefined;
  readonly course: Course;
  readonly kit: KitPaths;
  readonly sandbox: Sandbox;
  readonly limits: CageLimits;
  /** Milliseconds of work that a type check of one cell may take. */
  readonly typeCheckMs: number;
  /** Submissions graded at the same time. */
  readonly jobs: number;
  /** Only this student. */
  readonly student?: string | undefined;
  /** Grade although the instructor's own answers do not earn every point. */
  readonly toleratesMistakes: boolean;
  /** Grade again what is already graded in this very version. */
  readonly force: boolean;
  /** Stops the run: nothing new starts, processes end, no half result is stored. */
  readonly signal?: AbortSignal | undefined;
  onResult?(result: GradingResult, done: number, all: number): void;
}

/** What became of one submission. `failed` is our failure: no score was stored. */
export type GradingResult =
  | {
      readonly kind: "graded";
      readonly student: string;
      readonly report: SubmissionReport;
      readonly score: number;
      readonly most: number;
      readonly seconds: number;
    }
  | { readonly kind: "unchanged"; readonly student: string }
  | { readonly kind: "rejected"; readonly student: string; readonly reason: string }
  | { readonly kind: "failed"; readonly student: string; readonly reason: string };

/** Grades every submission of an assignment. The results are in the order of students' ids. */
export async function autograde(
  source: SourceAssignment,
  settings: AutogradeSettings,
): Promise<readonly GradingResult[] | Problem> {
  const { course, student } = settings;
  const { assignment } = source.manifest;
  const students = student === undefined ? course.students(assignment) : [student];
  if (students.length === 0)
    return problem(`no submissions in ${path.join(course.root, "submitted")}/STUDENT/${assignment}`);
  mkdirSync(course.root, { recursive: true });
  const book = Gradebook.open(course.gradebook);
  const benches = Array.from({ length: Math.max(1, Math.min(settings.jobs, students.length)) }, () =>
    makeBench(settings),
  );
  const close = () => benches.forEach(closeBench);
  settings.signal?.addEventListener("abort", close, { once: true });
  try {
    const [first] = benches;
    if (first === undefined) return problem("no workers");
    const [prepared] = await Promise.all([
      prepareAssignment(source, first.compiler),
      settings.sandbox.warmUp(),
    ]);
    if (isProblem(prepared)) return prepared;
    const options = { ...settings, draw: drawOf(book, settings.seed) };
    const reference = await runReference(first, prepared, options);
    if (isProblem(reference)) return reference;
    if (reference.mistake !== undefined && !settings.toleratesMistakes) return reference.mistake;
    book.saveAssignment(source.manifest);
    return await gradeAll(students, benches, reference.prepared, book, options);
  } finally {
    settings.signal?.removeEventListener("abort", close);
    close();
    book.close();
  }
}

const drawOf = (book: Gradebook, seed: string | undefined): Draw =>
  seed === undefined ? { kind: "secret", secret: book.courseSecret() } : { kind: "chosen", name: seed };

/** What the students of a run are graded with. */
interface Settled extends AutogradeSettings, GradeOptions {}

/** Starts nothing yet: processes start with their first work. */
export function makeBench(
  settings: Pick<AutogradeSettings, "kit" | "sandbox" | "limits" | "typeCheckMs">,
): Bench {
  return {
    oracle: new Oracle(settings.kit.frontDoor),
    compiler: new Compiler({ start: settings.sandbox.startCompiler, deadlineMs: settings.typeCheckMs }),
    sandbox: settings.sandbox,
    limits: settings.limits,
  };
}

/** Ends a bench's processes. */
export function closeBench(bench: Bench): void {
  bench.oracle.close();
  bench.compiler.close();
}

const isStopped = (settings: AutogradeSettings): boolean => settings.signal?.aborted === true;

async function gradeAll(
  students: readonly string[],
  benches: readonly Bench[],
  prepared: PreparedAssignment,
  book: Gradebook,
  settings: Settled,
): Promise<readonly GradingResult[]> {
  const results: GradingResult[] = [];
  const twins = findTwins(settings.course, prepared.source.manifest.assignment, students);
  const queue = students.entries();
  let done = 0;
  const work = async (bench: Bench): Promise<void> => {
    for (const [index, student] of queue) {
      if (isStopped(settings)) return;
      const result = await gradeOne(student, bench, prepared, book, {
        ...settings,
        twins: twins.get(student) ?? [],
      });
      if (isStopped(settings)) return;
      results[index] = result;
      done += 1;
      settings.onResult?.(result, done, students.length);
    }
  };
  await Promise.all(benches.map(work));
  return results.filter((result) => result !== undefined);
}

async function gradeOne(
  student: string,
  bench: Bench,
  prepared: PreparedAssignment,
  book: Gradebook,
  settings: Settled & { readonly twins: readonly string[] },
): Promise<GradingResult> {
  const { manifest } = prepared.source;
  const read = readSubmission(settings.course, manifest, student);
  if (isProblem(read)) return { kind: "rejected", student, reason: read.message };
  const copies = settings.twins.map((other) => `the same file as ${other}'s`);
  const submission = { ...read, flags: [...read.flags, ...copies] };
  const seed = labelOf(settings.draw);
  const known = book.hasRun(manifest.assignment, student, submission.hash, manifest.hash, seed);
  if (known && !settings.force) return { kind: "unchanged", student };
  const before = performance.now();
  const report = await gradeSubmission(bench, prepared, submission, settings);
  if (isProblem(report)) return { kind: "failed", student, reason: report.message };
  if (isStopped(settings)) return { kind: "failed", student, reason: "stopped" };
  writeAutograded(settings.course, submission, report);
  book.saveSubmission(recordOf(report, submission, manifest.hash, seed));
  const cells = report.notebooks.flatMap(gradedEntries);
  const score = cells.reduce((sum, cell) => sum + (cell.points ?? 0), 0);
  const most = cells.reduce((sum, cell) => sum + cell.most, 0);
  return { kind: "graded", student, report, score, most, seconds: (performance.now() - before) / 1000 };
}

function recordOf(
  report: SubmissionReport,
  submission: Submission,
  assignmentHash: string,
  seed: string,
): SubmissionRecord {
  return {
    assignment: report.assignment,
    student: report.student,
    timestamp: report.timestamp,
    notebooks: report.notebooks.map((notebook) => ({
      name: notebook.name,
      flagged: notebook.flags.length > 0,
      grades: gradedEntries(notebook).map((cell) => ({
        gradeId: cell.id,
        auto: cell.points,
      })),
      comments: notebook.comments,
    })),
    run: {
      submissionHash: submission.hash,
      assignmentHash,
      seed,
      gradedAt: new Date().toISOString().replace("T", " ").replace("Z", "000"),
      status: statusOf(report),
      report: JSON.stringify(report),
    },
  };
}

/** `autograded/STUDENT/ASSIGNMENT`: the submitted notebooks, each test with its verdict as output. For instructors. */
function writeAutograded(course: Course, submission: Submission, report: SubmissionReport): void {
  const folder = course.folder("autograded", report.assignment, report.student);
  replaceFolder(folder, (fresh) => {
    for (const notebook of report.notebooks) {
      const submitted = submission.notebooks.get(notebook.name);
      if (submitted === undefined) continue;
      const verdicts = new Map(
        gradedEntries(notebook).map((cell) => [cell.id, textOf(cell, true).join("\n")]),
      );
      writeFileWhole(
        path.join(fresh, `${notebook.name}.ipynb`),
        writeNotebook(withVerdicts(submitted.notebook, verdicts)),
      );
    }
    if (report.timestamp !== null)
      writeFileWhole(path.join(fresh, "timestamp.txt"), `${report.timestamp} UTC\n`);
  });
}

function withVerdicts(notebook: Notebook, verdicts: ReadonlyMap<string, string>): Notebook {
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== "code") return cell;
    const text = verdicts.get(claimedId(cell.metadata) ?? "");
    const outputs: readonly Output[] =
      text === undefined ? [] : [{ output_type: "stream", name: "stdout", text: `${text}\n` }];
    return { ...cell, execution_count: null, outputs };
  });
  return { ...notebook, cells };
}
