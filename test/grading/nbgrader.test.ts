/** nbgrader itself as the judge of our interchange: its checksum, its schema, its Python API on our gradebook. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededWords } from "../../lib/checks/seed.ts";
import { Gradebook } from "../../lib/grader/gradebook/gradebook.ts";
import { cellChecksum } from "../../lib/grader/nbgrader/checksum.ts";
import { CODE_STUB } from "../../lib/grader/nbgrader/delimiters.ts";
import type { NbgraderMetadata } from "../../lib/grader/nbgrader/metadata.ts";
import { releaseAssignment } from "../../lib/grader/release.ts";
import { writeNotebook } from "../../lib/notebook/nbformat.ts";
import { describeWith } from "../support/optional.ts";
import { ASSIGNMENT, NOTEBOOK, PROJECT, TestCourse } from "./support/course.ts";

const PYTHON = path.join(PROJECT, ".venv/bin/python");
const PYTHON_MS = 120_000;

/** Runs Python code that prints JSON; `input` arrives as `data`. */
function python(code: string, input: unknown): unknown {
  const text = `import json, sys\ndata = json.load(sys.stdin)\n${code}`;
  const path_ = `${path.dirname(PYTHON)}${path.delimiter}${process.env["PATH"] ?? ""}`;
  const printed = execFileSync(PYTHON, ["-W", "ignore", "-c", text], {
    input: JSON.stringify(input),
    encoding: "utf8",
    env: { ...process.env, PATH: path_ },
    timeout: PYTHON_MS,
  });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "null");
}

const SCHEMA_QUERY = `
from sqlalchemy import create_engine, inspect
def tables(url):
    seen = inspect(create_engine(url))
    return {name: {"columns": sorted([c["name"], str(c["type"]).split("(")[0], c["nullable"]] for c in seen.get_columns(name)),
                   "keys": sorted([k["constrained_columns"][0], k["referred_table"]] for k in seen.get_foreign_keys(name)),
                   "unique": sorted(sorted(u["column_names"]) for u in seen.get_unique_constraints(name))}
            for name in seen.get_table_names() if name not in ("dom0_run", "dom0_secret")}
`;

