/** Exercise 05.4, build: a scheduler that counts exactly, against what max-min fairness gives to each. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Broken, fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { type Habit, type Outturn, playScenes, SLICE } from "./share-simulation.ts";
import { smallest } from "./smallest.ts";

/** A share may differ from what is fair by two hundredths of the hart. */
const TOLERANCE = 0.02;
const WORKER = { work: Infinity, sleep: 0, begins: 0 } as const;

type Words = () => number;
type Verdict = Broken | undefined;

/** What guests are drawn for a property, and how what became of them is judged. */
interface Trial {
  readonly decisions: number;
  readonly draw: (word: Words) => readonly Habit[];
  readonly judge: (habits: readonly Habit[], outturns: readonly Outturn[], ended: number) => Verdict;
}

const weightsOf = (habits: readonly Habit[]): string => habits.map(({ weight }) => weight).join(" : ");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether those who never sleep have divided what they had together by weight. */
function byWeight(habits: readonly Habit[], outturns: readonly Outturn[], hint: string): Verdict {
  const busy = habits.flatMap((habit, index) =>
    habit.sleep === 0 ? [{ habit, ran: outturns[index]?.ran ?? 0 }] : [],
  );
  const all = busy.reduce((sum, { ran }) => sum + ran, 0);
  const weights = busy.reduce((sum, { habit }) => sum + habit.weight, 0);
  for (const { habit, ran } of busy) {
    const [share, fair] = [ran / Math.max(1, all), habit.weight / weights];
    if (Math.abs(share - fair) > TOLERANCE)
      return {
        hint,
        detail: `weights ${weightsOf(habits)}: the one with ${habit.weight} had ${percent(share)} and should have had ${percent(fair)}`,
      };
  }
  return undefined;
}

const weights: Trial = {
  decisions: 400,
  draw: (word) =>
    Array.from({ length: 2 + (word() % 3) }, () => ({ ...WORKER, weight: 64 + (word() % 960) })),
  judge: (habits, outturns) =>
    byWeight(
      habits,
      outturns,
      "Guests that always want the hart do not share it by weight. Twice the weight makes a tick half as expensive; choose who has used least.",
    ),
};

/** The last one sleeps. */
const sleepers: Trial = {
  decisions: 400,
  draw: (word) => {
    const busy = Array.from({ length: word() % 3 }, () => ({ ...WORKER, weight: 128 + (word() % 384) }));
    return [
      ...busy,
      ...Array.from({ length: busy.length === 0 ? 2 : 1 }, () => ({
        weight: 256 + (word() % 256),
        work: 200 + (word() % 300),
        sleep: 6_000 + (word() % 4_000),
        begins: 0,
      })),
    ];
  },
  judge: (habits, outturns) => {
    const wait = outturns.at(-1)?.longestWait ?? 0;
    if (wait > 4 * SLICE)
      return {
        hint: "A guest that wants little and seldom waits long each time it wakes. Whoever has used least comes first, also among those who have just come.",
        detail: `weights ${weightsOf(habits)}, the last one sleeps: once it waited ${wait} ticks`,
      };
    return byWeight(habits, outturns, "What a sleeper leaves is not divided by weight among the others.");
  },
};

/** Two of the same weight; the last one begins late. */
const hoarders: Trial = {
  decisions: 300,
  draw: (word) => {
    const weight = 128 + (word() % 512);
    const begins = (60 + (word() % 60)) * SLICE;
    return [
      { ...WORKER, weight },
      { ...WORKER, weight, begins },
    ];
  },
  judge: (habits, outturns, ended) => {
    const begins = habits.at(-1)?.begins ?? 0;
    const shares = outturns.map(({ ranSince }) => ranSince(begins) / (ended - begins));
    const [first = 0, late = 0] = shares;
    if (first >= 0.4 && late >= 0.4) return undefined;
    return {
      hint:
        first < 0.4
          ? "A guest that slept for long takes the hart for itself when it wakes: it has saved up its turns. wake must bring it up to those who are ready."
          : "A guest that wakes late hardly gets the hart. It should stand no worse than those who are ready.",
      detail: `same weights; one woke at ${begins}: from then on they had ${shares.map(percent).join(" and ")}`,
    };
  },
};

/** Two of the same weight; the last one gives the hart back early. */
const yielders: Trial = {
  decisions: 800,
  draw: (word) => {
    const weight = 128 + (word() % 512);
    return [
      { ...WORKER, weight },
      { ...WORKER, weight, work: 80 + (word() % 500) },
    ];
  },
  judge: (habits, outturns) =>
    byWeight(
      habits,
      outturns,
      "A guest that gives the hart back early is charged for more than it ran, or for less. Charge the ticks that it ran, no slice.",
    ),
};

const ROUND = 128;

/** The same guests but one, or with round weights. The last one stays, who may be a special one. */
function simplerHabits(habits: readonly Habit[]): readonly (readonly Habit[])[] {
  const rounded = habits.map((habit) => ({
    ...habit,
    weight: Math.max(ROUND, ROUND * Math.round(habit.weight / ROUND)),
  }));
  return [
    ...(habits.length > 2 ? habits.slice(0, -1) : []).map((left) => habits.filter((habit) => habit !== left)),
    ...(habits.every(({ weight }) => weight % ROUND === 0) ? [] : [rounded]),
  ];
}

/** Scenes of one check and one property. */
const SCENES = 12;

function judgeTrials(answer: Answer, run: CheckRun, salt: number, trial: Trial): Finding {
  const names = ["charge", "wake", "choose"];
  if (!names.every((name) => answer.at(name).isFunction))
    return fails("The answer must be { charge, wake, choose }: three functions.");
  const broken = (batch: readonly (readonly Habit[])[]): readonly Verdict[] =>
    playScenes(
      answer,
      batch.map((habits) => ({ habits, decisions: trial.decisions })),
    ).map((result, index) =>
      "broken" in result
        ? { hint: result.broken, detail: `weights ${weightsOf(batch[index] ?? [])}` }
        : trial.judge(batch[index] ?? [], result.outturns, result.ended),
    );
  const word = seededWords(run.seed.value ^ salt);
  const drawn = Array.from({ length: Math.max(3, Math.min(SCENES, run.instances)) }, () => trial.draw(word));
  const found = broken(drawn);
  const at = found.findIndex((verdict) => verdict !== undefined);
  const [habits, first] = [drawn[at], found[at]];
  if (habits === undefined || first === undefined) return HOLDS;
  const { hint, detail } = smallest(habits, first, { candidates: simplerHabits, broken });
  return fails(hint, detail);
}

const property = (id: string, says: string, weight: number, salt: number, trial: Trial): Property => ({
  id,
  says,
  weight,
  run: (answer, run) => judgeTrials(answer, run, salt, trial),
});

/** Check of exercise 05.4. */
export const shareCheck: Check = defineCheck({
  id: "05.4",
  title: "A scheduler that counts",
  points: 5,
  properties: [
    property(
      "weights",
      "guests that always want the hart share it by weight, within 2 %",
      2,
      0x0504,
      weights,
    ),
    property(
      "sleepers",
      "who sleeps much need not wait, and what it leaves is shared by weight",
      1,
      0x1504,
      sleepers,
    ),
    property("hoard", "nobody saves up turns by sleeping", 1, 0x2504, hoarders),
    property("yield", "who gives the hart back early is charged for what it ran", 1, 0x3504, yielders),
  ],
});
