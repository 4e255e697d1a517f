/**
 * Runs one submission through an instructor's notebook: student's cells in the cage, tests here.
 *
 * The oracle evaluates the instructor's text only. Where that text reads a name of an answer cell, it gets the
 * student's value; answers of the instructor are never run.
 */
import { AnswerLost } from "../../checks/answer.ts";
import type { Verdict } from "../../checks/check.ts";
import { openVerdict, verdictText } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { clampShare } from "../../checks/score.ts";
import type { EmittedCell } from "../../notebook/kernel-protocol.ts";
import { REQUEST } from "../cage/protocol.ts";
import { startCell } from "../cell-runner.ts";
import type { Step } from "../plan.ts";
import { ENDLESS, isEndless } from "./endless.ts";
import type {
  CellReport,
  CompileReply,
  InstructorCell,
  LastValue,
  OracleJob,
  OracleReport,
  TestReport,
  Work,
} from "./protocol.ts";
import { type Student, StudentError } from "./student.ts";

/** What judging needs from the process around it. */
export interface Surroundings {
  compile(source: string): CompileReply;
  commit(cell: number, survivors: readonly string[]): void;
  load(specifier: string): Promise<object>;
  /** Says what is worked on from now on; null: nothing that an answer could make endless. */
  begin(work: Work | null): void;
  /** Collects the verdicts of every `check(...)` that runs inside a test. */
  collect(test: string, body: () => Promise<void>): Promise<readonly Verdict[]>;
}

/**
 * Judges one submission. Never throws for anything that the submission does; a cage that does not start and an
 * instructor's cell that fails before any of the student's has run are failures of ours, and throw.
 */
export async function judge(job: OracleJob, student: Student, around: Surroundings): Promise<OracleReport> {
  student.request([REQUEST.values, []]);
  const run = new JudgedRun(job, student, around);
  for (const step of job.steps) await run.take(step);
  return { cells: run.cells, tests: run.tests, lockedFailures: run.lockedFailures, calls: student.calls };
}

class JudgedRun {
  readonly cells: CellReport[] = [];
  readonly tests: TestReport[] = [];
  readonly lockedFailures: CellReport[] = [];
  readonly #job: OracleJob;
  readonly #student: Student;
  readonly #around: Surroundings;
  /** Name → the student's cell that holds it now. */
  readonly #names = new Map<string, number>();
  readonly #scopes = new Map<number, object>();
  #isGone = false;
  #hiddenInputsSeen = false;

  constructor(job: OracleJob, student: Student, around: Surroundings) {
    this.#job = job;
    this.#student = student;
    this.#around = around;
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "test") this.tests.push(await this.#test(step.id));
    else if (step.kind === "student") this.cells.push(this.#cell(step.source, step.label, step.answers));
    else this.#locked(step.id, this.#cell(step.source, step.id, undefined));
  }

  #locked(id: string, report: CellReport): void {
    if (report.status === "ok") return;
    if (this.cells.length === 0)
      throw new Error(`the instructor's cell "${id}" fails by itself: ${report.message}`);
    this.lockedFailures.push(report);
  }

  #cell(source: string, label: string, answers: string | undefined): CellReport {
    const report = (status: CellReport["status"], message: string, output?: string): CellReport => ({
      label,
      answers,
      status,
      message,
      output,
    });
    if (this.#isGone) return report("stopped", "not run: the process had ended");
    const compiled = this.#around.compile(source);
    if (compiled.ok === "late")
      return report("late", "type check timed out: the types of this cell take too long to work out");
    if (!compiled.ok) {
      const first = compiled.diagnostics[0];
      return report(
        "type-error",
        first === undefined ? "does not compile" : `line ${first.line}: ${first.message}`,
      );
    }
    try {
      const reply = this.#student.request([REQUEST.cell, JSON.stringify(compiled.cell)]);
      return this.#ran(compiled.cell, reply, report);
    } catch (error) {
      if (error instanceof AnswerLost) this.#isGone = true;
      return report("stopped", "the process ended while this cell ran");
    }
  }

