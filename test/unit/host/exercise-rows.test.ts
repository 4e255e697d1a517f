/** The table of answers and what they earn: what differs is marked, counted, and never lost in sorting. */
import { describe, expect, it } from "vitest";
import { type ExerciseRow, isAsExpected, rowText, tableText } from "../../../lib/host/exercise-rows.ts";

const row = (exercise: string, answer: string, expected: number, got: number): ExerciseRow => ({
  ...{ exercise, answer, points: 4, expected, got, message: "A sentence.\nAnd details." },
});
const RIGHT = row("02.3", "the reference answer", 4, 4);
const WRONG = row("02.1", "MXR forgotten", 3, 2);

describe("a row", () => {
  it("is one line: exercise, answer, expected, points, got, the first line of what the student is told", () => {
    expect(rowText(RIGHT).split(/ {2,}/)).toEqual([
      "",
      "02.3",
      "the reference answer",
      "4 of 4",
      "4",
      "A sentence.",
    ]);
  });

  it("begins with ! when it differs, and only then", () => {
    expect(rowText(RIGHT)).toMatch(/^ {2}/);
    expect(rowText(WRONG)).toMatch(/^! 02\.1/);
    expect(isAsExpected(row("02.1", "thirds", 1, 1 / 3 + 1 / 3 + 1 / 3))).toBe(true);
  });
});

describe("the table", () => {
  it("is in the order of the exercises, answers in the order that they came, with a sum", () => {
    const later = row("02.1", "nothing", 0, 0);
    const lines = tableText([RIGHT, WRONG, later]).split("\n");
    expect(lines.map((line) => line.slice(0, 6))).toEqual(["  exer", "! 02.1", "  02.1", "  02.3", "3 answ"]);
    expect(lines[2]).toContain("nothing");
    expect(lines.at(-1)).toBe("3 answers to 2 exercises, 1 earn something else than they should");
  });

  it("shows only what differs when asked to, and counts all", () => {
    expect(tableText([RIGHT, WRONG], true).split("\n")).toHaveLength(3);
    expect(tableText([RIGHT], true)).toMatch(/1 answers to 1 exercises, 0 earn/);
  });
});
