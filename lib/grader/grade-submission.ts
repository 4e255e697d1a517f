/** Grades one submission: plans each notebook, has the oracle judge it, turns shares into points. */
import { pointsFor } from "../checks/score.ts";
import type { EmittedCell } from "../notebook/kernel-protocol.ts";
import type { CageLimits, Sandbox } from "./cage/confined.ts";
import type { Compiler } from "./compile/compiler.ts";
import type { SourceAssignment } from "./course.ts";
import { type Draw, drawFor, labelOf, type SubmissionDraw } from "./draw.ts";
import type { CellComment } from "./gradebook/gradebook.ts";
import { gradedCells, type ManifestCell, type ManifestNotebook } from "./manifest.ts";
import { judgeToTheEnd } from "./oracle/endless.ts";
import type { JobResult, Oracle } from "./oracle/oracle.ts";
import type {
  CellReport,
  InstructorCell,
  LastValue,
  OracleReport,
  TestReport,
  Work,
} from "./oracle/protocol.ts";
import { type Flag, isUntouched, type Plan, planRun, releasedSource } from "./plan.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import { releasedText } from "./release.ts";
import {
  type Entry,
  type GradedCell,
  gradedEntries,
  type NotebookReport,
  type SubmissionReport,
  textOf,
} from "./report.ts";
import type { Submission, SubmittedNotebook } from "./submission.ts";

/** One worker: what grades one submission at a time. */
export interface Bench {
  readonly oracle: Oracle;
  readonly compiler: Compiler;
  readonly sandbox: Sandbox;
  readonly limits: CageLimits;
}

/** An assignment with its tests compiled. */
export interface PreparedAssignment {
  readonly source: SourceAssignment;
  readonly instructor: ReadonlyMap<string, readonly InstructorCell[]>;
  /** Tests that cannot run because a text does not compile, with the reason. Only in a student's own validation. */
  readonly broken: ReadonlyMap<string, string>;
  /** What each test's last expression gave for the instructor's answers, by notebook; empty while that is not known. */
  readonly gives: ReadonlyMap<string, Readonly<Record<string, LastValue>>>;
}

/** Choices of a grading run. */
export interface GradeOptions {
  /** Where random instances come from; the same draw gives the same instances. */
  readonly draw: Draw;
  /** Random instances per property. */
  readonly instances: number;
}

/**
 * Compiles the instructor's notebooks, solutions included, so that tests know the types they read.
 *
 * @param isTolerant  For a student's own notebook: a cell that does not compile is left out instead of a problem.
 */
export async function prepareAssignment(
  source: SourceAssignment,
  compiler: Compiler,
  isTolerant = false,
): Promise<PreparedAssignment | Problem> {
  const instructor = new Map<string, readonly InstructorCell[]>();
  const broken = new Map<string, string>();
  for (const notebook of source.manifest.notebooks) {
    await compiler.reset();
    const cells: InstructorCell[] = [];
    for (const { id, source: text } of notebook.code) {
      const compiled = await compiler.compile(text);
      if (compiled.ok === true) {
        await compiler.commit(compiled.cell.id, compiled.cell.values);
        cells.push({ cell: slim(compiled.cell), id, ...aboutCell(notebook, id) });
        continue;
      }
      const first = compiled.ok === false ? compiled.diagnostics[0] : undefined;
      const why = first === undefined ? "the type check timed out" : `line ${first.line}: ${first.message}`;
      const which = id ?? `starting "${text.slice(0, 40)}"`;
      if (!isTolerant) return problem(`${notebook.name}: the source cell ${which} does not compile: ${why}`);
      if (id !== undefined) broken.set(id, why);
    }
    instructor.set(notebook.name, cells);
  }
  return { source, instructor, broken, gives: new Map() };
}

/** Leaves out what only tracebacks need. */
const slim = (cell: EmittedCell): EmittedCell => ({ ...cell, mappings: "", source: "" });

function aboutCell(
  notebook: ManifestNotebook,
  id: string | undefined,
): Pick<InstructorCell, "isAnswer" | "points" | "released"> {
  const cell = notebook.cells.find((candidate) => candidate.id === id);
  const points = cell?.points ?? 0;
  const isAnswer = cell?.role === "answer" || cell?.role === "manual-answer";
  return { isAnswer, points, released: cell === undefined ? "" : releasedSource(cell) };
}

