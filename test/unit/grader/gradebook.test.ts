/** The gradebook alone: rows, sums, what a second verdict does, and the sheet. Oracle: nbgrader's documented sums. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gradesCsv } from "../../../lib/grader/gradebook/csv.ts";
import { Gradebook, type SubmissionRecord } from "../../../lib/grader/gradebook/gradebook.ts";
import { totalOf } from "../../../lib/grader/gradebook/sheet.ts";
import { buildManifest, type Manifest } from "../../../lib/grader/manifest.ts";
import { systemProblem } from "../../../lib/grader/problem.ts";

function manifestOf(...points: readonly number[]): Manifest {
  const cells = points.map((each, index) => ({
    cell_type: "code",
    source: "true;",
    metadata: {
      nbgrader: {
        schema_version: 3,
        grade: true,
        solution: false,
        locked: true,
        grade_id: `t${index}`,
        points: each,
      },
    },
  }));
  const built = buildManifest("ps1", [{ name: "p1", notebook: { metadata: {}, cells } }]);
  if (!built.ok) throw new Error(built.problem);
  return built.manifest;
}

const record = (student: string, scores: readonly (number | null)[], when = "1"): SubmissionRecord => ({
  assignment: "ps1",
  student,
  timestamp: null,
  notebooks: [
    {
      name: "p1",
      flagged: false,
      grades: scores.map((auto, index) => ({ gradeId: `t${index}`, auto })),
      comments: [],
    },
  ],
  run: {
    submissionHash: `s${when}`,
    assignmentHash: "a",
    seed: "x",
    gradedAt: when,
    status: "graded",
    report: "{}",
  },
});

describe("a gradebook", () => {
  let folder: string;
  let file: string;
  let book: Gradebook;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "dom0-gradebook-"));
    file = path.join(folder, "gradebook.db");
    book = Gradebook.open(file);
    book.saveAssignment(manifestOf(2, 3));
  });
  afterEach(() => {
    book.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const count = (table: string): unknown => {
    const db = new DatabaseSync(file);
    const row = db.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
    db.close();
    return row?.["rows"];
  };

  test("holds one verdict however often it is written", () => {
    for (let time = 0; time < 3; time += 1) {
      book.saveAssignment(manifestOf(2, 3));
      book.saveSubmission(record("alice", [1.5, 3]));
    }
    expect(
      ["student", "submitted_assignment", "submitted_notebook", "grade", "base_cell", "dom0_run"].map(count),
    ).toEqual([1, 1, 1, 2, 2, 1]);
    expect(book.exportRows()).toMatchObject([
      { student_id: "alice", raw_score: 4.5, score: 4.5, max_score: 5 },
    ]);
  });

  test("keeps every older run beside the newest", () => {
    book.saveSubmission(record("alice", [0, 0], "1"));
    book.saveSubmission(record("alice", [2, 3], "2"));
    expect(count("dom0_run")).toBe(2);
    expect(book.latestRun("ps1", "alice")).toMatchObject({ gradedAt: "2", score: 5 });
    expect(book.hasRun("ps1", "alice", "s2", "a", "x")).toBe(true);
    expect(book.hasRun("ps1", "alice", "s1", "a", "x")).toBe(false);
  });

  test("writes all of a submission or nothing of it", () => {
    const broken = record("alice", [1, 1, 1]);
    expect(() => book.saveSubmission(broken)).toThrow(/"t2" is not in the gradebook/);
    expect(["student", "grade", "dom0_run"].map(count)).toEqual([0, 0, 0]);
  });

  test("counts a missing submission as nothing, and lists every student for every assignment", () => {
    book.saveStudent("bob");
    book.saveSubmission(record("alice", [null, 1]));
    expect(book.exportRows().map(({ student_id, raw_score }) => [student_id, raw_score])).toEqual([
      ["alice", 1],
      ["bob", 0],
    ]);
    expect(book.exportRows({ student: "bob" })).toHaveLength(1);
    expect(book.exportRows({ assignment: "other" })).toHaveLength(0);
  });

  test("forgets a cell that left the assignment before anybody was graded on it", () => {
    book.saveAssignment(manifestOf(2));
    book.saveStudent("bob");
    expect(book.exportRows()).toMatchObject([{ max_score: 2 }]);
  });
});

test.each([
  [1, null, null, 1],
  [1, 0.5, null, 0.5],
  [null, null, 2, 0],
  [null, 1, 2, 3],
  [1, null, 0.5, 1.5],
])("auto %s, manual %s and extra %s make %s, as nbgrader adds", (auto, manual, extra, total) => {
  expect(totalOf(auto, manual, extra)).toBe(total);
});

test("a file that is no database is a problem in one line", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "dom0-gradebook-"));
  const file = path.join(folder, "gradebook.db");
  writeFileSync(file, "not a database ".repeat(100));
  try {
    Gradebook.open(file);
    expect.unreachable();
  } catch (error) {
    expect(systemProblem(error)?.message).toMatch(/^gradebook: /);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the sheet quotes by RFC 4180 and disarms formulas", () => {
  const names = ["=1+1", "+1", "-1", "@x", "\tx", "  =x", 'a "b", c', "line\nbreak", "plain"];
  const rows = names.map((last_name) => ({
    assignment: "ps1",
    duedate: null,
    timestamp: null,
    student_id: "s",
    last_name,
    first_name: null,
    email: null,
    raw_score: 1,
    late_submission_penalty: 0,
    score: 0.5,
    max_score: 2,
  }));
  const cells = gradesCsv(rows)
    .split("\r\n")
    .slice(1, -1)
    .map((line) => line.split(",s,")[1]?.split(",,,1.0")[0]);
  expect(cells).toEqual([
    "'=1+1",
    "'+1",
    "'-1",
    "'@x",
    "'\tx",
    "'  =x",
    '"a ""b"", c"',
    '"line\nbreak"',
    "plain",
  ]);
});
