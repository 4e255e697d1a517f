/** Exercise 03.6, measure: from counts to a price, and from the price to a prediction that a machine confirms. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { describeInert, type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { type DensityRun, densityRun } from "../../vmm/density.ts";

/** What the reader works out. */
export interface Price {
  /** Exits in a thousand instructions of the guest, over all runs. */
  readonly perThousand: number;
  /** Instructions of the machine for one of the guest's, over all runs. */
  readonly slowdown: number;
  /** Instructions of the monitor for one exit, over all runs; 0 where there was none. */
  readonly price: number;
}

const sum = (runs: readonly DensityRun[], of: keyof DensityRun): number =>
  runs.reduce((total, run) => total + run[of], 0);

/** The model. */
export function priceOf(runs: readonly DensityRun[]): Price {
  const [bare, machine, exits] = [sum(runs, "bare"), sum(runs, "machine"), sum(runs, "exits")];
  return {
    perThousand: (1000 * exits) / bare,
    slowdown: machine / bare,
    price: exits === 0 ? 0 : (machine - bare) / exits,
  };
}

const runs: fc.Arbitrary<readonly DensityRun[]> = fc.array(
  fc
    .record({
      bare: fc.integer({ min: 1, max: 20 }),
      share: fc.integer({ min: 0, max: 9 }),
      price: fc.integer({ min: 60, max: 200 }),
    })
    .map(({ bare, share, price }) => ({
      bare: bare * 1000,
      exits: bare * share,
      machine: bare * 1000 + bare * share * price,
    })),
  { minLength: 1, maxLength: 4 },
);

const isClose = (left: number, right: number, within = 1e-6): boolean =>
  Math.abs(left - right) <= within * Math.max(1, Math.abs(right));

const HINTS: Readonly<Record<keyof Price, string>> = {
  perThousand:
    "Exits in a thousand instructions of the guest: 1000 \u00d7 exits / bare, with sums over all runs.",
  slowdown:
    "Instructions of the machine for each of the guest\u2019s: machine / bare, with sums over all runs.",
  price:
    "What the machine did more than the guest, machine \u2212 bare, divided by exits; 0 where there were none.",
};

/** Ways to miscount, and what to say about each. */
const HABITS: readonly (readonly [
  name: keyof Price,
  of: (runs: readonly DensityRun[]) => number,
  hint: string,
])[] = [
  [
    "perThousand",
    (list) => (1000 * sum(list, "exits")) / sum(list, "machine"),
    "The guest has executed bare instructions; machine counts the monitor\u2019s, too.",
  ],
  [
    "perThousand",
    (list) => (100 * sum(list, "exits")) / sum(list, "bare"),
    "That is a percentage. A thousand was asked for.",
  ],
  [
    "perThousand",
    (list) => list.reduce((all, one) => all + (1000 * one.exits) / one.bare, 0) / list.length,
    "The mean of ratios is not the ratio of sums: a short run must not count as much as a long one.",
  ],
  [
    "slowdown",
    (list) => list.reduce((all, one) => all + one.machine / one.bare, 0) / list.length,
    "The mean of ratios is not the ratio of sums: a short run must not count as much as a long one.",
  ],
  [
    "slowdown",
    (list) => sum(list, "machine") / sum(list, "bare") - 1,
    "That is the overhead. A slowdown of 1 means no overhead.",
  ],
  [
    "price",
    (list) => sum(list, "machine") / Math.max(1, sum(list, "exits")),
    "Most of machine are the guest\u2019s own instructions: take bare away first.",
  ],
];

function compare(
  list: readonly DensityRun[],
  value: Inert,
  names: readonly (keyof Price)[],
): Broken | undefined {
  const model = priceOf(list);
  for (const name of names) {
    const got = member(value, name);
    if (typeof got === "number" && isClose(got, model[name])) continue;
    const detail = `${JSON.stringify(list)} \u2014 ${name} is ${model[name]}, you say ${describeInert(got)}`;
    if (typeof got !== "number")
      return { hint: `Return { perThousand, slowdown, price }; ${name} must be a number.`, detail };
    if (Number.isNaN(got)) return { hint: "Without exits the price is 0, not 0 / 0.", detail };
    const habit = HABITS.find(([which, of]) => which === name && isClose(of(list), got));
    return { hint: habit?.[2] ?? HINTS[name], detail };
  }
  return undefined;
}

const QUIET: readonly DensityRun[] = [{ bare: 1000, machine: 1000, exits: 0 }];

function judge(answer: Answer, run: CheckRun, names: readonly (keyof Price)[]): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of runs.");
  // A list without exits is rare among those drawn by lot, and 0 / 0 is easily written.
  const quiet = answer.call(QUIET.map((one) => ({ ...one })));
  if (quiet.ok && Number.isNaN(member(quiet.value, "price"))) {
    const broken = compare(QUIET, quiet.value, names);
    if (broken !== undefined) return fails(broken.hint, broken.detail);
  }
  return forAllAtOnce(runs, run, 61, (batch) => {
    const outcomes = answer.callEach(batch.map((list) => [list.map((one) => ({ ...one }))]));
    return batch.map((list, index) => {
      const outcome = outcomes[index];
      return outcome?.ok === true
        ? compare(list, outcome.value, names)
        : { hint: `Your function ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    });
  });
}

/** Two runs of the machine give a price; a third, at a density drawn by lot, must cost what the price says. */
function judgePrediction(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of runs.");
  const word = seededWords(run.seed.value ^ 0x0306);
  const known = [5 + (word() % 20), 60 + (word() % 40)].map(densityRun);
  const asked = densityRun(150 + (word() % 200));
  const [first, second] = answer.callEach([[known.map((one) => ({ ...one }))], [[{ ...asked }]]]);
  if (first?.ok !== true || second?.ok !== true)
    return fails(`Your function ${first?.ok === false ? first.category : "did not answer"}.`);
  const price = member(first.value, "price");
  const density = member(second.value, "perThousand");
  if (typeof price !== "number" || typeof density !== "number")
    return fails("Return { perThousand, slowdown, price }: three numbers.");
  const predicted = 1 + (price * density) / 1000;
  const measured = asked.machine / asked.bare;
  return isClose(predicted, measured, 0.03)
    ? HOLDS
    : fails(
        "Your price does not predict the machine: 1 + price \u00d7 density / 1000 should be the slowdown at any density.",
        `predicted ${predicted.toFixed(2)}, measured ${measured.toFixed(2)}`,
      );
}

/** Check of exercise 03.6. */
export const priceCheck: Check = defineCheck({
  id: "03.6",
  title: "The price of an exit",
  points: 3,
  properties: [
    {
      id: "rates",
      says: "exits in a thousand, and the slowdown",
      weight: 1,
      run: (answer, run) => judge(answer, run, ["perThousand", "slowdown"]),
    },
    {
      id: "price",
      says: "what one exit costs",
      weight: 1,
      run: (answer, run) => judge(answer, run, ["price"]),
    },
    { id: "prediction", says: "the price predicts what a machine does", weight: 1, run: judgePrediction },
  ],
});
