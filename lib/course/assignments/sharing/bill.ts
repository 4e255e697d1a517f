/** Exercise A5.4: the bill. From a record of who had the hart: what sampling charges, what counting charges, and who has stolen. */
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { shareHart } from "../../sharing/experiments.ts";
import { BUSY, sleeper, thief } from "../../sharing/guests.ts";
import { simplerSpans, smallest } from "../../sharing/smallest.ts";
import { type Span, watch } from "../../sharing/watch.ts";

/** A record, how long a tick is, and who is who. */
interface Recorded {
  readonly spans: readonly Span[];
  readonly tick: number;
  readonly domains: number;
}
interface Bill {
  readonly counted: readonly number[];
  readonly sampled: readonly number[];
  readonly thieves: readonly number[];
}

/** Counted here from the definition: times first, and domains by asking at each tick who is there. */
function billOf({ spans, tick, domains }: Recorded): Bill {
  const counted = Array.from({ length: domains + 1 }, () => 0);
  const sampled = counted.map(() => 0);
  for (const { domain, from, to } of spans) {
    counted[domain] = (counted[domain] ?? 0) + to - from;
    const ticks = Math.ceil(to / tick) - Math.ceil(from / tick);
    sampled[domain] = (sampled[domain] ?? 0) + ticks * tick;
  }
  const all = counted.reduce((sum, ticks) => sum + ticks, 0);
  const thieves = counted.flatMap((ticks, domain) =>
    domain > 0 && 10 * ticks > all && ticks > 2 * (sampled[domain] ?? 0) ? [domain] : [],
  );
  return { counted, sampled, thieves };
}

/** Records of machines with thieves and without, and random ones with edges on ticks. */
function recordsFor(run: CheckRun): readonly Recorded[] {
  const word = seededWords(run.seed.value ^ 0x0a54);
  const tick = 1_500 + 50 * (word() % 20);
  const robber = thief(tick, 150 + (word() % 100));
  const machines = [
    [robber, BUSY],
    [BUSY, sleeper(300, 700), robber],
    [BUSY, BUSY, sleeper(200, 900)],
  ].map((images) => {
    const host = shareHart(images, { scheduler: "TICK_SAMPLING", slice: tick, slices: 3 });
    const spans = watch(host, 10 * tick).spans.map(({ domain, from, to }) => ({
      domain,
      from: Math.round(from),
      to: Math.round(to),
    }));
    return { spans: spans.filter(({ from, to }) => to > from), tick, domains: images.length };
  });
  const drawn = Array.from({ length: Math.max(5, Math.min(30, run.instances)) }, () => {
    const length = 50 + (word() % 100);
    const domains = 2 + (word() % 3);
    let at = word() % 500;
    const spans = Array.from({ length: 4 + (word() % 20) }, () => {
      const from = at;
      at = word() % 4 === 0 ? length * (Math.floor(at / length) + 1) : at + 1 + (word() % (2 * length));
      return { domain: word() % (domains + 1), from, to: at };
    });
    return { spans, tick: length, domains };
  });
  return [...drawn.sort((a, b) => a.spans.length - b.spans.length), ...machines];
}

type Question = (got: Inert, wanted: Bill, given: Recorded) => string | undefined;

const sameList = (got: Inert, wanted: readonly number[]): boolean =>
  Array.isArray(got) && got.length === wanted.length && wanted.every((value, index) => got[index] === value);

const SHAPE =
  "Return { counted, sampled, thieves }: two lists of ticks by domain, the hypervisor first, and a list of domains.";

const countedRight: Question = (got, { counted }) => {
  const found = member(got, "counted");
  if (!Array.isArray(found)) return SHAPE;
  return sameList(found, counted)
    ? undefined
    : "counted[d] is the sum of to - from of the stays of domain d. Those that had nothing are in the list, with 0.";
};

const sampledRight: Question = (got, { sampled }, { spans, tick }) => {
  const found = member(got, "sampled");
  if (!Array.isArray(found)) return SHAPE;
  if (sameList(found, sampled)) return undefined;
  if (
    sameList(
      found,
      sampled.map((ticks) => ticks / tick),
    )
  )
    return "Who is met at a tick is charged for all of it: tick ticks, not one.";
  const late = sampled.map((_, domain) =>
    spans.reduce(
      (sum, span) =>
        sum +
        (span.domain === domain ? (Math.floor(span.to / tick) - Math.floor(span.from / tick)) * tick : 0),
      0,
    ),
  );
  return sameList(found, late)
    ? "At a tick that falls on a change, the one who comes pays: a stay holds its beginning, and not its end."
    : "A tick at time t, a multiple of its length, charges whoever has the hart then; a long stay may meet several.";
};

const thievesRight: Question = (got, { thieves }) => {
  const found = member(got, "thieves");
  if (!Array.isArray(found)) return SHAPE;
  const named = found.filter((domain) => typeof domain === "number");
  if (named.length < found.length) return SHAPE;
  if (
    sameList(
      named.sort((a, b) => a - b),
      thieves,
    )
  )
    return undefined;
  const innocent = named.find((domain) => !thieves.includes(domain));
  if (innocent === 0) return "The hypervisor is nobody's thief.";
  return innocent !== undefined
    ? "An innocent is accused. A thief has more than a tenth of all the time, and more than twice what it was charged."
    : "A thief goes free: it had more than twice what it was charged, and more than a tenth of all the time.";
};

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be the function bill.");
  const broken = (records: readonly Recorded[]): readonly (Broken | undefined)[] => {
    const outcomes = answer.callEach(
      records.map(({ spans, tick, domains }) => [spans.map((span) => ({ ...span })), tick, domains]),
    );
    return records.map((record, index): Broken | undefined => {
      const outcome = outcomes[index];
      if (outcome?.ok !== true)
        return { hint: `bill ${outcome?.category ?? "does not answer"}.`, detail: outcome?.message ?? "" };
      const hint = question(outcome.value, billOf(record), record);
      return hint === undefined ? undefined : { hint, detail: words(record) };
    });
  };
  const records = recordsFor(run);
  const found = broken(records);
  const at = found.findIndex((each) => each !== undefined);
  const [record, first] = [records[at], found[at]];
  if (record === undefined || first === undefined) return HOLDS;
  const { hint, detail } = smallest(record, first, {
    candidates: (some) => simplerSpans(some.spans).map((spans) => ({ ...some, spans })),
    broken,
  });
  return fails(hint, detail);
}

const words = ({ spans, tick }: Recorded): string =>
  spans.length > 24
    ? `the record of a machine, ${spans.length} stays, a tick of ${tick}`
    : `tick ${tick}: ${spans.map(({ domain, from, to }) => `${domain}:${from}-${to}`).join(" ")}`;

/** Check of exercise A5.4. */
export const billCheck: Check = defineCheck({
  id: "A5.4",
  title: "The bill",
  points: 3,
  properties: [
    {
      id: "counted",
      says: "what each ran",
      weight: 1,
      run: (answer, run) => judge(answer, run, countedRight),
    },
    {
      id: "sampled",
      says: "what sampling charges",
      weight: 1,
      run: (answer, run) => judge(answer, run, sampledRight),
    },
    {
      id: "thieves",
      says: "who has stolen, and nobody else",
      weight: 1,
      run: (answer, run) => judge(answer, run, thievesRight),
    },
  ],
});
