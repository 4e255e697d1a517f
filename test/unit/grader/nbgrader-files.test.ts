/** nbgrader's files: metadata, regions, checksums, release, and the plan of a run. Oracle: nbgrader's documented rules. */
import { describe, expect, test } from "vitest";
import { buildManifest, type ManifestNotebook } from "../../../lib/grader/manifest.ts";
import { pythonFloat } from "../../../lib/grader/nbgrader/checksum.ts";
import { CODE_STUB, replaceRegions } from "../../../lib/grader/nbgrader/delimiters.ts";
import { claimedId, parseMetadata, roleOf } from "../../../lib/grader/nbgrader/metadata.ts";
import { planRun } from "../../../lib/grader/plan.ts";
import { isProblem } from "../../../lib/grader/problem.ts";
import { releaseNotebook } from "../../../lib/grader/release.ts";
import { type Cell, type JsonObject, type Notebook, writeNotebook } from "../../../lib/notebook/nbformat.ts";

const BASE = { schema_version: 3, grade: false, solution: false, locked: false, task: false };
let made = 0;

function cell(source: string, nbgrader?: JsonObject, cell_type: "code" | "markdown" = "code"): Cell {
  made += 1;
  const base = {
    id: `c${made}`,
    source,
    metadata: nbgrader === undefined ? {} : { nbgrader: { ...BASE, ...nbgrader } },
  };
  return cell_type === "code"
    ? { ...base, cell_type, outputs: [], execution_count: 3 }
    : { ...base, cell_type };
}

const notebookOf = (...cells: readonly Cell[]): Notebook => ({
  cells,
  metadata: { kernelspec: { name: "tslab" } },
  nbformat: 4,
  nbformat_minor: 5,
});

function manifestOf(notebook: Notebook): ManifestNotebook {
  const built = buildManifest("ps1", [{ name: "p1", notebook }]);
  if (!built.ok) throw new Error(built.problem);
  const first = built.manifest.notebooks[0];
  if (first === undefined) throw new Error("no notebook");
  return first;
}

const problemOf = (...cells: readonly Cell[]): string => {
  const built = buildManifest("ps1", [{ name: "p1", notebook: notebookOf(...cells) }]);
  return built.ok ? "" : built.problem;
};

describe("metadata", () => {
  test.each([
    [{ grade: true, solution: false, points: 1 }, "code", "test"],
    [{ solution: true }, "code", "answer"],
    [{ grade: true, solution: true, points: 2 }, "markdown", "manual-answer"],
    [{ task: true, points: 2 }, "markdown", "manual-task"],
    [{ locked: true }, "code", "read-only"],
    [{}, "code", "plain"],
  ] as const)("%o in a %s cell makes it a %s", (nbgrader, type, role) => {
    const meta = parseMetadata(cell("", { grade_id: "x", ...nbgrader }, type));
    expect(typeof meta === "object" && roleOf(meta)).toBe(role);
  });

  test("that breaks a rule is explained to the instructor by cell and name", () => {
    expect(problemOf(cell("", { grade_id: "a", grade: true }))).toMatch(
      /cell 1: "a" is graded but has no points/,
    );
    expect(problemOf(cell("", { grade_id: "a", points: 3 }))).toMatch(/has points but is not graded/);
    expect(problemOf(cell("", { grade_id: "a b" }))).toMatch(/cell 1: nbgrader metadata/);
    expect(problemOf(cell("", { grade_id: "a", points: -1, grade: true }))).toMatch(/points/);
    expect(problemOf(cell("", { grade_id: "a" }), cell("", { grade_id: "a" }))).toMatch(
      /cell 2: .*"a" is used twice/,
    );
    expect(
      problemOf(cell("// BEGIN HIDDEN TESTS\n// END HIDDEN TESTS", { grade_id: "a", solution: true })),
    ).toMatch(/hidden test/);
  });

  test.each(["__proto__", "constructor"])("a student's name %s is only a name", (grade_id) => {
    expect(claimedId({ nbgrader: { grade_id } })).toBe(grade_id);
  });

  test.each([
    [{ nbgrader: { grade_id: "../x" } }],
    [{ nbgrader: { grade_id: 7 } }],
    [{ nbgrader: null }],
    [{ nbgrader: [] }],
    [null],
    ["x"],
    [{}],
  ])("a student's %o claims nothing", (metadata) => {
    expect(claimedId(metadata)).toBeUndefined();
  });
});

describe("regions", () => {
  test("are replaced by a stub with their own indentation, any comment sign", () => {
    const source = "f() {\n  ### BEGIN SOLUTION\n  secret\n  # END SOLUTION\n}";
    expect(replaceRegions(source, "solution", "// one\ntwo")).toEqual({
      ok: true,
      source: "f() {\n  // one\n  two\n}",
      regions: 1,
    });
  });

  test("vanish without a stub", () => {
    const source = "a\n// BEGIN HIDDEN TESTS\nsecret\n// END HIDDEN TESTS\nb";
    expect(replaceRegions(source, "hiddenTests")).toEqual({ ok: true, source: "a\nb", regions: 1 });
  });

  test.each([
    ["// BEGIN SOLUTION", /without its END/],
    ["// END SOLUTION", /without its BEGIN/],
    ["// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION", /inside another/],
  ])("that do not pair are refused: %s", (source, problem) => {
    expect(replaceRegions(source, "solution", "")).toMatchObject({
      ok: false,
      problem: expect.stringMatching(problem),
    });
  });
});

