/**
 * `dom0 grade`: from an instructor's notebooks to a gradebook, for instructors and (validate) for students.
 *
 * This file reads arguments and prints; what it does is in `lib/grader`.
 */
import { existsSync, lstatSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { QUICK_INSTANCES } from "../../checks/check.ts";
import { roundPoints } from "../../checks/score.ts";
import { visibleText } from "../../checks/verdict-bundle.ts";
import { autograde, closeBench, type GradingResult, makeBench } from "../../grader/autograde.ts";
import { CAGE_LIMITS, type KitPaths, type Sandbox } from "../../grader/cage/confined.ts";
import { chooseSandbox } from "../../grader/cage/sandbox.ts";
import { Course } from "../../grader/course.ts";
import { writeFileWhole } from "../../grader/files.ts";
import { Gradebook } from "../../grader/gradebook/gradebook.ts";
import { mostPoints } from "../../grader/manifest.ts";
import { isProblem, type Problem, problem, systemProblem } from "../../grader/problem.ts";
import { exportGrades, writeFeedback } from "../../grader/publish.ts";
import { releaseAssignment } from "../../grader/release.ts";
import { gradedEntries, statusOf, textOf } from "../../grader/report.ts";
import { isStudentId } from "../../grader/submission.ts";
import { validateNotebook } from "../../grader/validate.ts";
import { PROJECT_ROOT } from "../node-assets.ts";

const USAGE = `Usage: dom0 grade ACTION [ASSIGNMENT] [OPTIONS]

Actions
  release    write release/ASSIGNMENT: the student version, without solutions and hidden tests
  validate   run the visible tests of a notebook file (for students): dom0 grade validate NOTEBOOK.ipynb
  autograde  grade submitted/STUDENT/ASSIGNMENT, each submission in a cage of its own
  feedback   write feedback/STUDENT/ASSIGNMENT/*.html
  export     print the sheet of all grades as CSV, or write it with --output

ASSIGNMENT is a folder of source/, or a beginning that only one has.

Options
  --course DIR       root of the course: source/, submitted/, gradebook.db … (default: assignments)
  --student ID       only this student
  --jobs N           submissions graded at the same time (default: one per processor, at most 4)
  --seed NAME        draw random instances by this name, for tests and disputes (default: the course's secret)
  --instances N      random instances per property (default: 200)
  --cpu-seconds N    processor seconds per submission (default: ${CAGE_LIMITS.cpuSeconds})
  --force            grade again what is already graded
  --tolerate         grade although the instructor's own answers do not earn every point
  --practice         do not use the sandbox; the scores are for practice, not for credit
  --output FILE      export: write here instead of printing

Exit code: 0 done; 1 something could not be graded, or a validated test does not pass; 2 wrong use; 130 stopped.`;

const OPTIONS = {
  course: { type: "string" },
  student: { type: "string" },
  jobs: { type: "string" },
  seed: { type: "string" },
  instances: { type: "string" },
  "cpu-seconds": { type: "string" },
  force: { type: "boolean" },
  tolerate: { type: "boolean" },
  practice: { type: "boolean" },
  output: { type: "string" },
} as const;

interface Request {
  readonly course: Course;
  readonly target: string | undefined;
  readonly student: string | undefined;
  readonly seed: string | undefined;
  readonly jobs: number;
  readonly instances: number | undefined;
  readonly cpuSeconds: number;
  readonly isForced: boolean;
  readonly isTolerant: boolean;
  readonly isPractice: boolean;
  readonly output: string | undefined;
  readonly signal: AbortSignal;
}

type Action = (request: Request) => Promise<number | Problem>;

const ACTIONS: Readonly<Record<string, Action>> = {
  release: async (request) => release(request),
  validate,
  autograde: grade,
  feedback: async (request) => feedback(request),
  export: async (request) => exportSheet(request),
};

/** The command, for the dispatcher. */
export const command = {
  summary: "release, validate, autograde, feedback, export: assignments and their grades",
  usage: USAGE,
  run,
};

const STOPPED = 130;

async function run(args: string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on("error", ignoreClosedPipe);
  try {
    const request = readRequest(args, stop.signal);
    if (isProblem(request)) return complain(request, 2);
    const result = await request.action(request);
    if (stop.signal.aborted) {
      process.stderr.write("dom0 grade: stopped; what was finished is stored, nothing is half-written.\n");
      return STOPPED;
    }
    return isProblem(result) ? complain(result, 1) : result;
  } catch (error) {
    const known = systemProblem(error);
    if (known === undefined) throw error;
    return complain(known, 1);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    process.stdout.off("error", ignoreClosedPipe);
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function complain({ message }: Problem, code: number): number {
  process.stderr.write(`dom0 grade: ${visibleText(message).replaceAll("\n", " ")}\n`);
  return code;
}

function readRequest(args: string[], signal: AbortSignal): (Request & { action: Action }) | Problem {
  let parsed: ReturnType<typeof parseGradeArgs>;
  try {
    parsed = parseGradeArgs(args);
  } catch (error) {
    return problem(
      `${error instanceof Error ? error.message.split(". ")[0] : "wrong options"}; see dom0 grade --help`,
    );
  }
  const { values, positionals } = parsed;
  const [name = "", target, ...rest] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined)
    return problem(`name an action: ${Object.keys(ACTIONS).join(", ")}; see dom0 grade --help`);
  if (rest.length > 0) return problem(`one assignment at a time, not also "${rest.join(" ")}"`);
  const jobs = positive(values.jobs, "--jobs", Math.min(4, availableParallelism()));
  const instances = positive(values.instances, "--instances", 0);
  const cpuSeconds = positive(values["cpu-seconds"], "--cpu-seconds", CAGE_LIMITS.cpuSeconds);
  for (const number of [jobs, instances, cpuSeconds]) if (isProblem(number)) return number;
  if (values.student !== undefined && !isStudentId(values.student))
    return problem(`"${values.student}" is no student id`);
  return {
    action,
    course: new Course(values.course ?? path.join(PROJECT_ROOT, "assignments")),
    target,
    student: values.student,
    seed: values.seed,
    jobs: Number(jobs),
    instances: instances === 0 ? undefined : Number(instances),
    cpuSeconds: Number(cpuSeconds),
    isForced: values.force === true,
    isTolerant: values.tolerate === true,
    isPractice: values.practice === true,
    output: values.output,
    signal,
  };
}

const parseGradeArgs = (args: string[]) =>
  parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });

