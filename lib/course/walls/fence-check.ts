/** Exercise 02.5, break: the reader's own property test must tell kernels that forget a fence from one that does not. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import {
  type FenceHabit,
  FORGETFUL_KERNELS,
  firstWrongLoad,
  historyWords,
  PAGES,
  type PageEvent,
  type PageOp,
  RIGHT_KERNEL,
  runKernel,
} from "./fence-machine.ts";

/** Trials that one property runs, and the longest that is run. */
const TRIALS = 20;
const MOST_OPS = 200;

const smallNumber = (value: Inert): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < PAGES ? value : undefined;

function opOf(value: Inert): PageOp | undefined {
  const op = member(value, "op");
  const page = smallNumber(member(value, "page"));
  if (page === undefined) return undefined;
  if (op === "unmap" || op === "load") return { op, page };
  const frame = smallNumber(member(value, "frame"));
  return op === "map" && frame !== undefined ? { op, page, frame } : undefined;
}

const SHAPE = `trial must return a list of at most ${MOST_OPS} requests: { op: "map", page, frame }, { op: "unmap", page } or { op: "load", page }, with numbers from 0 to ${PAGES - 1}.`;

/** The trials of an answer, or what is wrong with them. */
function trialsOf(answer: Answer, run: CheckRun): readonly (readonly PageOp[])[] | Finding {
  const trial = answer.at("trial");
  if (!trial.isFunction || !answer.at("isWrong").isFunction)
    return fails("The answer must be { trial, isWrong }: two functions.");
  const word = seededWords(run.seed.value ^ 0x0206);
  const seeds = Array.from({ length: Math.min(TRIALS, run.instances) }, () => word() % 1_000_000);
  const trials: PageOp[][] = [];
  for (const outcome of trial.callEach(seeds.map((seed) => [seed]))) {
    if (!outcome.ok) return fails(`trial ${outcome.category}.`, outcome.message);
    const list =
      Array.isArray(outcome.value) && outcome.value.length <= MOST_OPS
        ? outcome.value.map(opOf)
        : [undefined];
    if (list.includes(undefined)) return fails(SHAPE);
    trials.push(list as PageOp[]);
  }
  if (trials.every((ops) => ops.length === 0))
    return fails("A trial without requests shows nothing: map pages, change them, and load from them.");
  return trials;
}

const inertHistory = (history: readonly PageEvent[]): Inert => history.map((event) => ({ ...event }));

/** What the answer says of each history. */
function verdictsOn(
  answer: Answer,
  histories: readonly (readonly PageEvent[])[],
): readonly boolean[] | Finding {
  const outcomes = answer.at("isWrong").callEach(histories.map((history) => [inertHistory(history)]));
  const verdicts: boolean[] = [];
  for (const outcome of outcomes) {
    if (!outcome.ok) return fails(`isWrong ${outcome.category}.`, outcome.message);
    if (typeof outcome.value !== "boolean") return fails("isWrong must return true or false.");
    verdicts.push(outcome.value);
  }
  return verdicts;
}

const isFinding = <Value>(value: readonly Value[] | Finding): value is Finding => !Array.isArray(value);

function judgeRight(answer: Answer, run: CheckRun): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const histories = trials.map((ops) => runKernel(ops, RIGHT_KERNEL));
  if (!histories.some((history) => history.some(({ saw }) => saw !== undefined && saw >= 0)))
    return fails("No load of any trial finds a page: map before you load.");
  const verdicts = verdictsOn(answer, histories);
  if (isFinding(verdicts)) return verdicts;
  const accused = histories[verdicts.indexOf(true)];
  if (accused === undefined) return HOLDS;
  return fails(
    "A kernel that gives every fence is accused. A load must see the frame of the last map of its page, or fault after an unmap and before the first map.",
    historyWords(accused),
  );
}

function judgeMutant(answer: Answer, run: CheckRun, habit: FenceHabit): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const histories = trials
    .map((ops) => runKernel(ops, habit))
    .filter((history) => firstWrongLoad(history) >= 0);
  const [first] = histories;
  if (first === undefined)
    return fails(
      "No trial brings the mistake to light: every load saw what it should. A hart remembers a page only after a load, so load before the change and again behind it.",
    );
  const verdicts = verdictsOn(answer, histories);
  if (isFinding(verdicts)) return verdicts;
  if (verdicts.includes(true)) {
    // Whoever accuses everybody has caught nobody.
    const right = verdictsOn(
      answer,
      trials.map((ops) => runKernel(ops, RIGHT_KERNEL)),
    );
    if (isFinding(right)) return right;
    return right.includes(true)
      ? fails("The kernel without mistakes is accused too, so this says nothing.")
      : HOLDS;
  }
  return fails(
    "A load saw the wrong frame, and isWrong did not notice: keep a map from page to frame while you read the history, and compare.",
    historyWords(first.slice(0, firstWrongLoad(first) + 1)),
  );
}

const PROPERTIES: readonly Property[] = [
  { id: "right", says: "a kernel that gives every fence is never accused", weight: 1, run: judgeRight },
  ...FORGETFUL_KERNELS.map((habit) => ({
    id: habit.name,
    says: habit.says,
    weight: 1,
    run: (answer: Answer, run: CheckRun) => judgeMutant(answer, run, habit),
  })),
];

/** Check of exercise 02.5. */
export const fenceCheck: Check = defineCheck({
  id: "02.5",
  title: "Catch the missing fence",
  points: 5,
  properties: PROPERTIES,
});