/** What the instructor's own answers tell about an assignment: kinds of last expressions, and what is wrong, if anything. */
export interface ReferenceRun {
  readonly prepared: PreparedAssignment;
  readonly mistake: Problem | undefined;
}

/**
 * Grades the instructor's own notebooks. Tests that their author's answers do not pass say nothing about a student,
 * and a kit or a machine that is broken shows here before it costs anybody a point.
 */
export async function runReference(
  bench: Bench,
  prepared: PreparedAssignment,
  options: GradeOptions,
): Promise<ReferenceRun | Problem> {
  const { notebooks, manifest } = prepared.source;
  const files = notebooks.map(({ name, notebook }) => [name, { file: `${name}.ipynb`, notebook }] as const);
  const reference = { student: "reference", hash: "", timestamp: null, notebooks: new Map(files), flags: [] };
  const report = await gradeSubmission(bench, prepared, reference, options);
  if (isProblem(report)) return report;
  const gives = report.notebooks.map((notebook) => {
    const kinds = gradedEntries(notebook).map(({ id, gave }) => [id, gave] as const);
    return [notebook.name, Object.fromEntries(kinds)] as const;
  });
  const lost = report.notebooks.flatMap(gradedEntries).find(losesPoints);
  return {
    prepared: { ...prepared, gives: new Map(gives) },
    mistake: lost === undefined ? undefined : referenceProblem(manifest.assignment, lost),
  };
}

const losesPoints = ({ points, most, status }: GradedCell): boolean =>
  points !== null && points < most && status !== "no-answer";

function referenceProblem(assignment: string, lost: GradedCell): Problem {
  const why = textOf(lost, true).join(" ").replaceAll(/\s+/g, " ").slice(0, 300);
  const what = `the instructor's own answer earns ${lost.points} of ${lost.most} in "${lost.id}"`;
  return problem(`${assignment}: ${what}, so nobody was graded: ${why}`);
}

/**
 * Grades a submission.
 *
 * @returns The report, or a problem of ours: then nothing is known about the submission, and nothing may be stored.
 */
export async function gradeSubmission(
  bench: Bench,
  prepared: PreparedAssignment,
  submission: Submission,
  options: GradeOptions,
): Promise<SubmissionReport | Problem> {
  const { manifest } = prepared.source;
  const notebooks: NotebookReport[] = [];
  for (const wanted of manifest.notebooks) {
    const submitted = submission.notebooks.get(wanted.name);
    const graded =
      submitted === undefined
        ? notSubmitted(wanted)
        : await gradeNotebook(
            bench,
            prepared,
            wanted,
            submitted,
            drawFor(options.draw, manifest.assignment, submission.student),
            options,
          );
    if (isProblem(graded)) return graded;
    notebooks.push(graded);
  }
  return {
    assignment: manifest.assignment,
    student: submission.student,
    timestamp: submission.timestamp,
    seed: labelOf(options.draw),
    isolation: bench.sandbox.isolation,
    flags: submission.flags,
    notebooks,
  };
}

function notSubmitted(wanted: ManifestNotebook): NotebookReport {
  const entries = gradedCells(wanted).map((cell): Entry => {
    const graded: GradedCell = {
      id: cell.id,
      title: titleOf(cell.id),
      most: cell.points,
      points: 0,
      status: "not-submitted",
      lines: ["This notebook was not submitted."],
      verdicts: [],
      gave: "nothing",
      details: [],
    };
    return { kind: "graded", cell: graded };
  });
  return {
    name: wanted.name,
    title: wanted.title,
    end: "not-run",
    flags: [{ cell: wanted.name, what: "not submitted" }],
    entries,
    comments: [],
    stderr: "",
  };
}

