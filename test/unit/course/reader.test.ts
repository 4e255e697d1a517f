/** What talks to the reader: self-test, predictions, the ledger, hints. */
import { describe, expect, it } from "vitest";
import { CLAIMS, claim, ledger } from "../../../lib/course/claim.ts";
import { predict } from "../../../lib/course/prediction.ts";
import { type Choice, questionsOf, quiz } from "../../../lib/course/quiz.ts";
import { changedRegisters, registerDiff } from "../../../lib/course/register-diff.ts";

const textOf = (bundle: Readonly<Record<string, unknown>>): string => String(bundle["text/plain"]);

describe("the self-test", () => {
  const right: Choice[] = questionsOf("01").map((question) => question.right);

  it("shows every question with its choices before an answer, and no reason yet", () => {
    const text = textOf(quiz("01"));
    for (const question of questionsOf("01")) {
      expect(text).toContain(question.ask);
      expect(text).toContain(question.choices.c);
      expect(text).not.toContain(question.because);
    }
  });

  it("counts right answers, and gives the reason after a wrong one too", () => {
    expect(textOf(quiz("01", right))).toContain(`${right.length} of ${right.length} right.`);
    const wrong: Choice = right[0] === "a" ? "b" : "a";
    const text = textOf(quiz("01", [wrong]));
    expect(text).toContain(`0 of 1 right, ${right.length - 1} to go.`);
    expect(text).toContain(questionsOf("01")[0]?.because);
  });

  it("has a right answer that arithmetic confirms, where arithmetic can", () => {
    const [hex, values, mask, ones, entry] = questionsOf("01").map(
      (question) => question.choices[question.right],
    );
    expect(hex).toBe(String(0x2a));
    expect(values?.replace(",", "")).toBe(String(2 ** 12));
    expect(Number(mask)).toBe((0b1011 >> 1) & 0b11);
    expect(ones?.replace("\u2212", "-")).toBe(String(BigInt.asIntN(64, (1n << 64n) - 1n)));
    expect(Number(entry)).toBe(0x1000 + 3 * 8);
  });
});

describe("a prediction", () => {
  it("takes a bigint for the number that the reader wrote", () => {
    expect(textOf(predict("a0?", 15).against(15n))).toContain("You saw it coming");
    expect(textOf(predict("a0?", 0).against(15n))).toContain("something to explain");
    expect(textOf(predict("same?", "no").against("yes"))).toContain("something to explain");
    expect(textOf(predict("a0?", 1.5).against(15n))).toContain("something to explain");
  });
});

describe("a prediction that was not made", () => {
  it("is none, and nobody is told that it was wrong", () => {
    const text = textOf(predict("a0?", "?").against(15n));
    expect(text).toContain("your prediction: none yet");
    expect(text).toContain("the machine:     15");
    expect(text).not.toContain("something to explain");
  });
});

describe("the ledger", () => {
  it("prints the claim of the essay, the verdict and the evidence", () => {
    const text = textOf(
      ledger([
        claim(
          "C4",
          "undecided",
          [{ metric: "reads stopped", count: 320, trials: 320, seed: 7 }],
          "One wall.",
        ),
      ]),
    );
    expect(text).toContain(CLAIMS.C4);
    expect(text).toContain("undecided: One wall.");
    expect(text).toContain("reads stopped: 320 of 320 (seed 7)");
  });
});

describe("the register diff", () => {
  it("lists what changed and nothing else, small values as people write them", () => {
    const before = { pc: 0x8000_0000n, a0: 0n, a1: 5n };
    const after = { pc: 0x8000_0014n, a0: 0xffff_ffff_ffff_ffffn, a1: 5n };
    expect(changedRegisters(before, after).map((change) => change.register)).toEqual(["pc", "a0"]);
    expect(textOf(registerDiff(before, after))).toMatch(/a0\s+0\s+-1/);
    expect(textOf(registerDiff(before, before))).toContain("no register differs");
  });
});
