/** Answers that keep the judge busy: they cost their own property, and nobody else anything. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { autograde } from "../../lib/grader/autograde.ts";
import { CAGE_LIMITS } from "../../lib/grader/cage/confined.ts";
import { chooseSandbox } from "../../lib/grader/cage/sandbox.ts";
import { Course } from "../../lib/grader/course.ts";
import { ENDLESS, judgeToTheEnd } from "../../lib/grader/oracle/endless.ts";
import type { JobResult } from "../../lib/grader/oracle/oracle.ts";
import type { Work } from "../../lib/grader/oracle/protocol.ts";
import { writeFeedback } from "../../lib/grader/publish.ts";
import { type GradedCell, gradedEntries } from "../../lib/grader/report.ts";
import { type Cell, type JsonObject, type Notebook, writeNotebook } from "../../lib/notebook/nbformat.ts";
import { describeWith } from "../support/optional.ts";
import { KIT, unwrap } from "./support/course.ts";

const GRADING_MS = 240_000;
const BASE = { schema_version: 3, grade: false, solution: false, locked: false, task: false };

function cell(id: string, source: string, nbgrader: JsonObject): Cell {
  const metadata = { nbgrader: { ...BASE, grade_id: id, ...nbgrader } };
  return { cell_type: "code", id, source, metadata, outputs: [], execution_count: null };
}
const answer = (id: string, source: string): Cell => cell(id, source, { solution: true });
const graded = (id: string, points: number, source: string): Cell =>
  cell(id, source, { grade: true, locked: true, points });

/** A check with a property that takes as many steps as the answer says, and one that keeps as many words. */
const CHECKS = `import { defineCheck, registerChecks, type Answer } from "dom0-kit";
const small = (answer: Answer) => ({ share: typeof answer.value === "bigint" ? 1 : 0, message: "is no bigint" });
const property = (id: string, run: (answer: Answer) => { share: number; message: string }) => ({ id, says: id, weight: 1, run });
registerChecks([defineCheck({ id: "steps", title: "Steps", points: 3, properties: [
  property("number", small),
  property("steps", (answer) => { let at = 0; while (at < Number(answer.value)) at += 1; return { share: 1, message: "" }; }),
  property("words", (answer) => {
    const words: object[] = [];
    while (words.length < -Number(answer.value)) words.push([words.length, "word", {}]);
    return { share: 1, message: "" };
  }),
] })]);
`;

const SOURCE: readonly Cell[] = [
  answer("steps", "const steps: bigint = 10n;"),
  graded("steps-test", 3, 'import { check } from "dom0-kit";\ncheck("steps", steps);'),
  answer("limit", "const limit: number = 10;"),
  graded("limit-test", 2, "for (let at = 0; at < limit; at += 1);"),
  answer("last", "const last: number = 7;"),
  graded("last-test", 1, 'if (last !== 7) throw new Error("last is not 7");'),
];

const STUDENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  right: {},
  loops: { steps: "const steps: bigint = 1n << 60n;" },
  grows: { steps: "const steps: bigint = -(1n << 60n);" },
  "loops-in-a-plain-test": { limit: "const limit: number = Infinity;" },
  "loops-everywhere": { steps: "const steps: bigint = 1n << 60n;", limit: "const limit: number = Infinity;" },
};