describeWith(["jupyter"], "nbgrader's own Python", () => {
  const course = new TestCourse();
  const folder = mkdtempSync(path.join(tmpdir(), "dom0-nbgrader-"));

  beforeAll(() => {
    expect(releaseAssignment(course.course, course.source)).toBeUndefined();
    const book = Gradebook.open(course.course.gradebook);
    book.saveAssignment(course.source.manifest, "2026-12-01 12:00:00.000000");
    book.saveStudent("alice", { first: "Alice", last: "Liddell", email: "alice@example.org" });
    book.saveStudent("bob");
    book.saveSubmission({
      assignment: ASSIGNMENT,
      student: "alice",
      timestamp: "2026-11-23 04:00:00.000000",
      notebooks: [
        {
          name: NOTEBOOK,
          flagged: true,
          grades: [
            { gradeId: "checksum-test", auto: 2.4 },
            { gradeId: "codec-test", auto: 3 },
            { gradeId: "trip-test", auto: 0 },
            { gradeId: "replay-test", auto: 2 },
            { gradeId: "why", auto: null },
          ],
          comments: [{ cellId: "codec", auto: null }],
        },
      ],
      run: {
        submissionHash: "s",
        assignmentHash: "a",
        seed: "x",
        gradedAt: "2026-11-24 00:00:00.000000",
        status: "graded",
        report: "{}",
      },
    });
    book.close();
  });

  afterAll(() => {
    course.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "opens our gradebook and reads the scores that we stored",
    () => {
      const seen = python(
        `
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + data["db"]) as book:
    submission = book.find_submission(data["assignment"], "alice")
    notebook = book.find_submission_notebook(data["notebook"], data["assignment"], "alice")
    export = book.submission_dicts(data["assignment"])
    print(json.dumps({
        "assignments": [a.name for a in book.assignments], "students": sorted(s.id for s in book.students),
        "score": submission.score, "max": submission.max_score, "manual": submission.needs_manual_grade,
        "flagged": notebook.flagged, "time": str(submission.timestamp), "due": str(submission.assignment.duedate),
        "grades": {g.name: [g.auto_score, g.score, g.max_score, g.needs_manual_grade, g.cell_type] for g in notebook.grades},
        "sources": sorted(c.name for c in book.find_notebook(data["notebook"], data["assignment"]).source_cells),
        "rows": len(export),
    }))`,
        { db: course.course.gradebook, assignment: ASSIGNMENT, notebook: NOTEBOOK },
      );
      expect(seen).toMatchObject({
        assignments: [ASSIGNMENT],
        students: ["alice", "bob"],
        score: 7.4,
        max: 14,
        manual: true,
        flagged: true,
        time: "2026-11-23 04:00:00",
        due: "2026-12-01 12:00:00",
        grades: {
          "checksum-test": [2.4, 2.4, 4, false, "code"],
          "codec-test": [3, 3, 3, false, "code"],
          "trip-test": [0, 0, 3, false, "code"],
          "replay-test": [2, 2, 2, false, "code"],
          why: [null, 0, 2, true, "markdown"],
        },
        rows: 1,
      });
    },
    PYTHON_MS,
  );

  test(
    "writes a person's score, which our regrade keeps and asks to look at again",
    () => {
      python(
        `
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + data["db"]) as book:
    grade = book.find_grade("codec-test", data["notebook"], data["assignment"], "alice")
    grade.manual_score = 1.5
    grade.extra_credit = 0.25
    comment = book.find_comment("codec", data["notebook"], data["assignment"], "alice")
    comment.manual_comment = "see me"
    book.db.commit()
    print("null")`,
        { db: course.course.gradebook, assignment: ASSIGNMENT, notebook: NOTEBOOK },
      );
      const book = Gradebook.open(course.course.gradebook);
      const record = (auto: number) => ({
        assignment: ASSIGNMENT,
        student: "alice",
        timestamp: null,
        notebooks: [
          {
            name: NOTEBOOK,
            flagged: false,
            grades: [{ gradeId: "codec-test", auto }],
            comments: [{ cellId: "codec", auto: null }],
          },
        ],
        run: {
          submissionHash: "t",
          assignmentHash: "a",
          seed: "x",
          gradedAt: "2026-11-25 00:00:00.000000",
          status: "graded",
          report: "{}",
        },
      });
      book.saveSubmission(record(2));
      expect(book.grades(ASSIGNMENT, "alice", NOTEBOOK).get("codec-test")).toEqual({
        score: 1.75,
        needsManual: true,
      });
      expect(book.comments(ASSIGNMENT, "alice", NOTEBOOK).get("codec")).toBe("see me");
      book.close();
    },
    PYTHON_MS,
  );

  test(
    "makes the same tables as we do",
    () => {
      const ours = new DatabaseSync(path.join(folder, "ours.db"));
      ours.close();
      rmSync(path.join(folder, "ours.db"));
      Gradebook.open(path.join(folder, "ours.db")).close();
      const seen = python(
        `${SCHEMA_QUERY}
from nbgrader.api import Gradebook
Gradebook("sqlite:///" + data["theirs"]).close()
with_version = lambda file: __import__("sqlite3").connect(file).execute("select version_num from alembic_version").fetchall()
print(json.dumps([tables("sqlite:///" + data["ours"]), tables("sqlite:///" + data["theirs"]), with_version(data["ours"]), with_version(data["theirs"])]))`,
        { ours: path.join(folder, "ours.db"), theirs: path.join(folder, "theirs.db") },
      ) as unknown[];
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[2]).toEqual(seen[3]);
    },
    PYTHON_MS,
  );

  test(
    "computes the same checksum for random cells and points",
    () => {
      const word = seededWords(20261124);
      const cells = Array.from({ length: 60 }, (_, index) => {
        const grade = word() % 2 === 0;
        const isMarkdown = word() % 4 === 0;
        const meta: NbgraderMetadata = {
          schema_version: 3,
          grade,
          solution: isMarkdown ? grade : word() % 2 === 0,
          locked: word() % 2 === 0,
          task: false,
          grade_id: `cell-${index}`,
          ...(grade ? { points: [2, 0.5, 1e-5, 1e16, 123456.75, 0, 1e22, 0.1][word() % 8] ?? 1 } : {}),
        };
        return { cell_type: isMarkdown ? "markdown" : "code", source: `x${word()} é ☂\nline`, meta };
      });
      const theirs = python(
        `
import nbformat
from nbgrader.utils import compute_checksum
out = []
for cell in data:
    made = nbformat.v4.new_code_cell(cell["source"]) if cell["cell_type"] == "code" else nbformat.v4.new_markdown_cell(cell["source"])
    made.metadata.nbgrader = cell["meta"]
    if "points" in cell["meta"]: made.metadata.nbgrader["points"] = float(cell["meta"]["points"])
    out.append(compute_checksum(made))
print(json.dumps(out))`,
        cells,
      );
      expect(cells.map(({ cell_type, source, meta }) => cellChecksum({ cell_type, source }, meta))).toEqual(
        theirs,
      );
    },
    PYTHON_MS,
  );

  test(
    "releases the same texts from the same source",
    () => {
      const root = mkdtempSync(path.join(tmpdir(), "dom0-nbgrader-course-"));
      try {
        const source = course.source.notebooks[0]?.notebook;
        if (source === undefined) throw new Error("no notebook");
        execFileSync("mkdir", ["-p", path.join(root, "source/ps1")]);
        writeFileSync(path.join(root, "source/ps1", `${NOTEBOOK}.ipynb`), writeNotebook(source));
        writeFileSync(
          path.join(root, "nbgrader_config.py"),
          `c = get_config()\nc.ClearSolutions.code_stub = {"typescript": ${JSON.stringify(CODE_STUB)}}\n`,
        );
        execFileSync(PYTHON, ["-m", "nbgrader", "generate_assignment", "ps1", "--quiet"], {
          cwd: root,
          stdio: "pipe",
          env: {
            ...process.env,
            HOME: root,
            JUPYTER_CONFIG_DIR: root,
            PATH: `${path.dirname(PYTHON)}${path.delimiter}${process.env["PATH"] ?? ""}`,
          },
          timeout: PYTHON_MS,
        });
        const theirs = python(
          'nb = json.load(open(data)); print(json.dumps([["".join(c["source"]), c["metadata"]["nbgrader"]["checksum"], c["metadata"].get("editable", True), c["metadata"].get("deletable", True)] for c in nb["cells"]]))',
          path.join(root, "release/ps1", `${NOTEBOOK}.ipynb`),
        );
        const ours = course.released.cells.map((cell) => {
          const meta = cell.metadata["nbgrader"] as { checksum: string };
          return [
            cell.source,
            meta.checksum,
            cell.metadata["editable"] ?? true,
            cell.metadata["deletable"] ?? true,
          ];
        });
        expect(ours).toEqual(theirs);
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    },
    PYTHON_MS,
  );
});
