/** Exercise 05.4, build: a scheduler that counts exactly, against what max-min fairness gives to each. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { type Habit, type Outturn, type Played, playScenes, type Scene, SLICE } from "./share-simulation.ts";

/** A share may differ from what is fair by two hundredths of the hart. */
const TOLERANCE = 0.02;
const WORKER = { work: Infinity, sleep: 0, begins: 0 } as const;

type Words = () => number;
type Verdict = { readonly message: string; readonly detail: string } | undefined;

interface Trial {
  readonly scene: Scene;
  readonly judge: (outturns: readonly Outturn[], ended: number) => Verdict;
}

const weightsOf = (habits: readonly Habit[]): string => habits.map(({ weight }) => weight).join(" : ");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether those who never sleep have divided what they had together by weight. */
function byWeight(habits: readonly Habit[], outturns: readonly Outturn[], message: string): Verdict {
  const busy = habits.flatMap((habit, index) =>
    habit.sleep === 0 ? [{ habit, ran: outturns[index]?.ran ?? 0 }] : [],
  );
  const all = busy.reduce((sum, { ran }) => sum + ran, 0);
  const weights = busy.reduce((sum, { habit }) => sum + habit.weight, 0);
  for (const { habit, ran } of busy) {
    const [share, fair] = [ran / Math.max(1, all), habit.weight / weights];
    if (Math.abs(share - fair) > TOLERANCE)
      return {
        message,
        detail: `weights ${weightsOf(habits)}: the one with ${habit.weight} had ${percent(share)} and should have had ${percent(fair)}`,
      };
  }
  return undefined;
}

function weights(word: Words): Trial {
  const habits = Array.from({ length: 2 + (word() % 3) }, () => ({ ...WORKER, weight: 64 + (word() % 960) }));
  return {
    scene: { habits, decisions: 400 },
    judge: (outturns) =>
      byWeight(
        habits,
        outturns,
        "Guests that always want the hart do not share it by weight. Twice the weight makes a tick half as expensive; choose who has used least.",
      ),
  };
}

function sleepers(word: Words): Trial {
  const busy = Array.from({ length: word() % 3 }, () => ({ ...WORKER, weight: 128 + (word() % 384) }));
  const habits = [
    ...busy,
    ...Array.from({ length: busy.length === 0 ? 2 : 1 }, () => ({
      weight: 256 + (word() % 256),
      work: 200 + (word() % 300),
      sleep: 6_000 + (word() % 4_000),
      begins: 0,
    })),
  ];
  return {
    scene: { habits, decisions: 400 },
    judge: (outturns) => {
      const wait = outturns.at(-1)?.longestWait ?? 0;
      if (wait > 4 * SLICE)
        return {
          message:
            "A guest that wants little and seldom waits long each time it wakes. Whoever has used least comes first, also among those who have just come.",
          detail: `weights ${weightsOf(habits)}, the last one sleeps: once it waited ${wait} ticks`,
        };
      return byWeight(habits, outturns, "What a sleeper leaves is not divided by weight among the others.");
    },
  };
}

function hoarders(word: Words): Trial {
  const weight = 128 + (word() % 512);
  const begins = (60 + (word() % 60)) * SLICE;
  const habits = [
    { ...WORKER, weight },
    { ...WORKER, weight, begins },
  ];
  return {
    scene: { habits, decisions: 300 },
    judge: (outturns, ended) => {
      const shares = outturns.map(({ ranSince }) => ranSince(begins) / (ended - begins));
      const [first = 0, late = 0] = shares;
      if (first >= 0.4 && late >= 0.4) return undefined;
      return {
        message:
          first < 0.4
            ? "A guest that slept for long takes the hart for itself when it wakes: it has saved up its turns. wake must bring it up to those who are ready."
            : "A guest that wakes late hardly gets the hart. It should stand no worse than those who are ready.",
        detail: `same weights; one woke at ${begins}: from then on they had ${shares.map(percent).join(" and ")}`,
      };
    },
  };
}

function yielders(word: Words): Trial {
  const weight = 128 + (word() % 512);
  const habits = [
    { ...WORKER, weight },
    { ...WORKER, weight, work: 80 + (word() % 500) },
  ];
  return {
    scene: { habits, decisions: 800 },
    judge: (outturns) =>
      byWeight(
        habits,
        outturns,
        "A guest that gives the hart back early is charged for more than it ran, or for less. Charge the ticks that it ran, no slice.",
      ),
  };
}

/** Scenes of one check and one property. */
const SCENES = 12;

function judgeTrials(answer: Answer, run: CheckRun, salt: number, make: (word: Words) => Trial): Finding {
  const names = ["charge", "wake", "choose"];
  if (!names.every((name) => answer.at(name).isFunction))
    return fails("The answer must be { charge, wake, choose }: three functions.");
  const word = seededWords(run.seed.value ^ salt);
  const trials = Array.from({ length: Math.max(3, Math.min(SCENES, run.instances)) }, () => make(word));
  const played: readonly Played[] = playScenes(
    answer,
    trials.map(({ scene }) => scene),
  );
  for (const [index, { judge }] of trials.entries()) {
    const result = played[index];
    if (result === undefined) continue;
    if ("broken" in result) return fails(result.broken);
    const verdict = judge(result.outturns, result.ended);
    if (verdict !== undefined) return fails(verdict.message, verdict.detail);
  }
  return HOLDS;
}

const property = (
  id: string,
  says: string,
  weight: number,
  salt: number,
  make: (word: Words) => Trial,
): Property => ({
  id,
  says,
  weight,
  run: (answer, run) => judgeTrials(answer, run, salt, make),
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
