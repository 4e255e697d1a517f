/** The sheet of all grades, read off the gradebook as nbgrader's CSV plugin does. */
import type { DatabaseSync } from "node:sqlite";
import { roundPoints } from "../../checks/score.ts";

/** One line of the exported sheet, with nbgrader's columns. */
export interface ExportRow {
  readonly assignment: string;
  readonly duedate: string | null;
  readonly timestamp: string | null;
  readonly student_id: string;
  readonly last_name: string | null;
  readonly first_name: string | null;
  readonly email: string | null;
  readonly raw_score: number;
  readonly late_submission_penalty: number;
  readonly score: number;
  readonly max_score: number;
}

/** Which lines are wanted. */
export interface SheetFilter {
  readonly assignment?: string | undefined;
  readonly student?: string | undefined;
}

const PAIRS = `
  SELECT assignment.id AS assignment_id, assignment.name AS assignment, assignment.duedate AS duedate,
         student.id AS student_id, student.first_name AS first_name, student.last_name AS last_name, student.email AS email,
         submitted_assignment.id AS submission, submitted_assignment.timestamp AS timestamp
  FROM assignment CROSS JOIN student
  LEFT JOIN submitted_assignment
    ON submitted_assignment.assignment_id = assignment.id AND submitted_assignment.student_id = student.id
  ORDER BY assignment.name, student.id`;

const MOST = `
  SELECT coalesce(sum(max_score), 0) AS total
  FROM (SELECT id, max_score FROM grade_cells UNION ALL SELECT id, max_score FROM task_cells) AS graded
  JOIN base_cell ON base_cell.id = graded.id JOIN notebook ON notebook.id = base_cell.notebook_id
  WHERE notebook.assignment_id = ?`;

const PENALTIES =
  "SELECT coalesce(sum(late_submission_penalty), 0) AS total FROM submitted_notebook WHERE assignment_id = ?";

const GRADES = `
  SELECT grade.auto_score AS auto, grade.manual_score AS manual, grade.extra_credit AS extra
  FROM grade JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
  WHERE submitted_notebook.assignment_id = ?`;

type Row = Readonly<Record<string, unknown>>;

/** Every assignment × student, in that order. A missing submission scores 0. */
export function sheetRows(db: DatabaseSync, only: SheetFilter): readonly ExportRow[] {
  const pairs: readonly Row[] = db.prepare(PAIRS).all();
  return pairs
    .filter((row) => only.assignment === undefined || row["assignment"] === only.assignment)
    .filter((row) => only.student === undefined || row["student_id"] === only.student)
    .map((row) => sheetRow(db, row));
}

function sheetRow(db: DatabaseSync, row: Row): ExportRow {
  const total = (sql: string, id: unknown): number => Number(db.prepare(sql).get(String(id))?.["total"] ?? 0);
  const grades: readonly Row[] = db.prepare(GRADES).all(String(row["submission"]));
  const raw = grades.reduce((sum, grade) => sum + totalOf(grade["auto"], grade["manual"], grade["extra"]), 0);
  const penalty = total(PENALTIES, row["submission"]);
  return {
    assignment: String(row["assignment"]),
    duedate: textOrNull(row["duedate"]),
    timestamp: textOrNull(row["timestamp"]),
    student_id: String(row["student_id"]),
    last_name: textOrNull(row["last_name"]),
    first_name: textOrNull(row["first_name"]),
    email: textOrNull(row["email"]),
    raw_score: roundPoints(raw),
    late_submission_penalty: roundPoints(penalty),
    score: roundPoints(Math.max(0, raw - penalty)),
    max_score: roundPoints(total(MOST, row["assignment_id"])),
  };
}

/** nbgrader's sum: a person's score replaces the automatic one, extra credit counts only when one of them is there. */
export function totalOf(auto: unknown, manual: unknown, extra: unknown): number {
  const base = typeof manual === "number" ? manual : typeof auto === "number" ? auto : undefined;
  return base === undefined ? 0 : base + (typeof extra === "number" ? extra : 0);
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
