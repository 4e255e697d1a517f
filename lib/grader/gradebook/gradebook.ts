/**
 * The gradebook: one SQLite file in nbgrader's schema.
 *
 * Every write of one submission is one transaction, so the file never holds half a verdict. Writing the same verdict
 * twice leaves one row. Scores that a person gave are kept when a submission is graded again.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { roundPoints } from "../../checks/score.ts";
import type { Manifest, ManifestCell, ManifestNotebook } from "../manifest.ts";
import { ALEMBIC_HEAD, SCHEMA } from "./schema.ts";
import { type ExportRow, type SheetFilter, sheetRows, totalOf } from "./sheet.ts";

const COURSE = "default_course";

/** Score of one graded cell. `auto` is null when a person must read it. */
export interface CellGrade {
  readonly gradeId: string;
  readonly auto: number | null;
}

/** The automatic comment of an answer, as nbgrader keeps one for each cell that a student fills in. */
export interface CellComment {
  readonly cellId: string;
  readonly auto: string | null;
}

/** What a grading run stores for one student. */
export interface SubmissionRecord {
  readonly assignment: string;
  readonly student: string;
  /** `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, or null. */
  readonly timestamp: string | null;
  readonly notebooks: readonly {
    readonly name: string;
    readonly flagged: boolean;
    readonly grades: readonly CellGrade[];
    readonly comments: readonly CellComment[];
  }[];
  readonly run: {
    readonly submissionHash: string;
    readonly assignmentHash: string;
    readonly seed: string;
    readonly gradedAt: string;
    readonly status: string;
    /** JSON for people who look into a case; never shown to a student. */
    readonly report: string;
  };
}

const newId = (): string => randomUUID().replaceAll("-", "");

