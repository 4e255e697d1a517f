/** Tests that are plain TypeScript, as nbgrader's users write them: what they see, what they give, what students read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { autograde } from "../../lib/grader/autograde.ts";
import { CAGE_LIMITS } from "../../lib/grader/cage/confined.ts";
import { chooseSandbox } from "../../lib/grader/cage/sandbox.ts";
import { Course } from "../../lib/grader/course.ts";
import { type GradedCell, gradedEntries, type NotebookReport } from "../../lib/grader/report.ts";
import { type Cell, type JsonObject, type Notebook, writeNotebook } from "../../lib/notebook/nbformat.ts";
import { describeWith } from "../support/optional.ts";
import { KIT, unwrap } from "./support/course.ts";

const GRADING_MS = 180_000;
const BASE = { schema_version: 3, grade: false, solution: false, locked: false, task: false };

function cell(id: string, source: string, nbgrader?: JsonObject): Cell {
  const metadata = nbgrader === undefined ? {} : { nbgrader: { ...BASE, grade_id: id, ...nbgrader } };
  return { cell_type: "code", id, source, metadata, outputs: [], execution_count: null };
}
const answer = (id: string, source: string): Cell => cell(id, source, { solution: true });
const graded = (id: string, points: number, source: string): Cell =>
  cell(id, source, { grade: true, locked: true, points });

const SOURCE: readonly Cell[] = [
  cell("setup", "const LIMIT = 3;", { locked: true }),
  cell("helper", "function near(a: number, b: number): boolean { return Math.abs(a - b) < LIMIT; }"),
  answer("add", "function add(a: number, b: number): number { return a + b; }"),
  graded(
    "add-test",
    2,
    'if (add(1, 2) !== 3) throw new Error("add(1, 2) is not 3");\n// BEGIN HIDDEN TESTS\nif (!near(add(20, 21), 41)) throw new Error("hidden 41");\n// END HIDDEN TESTS',
  ),
  answer(
    "later",
    'async function later(n: number): Promise<number> { return n * 2; }\nconst table = new Map([["a", [1, 2]]]);',
  ),
  graded(
    "later-test",
    1,
    'if ((await later(4)) !== 8) throw new Error("later");\nif (table.get("a")?.[1] !== 2) throw new Error("table");',
  ),
  answer("share", "function share(): number { return 4; }"),
  graded("share-test", 4, "share()"),
  answer(
    "twice",
    "const twice = (f: (n: number) => number) => (n: number) => f(f(n));\nconst inc = (n: number) => n + 1;",
  ),
  graded("twice-test", 1, 'if (twice(inc)(1) !== 3) throw new Error("twice");'),
];

const STUDENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  right: {},
  visible: { add: "function add(a: number, b: number): number { return 0; }" },
  hidden: { add: "function add(a: number, b: number): number { return a > 10 ? 0 : a + b; }" },
  throwing: {
    add: 'function add(a: number, b: number): number { throw new TypeError("my inputs are " + a); }',
  },
  custom: {
    add: 'class Leak41 extends Error { override name = "Leak" + 41; }\nfunction add(a: number, b: number): number { throw new Leak41(); }',
  },
  untyped: { add: "function add(a: number, b: number): string { return a + b; }" },
  half: { share: "function share(): number { return 2; }" },
  greedy: { share: "function share(): number { return 1e308; }" },
  negative: { share: "function share(): number { return -5; }" },
  nan: { share: "function share(): number { return NaN; }" },
  nothing: { share: "function share(): number { return undefined as unknown as number; }" },
  yes: { share: "function share(): number { return true as unknown as number; }" },
  text: { share: 'function share(): number { return "all" as unknown as number; }' },
  redefines: {
    share: "function share(): number { return 4; }\nfunction add(a: number, b: number): number { return 0; }",
  },
  missing: { twice: "const twice = 3;" },
};

describeWith(["bwrap"], "plain tests", () => {
  const root = mkdtempSync(path.join(tmpdir(), "dom0-plain-"));
  const course = new Course(root);
  const reports = new Map<string, NotebookReport>();

  beforeAll(async () => {
    const notebook = (answers: Readonly<Record<string, string>>): Notebook => ({
      cells: SOURCE.map((each) => ({
        ...each,
        source: answers[each.id] ?? each.source.replace(/\/\/ BEGIN HIDDEN[\s\S]*/, ""),
      })),
      metadata: { kernelspec: { name: "tslab" } },
      nbformat: 4,
      nbformat_minor: 5,
    });
    const write = (folder: string, text: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, "p1.ipynb"), text);
    };
    write(course.folder("source", "ps1"), writeNotebook({ ...notebook({}), cells: SOURCE }));
    for (const [student, answers] of Object.entries(STUDENTS)) {
      write(course.folder("submitted", "ps1", student), writeNotebook(notebook(answers)));
    }
    const results = await autograde(unwrap(course.readSource("ps1")), {
      course,
      kit: KIT,
      sandbox: chooseSandbox(KIT),
      limits: CAGE_LIMITS,
      typeCheckMs: 10_000,
      jobs: 2,
      seed: "test",
      instances: 1,
      force: true,
      toleratesMistakes: false,
    });
    for (const result of unwrap(results)) {
      if (result.kind !== "graded") throw new Error(JSON.stringify(result));
      const [report] = result.report.notebooks;
      if (report !== undefined) reports.set(result.student, report);
    }
  }, GRADING_MS);

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const cells = (student: string): Readonly<Record<string, GradedCell>> => {
    const report = reports.get(student);
    return Object.fromEntries(
      report === undefined ? [] : gradedEntries(report).map((each) => [each.id, each]),
    );
  };
  const points = (student: string): readonly (number | null)[] =>
    Object.values(cells(student)).map((each) => each.points);

  test("pass when they end, and see the student's functions, promises, maps and closures", () => {
    expect(points("right")).toEqual([2, 1, 4, 1]);
  });

  test("tell the student an error's text only where the student's own notebook holds it", () => {
    expect(cells("visible")["add-test"]).toMatchObject({
      points: 0,
      lines: ["This test did not pass: add(1, 2) is not 3"],
    });
    expect(cells("hidden")["add-test"]).toMatchObject({
      points: 0,
      lines: ["This test did not pass."],
      details: ["hidden 41"],
    });
  });

  test("never repeat what a student's code says of its inputs", () => {
    expect(cells("throwing")["add-test"]).toMatchObject({
      lines: ["Your code threw TypeError."],
      details: ["threw TypeError: TypeError: my inputs are 1"],
    });
    expect(cells("custom")["add-test"]?.lines).toEqual(["Your code threw an error."]);
  });

  test("do not run a cell that does not compile, and say where it does not", () => {
    expect(points("untyped")).toEqual([0, 1, 4, 1]);
    const entry = reports
      .get("untyped")
      ?.entries.find((each) => each.kind === "cell" && each.report.answers === "add");
    expect(entry).toMatchObject({
      report: {
        status: "type-error",
        message: expect.stringMatching(/^line 1: Type 'number' is not assignable/),
      },
    });
  });

  test.each([
    ["half", 2],
    ["greedy", 4],
    ["negative", 0],
    ["nan", 0],
  ])("take a last number as points, clamped and finite: %s earns %d", (student, expected) => {
    expect(cells(student)["share-test"]?.points).toBe(expected);
  });

  test.each(["text", "nothing", "yes"])(
    "give nothing where points are due and a student makes them %s",
    (student) => {
      expect(cells(student)["share-test"]?.points).toBe(0);
    },
  );

  test("judge an answer as it stands at the test, not as a later cell leaves it", () => {
    expect(points("redefines")).toEqual([2, 1, 4, 1]);
  });

  test("meet a value of another kind as their own failure", () => {
    expect(points("missing")).toEqual([2, 1, 4, 0]);
  });
});
