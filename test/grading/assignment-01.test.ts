/**
 * Tests for the tests: every exercise of assignment 01 with the instructor's answer, another right one, and wrong ones
 * that must lose the right points and be told why. The cells run through the kit's own compiler and session.
 */
import { describe, expect, test } from "vitest";
import { localAnswer } from "../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../lib/checks/check.ts";
import { checksumCheck, longChecksumCheck } from "../../lib/course/assignments/landing/checksum.ts";
import { codecCheck } from "../../lib/course/assignments/landing/codec.ts";
import { replayCheck } from "../../lib/course/assignments/landing/replay.ts";
import { tripCheck } from "../../lib/course/assignments/landing/trip.ts";
import { exerciseTable } from "../support/exercise-table.ts";
import { CHECKSUM, CODEC, REPLAY, TRIP } from "./support/answers.ts";
import { type Names, namesOf } from "./support/assignment-trial.ts";
import { TestCourse } from "./support/course.ts";

const IMPORTS = `import { asm, buildBoard, label, type Mstatus, program, pulse } from "dom0-kit";\nconst RAM = 0x8000_0000n;`;

const namesIn = (source: string): Promise<Names> => namesOf(IMPORTS, source);

const instances = process.env["DOM0_TEST_FULL"] === "1" ? 200 : 25;
const judge = (check: Check, value: unknown): Verdict => check.run(localAnswer(value), { instances });

function instructorsAnswer(id: string): string {
  const course = new TestCourse();
  try {
    const cell = course.source.manifest.notebooks[0]?.cells.find((candidate) => candidate.id === id);
    return cell?.source ?? "";
  } finally {
    course.dispose();
  }
}

interface Row {
  readonly name: string;
  readonly source: string;
  readonly score: number;
  /** Part of what the student is told. */
  readonly says: RegExp;
}

const judged = exerciseTable();
const holds = /Every property holds/;

function table(check: Check, id: string, pick: (names: Names) => unknown, rows: readonly Row[]): void {
  describe(`${check.id} ${check.title}`, () => {
    test("the instructor's answer earns everything", async () => {
      const verdict = judge(check, pick(await namesIn(instructorsAnswer(id))));
      judged.add(check, "the instructor's answer", check.points, verdict);
      expect(verdict).toMatchObject({ passed: true, score: check.points });
    });
    test.each(rows)("$name earns $score", async ({ name, source, score, says }) => {
      const verdict = judge(check, pick(await namesIn(source)));
      judged.add(check, name, score, verdict);
      expect(verdict.message).toMatch(says);
      expect(verdict.score).toBe(score);
    });
    test("the released stub earns nothing", () => {
      const stub = () => {
        throw new Error("not implemented");
      };
      const verdict = judge(check, id === "checksum" || id === "trip" ? stub : {});
      judged.add(check, "the released stub", 0, verdict);
      expect(verdict.score).toBe(0);
    });
  });
}

table(checksumCheck, "checksum", (names) => names["checksum"], [
  { name: "a version with shifts", source: CHECKSUM.shifts, score: 4, says: holds },
  { name: "lb instead of lbu", source: CHECKSUM.signedBytes, score: 3, says: /lb extends the sign/ },
  {
    name: "a count that is tested too late",
    source: CHECKSUM.testsTooLate,
    score: 3,
    says: /test the count before/,
  },
  { name: "arithmetic in 32 bits", source: CHECKSUM.narrow, score: 1, says: /all in 64 bits/ },
  { name: "a program without an end", source: CHECKSUM.endless, score: 0, says: /No wfi came/ },
]);

table(codecCheck, "codec", ({ decodeMstatus, encodeMstatus }) => ({ decodeMstatus, encodeMstatus }), [
  { name: "another right codec", source: CODEC.plain, score: 3, says: holds },
  {
    name: "a codec that drops nameless bits",
    source: CODEC.forgetful,
    score: 1,
    says: /Bits (without a name|above 31) are lost/,
  },
  { name: "a codec in 32 bits", source: CODEC.narrow, score: 1, says: /Bits above 31 are lost/ },
  { name: "an old mpp that sticks", source: CODEC.stickyMpp, score: 2, says: /clear its two bits/ },
  { name: "mpp one bit too low", source: CODEC.wrongPlace, score: 1, says: /mpp is wrong. In mstatus it is/ },
]);

table(tripCheck, "trip", (names) => names["trip"], [
  { name: "a version with a shift", source: TRIP.plain, score: 3, says: holds },
  { name: "a return to the ecall itself", source: TRIP.forever, score: 1, says: /add 4 before sret/ },
  { name: "a handler that does not double", source: TRIP.single, score: 2, says: /must double a0/ },
  { name: "a call that lands in M-mode", source: TRIP.undelegated, score: 1, says: /bit 8 of medeleg/ },
  { name: "a handler that never returns", source: TRIP.stays, score: 2, says: /stays in S-mode/ },
]);

table(replayCheck, "replay", ({ traceHash, retired }) => ({ traceHash, retired }), [
  { name: "another right answer", source: REPLAY.plain, score: 2, says: holds },
  { name: "a count without wfi", source: REPLAY.offByOne, score: 1, says: /Off by one/ },
  { name: "another size of RAM", source: REPLAY.otherRam, score: 1, says: /Same RAM size/ },
  { name: "a run that ignores the seed", source: REPLAY.seedless, score: 1, says: /same seed/ },
  { name: "a constant", source: REPLAY.constant, score: 1, says: /Another hash|never changes/ },
]);

describe("the hidden test", () => {
  test("a long message tells signed bytes and right answers apart", async () => {
    const right = await namesIn(CHECKSUM.shifts);
    const wrong = await namesIn(CHECKSUM.signedBytes);
    expect(judge(longChecksumCheck, right["checksum"]).score).toBe(1);
    expect(judge(longChecksumCheck, wrong["checksum"]).score).toBe(0);
  });
});