/** An open gradebook. */
export class Gradebook {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Opens or creates the file. Throws what SQLite throws when it cannot. */
  static open(file: string): Gradebook {
    // Grades and the secret seed concern the instructors: nobody else reads a new file.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o660));
    const db = new DatabaseSync(file, { timeout: 10_000 });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
    const book = new Gradebook(db);
    book.#transaction(() => {
      db.exec(SCHEMA);
      if (db.prepare("SELECT 1 FROM alembic_version").get() === undefined) {
        db.prepare("INSERT INTO alembic_version VALUES (?)").run(ALEMBIC_HEAD);
      }
      db.prepare("INSERT OR IGNORE INTO course VALUES (?)").run(COURSE);
    });
    return book;
  }

  /** Folds the write-ahead log into the file and closes it, so that the file alone can be copied. */
  close(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE);");
    this.#db.close();
  }

  /** Stores an assignment as its manifest says. Cells that the manifest no longer has stay while grades refer to them. */
  saveAssignment(manifest: Manifest, dueDate: string | null = null): void {
    this.#transaction(() => {
      const assignment = this.#upsert("assignment", { name: manifest.assignment }, { course_id: COURSE });
      if (dueDate !== null) this.#run("UPDATE assignment SET duedate = ? WHERE id = ?", dueDate, assignment);
      for (const notebook of manifest.notebooks) this.#saveNotebook(assignment, notebook);
    });
  }

  #saveNotebook(assignment: string, notebook: ManifestNotebook): void {
    const id = this.#upsert(
      "notebook",
      { name: notebook.name, assignment_id: assignment },
      { kernelspec: JSON.stringify(notebook.kernelspec) },
    );
    for (const cell of notebook.cells) this.#saveCell(id, cell);
    const known = new Set(notebook.cells.map((cell) => cell.id));
    for (const row of this.#all("SELECT id, name FROM base_cell WHERE notebook_id = ?", id)) {
      if (!known.has(String(row["name"]))) this.#dropUngraded(String(row["id"]));
    }
  }

  #saveCell(notebook: string, cell: ManifestCell): void {
    this.#upsert(
      "source_cell",
      { name: cell.id, notebook_id: notebook },
      { cell_type: cell.cellType, locked: cell.locked ? 1 : 0, source: cell.source, checksum: cell.checksum },
    );
    const base = (type: string) =>
      this.#upsert("base_cell", { name: cell.id, notebook_id: notebook, type }, {});
    if (cell.role === "test" || cell.role === "manual-answer") {
      this.#upsert(
        "grade_cells",
        { id: base("GradeCell") },
        { max_score: cell.points, cell_type: cell.cellType },
      );
    }
    if (cell.role === "answer" || cell.role === "manual-answer")
      this.#upsert("solution_cells", { id: base("SolutionCell") }, {});
    if (cell.role === "manual-task") {
      this.#upsert(
        "task_cells",
        { id: base("TaskCell") },
        { max_score: cell.points, cell_type: cell.cellType },
      );
    }
  }

  #dropUngraded(base: string): void {
    if (
      this.#db
        .prepare("SELECT 1 FROM grade WHERE cell_id = ? UNION SELECT 1 FROM comment WHERE cell_id = ?")
        .get(base, base)
    )
      return;
    for (const table of ["grade_cells", "solution_cells", "task_cells", "base_cell"]) {
      this.#run(`DELETE FROM ${table} WHERE id = ?`, base);
    }
  }

  /** Makes a student known; names that are given replace what was stored. */
  saveStudent(
    id: string,
    names: { readonly first?: string; readonly last?: string; readonly email?: string } = {},
  ): void {
    this.#run("INSERT OR IGNORE INTO student (id) VALUES (?)", id);
    const columns = [
      ["first_name", names.first],
      ["last_name", names.last],
      ["email", names.email],
    ] as const;
    for (const [column, value] of columns) {
      if (value !== undefined) this.#run(`UPDATE student SET ${column} = ? WHERE id = ?`, value, id);
    }
  }

  /** Stores one submission's verdicts, in one transaction. */
  saveSubmission(record: SubmissionRecord): void {
    this.#transaction(() => {
      const assignment = this.#assignmentId(record.assignment);
      this.saveStudent(record.student);
      const submission = this.#upsert(
        "submitted_assignment",
        { assignment_id: assignment, student_id: record.student },
        { timestamp: record.timestamp },
      );
      for (const notebook of record.notebooks) {
        const source = this.#db
          .prepare("SELECT id FROM notebook WHERE name = ? AND assignment_id = ?")
          .get(notebook.name, assignment);
        if (source === undefined) throw new Error(`notebook "${notebook.name}" is not in the gradebook`);
        const submitted = this.#upsert(
          "submitted_notebook",
          { notebook_id: String(source["id"]), assignment_id: submission },
          { flagged: notebook.flagged ? 1 : 0 },
        );
        this.#run(
          "UPDATE submitted_notebook SET late_submission_penalty = 0 WHERE id = ? AND late_submission_penalty IS NULL",
          submitted,
        );
        for (const grade of notebook.grades) this.#saveGrade(String(source["id"]), submitted, grade);
        for (const comment of notebook.comments) this.#saveComment(String(source["id"]), submitted, comment);
      }
      this.#saveRun(record);
    });
  }

  #saveGrade(notebook: string, submitted: string, grade: CellGrade): void {
    const cell = this.#db
      .prepare(
        "SELECT id FROM base_cell WHERE name = ? AND notebook_id = ? AND type IN ('GradeCell', 'TaskCell')",
      )
      .get(grade.gradeId, notebook);
    if (cell === undefined) throw new Error(`cell "${grade.gradeId}" is not in the gradebook`);
    const keys = { cell_id: String(cell["id"]), notebook_id: submitted };
    const before = this.#db
      .prepare("SELECT auto_score, manual_score FROM grade WHERE cell_id = ? AND notebook_id = ?")
      .get(keys.cell_id, keys.notebook_id);
    // A person's score stands; a new verdict beside it asks the person to look again.
    const judged = before !== undefined && before["manual_score"] !== null;
    this.#upsert("grade", keys, {
      auto_score: grade.auto,
      needs_manual_grade: judged || grade.auto === null ? 1 : 0,
    });
  }

  #saveComment(notebook: string, submitted: string, comment: CellComment): void {
    const cell = this.#db
      .prepare(
        "SELECT id FROM base_cell WHERE name = ? AND notebook_id = ? AND type IN ('SolutionCell', 'TaskCell')",
      )
      .get(comment.cellId, notebook);
    if (cell === undefined) throw new Error(`cell "${comment.cellId}" is not in the gradebook`);
    const keys = { cell_id: String(cell["id"]), notebook_id: submitted };
    this.#upsert("comment", keys, { auto_comment: comment.auto });
  }

  #saveRun(record: SubmissionRecord): void {
    const score = record.notebooks
      .flatMap((notebook) => notebook.grades)
      .reduce((sum, grade) => sum + (grade.auto ?? 0), 0);
    this.#run(
      `INSERT OR REPLACE INTO dom0_run (assignment, student_id, submission_sha256, assignment_sha256, seed, graded_at, status, score, report)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.assignment,
      record.student,
      record.run.submissionHash,
      record.run.assignmentHash,
      record.run.seed,
      record.run.gradedAt,
      record.run.status,
      roundPoints(score),
      record.run.report,
    );
  }

  /** The secret that hidden instances are drawn from: made once, the same for every regrade. */
  courseSecret(): string {
    this.#run(
      "INSERT OR IGNORE INTO dom0_secret (name, value) VALUES ('seed', ?)",
      randomBytes(32).toString("hex"),
    );
    const [row] = this.#all("SELECT value FROM dom0_secret WHERE name = 'seed'");
    return String(row?.["value"]);
  }

  /** Students with a graded submission of an assignment, sorted. */
  students(assignment: string): readonly string[] {
    const rows = this.#all(
      "SELECT DISTINCT student_id FROM dom0_run WHERE assignment = ? ORDER BY student_id",
      assignment,
    );
    return rows.map((row) => String(row["student_id"]));
  }

  /** Is this very submission graded, by this version of the assignment and with this seed? */
  hasRun(
    assignment: string,
    student: string,
    submissionHash: string,
    assignmentHash: string,
    seed: string,
  ): boolean {
    const row = this.#db
      .prepare(
        `SELECT 1 FROM dom0_run WHERE assignment = ? AND student_id = ? AND submission_sha256 = ? AND assignment_sha256 = ? AND seed = ?
         AND graded_at = (SELECT max(graded_at) FROM dom0_run WHERE assignment = ? AND student_id = ?)`,
      )
      .get(assignment, student, submissionHash, assignmentHash, seed, assignment, student);
    return row !== undefined;
  }

  /** The newest run that is stored for a student, or undefined. */
  latestRun(
    assignment: string,
    student: string,
  ):
    | { readonly status: string; readonly score: number; readonly report: string; readonly gradedAt: string }
    | undefined {
    const row = this.#db
      .prepare(
        "SELECT status, score, report, graded_at FROM dom0_run WHERE assignment = ? AND student_id = ? ORDER BY graded_at DESC LIMIT 1",
      )
      .get(assignment, student);
    if (row === undefined) return undefined;
    return {
      status: String(row["status"]),
      score: Number(row["score"]),
      report: String(row["report"]),
      gradedAt: String(row["graded_at"]),
    };
  }

  /** Stored scores of one student's notebook, by grade id: a person's score first, as nbgrader adds them. */
  grades(assignment: string, student: string, notebook: string): ReadonlyMap<string, GradeRow> {
    const rows = this.#all(
      `SELECT base_cell.name AS name, grade.auto_score AS auto, grade.manual_score AS manual,
              grade.extra_credit AS extra, grade.needs_manual_grade AS needs
       FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
       JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id ${OF_ONE_NOTEBOOK}`,
      assignment,
      student,
      notebook,
    );
    return new Map(
      rows.map((row) => [
        String(row["name"]),
        { score: totalOf(row["auto"], row["manual"], row["extra"]), needsManual: row["needs"] === 1 },
      ]),
    );
  }

  /** Comments on one student's notebook, by the name of the answer: a person's before the automatic one. */
  comments(assignment: string, student: string, notebook: string): ReadonlyMap<string, string> {
    const rows = this.#all(
      `SELECT base_cell.name AS name, coalesce(comment.manual_comment, comment.auto_comment) AS text
       FROM comment JOIN base_cell ON base_cell.id = comment.cell_id
       JOIN submitted_notebook ON submitted_notebook.id = comment.notebook_id ${OF_ONE_NOTEBOOK} AND text IS NOT NULL`,
      assignment,
      student,
      notebook,
    );
    return new Map(rows.map((row) => [String(row["name"]), String(row["text"])]));
  }

  /** Every assignment × student, as nbgrader's CSV plugin lists them. A missing submission scores 0. */
  exportRows(only: SheetFilter = {}): readonly ExportRow[] {
    return sheetRows(this.#db, only);
  }

  #assignmentId(name: string): string {
    const row = this.#db.prepare("SELECT id FROM assignment WHERE name = ?").get(name);
    if (row === undefined) throw new Error(`assignment "${name}" is not in the gradebook`);
    return String(row["id"]);
  }

  /** Finds the row with these keys, creates it when missing, sets the values, returns its id. */
  #upsert(
    table: string,
    keys: Readonly<Record<string, SQLInputValue>>,
    values: Readonly<Record<string, SQLInputValue>>,
  ): string {
    const where = Object.keys(keys)
      .map((key) => `${key} = ?`)
      .join(" AND ");
    const found = this.#db.prepare(`SELECT id FROM ${table} WHERE ${where}`).get(...Object.values(keys));
    if (found === undefined) {
      const row = {
        id: newId(),
        ...(table === "grade" ? { needs_manual_grade: 1 } : {}),
        ...keys,
        ...values,
      };
      const columns = Object.keys(row);
      this.#run(
        `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
        ...Object.values(row),
      );
      return String(row.id);
    }
    const changes = Object.keys(values);
    const id = String(found["id"]);
    if (changes.length > 0) {
      this.#run(
        `UPDATE ${table} SET ${changes.map((key) => `${key} = ?`).join(", ")} WHERE id = ?`,
        ...Object.values(values),
        id,
      );
    }
    return id;
  }

  #run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#db.prepare(sql).run(...values);
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly Record<string, unknown>[] {
    return this.#db.prepare(sql).all(...values);
  }

  #transaction(body: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Stored result of one graded cell. */
export interface GradeRow {
  readonly score: number;
  readonly needsManual: boolean;
}

const OF_ONE_NOTEBOOK = `
  JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
  JOIN assignment ON assignment.id = submitted_assignment.assignment_id
  JOIN notebook ON notebook.id = submitted_notebook.notebook_id
  WHERE assignment.name = ? AND submitted_assignment.student_id = ? AND notebook.name = ?`;