describeWith(["bwrap"], "answers that make a check work without end", () => {
  const root = mkdtempSync(path.join(tmpdir(), "dom0-endless-"));
  const course = new Course(root);
  const cells = new Map<string, readonly GradedCell[]>();

  beforeAll(async () => {
    const notebook = (answers: Readonly<Record<string, string>>): Notebook => ({
      cells: SOURCE.map((each) => ({ ...each, source: answers[each.id] ?? each.source })),
      metadata: { kernelspec: { name: "tslab" } },
      nbformat: 4,
      nbformat_minor: 5,
    });
    const write = (folder: string, name: string, text: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, name), text);
    };
    write(course.folder("source", "ps1"), "p1.ipynb", writeNotebook(notebook({})));
    write(course.folder("source", "ps1"), "checks.ts", CHECKS);
    for (const [student, answers] of Object.entries(STUDENTS)) {
      write(course.folder("submitted", "ps1", student), "p1.ipynb", writeNotebook(notebook(answers)));
    }
    const results = await autograde(unwrap(course.readSource("ps1")), {
      course,
      kit: KIT,
      sandbox: chooseSandbox(KIT),
      limits: { ...CAGE_LIMITS, judgeMs: 1_500 },
      typeCheckMs: 10_000,
      jobs: 2,
      seed: "test",
      instances: 1,
      force: true,
      toleratesMistakes: false,
    });
    for (const result of unwrap(results)) {
      if (result.kind !== "graded") throw new Error(JSON.stringify(result));
      cells.set(result.student, result.report.notebooks.flatMap(gradedEntries));
    }
  }, GRADING_MS);

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const points = (student: string) => cells.get(student)?.map((each) => each.points);

  test.each([
    ["right", [3, 2, 1]],
    ["loops", [2, 2, 1]],
    ["grows", [2, 2, 1]],
    ["loops-in-a-plain-test", [3, 0, 1]],
    ["loops-everywhere", [2, 0, 1]],
  ] as const)("%s earns %j", (student, expected) => {
    expect(points(student), JSON.stringify(cells.get(student), null, 1)).toEqual(expected);
  });

  test("are told so in place of the verdict", () => {
    const [steps] = cells.get("loops") ?? [];
    expect(steps?.verdicts[0]?.properties.map(({ message }) => message === ENDLESS)).toEqual([
      false,
      true,
      false,
    ]);
    expect(cells.get("loops-in-a-plain-test")?.[1]?.lines).toEqual([ENDLESS]);
    unwrap(writeFeedback(course, "ps1"));
    const page = readFileSync(path.join(course.folder("feedback", "ps1", "loops"), "p1.html"), "utf8");
    expect(page).toContain("makes the check work without end");
  });
});

describe("judging to the end", () => {
  const stuck = (at: Work | undefined, cause: "worked" | "waited" | "lost"): JobResult => ({
    ok: false,
    fault: "no end",
    at,
    cause,
  });
  const done = { ok: true, end: "done" } as JobResult;
  const property = (test: string, name: string): Work => ({ test, check: "c", property: name });

  /** Plays the oracle: each try ends at the first of these that is not passed over. */
  async function play(
    hard: readonly Work[],
    cause: "worked" | "waited" | "lost",
  ): Promise<{ readonly result: JobResult; readonly tries: readonly (readonly Work[])[] }> {
    const tries: (readonly Work[])[] = [];
    const result = await judgeToTheEnd(async (endless) => {
      tries.push([...endless]);
      const at = hard.find(
        (work) =>
          !endless.some(
            (each) =>
              each.test === work.test && (each.property === undefined || each.property === work.property),
          ),
      );
      return at === undefined ? done : stuck(at, cause);
    });
    return { result, tries };
  }

  test("blames used-up processor time at once, and silence or a lost process only the second time", async () => {
    expect((await play([property("a", "p")], "worked")).tries).toEqual([[], [property("a", "p")]]);
    expect((await play([property("a", "p")], "lost")).tries).toEqual([[], [], [{ test: "a" }]]);
    expect((await play([property("a", "p")], "waited")).tries).toEqual([[], [], [{ test: "a" }]]);
  });

  test("passes over whole tests once there are many, so that the number of tries is bounded", async () => {
    const hard = Array.from({ length: 200 }, (_, index) => property(`t${index % 10}`, `p${index}`));
    for (const cause of ["worked", "waited", "lost"] as const) {
      const { result, tries } = await play(hard, cause);
      expect(result).toBe(done);
      expect(tries.length).toBeLessThanOrEqual(6 + 10 + 3 + 1);
    }
  });

  test("leaves a failure that no answer can be blamed for a failure", async () => {
    let tries = 0;
    const result = await judgeToTheEnd(async () => {
      tries += 1;
      return stuck(undefined, "waited");
    });
    expect({ tries, result }).toEqual({ tries: 2, result: stuck(undefined, "waited") });
  });
});