function positive(text: string | undefined, name: string, otherwise: number): number | Problem {
  if (text === undefined) return otherwise;
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= 100_000
    ? value
    : problem(`${name} wants a whole number from 1, not "${text}"`);
}

/** Folders of the installed kit, as sources or built. */
function kitPaths(): KitPaths {
  const lib = path.join(PROJECT_ROOT, "lib");
  const ending = path.extname(import.meta.filename);
  return {
    lib,
    nodeModules: path.join(PROJECT_ROOT, "node_modules"),
    frontDoor: path.resolve(import.meta.dirname, `../front-door${ending}`),
    compilerHost: path.resolve(import.meta.dirname, `../kernel/headless-files${ending}`),
    cache: path.join(PROJECT_ROOT, ".cache/cage"),
  };
}

function release({ course, target }: Request): number | Problem {
  const assignment = course.findAssignment(target);
  if (isProblem(assignment)) return assignment;
  const source = course.readSource(assignment);
  if (isProblem(source)) return source;
  const failed = releaseAssignment(course, source);
  if (failed !== undefined) return failed;
  const book = Gradebook.open(course.gradebook);
  try {
    book.saveAssignment(source.manifest);
  } finally {
    book.close();
  }
  const { notebooks } = source.manifest;
  process.stdout.write(
    `Released ${assignment}: ${notebooks.length} notebook${notebooks.length === 1 ? "" : "s"}, ${roundPoints(mostPoints(source.manifest))} points, in ${course.folder("release", assignment)}\n`,
  );
  return 0;
}

async function validate(request: Request): Promise<number | Problem> {
  const file = findNotebook(request);
  if (isProblem(file)) return file;
  const sandbox = chooseSandbox(kitPaths(), request.isPractice);
  const bench = makeBench(workplace(request, sandbox));
  const stop = () => closeBench(bench);
  request.signal.addEventListener("abort", stop, { once: true });
  const progress = startProgress("Validating", () => "");
  try {
    const report = await validateNotebook(bench, file, request.instances ?? QUICK_INSTANCES);
    if (isProblem(report)) return report;
    const cells = report.notebooks.flatMap(gradedEntries);
    for (const cell of cells) {
      process.stdout.write(`${visibleText([`[${cell.id}]`, ...textOf(cell, true)].join("\n"))}\n`);
    }
    const status = statusOf(report);
    if (status !== "graded") process.stdout.write(`The run ended early: ${status}.\n`);
    const passed = cells.filter((cell) => cell.points === null || cell.points >= cell.most).length;
    process.stdout.write(`${passed} of ${cells.length} pass.${practiceNote(sandbox)}\n`);
    return passed === cells.length ? 0 : 1;
  } finally {
    progress.end();
    request.signal.removeEventListener("abort", stop);
    closeBench(bench);
  }
}

/** A notebook file; or the only notebook of a released assignment. */
function findNotebook({ course, target }: Request): string | Problem {
  if (target === undefined) return problem("name a notebook: dom0 grade validate NOTEBOOK.ipynb");
  if (target.endsWith(".ipynb")) {
    return existsSync(target) ? path.resolve(target) : problem(`there is no file ${target}`);
  }
  const assignment = course.findAssignment(target);
  if (isProblem(assignment)) return assignment;
  const source = course.readSource(assignment);
  if (isProblem(source)) return source;
  const [only, ...others] = source.notebooks;
  if (only === undefined || others.length > 0)
    return problem(`${assignment} has several notebooks: name the file`);
  const file = path.join(course.folder("release", assignment), `${only.name}.ipynb`);
  return lstatSync(file, { throwIfNoEntry: false })
    ? file
    : problem(`${assignment} is not released yet: run dom0 grade release first`);
}

