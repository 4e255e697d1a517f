/** What grading one submission found out, in the form that is stored, shown and exported. */
import type { OpenVerdict } from "../checks/check.ts";
import type { CellComment } from "./gradebook/gradebook.ts";
import type { CageEnd } from "./oracle/oracle.ts";
import type { CellReport, LastValue, TestReport } from "./oracle/protocol.ts";
import type { Flag } from "./plan.ts";

/** A graded cell. `points` is null when a person must read the answer. */
export interface GradedCell {
  readonly id: string;
  readonly title: string;
  readonly most: number;
  readonly points: number | null;
  readonly status: TestReport["status"] | "manual" | "no-answer" | "not-submitted";
  /** For the student. */
  readonly lines: readonly string[];
  readonly verdicts: readonly OpenVerdict[];
  readonly gave: LastValue;
  /** For the instructor alone. */
  readonly details: readonly string[];
}

/** One entry of a notebook's story, in the order in which it ran. */
export type Entry =
  | { readonly kind: "cell"; readonly source: string; readonly report: CellReport }
  | { readonly kind: "text"; readonly source: string }
  | { readonly kind: "graded"; readonly cell: GradedCell };

/** One notebook of a submission. */
export interface NotebookReport {
  readonly name: string;
  /** First heading of the instructor's notebook, else its name. */
  readonly title: string;
  readonly end: CageEnd | "not-run";
  readonly flags: readonly Flag[];
  readonly entries: readonly Entry[];
  /** One for each cell that a student fills in. */
  readonly comments: readonly CellComment[];
  readonly stderr: string;
}

/** A graded submission. */
export interface SubmissionReport {
  readonly assignment: string;
  readonly student: string;
  readonly timestamp: string | null;
  readonly seed: string;
  readonly isolation: string;
  readonly flags: readonly string[];
  readonly notebooks: readonly NotebookReport[];
}

/** Graded cells of a notebook's report, in order. */
export const gradedEntries = (notebook: NotebookReport): readonly GradedCell[] =>
  notebook.entries.flatMap((entry) => (entry.kind === "graded" ? [entry.cell] : []));

/** What a graded cell says, as lines of text for a terminal or an output: for the instructor, or for the student. */
export function textOf(cell: GradedCell, isForInstructor: boolean): readonly string[] {
  if (isForInstructor && cell.details.length > 0) return [...cell.lines, ...cell.details];
  const verdicts = cell.verdicts.flatMap(({ title, score, most, properties }) => [
    `${title}: ${score} of ${most}`,
    ...properties.map(
      ({ says, passed, message }) => `  ${passed ? "✔" : "✘"} ${says}${passed ? "" : ` — ${message}`}`,
    ),
  ]);
  return [...cell.lines, ...verdicts];
}

/** How the whole went, in one word for a list. */
export function statusOf(report: SubmissionReport): string {
  const ends = report.notebooks.map((notebook) => notebook.end);
  return ends.find((end) => end !== "done" && end !== "not-run") ?? "graded";
}
