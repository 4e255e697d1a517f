/** Exercise 02.6, measure: how many table entries a run makes the hart read, with and without a memory for translations. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { describeInert, type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import type { Touch } from "./touches.ts";

const LEVELS = 3;

/** What a run costs, in entries read. */
export interface TableReads {
  /** Every translated touch walks. */
  readonly afresh: number;
  /** A page that was used since the last fence is remembered. */
  readonly remembered: number;
}

/** The model. */
export function tableReadsOf(touches: readonly Touch[]): TableReads {
  let known = new Set<bigint>();
  let afresh = 0;
  let remembered = 0;
  for (const touch of touches) {
    if (touch.what === "fence") known = new Set();
    else if (touch.mode !== "M") {
      afresh += LEVELS;
      if (!known.has(touch.vaddr >> 12n)) remembered += LEVELS;
      known.add(touch.vaddr >> 12n);
    }
  }
  return { afresh, remembered };
}

const touch: fc.Arbitrary<Touch> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Touch>({ what: "fence" }) },
  {
    weight: 9,
    arbitrary: fc.record({
      what: fc.constant("touch" as const),
      mode: fc.constantFrom("U", "S", "S", "U", "M"),
      vaddr: fc
        .record({ page: fc.integer({ min: 0, max: 4 }), offset: fc.integer({ min: 0, max: 511 }) })
        .map(({ page, offset }) => 0x4000_0000n + BigInt(page) * 4096n + BigInt(offset) * 8n),
    }),
  },
);

const words = (touches: readonly Touch[]): string =>
  touches
    .map((each) => (each.what === "fence" ? "fence" : `${each.mode} ${groupedHex(each.vaddr, 8)}`))
    .join("; ") || "no touch at all";

/** What to say when no habit explains a number. */
const HINTS = {
  afresh: "Each touch in S or U reads one entry in each of three tables; a touch in M none.",
  remembered: "A page that is new to the hart costs three entries, one that it remembers none.",
} as const;

/** Ways to miscount, and what to say about each. */
const HABITS = [
  [
    (touches: readonly Touch[]) =>
      touches.map((each) => (each.what === "touch" ? { ...each, mode: "S" } : each)),
    "M-mode uses physical addresses: it walks nothing and fills no memory.",
  ],
  [
    (touches: readonly Touch[]) => touches.filter(({ what }) => what !== "fence"),
    "A fence makes the hart forget every page: the next touch of each walks again.",
  ],
  [
    (touches: readonly Touch[]) =>
      touches.map((each) => (each.what === "touch" ? { ...each, vaddr: each.vaddr << 12n } : each)),
    "The hart remembers pages, not addresses: two touches of one page walk once. Shift the address right by 12.",
  ],
] as const;

/** The way to miscount that gives this very number. */
const habitOf = (touches: readonly Touch[], name: keyof TableReads, got: number) =>
  HABITS.find(([seen]) => tableReadsOf(seen(touches))[name] === got);

function compare(touches: readonly Touch[], value: Inert, name: "afresh" | "remembered"): Broken | undefined {
  const wanted = tableReadsOf(touches)[name];
  const got = member(value, name);
  const detail = `${words(touches)} — ${name} is ${wanted}, you say ${describeInert(got)}`;
  if (got === wanted) return undefined;
  if (typeof got !== "number")
    return { hint: `Return { afresh, remembered }; ${name} must be a number.`, detail };
  return { hint: habitOf(touches, name, got)?.[1] ?? HINTS[name], detail };
}

function judge(answer: Answer, run: CheckRun, name: "afresh" | "remembered"): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of touches.");
  return forAllAtOnce(fc.array(touch, { minLength: 1, maxLength: 40 }), run, 51, (batch) => {
    const outcomes = answer.callEach(batch.map((touches) => [touches.map((each) => ({ ...each }))]));
    return batch.map((touches, index) => {
      const outcome = outcomes[index];
      return outcome?.ok === true
        ? compare(touches, outcome.value, name)
        : { hint: `Your function ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
    });
  });
}

/** Check of exercise 02.6. */
export const touchesCheck: Check = defineCheck({
  id: "02.6",
  title: "Measure the walks",
  points: 3,
  properties: [
    {
      id: "afresh",
      says: "entries read when every touch walks",
      weight: 1,
      run: (answer, run) => judge(answer, run, "afresh"),
    },
    {
      id: "remembered",
      says: "entries read when pages are remembered until a fence",
      weight: 2,
      run: (answer, run) => judge(answer, run, "remembered"),
    },
  ],
});