async function gradeNotebook(
  bench: Bench,
  prepared: PreparedAssignment,
  wanted: ManifestNotebook,
  submitted: SubmittedNotebook,
  draw: SubmissionDraw,
  options: GradeOptions,
): Promise<NotebookReport | Problem> {
  const plan = planRun(wanted, submitted.notebook);
  const run = async (endless: readonly Work[], limits: CageLimits): Promise<JobResult> => {
    await bench.compiler.reset();
    const job = {
      type: "job",
      steps: plan.steps.filter((step) => step.kind !== "test" || !prepared.broken.has(step.id)),
      instructor: prepared.instructor.get(wanted.name) ?? [],
      gives: prepared.gives.get(wanted.name),
      checksModule: prepared.source.checksModule,
      draw,
      instances: options.instances,
      endless,
    } as const;
    return bench.oracle.run(job, bench.compiler, bench.sandbox, limits);
  };
  const patient = { ...bench.limits, silenceMs: bench.limits.silenceMs * 2 };
  const result = await judgeToTheEnd((endless, isPatient) =>
    run(endless, isPatient ? patient : bench.limits),
  );
  if (!result.ok) return problem(result.fault.split("\n")[0] ?? "the oracle failed");
  return {
    name: wanted.name,
    title: wanted.title,
    end: result.end,
    flags: [...plan.flags, ...result.report.lockedFailures.map(lockedFlag)],
    entries: entriesOf(wanted, plan, result.report, prepared.broken),
    comments: commentsOf(wanted, plan),
    stderr: result.stderr,
  };
}

const lockedFlag = ({ label, message }: CellReport): Flag => ({
  cell: label,
  what: `the locked cell failed after the student's cells: ${message}`,
});

function entriesOf(
  wanted: ManifestNotebook,
  plan: Plan,
  report: OracleReport,
  broken: ReadonlyMap<string, string>,
): readonly Entry[] {
  const entries: Entry[] = [];
  const cells = report.cells.values();
  const tests = new Map(report.tests.map((test) => [test.id, test]));
  for (const [id, why] of broken) {
    tests.set(id, {
      id,
      share: 0,
      status: "threw",
      lines: [`This test does not compile with your cells: ${why}`],
      verdicts: [],
      gave: "nothing",
      details: [],
    });
  }
  for (const step of plan.steps) {
    if (step.kind === "student") {
      const cell = cells.next().value;
      if (cell !== undefined) entries.push({ kind: "cell", source: step.source, report: cell });
    } else if (step.kind === "test") {
      const cell = wanted.cells.find((candidate) => candidate.id === step.id);
      if (cell !== undefined) entries.push({ kind: "graded", cell: gradedTest(cell, tests.get(step.id)) });
    }
  }
  for (const cell of gradedCells(wanted)) {
    if (cell.role === "test") continue;
    const answer = plan.answers.get(cell.id);
    if (answer !== undefined && cell.cellType === "markdown") entries.push({ kind: "text", source: answer });
    entries.push({ kind: "graded", cell: manualCell(cell, answer) });
  }
  return entries;
}

const NO_RESPONSE = "No response.";

function commentsOf(wanted: ManifestNotebook, plan: Plan): readonly CellComment[] {
  return wanted.cells
    .filter(({ role }) => role === "answer" || role === "manual-answer" || role === "manual-task")
    .map((cell) => ({
      cellId: cell.id,
      auto: cell.role !== "manual-task" && isBlank(cell, plan.answers.get(cell.id)) ? NO_RESPONSE : null,
    }));
}

function isBlank(cell: ManifestCell, answer: string | undefined): boolean {
  const released = releasedText(cell);
  return isUntouched(cell, answer, isProblem(released) ? "" : released);
}

/** `trip-test` → `Trip`. */
function titleOf(id: string): string {
  const words = id
    .replace(/-test$/, "")
    .replaceAll(/[-_]+/g, " ")
    .trim();
  return words === "" ? id : `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function gradedTest(cell: ManifestCell, test: TestReport | undefined): GradedCell {
  return {
    id: cell.id,
    title: test?.verdicts[0]?.title ?? titleOf(cell.id),
    most: cell.points,
    points: pointsFor(test?.share ?? 0, cell.points),
    status: test?.status ?? "stopped",
    lines: test?.lines ?? ["No verdict."],
    verdicts: test?.verdicts ?? [],
    gave: test?.gave ?? "nothing",
    details: test?.details ?? [],
  };
}

function manualCell(cell: ManifestCell, answer: string | undefined): GradedCell {
  const isEmpty = isBlank(cell, answer);
  return {
    id: cell.id,
    title: titleOf(cell.id),
    most: cell.points,
    points: isEmpty ? 0 : null,
    status: isEmpty ? "no-answer" : "manual",
    lines: [isEmpty ? NO_RESPONSE : "A person reads this answer."],
    verdicts: [],
    gave: "nothing",
    details: [],
  };
}
