/** Exercise A2.2: take pages out, and give back every table that has become empty. A model that knows pages and stretches judges. */
import fc from "fast-check";
import { groupedHex } from "../../../bits/hex.ts";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { endless, pagesIn, ROOT, sameEntries, tablesIn } from "../../walls/map-history.ts";

type Memory = ReadonlyMap<bigint, bigint>;
interface Request {
  readonly va: bigint;
  readonly pages: number;
}
interface Plan {
  readonly mapped: readonly Request[];
  readonly requests: readonly Request[];
}
interface Step extends Request {
  readonly before: Memory;
  readonly after: Memory;
  readonly ok: boolean;
  readonly freed: readonly bigint[];
}
interface History {
  readonly plan: Plan;
  readonly steps: readonly Step[];
  readonly broken: string | undefined;
}

const range: fc.Arbitrary<Request> = fc
  .record({
    edge: fc.constantFrom(0x4000_0000n, 0x4020_0000n, 0x8000_0000n),
    offset: fc.integer({ min: -3, max: 2 }),
    pages: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ edge, offset, pages }) => ({ va: edge + BigInt(offset) * 4096n, pages }));

const plans: fc.Arbitrary<Plan> = fc
  .record({
    mapped: fc.array(range, { minLength: 1, maxLength: 3 }),
    others: fc.array(range, { maxLength: 2 }),
    flip: fc.boolean(),
  })
  .map(({ mapped, others, flip }) => ({
    mapped,
    requests: flip ? [...others, ...mapped] : [...mapped, ...others],
  }));

const addresses = ({ va, pages }: Request): bigint[] =>
  Array.from({ length: pages }, (_, index) => va + BigInt(index) * 4096n);

/** Tables in which these ranges are mapped. */
function tablesFor(mapped: readonly Request[]): Map<bigint, bigint> {
  const memory = new Map<bigint, bigint>();
  let next = ROOT;
  for (const address of mapped.flatMap(addresses)) {
    let table = ROOT;
    for (const shift of [30n, 21n]) {
      const at = table + ((address >> shift) & 511n) * 8n;
      if (!memory.has(at)) {
        next += 4096n;
        memory.set(at, ((next >> 12n) << 10n) | 1n);
      }
      table = ((memory.get(at) ?? 0n) >> 10n) << 12n;
    }
    memory.set(table + ((address >> 12n) & 511n) * 8n, (((address + 0x1_0000_0000n) >> 12n) << 10n) | 0xd7n);
  }
  return memory;
}

const shapeOf = (value: Inert): Pick<Step, "after" | "ok" | "freed"> | undefined => {
  const ok = member(value, "ok");
  const after = member(value, "memory");
  const freed = member(value, "freed");
  if (typeof ok !== "boolean" || !(after instanceof Map) || !Array.isArray(freed)) return undefined;
  for (const [at, entry] of after)
    if (typeof at !== "bigint" || typeof entry !== "bigint" || entry < 0n || entry >> 64n !== 0n)
      return undefined;
  return freed.every((frame) => typeof frame === "bigint")
    ? { ok, after, freed: freed as readonly bigint[] }
    : undefined;
};

const stateOf = (memory: Memory) => ({ memory, free: [] });
const mappedIn = (memory: Memory): Map<bigint, bigint> =>
  new Map(pagesIn(stateOf(memory)).map(({ address, at }) => [address, memory.get(at) ?? 0n]));

/** Whether every page of the request is mapped. */
const canBeDone = ({ before, ...request }: Step): boolean => {
  const pages = mappedIn(before);
  return addresses(request).every((address) => pages.has(address));
};

function play(answer: Answer, list: readonly Plan[]): History[] {
  const runs = list.map((plan) => ({
    plan,
    memory: tablesFor(plan.mapped) as Memory,
    steps: [] as Step[],
    broken: undefined as string | undefined,
  }));
  const longest = Math.max(0, ...list.map(({ requests }) => requests.length));
  for (let round = 0; round < longest; round += 1) {
    const live = runs.flatMap((run) => {
      const request = run.plan.requests[round];
      return request === undefined || run.broken !== undefined ? [] : [{ run, request }];
    });
    const outcomes = answer.callEach(
      live.map(({ run, request: { va, pages } }) => [run.memory, ROOT, va, pages]),
    );
    for (const [index, { run, request }] of live.entries()) {
      const outcome = outcomes[index];
      const shape = outcome?.ok === true ? shapeOf(outcome.value) : undefined;
      if (shape === undefined) {
        run.broken =
          outcome?.ok === true
            ? "unmapRange must return { ok, memory, freed }: a boolean, the map of entries, and a list of frames."
            : `unmapRange ${outcome?.category ?? "did not answer"}.`;
        continue;
      }
      run.broken = endless(shape.after);
      if (run.broken !== undefined) continue;
      const step = { ...request, before: run.memory, ...shape };
      run.steps.push(step);
      if (shape.ok !== canBeDone(step) || (!shape.ok && !sameEntries(run.memory, shape.after)))
        run.broken = "";
      run.memory = shape.after;
    }
  }
  return runs.map(({ plan, steps, broken }) => ({ plan, steps, broken }));
}