const TYPE_CHECK_MS = 10_000;
const FULL_INSTANCES = 200;

const workplace = (request: Request, sandbox: Sandbox) => ({
  course: request.course,
  kit: kitPaths(),
  sandbox,
  limits: { ...CAGE_LIMITS, cpuSeconds: request.cpuSeconds },
  typeCheckMs: TYPE_CHECK_MS,
});

const practiceNote = (sandbox: Sandbox): string =>
  sandbox.isolation === "practice" ? " Practice, not for credit: without the sandbox." : "";

const drawNote = (seed: string | undefined): string =>
  seed === undefined
    ? "Random instances were drawn by the course's secret seed."
    : "Random instances were drawn by the seed that you chose: whoever knows it can draw them too.";

async function grade(request: Request): Promise<number | Problem> {
  const { course } = request;
  const assignment = course.findAssignment(request.target);
  if (isProblem(assignment)) return assignment;
  const source = course.readSource(assignment);
  if (isProblem(source)) return source;
  const sandbox = chooseSandbox(kitPaths(), request.isPractice);
  let done = 0;
  let all = 0;
  const progress = startProgress("Grading", () => (all === 0 ? "" : ` ${done} of ${all}`));
  try {
    const results = await autograde(source, {
      ...workplace(request, sandbox),
      seed: request.seed,
      instances: request.instances ?? FULL_INSTANCES,
      jobs: request.jobs,
      student: request.student,
      force: request.isForced,
      toleratesMistakes: request.isTolerant,
      signal: request.signal,
      onResult: (result, count, total) => {
        done = count;
        all = total;
        progress.print(resultLine(result));
      },
    });
    if (isProblem(results)) return results;
    progress.end();
    const count = (kind: GradingResult["kind"]) => results.filter((result) => result.kind === kind).length;
    process.stdout.write(
      `${count("graded")} graded, ${count("unchanged")} unchanged, ${count("rejected")} rejected, ${count("failed")} failed.${practiceNote(sandbox)}\n${drawNote(request.seed)}\n`,
    );
    return count("rejected") + count("failed") === 0 ? 0 : 1;
  } finally {
    progress.end();
  }
}

function resultLine(result: GradingResult): string {
  const who = visibleText(result.student);
  if (result.kind === "unchanged") return `${who}: unchanged`;
  if (result.kind === "rejected") return `${who}: rejected: ${result.reason}`;
  if (result.kind === "failed") return `${who}: not graded, our failure: ${result.reason}`;
  const status = statusOf(result.report);
  const flags =
    result.report.flags.length +
    result.report.notebooks.reduce((sum, notebook) => sum + notebook.flags.length, 0);
  const notes = [...(status === "graded" ? [] : [status]), ...(flags === 0 ? [] : [`${flags} to look at`])];
  const note = notes.length === 0 ? "" : ` (${notes.join(", ")})`;
  return `${who}: ${roundPoints(result.score)} of ${roundPoints(result.most)}${note}`;
}

function feedback({ course, target, student }: Request): number | Problem {
  const assignment = course.findAssignment(target);
  if (isProblem(assignment)) return assignment;
  const pages = writeFeedback(course, assignment, student);
  if (isProblem(pages)) return pages;
  process.stdout.write(
    `Wrote ${pages} page${pages === 1 ? "" : "s"} below ${path.join(course.root, "feedback")}\n`,
  );
  return 0;
}

function exportSheet({ course, target, student, output }: Request): number | Problem {
  const assignment = target === undefined ? undefined : course.findAssignment(target);
  if (isProblem(assignment)) return assignment;
  const sheet = exportGrades(course, { assignment, student });
  if (isProblem(sheet)) return sheet;
  if (output === undefined) process.stdout.write(sheet);
  else {
    writeFileWhole(path.resolve(output), sheet);
    process.stdout.write(`Wrote ${output}\n`);
  }
  return 0;
}

const QUIET_MS = 2_000;

/** A line that says that work goes on, once it takes longer than two seconds; only where someone watches. */
function startProgress(what: string, state: () => string): { print(line: string): void; end(): void } {
  const began = performance.now();
  const isWatched = process.stderr.isTTY === true;
  const clear = () => {
    if (isWatched) process.stderr.write("\r\u001b[K");
  };
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    if (isWatched) process.stderr.write(`\r\u001b[K${what}${state()} … ${seconds} s`);
    else if (seconds % 10 === 0) process.stderr.write(`${what}${state()} … ${seconds} s\n`);
  }, QUIET_MS);
  return {
    print: (line) => {
      clear();
      process.stdout.write(`${line}\n`);
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}
