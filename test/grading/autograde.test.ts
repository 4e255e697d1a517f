/** A class of right, wrong and hostile submissions: everybody gets exactly the score that their answers are worth. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GradingResult } from "../../lib/grader/autograde.ts";
import { CAGE_LIMITS } from "../../lib/grader/cage/confined.ts";
import { Gradebook } from "../../lib/grader/gradebook/gradebook.ts";
import { exportGrades, writeFeedback } from "../../lib/grader/publish.ts";
import { describeWith } from "../support/optional.ts";
import { ASSIGNMENT, NOTEBOOK, TestCourse, unwrap } from "./support/course.ts";
import { SECRET } from "./support/secret.ts";
import { CLASS, PAST_THE_LIST } from "./support/submissions.ts";

const GRADING_MS = 300_000;

describeWith(["bwrap"], "a class that is graded in cages", () => {
  const course = new TestCourse();
  let first: ReadonlyMap<string, GradingResult>;

  beforeAll(async () => {
    for (const { student, notebook, file } of CLASS) course.submit(student, notebook(course.released), file);
    first = await course.grade();
  }, GRADING_MS);

  afterAll(() => course.dispose());

  test.each(CLASS)("$student ($attack) gets $score", ({ student, score, end = "done", flag }) => {
    const result = first.get(student);
    if (result?.kind !== "graded") throw new Error(JSON.stringify(result));
    const ends = result.report.notebooks.map((notebook) => notebook.end);
    const flags = [
      ...result.report.flags,
      ...result.report.notebooks.flatMap(({ flags }) => flags.map(({ what }) => what)),
    ];
    expect(
      { score: result.score, most: result.most, end: ends },
      JSON.stringify(result.report, null, 1),
    ).toEqual({
      score,
      most: 14,
      end: [end],
    });
    expect(result.report.isolation).toBe("bubblewrap");
    if (flag === undefined) expect(flags).toEqual([]);
    else expect(flags.join("; ")).toMatch(flag);
  });

  test(
    "everybody gets the same score again",
    async () => {
      const second = await course.grade();
      const scores = (results: ReadonlyMap<string, GradingResult>) =>
        [...results.values()].map((result) => [
          result.student,
          result.kind === "graded" ? result.score : JSON.stringify(result),
        ]);
      expect(scores(second)).toEqual(scores(first));
    },
    GRADING_MS,
  );

  test("a graded submission is not graded again unless someone insists", async () => {
    const again = await course.grade({ force: false });
    expect(new Set([...again.values()].map(({ kind }) => kind))).toEqual(new Set(["unchanged"]));
  });

  test("feedback shows no test, no hidden input, and nothing that runs", () => {
    expect(unwrap(writeFeedback(course.course, ASSIGNMENT))).toBe(CLASS.length);
    for (const { student } of CLASS) {
      const page = readFileSync(
        path.join(course.course.folder("feedback", ASSIGNMENT, student), `${NOTEBOOK}.html`),
        "utf8",
      );
      expect(page).toContain("default-src 'none'");
      expect(page).not.toMatch(/BEGIN HIDDEN TESTS(?!<| |\n|&)|A1\.1-long|counterexample|INPUTS \d|INPUT \d/);
      expect(page).not.toMatch(/<(script|img|iframe|svg|base|link|object)\b/i);
      expect(page).not.toMatch(/<[^>]*\s(on\w+\s*=|(href|src)="?\s*javascript:)/i);
      expect(
        [...page].filter((character) => /[\u0000-\u0008\u000b-\u001f\u007f\u202e]/.test(character)),
      ).toEqual([]);
    }
    const markup = readFileSync(
      path.join(course.course.folder("feedback", ASSIGNMENT, "markup"), `${NOTEBOOK}.html`),
      "utf8",
    );
    expect(markup).toContain("&#60;script&#62;alert(1)");
    expect(markup).toContain("<strong>good</strong>");
  });

  test("a type that reads the instructor's files finds none", () => {
    const report = JSON.stringify(first.get("type-spy"));
    expect(report).toContain("Cannot find module");
    expect(report).not.toContain(SECRET);
  });

  test("the sheet has one row a student, and nothing in it is a formula", () => {
    const book = Gradebook.open(course.course.gradebook);
    book.saveStudent("right", {
      first: '=HYPERLINK("https://example.org","x")',
      last: 'O\'Neill, "Q"\nJr',
      email: "+cmd|' /C calc'!A0",
    });
    book.close();
    const sheet = unwrap(exportGrades(course.course, { assignment: ASSIGNMENT }));
    const rows = sheet.split("\r\n");
    expect(rows[0]).toBe(
      "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score",
    );
    expect(rows.filter((row) => row !== "")).toHaveLength(CLASS.length + 1);
    expect(sheet).toContain(
      `right,"O'Neill, ""Q""\nJr","'=HYPERLINK(""https://example.org"",""x"")",'+cmd|' /C calc'!A0,12.0,0.0,12.0,14.0`,
    );
  });
});

describeWith(["bwrap"], "the walls behind the list of modules", () => {
  const course = new TestCourse();
  let results: ReadonlyMap<string, GradingResult>;

  beforeAll(async () => {
    for (const { student, notebook } of PAST_THE_LIST) course.submit(student, notebook(course.released));
    results = await course.grade({
      limits: { ...CAGE_LIMITS, cpuSeconds: 3, silenceMs: 20_000, imports: "anything" },
    });
  }, GRADING_MS);

  afterAll(() => course.dispose());

  test.each(PAST_THE_LIST)("$student ($attack) gets $score", ({ student, score, end = "done" }) => {
    const result = results.get(student);
    if (result?.kind !== "graded") throw new Error(JSON.stringify(result));
    const ends = result.report.notebooks.map((notebook) => notebook.end);
    expect({ score: result.score, end: ends }, JSON.stringify(result.report, null, 1)).toEqual({
      score,
      end: [end],
    });
  });

  test("the spy saw nothing of the course", () => {
    const result = results.get("spy");
    const entries =
      result?.kind === "graded" ? result.report.notebooks.flatMap(({ entries }) => entries) : [];
    const printed = entries
      .flatMap((entry) => (entry.kind === "cell" ? [entry.report.output ?? ""] : []))
      .join("");
    expect(printed).toContain('"proc"');
    expect(printed).not.toMatch(/LEAK|assignments|gradebook/);
  });

  test("nobody's process is left", () => {
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toMatch(/dom0-daemon/);
  });
});

describeWith(["bwrap"], "submissions that are refused", () => {
  const course = new TestCourse();
  const right = CLASS[0]?.notebook(course.released);
  afterAll(() => course.dispose());

  beforeAll(() => {
    if (right === undefined) throw new Error("the class is empty");
    course.submit("fine", right);
    for (const student of ["huge", "cut", "linked", "clash", "old", "deep", "dated"])
      course.submit(student, right);
    const file = (student: string, name = `${NOTEBOOK}.ipynb`) => path.join(course.folder(student), name);
    truncateSync(file("huge"), 200_000_000);
    truncateSync(file("cut"), 2_000);
    rmSync(file("linked"));
    symlinkSync("/etc/passwd", file("linked"));
    course.submit("clash", right, `${NOTEBOOK.toUpperCase()}.ipynb`);
    writeFileSync(file("old"), JSON.stringify({ nbformat: 3, worksheets: [] }));
    writeFileSync(file("deep"), `${"[".repeat(1_000_000)}`);
    writeFileSync(file("dated", "timestamp.txt"), "yesterday");
    course.folder("-minus");
    course.folder("empty");
  });

  test(
    "each refusal says why in one line, is no zero, and stops nobody else",
    async () => {
      const results = await course.grade();
      const reasons = [...results.values()].flatMap((result) =>
        result.kind === "rejected" ? [[result.student, result.reason] as const] : [],
      );
      expect(Object.fromEntries(reasons)).toEqual({
        "-minus": expect.stringMatching(/no student id/),
        clash: expect.stringMatching(/differ only in how their names are written/),
        cut: expect.stringMatching(/cut off/),
        dated: expect.stringMatching(/timestamp.txt/),
        deep: expect.stringMatching(/nest|deep|depth/i),
        huge: expect.stringMatching(/200\.0 MB/),
        linked: expect.stringMatching(/link/),
        old: expect.stringMatching(/old format/),
      });
      for (const [, reason] of reasons) expect(reason).not.toContain("\n");
      expect(results.get("fine")).toMatchObject({ kind: "graded", score: 12 });
      expect(results.get("empty")).toMatchObject({ kind: "graded", score: 0 });
      const stored = readdirSync(path.join(course.course.root, "autograded")).sort();
      expect(stored).toEqual(["empty", "fine"]);
      expect(existsSync(course.course.gradebook)).toBe(true);
    },
    GRADING_MS,
  );
});

describeWith(["bwrap"], "an assignment that its own author does not pass", () => {
  const course = new TestCourse();
  afterAll(() => course.dispose());

  test(
    "grades nobody and says which answer to mend",
    async () => {
      const right = CLASS[0]?.notebook(course.released);
      if (right === undefined) throw new Error("the class is empty");
      course.submit("alice", right);
      const file = path.join(course.course.folder("source", ASSIGNMENT), `${NOTEBOOK}.ipynb`);
      writeFileSync(file, readFileSync(file, "utf8").replace('asm.li(\\"t2\\", 31)', 'asm.li(\\"t2\\", 33)'));
      const mistaken = unwrap(course.course.readSource(ASSIGNMENT));
      await expect(course.grade({}, mistaken)).rejects.toThrow(
        /instructor's own answer earns .* of 4 in "checksum-test", so nobody was graded/,
      );
      const trusted = await course.grade({ toleratesMistakes: true }, mistaken);
      expect(trusted.get("alice")).toMatchObject({ kind: "graded", score: 12 });
    },
    GRADING_MS,
  );
});