type Question = (step: Step) => { readonly hint: string; readonly fact: string } | undefined;

const pagesGo: Question = (step) => {
  const { ok, before, after, va, pages } = step;
  if (!canBeDone(step)) return undefined;
  if (!ok)
    return {
      hint: "A request for pages that are all mapped was refused.",
      fact: "the last request was refused",
    };
  const gone = new Set(addresses({ va, pages }));
  const [was, is] = [mappedIn(before), mappedIn(after)];
  for (const [address, entry] of was) {
    if (gone.has(address) && is.has(address))
      return {
        hint: "A page is still mapped: clear its leaf.",
        fact: `${groupedHex(address, 8)} is still mapped`,
      };
    if (!gone.has(address) && is.get(address) !== entry)
      return {
        hint: "A page that was to stay is gone, or leads elsewhere: free a table only when all its entries are 0.",
        fact: `${groupedHex(address, 8)} was to stay`,
      };
  }
  return is.size > was.size
    ? { hint: "A page has appeared that was not there.", fact: "there are more pages than before" }
    : undefined;
};

const wholeOrNot: Question = (step) => {
  if (canBeDone(step)) return undefined;
  if (step.ok)
    return {
      hint: "A request with a page that is not mapped must be refused: look at all of them before you clear the first.",
      fact: "the last request names a page that is not mapped, and the answer was yes",
    };
  if (!sameEntries(step.before, step.after))
    return {
      hint: "A refused request changed entries: look at all pages before you clear the first.",
      fact: "the last request was refused, but entries have changed",
    };
  return step.freed.length > 0
    ? {
        hint: "A refused request gave frames back.",
        fact: "the last request was refused, but frames were freed",
      }
    : undefined;
};

const framesBack: Question = (step) => {
  if (!step.ok || !canBeDone(step)) return undefined;
  const [was, is] = [tablesIn(stateOf(step.before)), tablesIn(stateOf(step.after))];
  const used = (table: bigint): boolean =>
    Array.from({ length: 512 }, (_, index) => step.after.get(table + 8n * BigInt(index)) ?? 0n).some(
      (entry) => entry !== 0n,
    );
  if (new Set(step.freed).size !== step.freed.length)
    return { hint: "A frame was given back twice.", fact: "freed names a frame twice" };
  const early = step.freed.find((frame) => is.has(frame) || !was.has(frame));
  if (early !== undefined)
    return {
      hint: "A frame was given back that a table still leads to, or that never was a table: clear the entry above it first.",
      fact: `frame ${groupedHex(early, 8)} is on the list of freed frames`,
    };
  const lost = [...was].find((frame) => !is.has(frame) && !step.freed.includes(frame));
  if (lost !== undefined)
    return {
      hint: "A table that nothing leads to was not given back: it is leaked.",
      fact: `no table leads to frame ${groupedHex(lost, 8)}, and it was not freed`,
    };
  const empty = [...is].find((table) => !used(table));
  if (empty !== undefined)
    return {
      hint: "A table is empty and still in place: clear the entry above it and give the frame back. Its parent may then be empty as well.",
      fact: `table ${groupedHex(empty, 8)} is empty`,
    };
  return undefined;
};

const rangeText = ({ va, pages }: Request): string => `${pages} at ${groupedHex(va, 8)}`;

function objection({ plan, steps, broken }: History, question: Question): Broken | undefined {
  for (const [index, step] of steps.entries()) {
    const found = question(step);
    if (found === undefined) continue;
    const story = steps
      .slice(0, index + 1)
      .map((each) => `unmapRange(${rangeText(each)})${each.ok ? "" : " (refused)"}`);
    return {
      hint: found.hint,
      detail: `with ${plan.mapped.map(rangeText).join(", ")} mapped, after ${story.join("; ")}: ${found.fact}`,
    };
  }
  return broken === undefined || broken === "" ? undefined : { hint: broken, detail: "" };
}

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("unmapRange must be a function.");
  const one = { va: 0x4000_0000n, pages: 1 };
  const [first] = play(answer, [{ mapped: [one], requests: [one] }]);
  if (first?.steps[0]?.ok !== true)
    return fails(
      first?.broken === undefined || first.broken === ""
        ? "One page is mapped and one is to go, and the answer was no."
        : first.broken,
    );
  return forAllAtOnce(plans, run, 71, (list) =>
    play(answer, list).map((history) => objection(history, question)),
  );
}

const property = (id: string, says: string, weight: number, question: Question): Property => ({
  id,
  says,
  weight,
  run: (answer, run) => judge(answer, run, question),
});

/** Check of exercise A2.2. */
export const unmapCheck: Check = defineCheck({
  id: "A2.2",
  title: "Take a wall down",
  points: 4,
  properties: [
    property("pages", "the pages go, and no other page does", 1, pagesGo),
    property("whole", "a request is done whole or not at all", 1, wholeOrNot),
    property("frames", "every table that has become empty is given back, and no other", 2, framesBack),
  ],
});
