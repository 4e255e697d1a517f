/** Exercise 06.6, measure: two prices, each a line through what was measured, and where they cross. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { describeInert } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";

/** What it costs to move so many bytes, in instructions. */
export interface PriceSample {
  readonly bytes: number;
  /** The hypervisor copies them. */
  readonly copy: number;
  /** The page is mapped, the guest reads them itself, and it is unmapped again. */
  readonly map: number;
}

interface Line {
  readonly fixed: number;
  readonly perByte: number;
}
interface Prices {
  readonly copy: Line;
  readonly map: Line;
  readonly sizes: readonly number[];
}

const priceOf = ({ fixed, perByte }: Line, bytes: number): number => fixed + perByte * bytes;

/** The smallest whole number of bytes from which on mapping is cheaper; -1: never. The model. */
export function breakEvenOf({ copy, map }: Pick<Prices, "copy" | "map">): number {
  const slope = copy.perByte - map.perByte;
  const gap = map.fixed - copy.fixed;
  if (slope <= 0) return -1;
  return Math.max(0, Math.floor(gap / slope) + 1);
}

/** Lines with prices in quarters of an instruction, so that all samples are exact. */
const line = (fixed: fc.Arbitrary<number>, quarters: fc.Arbitrary<number>): fc.Arbitrary<Line> =>
  fc
    .record({ fixed, quarters })
    .map(({ fixed: price, quarters: part }) => ({ fixed: price, perByte: part / 4 }));

const sizes = fc
  .uniqueArray(fc.integer({ min: 1, max: 512 }), { minLength: 2, maxLength: 6 })
  .map((list) => list.map((each) => each * 8));

const crossing: fc.Arbitrary<Prices> = fc.record({
  copy: line(fc.integer({ min: 40, max: 300 }), fc.integer({ min: 8, max: 40 })),
  map: line(fc.integer({ min: 301, max: 2_000 }), fc.integer({ min: 1, max: 7 })),
  sizes,
});

const parallel: fc.Arbitrary<Prices> = fc
  .record({
    copy: line(fc.integer({ min: 40, max: 300 }), fc.integer({ min: 1, max: 8 })),
    more: fc.integer({ min: 0, max: 6 }),
    gap: fc.integer({ min: 1, max: 900 }),
    sizes,
  })
  .map(({ copy, more, gap, sizes: list }) => ({
    copy,
    map: { fixed: copy.fixed + gap, perByte: copy.perByte + more / 4 },
    sizes: list,
  }));

const samplesOf = ({ copy, map, sizes: list }: Prices): PriceSample[] =>
  list.map((bytes) => ({ bytes, copy: priceOf(copy, bytes), map: priceOf(map, bytes) }));

const lineText = ({ fixed, perByte }: Line): string => `${fixed} + ${perByte} a byte`;

function compare(prices: Prices, got: unknown): Broken | undefined {
  const wanted = breakEvenOf(prices);
  if (got === wanted) return undefined;
  const detail = `copy costs ${lineText(prices.copy)}, mapping ${lineText(prices.map)}: ${wanted < 0 ? "mapping is never cheaper" : `mapping is cheaper from ${wanted} bytes on`}; you say ${describeInert(got as never)}`;
  if (typeof got !== "number") return { hint: "Return a number of bytes.", detail };
  if (wanted === -1)
    return {
      hint: "Mapping never gets cheaper here: a byte costs at least as much, and it begins dearer. Return -1.",
      detail,
    };
  if (got === -1)
    return {
      hint: "The lines do cross: a byte that is copied costs more than one that is read through a mapping.",
      detail,
    };
  if (Math.abs(got - wanted) <= 1)
    return {
      hint: "Off by a byte: asked for is the smallest whole number of bytes at which mapping is cheaper, not where both cost the same.",
      detail,
    };
  if (prices.sizes.includes(got))
    return {
      hint: "That is one of the sizes measured. The crossing lies between them, or beyond: put a line through each price.",
      detail,
    };
  return {
    hint: "A price is a fixed part and one for each byte. Two samples give both: perByte is the difference of prices over the difference of bytes.",
    detail,
  };
}

function judge(answer: Answer, run: CheckRun, prices: fc.Arbitrary<Prices>, salt: number): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of samples.");
  return forAllAtOnce(prices, run, salt, (batch) => {
    const outcomes = answer.callEach(batch.map((each) => [samplesOf(each).map((sample) => ({ ...sample }))]));
    return batch.map((each, index) => {
      const outcome = outcomes[index];
      return outcome?.ok === true
        ? compare(each, outcome.value)
        : { hint: `Your function ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    });
  });
}

/** The answer must also find a crossing: one that always says -1 has measured nothing. */
function judgeNever(answer: Answer, run: CheckRun): Finding {
  const never = judge(answer, run, parallel, 68);
  if (never.share < 1) return never;
  const [prices] = fc.sample(crossing, { seed: run.seed.value, numRuns: 1 });
  const outcome = answer.call(prices === undefined ? [] : samplesOf(prices).map((sample) => ({ ...sample })));
  return outcome.ok && typeof outcome.value === "number" && outcome.value >= 0
    ? never
    : fails("It says -1 where it should, but finds no crossing either: that is no measurement.");
}

/** Check of exercise 06.6. */
export const breakEvenCheck: Check = defineCheck({
  id: "06.6",
  title: "Copy or map?",
  points: 3,
  properties: [
    {
      id: "crossing",
      says: "where mapping gets cheaper",
      weight: 2,
      run: (answer, run) => judge(answer, run, crossing, 67),
    },
    { id: "never", says: "and where it never does", weight: 1, run: judgeNever },
  ],
});
