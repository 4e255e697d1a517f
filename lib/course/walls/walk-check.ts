/** Exercise 02.3, build: the page walk, against the machine's own on random tables. */
import fc from "fast-check";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { describeInert } from "../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../checks/property.ts";
import {
  caseWords,
  type Family,
  machineWalk,
  type WalkCase,
  walkArguments,
  walkCases,
} from "./walk-cases.ts";
import { walkHint } from "./walk-hints.ts";

/** Walks per instance of a check and property: four properties and 40 instances make 2,000. */
const WALKS_PER_INSTANCE = 12.5;
/** Walks that go to the other side in one message. */
const BATCH = 500;

/** Judges one answer to one walk. */
type Compare = (walk: WalkCase, outcome: Outcome | undefined) => Broken | undefined;

export const compareWalk: Compare = (walk, outcome) => {
  const wanted = machineWalk(walk);
  const detail = caseWords(walk);
  if (outcome?.ok !== true)
    return {
      hint: `Your function ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${detail}`,
    };
  const got = outcome.value;
  if (typeof got !== "bigint" && typeof got !== "number")
    return { hint: "Return a physical address (bigint) or the code of the fault (number).", detail };
  if (got === wanted.result) return undefined;
  return {
    hint: walkHint(wanted, got),
    detail: `${detail} — the machine gives ${describeInert(wanted.result)}, you give ${describeInert(got)}`,
  };
};

/** Holds an answer against the machine on many walks; the first that differs is made smaller. */
export function judgeWalks(
  answer: Answer,
  run: CheckRun,
  cases: fc.Arbitrary<WalkCase>,
  salt: number,
  argumentsOf = walkArguments,
  compare: Compare = compareWalk,
): Finding {
  if (!answer.isFunction) return fails("The answer must be a function.");
  const seed = (run.seed.value + salt) | 0;
  const walks = fc.sample(cases, { seed, numRuns: Math.ceil(run.instances * WALKS_PER_INSTANCE) });
  for (let from = 0; from < walks.length; from += BATCH) {
    const batch = walks.slice(from, from + BATCH);
    const outcomes = answer.callEach(batch.map(argumentsOf));
    const at = batch.findIndex((walk, index) => compare(walk, outcomes[index]) !== undefined);
    const first = batch[at];
    if (first === undefined) continue;
    const one = (walk: WalkCase) => compare(walk, answer.call(...argumentsOf(walk)));
    const details = fc.check(
      fc.property(cases, (walk) => one(walk) === undefined),
      { seed, numRuns: from + at + 1 },
    );
    const smallest = details.counterexample?.[0] ?? first;
    const shown = one(smallest) ?? compare(first, outcomes[at]);
    return shown === undefined
      ? fails("A walk failed once and passed when tried again.")
      : fails(shown.hint, shown.detail);
  }
  return HOLDS;
}

const property = (id: Family, says: string, salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judgeWalks(answer, run, walkCases(id), salt),
});

/** Check of exercise 02.3. */
export const walkCheck: Check = defineCheck({
  id: "02.3",
  title: "Walk like the machine",
  points: 4,
  properties: [
    property("pages", "pages of 4 KiB are found, and holes fault", 31),
    property("large", "large pages are found where they are aligned", 32),
    property("rights", "U, SUM, MXR, R, W, X, A and D decide as they do in the machine", 33),
    property("malformed", "entries and addresses that mean nothing fault", 34),
  ],
});
