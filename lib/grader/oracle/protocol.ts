/** Messages between orchestrator and oracle: JSON frames, and frames of the cage that the orchestrator only passes on. */
import type { OpenVerdict } from "../../checks/check.ts";
import type { CompileResult, EmittedCell } from "../../notebook/kernel-protocol.ts";
import type { SubmissionDraw } from "../draw.ts";
import type { Step } from "../plan.ts";

/** First byte of a frame. */
export const KIND = { json: 0, cage: 1, cageGone: 2 } as const;

/** An instructor's code cell, compiled with its solutions. */
export interface InstructorCell {
  readonly cell: EmittedCell;
  readonly id: string | undefined;
  /** What students can read of it: an error's text that stands here gives nothing away. */
  readonly released: string;
  /** Points, when it is a test. */
  readonly points: number;
  /** True for answers: the oracle never runs those, it asks the student. */
  readonly isAnswer: boolean;
}

/** What the oracle works on: a test, or one property of a check in it. */
export interface Work {
  readonly test: string;
  readonly check?: string;
  readonly property?: string;
}

/** What the oracle is told to judge. */
export interface OracleJob {
  readonly type: "job";
  readonly steps: readonly Step[];
  readonly instructor: readonly InstructorCell[];
  /** What the last expression of each test gave for the instructor's own answers; undefined while that is not known. */
  readonly gives: Readonly<Record<string, LastValue>> | undefined;
  /** Module of the instructor's that registers checks; imported once. */
  readonly checksModule: string | undefined;
  /** Where this submission's random instances come from. */
  readonly draw: SubmissionDraw;
  readonly instances: number;
  /** What did not end in an earlier try, and is passed over. */
  readonly endless: readonly Work[];
}

/** Oracle → orchestrator. */
export type OracleMessage =
  | { readonly type: "compile"; readonly source: string }
  | { readonly type: "commit"; readonly cell: number; readonly survivors: readonly string[] }
  | { readonly type: "begin"; readonly work: Work | null }
  | { readonly type: "done"; readonly report: OracleReport }
  | { readonly type: "fault"; readonly message: string };

/** Orchestrator → oracle, as the answer to `compile`. */
export type CompileReply = CompileResult | { readonly ok: "late" };

/** Kind of a test's last expression: a number is points, a boolean a verdict, and anything else says nothing. */
export type LastValue = "number" | "boolean" | "nothing";

/** What became of one of the student's cells. */
export interface CellReport {
  readonly label: string;
  readonly answers: string | undefined;
  readonly status: "ok" | "error" | "type-error" | "late" | "stopped";
  /** For the student: what their own cell did. */
  readonly message: string;
  /** What the cell printed; withheld once hidden inputs have been in the cage. */
  readonly output: string | undefined;
}

/** What became of one test. */
export interface TestReport {
  readonly id: string;
  /** 0…1; a test without a verdict has 0 and says so in `status`. */
  readonly share: number;
  readonly status: "judged" | "threw" | "stopped";
  /** For the student; no hidden input, no expected value. */
  readonly lines: readonly string[];
  /** For the student too: what each `check(...)` of the test found. */
  readonly verdicts: readonly OpenVerdict[];
  /** For the instructor alone. */
  readonly details: readonly string[];
  readonly gave: LastValue;
}

/** Everything the oracle found out about one submitted notebook. */
export interface OracleReport {
  readonly cells: readonly CellReport[];
  readonly tests: readonly TestReport[];
  /** Instructor's cells that failed after the student's own had run. */
  readonly lockedFailures: readonly CellReport[];
  readonly calls: number;
}
