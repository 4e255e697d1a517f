/** A submission has the kit's front door and no other: no module of Node's, no file of the kit's, and no answers. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GradingResult } from "../../lib/grader/autograde.ts";
import { NO_HELP } from "../../lib/grader/cage/cell-world.ts";
import { describeWith } from "../support/optional.ts";
import { RIGHT } from "./support/answers.ts";
import { insertBefore, TestCourse, withAnswers } from "./support/course.ts";
import { AT_THE_DOOR } from "./support/submissions.ts";

describeWith(["bwrap"], "the front door", () => {
  const course = new TestCourse();
  let results: ReadonlyMap<string, GradingResult>;
  const inserted: Readonly<Record<string, string>> = {
    static:
      'import { readFileSync } from "node:fs";\nconsole.log("OPEN", readFileSync("/kit/lib/index.ts"));',
    helped: `import * as kit from "dom0-kit";
console.log(JSON.stringify([kit.hint("06.2"), kit.answer("06.2", 1), kit.referenceAnswer("06.2", 1)]));
console.log(typeof kit.check, Object.isFrozen(kit));`,
    honest:
      'process.stdout.write("a line\\n"); console.log(process.platform, typeof process.hrtime.bigint());',
  };

  beforeAll(async () => {
    for (const { student, notebook } of AT_THE_DOOR) course.submit(student, notebook(course.released));
    for (const [student, source] of Object.entries(inserted)) {
      const right = withAnswers(course.released, RIGHT);
      course.submit(
        student,
        insertBefore(right, source, (id) => id === "checksum-test"),
      );
    }
    results = await course.grade({ instances: 5 });
  }, 240_000);

  afterAll(() => course.dispose());

  /** What a student's cells printed, and the errors that they ended with. */
  function told(student: string): string {
    const result = results.get(student);
    if (result?.kind !== "graded") throw new Error(JSON.stringify(result));
    expect(result.score, JSON.stringify(result.report)).toBe(12);
    return result.report.notebooks
      .flatMap(({ entries }) => entries)
      .map((entry) => (entry.kind === "cell" ? `${entry.report.output ?? ""}${entry.report.message}` : ""))
      .join("\n");
  }

  test.each(AT_THE_DOOR)("$student find it shut", ({ student }) => {
    const text = told(student);
    expect(text).not.toContain("OPEN");
    expect(text.match(/^SHUT/gm)?.length).toBeGreaterThanOrEqual(10);
  });

  test("an import statement says what is there instead", () => {
    expect(told("static")).toContain(
      'a submission imports "dom0-kit" and nothing else: there is no "node:fs" here',
    );
    expect(told("static")).not.toContain("OPEN");
  });

  test("the kit gives no hint and no answer, and is otherwise whole", () => {
    const text = told("helped");
    expect(text.split(NO_HELP)).toHaveLength(4);
    expect(text).toContain("function true");
  });

  test("a cell may print through process and ask for the time", () => {
    expect(told("honest")).toMatch(/a line\nlinux bigint/);
  });
});
