/** Checks, properties, scores, seeds: what a verdict is made of. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { AnswerLost, localAnswer } from "../../../lib/checks/answer.ts";
import { defineCheck, type Verdict, verdictText } from "../../../lib/checks/check.ts";
import { fails, forAll, forAllAtOnce, HOLDS } from "../../../lib/checks/property.ts";
import { check, registerChecks, setCheckHost } from "../../../lib/checks/registry.ts";
import { clampShare, pointsFor, roundPoints } from "../../../lib/checks/score.ts";
import { describeSeed, seededWords, seedFor } from "../../../lib/checks/seed.ts";
import { verdictBundle } from "../../../lib/checks/verdict-bundle.ts";
import { type MimeBundle, setDisplaySink } from "../../../lib/notebook/display.ts";

const add = (salt: number) => ({
  id: `add-${salt}`,
  says: "add adds",
  weight: 1,
  run: (answer: ReturnType<typeof localAnswer>, run: Parameters<typeof forAll>[1]) =>
    forAll(fc.tuple(fc.integer(), fc.integer()), run, salt, ([a, b]) => {
      const outcome = answer.call(a, b);
      if (!outcome.ok) return { hint: `add ${outcome.category}.`, detail: outcome.message };
      return outcome.value === a + b ? undefined : { hint: "The sum is wrong.", detail: `add(${a}, ${b})` };
    }),
});

const addCheck = defineCheck({
  id: "unit-add",
  title: "Addition",
  points: 3,
  properties: [
    add(1),
    { id: "never", says: "half of it fails", weight: 2, run: () => fails("no luck", "secret 42") },
  ],
});

describe("a check", () => {
  test("gives credit property by property", () => {
    const verdict = addCheck.run(localAnswer((a: number, b: number) => a + b));
    expect(verdict).toMatchObject({ passed: false, score: 1, most: 3, message: "no luck" });
    expect(verdict.properties.map(({ passed }) => passed)).toEqual([true, false]);
  });

  test("shrinks a counterexample to a small one and says it in words", () => {
    const verdict = addCheck.run(localAnswer((a: number, b: number) => (a > 10 ? 0 : a + b)));
    expect(verdict.properties[0]).toMatchObject({ message: "The sum is wrong." });
    expect(verdict.properties[0]?.detail).toMatch(/^add\(11, /);
  });

  test("keeps particulars and the seed for places where inputs are not hidden", () => {
    const verdict = addCheck.run(localAnswer(() => 0));
    expect(verdictText(verdict, false)).not.toMatch(/secret|seed|add\(/);
    expect(verdictText(verdict, true)).toMatch(/secret 42[\s\S]*seed 0x[0-9a-f]{8} \(unit-add\/visible\)/);
  });

  test("judges the same answer the same way, and another seed draws other inputs", () => {
    const draws = (name: string): readonly unknown[] => {
      const seen: unknown[] = [];
      addCheck.run(
        localAnswer((...args: unknown[]) => seen.push(args)),
        { seed: seedFor(name), instances: 3 },
      );
      return seen;
    };
    expect(draws("alice")).toEqual(draws("alice"));
    expect(draws("alice")).not.toEqual(draws("bob"));
  });

  test("counts a property that throws as nothing and goes on, unless the answer itself is lost", () => {
    const broken = (error: Error) =>
      defineCheck({
        id: "broken",
        title: "Broken",
        points: 2,
        properties: [
          {
            id: "a",
            says: "a",
            weight: 1,
            run: () => {
              throw error;
            },
          },
          { id: "b", says: "b", weight: 1, run: () => HOLDS },
        ],
      });
    expect(broken(new Error("our bug")).run(localAnswer(1))).toMatchObject({ score: 1 });
    expect(() => broken(new AnswerLost()).run(localAnswer(1))).toThrow(AnswerLost);
  });

  test("in batches reports the same failure as one by one", () => {
    const run = { seed: seedFor("batch"), instances: 50 };
    const broken = (n: number) => (n > 100 ? { hint: "too large", detail: `${n}` } : undefined);
    const single = forAll(fc.nat(), run, 1, broken);
    const batch = forAllAtOnce(fc.nat(), run, 1, (all) => all.map(broken));
    expect(batch).toEqual(single);
    expect(batch.detail).toBe("101");
  });
});

describe("check(…) in a notebook", () => {
  const shown: MimeBundle[] = [];
  afterEach(() => {
    setDisplaySink(undefined);
    setCheckHost(undefined);
    shown.length = 0;
  });

  test("shows text and markup, and never throws", () => {
    setDisplaySink((bundle) => shown.push(bundle));
    registerChecks([addCheck]);
    check("unit-add", () => {
      throw new Error("<b>boom</b>");
    });
    check("unit-add", undefined);
    check("no such check", 1);
    expect(shown.map((bundle) => Object.keys(bundle))).toEqual(Array(3).fill(["text/plain", "text/html"]));
    expect(String(shown[0]?.["text/html"])).not.toContain("<b>");
    expect(String(shown[2]?.["text/plain"])).toContain("There is no check");
  });

  test("can be listened to by a host, which also chooses the seed", () => {
    const verdicts: Verdict[] = [];
    registerChecks([addCheck]);
    setCheckHost({
      answer: localAnswer,
      run: () => ({ seed: seedFor("host"), instances: 1 }),
      report: (verdict) => verdicts.push(verdict),
    });
    check("unit-add", 1);
    expect(verdicts[0]?.seed.name).toBe("host");
  });
});

describe("a score", () => {
  test.each([
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [-0, 0],
    [-5, 0],
    [1e308, 1],
    ["1", 0],
    [undefined, 0],
    [0.5, 0.5],
  ])("clamps a share of %s to %s", (share, expected) => {
    expect(Object.is(clampShare(share), expected)).toBe(true);
  });

  test("is rounded one way and never -0", () => {
    expect(roundPoints(0.1 + 0.2)).toBe(0.3);
    expect(Object.is(roundPoints(-1e-9), 0)).toBe(true);
    expect(pointsFor(1 / 3, 1)).toBe(0.3333);
  });
});

describe("a seed", () => {
  test("depends on every name and their order", () => {
    const all = [["a", "b"], ["b", "a"], ["a"], ["ab"], ["a", "c"]].map((names) => seedFor(...names).value);
    expect(new Set(all).size).toBe(all.length);
    expect(describeSeed(seedFor("a", "b"))).toMatch(/^0x[0-9a-f]{8} \(a\/b\)$/);
  });

  test("draws words that look evenly spread", () => {
    const word = seededWords(1);
    const ones = Array.from({ length: 4_096 }, () => word().toString(2).replaceAll("0", "").length);
    const mean = ones.reduce((sum, count) => sum + count, 0) / ones.length;
    expect(mean).toBeGreaterThan(15.8);
    expect(mean).toBeLessThan(16.2);
  });
});

test("markup of a verdict escapes what came from outside", () => {
  const evil = defineCheck({
    id: "evil",
    title: "<script>",
    points: 1,
    properties: [
      { id: "p", says: "<i>", weight: 1, run: () => fails('"><img onerror=x>', "\u001b[31m\u202e") },
    ],
  });
  const html = String(verdictBundle(evil.run(localAnswer(0)))["text/html"]);
  expect(html).not.toMatch(/<script|<img|<i>|\u001b|\u202e/);
});
