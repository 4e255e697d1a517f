/** Exercise 05.6, measure: shares and the price of a switch, from what an onlooker has seen. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { simplerSpans, smallest } from "./smallest.ts";
import type { Span } from "./watch.ts";

interface Account {
  readonly shares: readonly number[];
  readonly switches: number;
  readonly perSwitch: number;
}

const length = ({ from, to }: Span): number => to - from;

/** What the list says, counted here and not there. */
export function accountOf(spans: readonly Span[]): Account {
  const all = spans.reduce((sum, span) => sum + length(span), 0);
  const most = Math.max(0, ...spans.map(({ domain }) => domain));
  const shares = Array.from(
    { length: most + 1 },
    (_, domain) =>
      spans.filter((span) => span.domain === domain).reduce((sum, span) => sum + length(span), 0) / all,
  );
  const between = spans.filter((span, index) => {
    const [before, behind] = [spans[index - 1]?.domain ?? 0, spans[index + 1]?.domain ?? 0];
    return span.domain === 0 && before !== 0 && behind !== 0 && before !== behind;
  });
  const cost = between.reduce((sum, span) => sum + length(span), 0);
  return { shares, switches: between.length, perSwitch: between.length === 0 ? 0 : cost / between.length };
}

/** Lists that no machine has made: guests come and go, and the hypervisor is visited for other reasons, too. */
function listsFor(run: CheckRun): readonly (readonly Span[])[] {
  const word = seededWords(run.seed.value ^ 0x0506);
  const lists = Array.from({ length: Math.max(5, Math.min(40, run.instances)) }, () => {
    let at = word() % 1_000;
    const guests = 2 + (word() % 3);
    const stay = (domain: number, most: number): Span => {
      const from = at;
      at += 1 + (word() % most);
      return { domain, from, to: at };
    };
    const lead = word() % 2 === 0 ? [stay(0, 80)] : [];
    const visits = 2 + (word() % 20);
    const middle = Array.from({ length: visits }, () => [
      stay(1 + (word() % guests), 3_000),
      stay(0, 80),
    ]).flat();
    return [...lead, ...middle, stay(1 + (word() % guests), 3_000)];
  });
  // The shortest first: what fails there is what is shown.
  return lists.sort((a, b) => a.length - b.length);
}

const isNear = (got: Inert, wanted: number): boolean =>
  typeof got === "number" && Math.abs(got - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));

type Question = (got: Inert, wanted: Account, spans: readonly Span[]) => string | undefined;

const sharesRight: Question = (got, { shares }, spans) => {
  const found = member(got, "shares");
  if (!Array.isArray(found))
    return "Return { shares, switches, perSwitch }; shares is a list, the hypervisor first.";
  if (shares.every((share, domain) => isNear(found[domain], share))) return undefined;
  if (shares.every((share, domain) => isNear(found[domain] ?? 0, share)))
    return "A domain that never had the hart has a share of 0: the list has no holes.";
  const all = spans.reduce((sum, span) => sum + length(span), 0);
  if (shares.every((share, domain) => isNear(found[domain], share * all)))
    return "These are ticks. A share is a part of all the time in the list.";
  const guests = 1 - (shares[0] ?? 0);
  if (shares.slice(1).every((share, index) => isNear(found[index + 1], share / guests)))
    return "A share is a part of all the time, the hypervisor's included: what it takes is taken from the guests.";
  return "A domain's share is the sum of to - from of its stays, divided by the time that all stays have together.";
};

const switchesRight: Question = (got, { switches }, spans) => {
  const found = member(got, "switches");
  if (found === switches) return undefined;
  const visits = spans.filter((span, index) => span.domain === 0 && index > 0).length;
  return found === visits
    ? "You have counted visits to the hypervisor. It is a switch only if another guest goes on behind it."
    : "A switch is a stay of domain 0 with one guest before it and another one behind it.";
};

const costRight: Question = (got, { perSwitch }, spans) => {
  const found = member(got, "perSwitch");
  if (isNear(found, perSwitch)) return undefined;
  const visits = spans.filter(({ domain }) => domain === 0);
  const mean = visits.reduce((sum, span) => sum + length(span), 0) / Math.max(1, visits.length);
  return isNear(found, mean)
    ? "That is the mean of all visits. Only those are switches behind which another guest goes on."
    : "The price of a switch is the mean length of the stays of domain 0 between two different guests.";
};

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be the function account.");
  const broken = (lists: readonly (readonly Span[])[]): readonly (Broken | undefined)[] => {
    const outcomes = answer.callEach(lists.map((spans) => [spans.map((span) => ({ ...span }))]));
    return lists.map((spans, index): Broken | undefined => {
      const outcome = outcomes[index];
      if (outcome === undefined || !outcome.ok)
        return { hint: `account ${outcome?.category ?? "does not answer"}.`, detail: outcome?.message ?? "" };
      const hint = question(outcome.value, accountOf(spans), spans);
      const detail = `account of ${spans.map(({ domain, from, to }) => `${domain}:${from}-${to}`).join(" ")}`;
      return hint === undefined ? undefined : { hint, detail };
    });
  };
  const lists = listsFor(run);
  const found = broken(lists);
  const at = found.findIndex((each) => each !== undefined);
  const [spans, first] = [lists[at], found[at]];
  if (spans === undefined || first === undefined) return HOLDS;
  // A guest and the visit beside it go together, so that no guest follows another without one.
  const { hint, detail } = smallest(spans, first, {
    candidates: (some) => simplerSpans(some, 2),
    broken,
  });
  return fails(hint, detail);
}

/** Check of exercise 05.6. */
export const accountCheck: Check = defineCheck({
  id: "05.6",
  title: "What a switch costs",
  points: 4,
  properties: [
    {
      id: "shares",
      says: "shares of all the time",
      weight: 2,
      run: (answer, run) => judge(answer, run, sharesRight),
    },
    {
      id: "switches",
      says: "how often one guest followed another",
      weight: 1,
      run: (answer, run) => judge(answer, run, switchesRight),
    },
    {
      id: "cost",
      says: "how long that took in the mean",
      weight: 1,
      run: (answer, run) => judge(answer, run, costRight),
    },
  ],
});
