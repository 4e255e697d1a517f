/** Hidden instances stay hidden from whoever has the kit, its checks and a fellow student's name, and are drawn again at a regrade. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seedFor } from "../../lib/checks/seed.ts";
import type { GradingResult } from "../../lib/grader/autograde.ts";
import { drawFor, labelOf, seedOf } from "../../lib/grader/draw.ts";
import { Gradebook } from "../../lib/grader/gradebook/gradebook.ts";
import { writeFeedback } from "../../lib/grader/publish.ts";
import { releaseAssignment } from "../../lib/grader/release.ts";
import { describeWith } from "../support/optional.ts";
import { CODEC, RIGHT } from "./support/answers.ts";
import { ASSIGNMENT, TestCourse, unwrap, withAnswers } from "./support/course.ts";

describe("a draw", () => {
  const seeds = (secret: string, student: string) =>
    ["A1.1", "A1.2"].map((check) =>
      seedOf(drawFor({ kind: "secret", secret }, "01-landing", student), check),
    );

  test("is the same for the same secret, and another for another secret, student or check", () => {
    expect(seeds("one", "alice")).toEqual(seeds("one", "alice"));
    const all = [...seeds("one", "alice"), ...seeds("two", "alice"), ...seeds("one", "bob")];
    expect(new Set(all.map(({ value }) => value)).size).toBe(all.length);
    // Checks derive further seeds from the name of theirs.
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  test("by a name is everybody's to repeat, and a label of a secret is none", () => {
    const chosen = drawFor({ kind: "chosen", name: "course" }, "01-landing", "alice");
    expect(seedOf(chosen, "A1.1")).toEqual(seedFor("course", "01-landing", "alice", "A1.1"));
    expect(labelOf({ kind: "secret", secret: "5ec4e7" })).toMatch(/^secret [0-9a-f]{12}$/);
    expect(labelOf({ kind: "secret", secret: "5ec4e7" })).not.toContain("5ec4e7");
  });
});

describeWith(["bwrap"], "a course with its own secret", () => {
  const course = new TestCourse();
  const other = new TestCourse();
  let first: ReadonlyMap<string, GradingResult>;
  const answers = { ...RIGHT, codec: CODEC.narrow };

  beforeAll(async () => {
    for (const each of [course, other]) each.submit("alice", withAnswers(each.released, answers));
    first = await course.grade({ seed: undefined, instances: 5 });
  }, 120_000);

  afterAll(() => {
    course.dispose();
    other.dispose();
  });

  /** Everything that a run found, with the counterexamples, which show what was drawn. */
  const found = (results: ReadonlyMap<string, GradingResult>): string => {
    const result = results.get("alice");
    if (result?.kind !== "graded") throw new Error(JSON.stringify(result));
    return JSON.stringify(result.report.notebooks);
  };
  const secretOf = (each: TestCourse): string => {
    const book = Gradebook.open(each.course.gradebook);
    try {
      return book.courseSecret();
    } finally {
      book.close();
    }
  };

  test("draws the same instances at a regrade, and knows what it has graded", async () => {
    expect(found(await course.grade({ seed: undefined, instances: 5 }))).toBe(found(first));
    const again = await course.grade({ seed: undefined, instances: 5, force: false });
    expect(again.get("alice")?.kind).toBe("unchanged");
  }, 120_000);

  test("draws what no other course draws, and neither what the old default or a guess would", async () => {
    const others = await other.grade({ seed: undefined, instances: 5 });
    expect(secretOf(other)).not.toBe(secretOf(course));
    expect(found(others)).not.toBe(found(first));
    const guessed = await course.grade({ seed: "course", instances: 5 });
    expect(found(guessed)).not.toBe(found(first));
    expect(
      found(
        await course.grade({ instances: 5, seed: labelOf({ kind: "secret", secret: secretOf(course) }) }),
      ),
    ).not.toBe(found(first));
  }, 240_000);

  test("keeps the secret in the gradebook alone, which only instructors read", () => {
    const secret = secretOf(course);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(releaseAssignment(course.course, course.source)).toBeUndefined();
    unwrap(writeFeedback(course.course, ASSIGNMENT));
    const root = course.course.root;
    const holders = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file).includes(secret))
      .map((file) => path.relative(root, file));
    expect(holders.length).toBeGreaterThan(0);
    for (const file of holders) expect(file).toMatch(/^gradebook\.db(-wal)?$/);
    expect(statSync(course.course.gradebook).mode & 0o007).toBe(0);
    expect(JSON.stringify([...first.values()])).not.toContain(secret);
  });
});