  #ran(
    cell: EmittedCell,
    reply: Inert,
    report: (status: CellReport["status"], message: string, output?: string) => CellReport,
  ): CellReport {
    const claimed = member(reply, "survivors");
    const survivors = cell.values.filter((name) => Array.isArray(claimed) && claimed.includes(name));
    this.#around.commit(cell.id, survivors);
    for (const name of survivors) this.#names.set(name, cell.id);
    const printed = member(reply, "output");
    const output =
      typeof printed === "string" && !this.#hiddenInputsSeen ? printed.slice(0, 16_384) : undefined;
    if (member(reply, "status") === "ok") return report("ok", "", output);
    const message = member(reply, "message");
    return report(
      "error",
      typeof message === "string" && !this.#hiddenInputsSeen ? message.slice(0, 400) : "threw",
      output,
    );
  }

  async #test(id: string): Promise<TestReport> {
    const found = this.#job.instructor.find((cell) => cell.id === id);
    if (found === undefined) throw new Error(`test "${id}" has no code`);
    const none: Unjudged = (status, line, details = []) => ({
      id,
      share: 0,
      status,
      lines: [line],
      verdicts: [],
      details,
      gave: "nothing",
    });
    if (this.#isGone) return none("stopped", STOPPED);
    if (isEndless(this.#job.endless, { test: id })) return none("stopped", ENDLESS);
    this.#around.begin({ test: id });
    let result: unknown;
    let failure: unknown;
    const verdicts = await this.#around.collect(id, async () => {
      try {
        await this.#reach(found.cell);
        const started = startCell(found.cell, (cell) => this.#scopeOf(cell), this.#around.load);
        await started.done;
        result = started.result();
      } catch (error) {
        failure = error;
      }
    });
    this.#around.begin(null);
    this.#hiddenInputsSeen = true;
    if (failure instanceof AnswerLost) {
      this.#isGone = true;
      return none("stopped", STOPPED);
    }
    if (failure !== undefined) return threw(failure, found.released, none);
    return judged(
      found,
      this.#job.gives?.[id] ?? (this.#job.gives === undefined ? kindOf(result) : "nothing"),
      verdicts,
      result,
    );
  }

  /** Runs the instructor's own cells that a cell reads from, once each. */
  async #reach(cell: EmittedCell): Promise<void> {
    for (const read of cell.reads) {
      const source = this.#job.instructor.find((candidate) => candidate.cell.id === read);
      if (source === undefined || source.isAnswer || this.#scopes.has(read)) continue;
      await this.#reach(source.cell);
      const started = startCell(source.cell, (id) => this.#scopeOf(id), this.#around.load);
      await started.done;
      this.#scopes.set(read, started.scope());
    }
  }

  #scopeOf(cell: number): object {
    const own = this.#scopes.get(cell);
    if (own !== undefined) return own;
    const source = this.#job.instructor.find((candidate) => candidate.cell.id === cell);
    const scope: object = Object.create(null);
    for (const name of source?.isAnswer === true ? source.cell.values : []) {
      Object.defineProperty(scope, name, { get: () => this.#studentValue(name) });
    }
    return scope;
  }

  #studentValue(name: string): unknown {
    const cell = this.#names.get(name);
    if (cell === undefined) return undefined;
    const reply = this.#student.request([REQUEST.values, [[cell, name]]]);
    return this.#student.thaw(Array.isArray(reply) ? reply[0] : undefined);
  }
}

type Unjudged = (status: TestReport["status"], line: string, details?: readonly string[]) => TestReport;

/** A test that threw. A student reads the error's text only where it stands in the test that they were given. */
function threw(failure: unknown, released: string, none: Unjudged): TestReport {
  if (failure instanceof StudentError) {
    return none("threw", `Your code ${failure.category}.`, [`${failure.category}: ${failure.message}`]);
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  const isKnown = message !== "" && released.includes(message);
  return none("threw", isKnown ? `This test did not pass: ${message}` : "This test did not pass.", [message]);
}

const STOPPED = "No verdict: the process ended before this test (time, memory, output, or an exit).";

const kindOf = (value: unknown): LastValue =>
  typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "nothing";

/**
 * From what a test did to a share. Its checks decide; without checks its last expression does, if that gives points or a
 * verdict for the instructor's answers; else it passed, since it ended.
 *
 * @param gives  Kind of the last expression. A student who makes it another kind earns nothing by that.
 */
function judged(
  test: InstructorCell,
  gives: LastValue,
  verdicts: readonly Verdict[],
  result: unknown,
): TestReport {
  const report = (share: number, ...lines: readonly string[]): TestReport => ({
    id: test.id ?? "",
    share,
    status: "judged",
    lines,
    verdicts: verdicts.map(openVerdict),
    details: verdicts.map((verdict) => verdictText(verdict, true)),
    gave: kindOf(result),
  });
  if (verdicts.length > 0) {
    const most = verdicts.reduce((sum, verdict) => sum + verdict.most, 0);
    const score = verdicts.reduce((sum, verdict) => sum + verdict.score, 0);
    return report(most === 0 ? 0 : clampShare(score / most));
  }
  if (gives === "number") {
    const share = typeof result === "number" && test.points > 0 ? clampShare(result / test.points) : 0;
    return report(share, "This test gives points in part.");
  }
  if (gives === "boolean")
    return result === true ? report(1, "Passed.") : report(0, "This test did not pass.");
  return report(1, "Passed.");
}