test.each([
  [2, "2.0"],
  [0, "0.0"],
  [0.5, "0.5"],
  [1e-5, "1e-05"],
  [1.5e-7, "1.5e-07"],
  [0.0001, "0.0001"],
  [123456.75, "123456.75"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [1.25e22, "1.25e+22"],
  [1 / 3, "0.3333333333333333"],
])("Python prints %s as %s", (value, text) => {
  expect(pythonFloat(value)).toBe(text);
});

const SOURCE = notebookOf(
  cell("const setup = 1;", { grade_id: "setup", locked: true }),
  cell("function f() {\n  // BEGIN SOLUTION\n  return 1;\n  // END SOLUTION\n}", {
    grade_id: "f",
    solution: true,
  }),
  cell("test(f);\n// BEGIN HIDDEN TESTS\nhidden(f);\n// END HIDDEN TESTS", {
    grade_id: "f-test",
    grade: true,
    locked: true,
    points: 2,
  }),
  cell("const g = 2;", { grade_id: "g", solution: true }),
  cell("test(g);", { grade_id: "g-test", grade: true, locked: true, points: 1 }),
  cell(
    "Look at it.\nBEGIN MARK SCHEME\nThe key is 42.\nEND MARK SCHEME",
    { grade_id: "task", task: true, points: 1 },
    "markdown",
  ),
);
const MANIFEST = manifestOf(SOURCE);

describe("a release", () => {
  const released = releaseNotebook("ps1", MANIFEST, SOURCE);
  if (isProblem(released)) throw new Error(released.message);

  test("holds no solution, no hidden test, no mark scheme, no output", () => {
    const text = JSON.stringify(released);
    expect(text).not.toMatch(/return 1|hidden\(f\)|key is 42|const g = 2|"execution_count":3/);
    expect(released.cells[3]?.source).toBe(CODE_STUB);
  });

  test("of the same source is the same, byte for byte", () => {
    const again = releaseNotebook("ps1", MANIFEST, SOURCE);
    expect(isProblem(again) ? again.message : writeNotebook(again)).toBe(writeNotebook(released));
  });

  test("locks tests and read-only cells, and keeps answers from being deleted", () => {
    const flags = released.cells.map(({ metadata }) => [metadata["editable"], metadata["deletable"]]);
    expect(flags).toEqual([
      [false, false],
      [undefined, false],
      [false, false],
      [undefined, false],
      [false, false],
      [undefined, false],
    ]);
  });
});

describe("a plan", () => {
  const released = releaseNotebook("ps1", MANIFEST, SOURCE);
  if (isProblem(released)) throw new Error(released.message);
  const steps = (notebook: Notebook) =>
    planRun(MANIFEST, notebook).steps.map((step) =>
      step.kind === "student" ? (step.answers ?? step.source) : step.id,
    );
  const flagsOf = (notebook: Notebook) =>
    planRun(MANIFEST, notebook).flags.map(({ cell: id, what }) => `${id}: ${what}`);

  test("of an honest notebook has the order of the notebook and nothing to look at", () => {
    expect(steps(released)).toEqual(["setup", "f", "f-test", "g", "g-test"]);
    expect(flagsOf(released)).toEqual([]);
  });

  test("runs a test after every answer that precedes it, wherever the student moved it", () => {
    const [setup, f, fTest, g, gTest, task] = released.cells;
    const moved = [fTest, gTest, g, task, setup, f].filter((each) => each !== undefined);
    expect(steps({ ...released, cells: moved })).toEqual(["g", "setup", "f", "f-test", "g-test"]);
  });

  test("brings deleted tests and locked cells back", () => {
    const kept = released.cells.filter((_, index) => index === 1 || index === 3);
    expect(steps({ ...released, cells: kept })).toEqual(["setup", "f", "f-test", "g", "g-test"]);
    expect(flagsOf({ ...released, cells: kept })).toContain("f-test: the test cell is missing");
  });

  test("takes locked text from the instructor and says that it was changed", () => {
    const cells = released.cells.map((each, index) =>
      index === 0 ? { ...each, source: "const setup = 666;" } : each,
    );
    expect(planRun(MANIFEST, { ...released, cells }).steps[0]).toEqual({
      kind: "locked",
      id: "setup",
      source: "const setup = 1;",
    });
    expect(flagsOf({ ...released, cells })).toEqual(["setup: a locked cell was changed"]);
  });

  test("of two cells with one name runs the released one, else the first", () => {
    const [setup, f, ...rest] = released.cells;
    if (setup === undefined || f === undefined) throw new Error("too short");
    const copy = { ...f, id: "copied", source: "evil" };
    const sources = (cells: readonly Cell[]) =>
      planRun(MANIFEST, { ...released, cells }).steps.flatMap((step) =>
        step.kind === "student" ? [step.source] : [],
      );
    expect(sources([setup, copy, f, ...rest])).not.toContain("evil");
    expect(sources([setup, { ...f, id: "other" }, copy, ...rest])).not.toContain("evil");
    expect(flagsOf({ ...released, cells: [setup, copy, f, ...rest] })).toEqual([
      "f: 2 cells claim this name",
    ]);
  });

  test("runs inserted code cells where they stand, and no Markdown", () => {
    const [setup, ...rest] = released.cells;
    if (setup === undefined) throw new Error("too short");
    const cells = [setup, cell("mine()"), cell("text", undefined, "markdown"), ...rest];
    expect(steps({ ...released, cells })).toEqual(["setup", "mine()", "f", "f-test", "g", "g-test"]);
  });
});
