/** Exercise 04.4, build: a guest touches memory that it has not been given yet. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import { sameEntries } from "../walls/map-history.ts";
import {
  type FaultHistory,
  type FaultPlan,
  type FaultStep,
  faultPlans,
  faultWords,
  LEFTOVER,
  leftIn,
  playFaults,
  reached,
  tablesOfState,
  whyNothing,
} from "./demand-history.ts";

/** Objects to one step: a hint and a fact. */
type Question = (step: FaultStep) => { readonly hint: string; readonly fact: string } | undefined;

/** The page of a step, if the guest reaches it now. */
const pageAt = ({ gpa, after }: FaultStep) =>
  reached(after).find(({ address, bytes }) => address <= gpa && gpa < address + bytes);

const givesPage: Question = (step) => {
  const { gpa, outcome, shouldBe, before, after, pages } = step;
  if (shouldBe !== "mapped") return undefined;
  if (outcome !== "mapped")
    return {
      hint: "The guest touched RAM that is its own, there were frames enough, and it got nothing. The address is htval << 2.",
      fact: `the page at ${groupedHex(gpa, 8)} was not mapped`,
    };
  const page = pageAt(step);
  const why = whyNothing(after, gpa);
  if (page === undefined && why.startsWith("U is 0"))
    return {
      hint: "Every leaf of a second stage needs U: to it all accesses of a guest are user mode's, those of its kernel, too.",
      fact: `the leaf of ${groupedHex(gpa, 8)} has U clear`,
    };
  if (page === undefined)
    return {
      hint: "The guest still cannot reach the page: it would fault here for ever. The root's index has eleven bits, 40 to 30; a leaf needs V, R, W, X, U, A and D.",
      fact: `nothing is mapped at ${groupedHex(gpa, 8)}`,
    };
  if ((page.rights & 30n) !== 30n)
    return {
      hint: "RAM can be read, written and executed, and every leaf of a second stage needs U.",
      fact: `the leaf of ${groupedHex(gpa, 8)} lacks a right`,
    };
  if ((((after.memory.get(page.at) ?? 0n) >> 6n) & 3n) !== 3n)
    return {
      hint: "On this machine the hypervisor sets A and D beforehand: a leaf without them faults again.",
      fact: `the leaf of ${groupedHex(gpa, 8)} has A or D clear`,
    };
  if (after.memory.get(page.at) === LEFTOVER)
    return {
      hint: "The guest reaches what a used frame still said. In a table, whatever its last owner left is an entry now: clear it, all 512 words.",
      fact: `${groupedHex(gpa, 8)} leads to ${groupedHex(page.to, 8)}`,
    };
  if (!before.free.includes(page.to))
    return {
      hint: "The page leads to a frame that was not free. Shift the frame's address right by 12, then left by 10.",
      fact: `${groupedHex(gpa, 8)} leads to ${groupedHex(page.to, 8)}`,
    };
  const lost = [...pages].find((number) => !reached(after).some(({ address }) => address >> 12n === number));
  return lost === undefined
    ? undefined
    : {
        hint: "A page that the guest had is gone: keep the tables that are there, and make one only where the entry above is 0.",
        fact: `${groupedHex(lost << 12n, 8)} is not mapped any more`,
      };
};

const staysInside: Question = ({ gpa, outcome, shouldBe, before, after, pages }) => {
  if (shouldBe === "device" && (outcome !== "device" || !sameEntries(before.memory, after.memory)))
    return {
      hint: 'That address is not the guest\'s RAM: answer "device" and change nothing. RAM ends at ramBase + ramBytes, which is outside.',
      fact: `${groupedHex(gpa, 8)} lies outside`,
    };
  if (shouldBe !== "device" && outcome === "device")
    return {
      hint: "That address is RAM. htval holds the guest-physical address shifted right by 2; stval is the guest's own address.",
      fact: `${groupedHex(gpa, 8)} lies inside`,
    };
  const stray = reached(after).find(({ address }) => !pages.has(address >> 12n));
  return stray === undefined
    ? undefined
    : {
        hint: "The guest reaches a page that nobody gave to it. A table begins as a used frame: whatever its last owner left there is an entry now.",
        fact: `${groupedHex(stray.address, 8)} leads to ${groupedHex(stray.to, 8)}`,
      };
};

const isClean: Question = (step) => {
  if (step.outcome !== "mapped") return undefined;
  const page = pageAt(step);
  const at = page === undefined ? undefined : leftIn(step.after, page.to);
  return at === undefined
    ? undefined
    : {
        hint: "The guest finds in its new page what somebody else left there. Clear a frame, all 512 words, before a guest gets it.",
        fact: `the page at ${groupedHex(step.gpa, 8)} is not empty: ${groupedHex(at, 8)} holds a word`,
      };
};

const keepsBooks: Question = ({ outcome, shouldBe, before, after }) => {
  if (shouldBe === "refused" && outcome === "mapped")
    return {
      hint: "A page that is mapped already, or for which frames are missing, must be refused.",
      fact: "it should have been refused",
    };
  if (outcome !== "mapped") {
    if (!sameEntries(before.memory, after.memory))
      return {
        hint: "A fault that was refused left words behind: count the frames that you need before the first store, or return copies.",
        fact: "memory has changed",
      };
    return before.free.length === after.free.length
      ? undefined
      : {
          hint: "A fault that was refused kept frames: they belong to nobody now.",
          fact: `${before.free.length - after.free.length} frames are gone`,
        };
  }
  const tables = tablesOfState(after);
  const pages = reached(after);
  const used = new Set([...tables, ...pages.map(({ to }) => to)]);
  const left = new Set(after.free);
  const taken = before.free.filter((frame) => !left.has(frame));
  const leaked = taken.find((frame) => !used.has(frame));
  if (leaked !== undefined)
    return {
      hint: "A frame leaked: it is gone from the list, and nothing leads to it.",
      fact: `frame ${groupedHex(leaked, 8)} is lost`,
    };
  const twice = after.free.find((frame) => used.has(frame));
  const seen = new Set<bigint>();
  const shared = pages.find(({ to }) => tables.has(to) || seen.size === seen.add(to).size);
  if (twice === undefined && shared === undefined) return undefined;
  return {
    hint: "A frame has two uses. Two pages of a guest, or a page and a table, must never share one: take each off the list with shift().",
    fact: `frame ${groupedHex(twice ?? shared?.to ?? 0n, 8)} is used twice`,
  };
};

/** The first step that a question objects to; a history that broke off objects to itself. */
function objection(history: FaultHistory, question: Question): Broken | undefined {
  const { steps, broken } = history;
  for (const [index, step] of steps.entries()) {
    const found = question(step);
    if (found !== undefined)
      return {
        hint: found.hint,
        detail: `${faultWords({ ...history, steps: steps.slice(0, index + 1) })} — ${found.fact}`,
      };
  }
  return broken === undefined || broken === "" ? undefined : { hint: broken, detail: faultWords(history) };
}

const SAMPLE: FaultPlan = { frames: 3, ramBase: 0x8000_0000n, ramPages: 2, touches: [0x8000_0010n] };

const LOST: Readonly<Record<string, string>> = {
  device:
    "The guest touched its RAM, and you say \u201cdevice\u201d. Where it touched is htval << 2; stval is the guest\u2019s own address.",
  refused:
    "Not even one page is given: nothing is mapped yet, and there are frames enough. A new table must be cleared before you read it: what its last owner left there looks like an entry.",
};

/** Why an answer that does nothing keeps no promise. */
function idle(answer: Answer): Finding | undefined {
  const [history] = playFaults(answer, [SAMPLE]);
  if (history?.steps.some(({ outcome }) => outcome === "mapped")) return undefined;
  const broken = history?.broken;
  const outcome = history?.steps[0]?.outcome;
  return fails(
    broken === undefined || broken === ""
      ? ((typeof outcome === "string" ? LOST[outcome] : undefined) ??
          "Not even one page is given: a handler that refuses everything keeps no promise.")
      : broken,
    "one touch of 0x8000_0010, three frames free",
  );
}

/** All four properties look at the same histories, and clearing frames makes them large: they are played once. */
function played(answer: Answer, plans: readonly FaultPlan[]): readonly FaultHistory[] {
  if (plans.length === 1) return playFaults(answer, plans);
  const known = PLAYED.get(answer);
  const key = JSON.stringify(plans, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
  if (known?.key === key) return known.histories;
  const histories = playFaults(answer, plans);
  PLAYED.set(answer, { key, histories });
  return histories;
}
const PLAYED = new WeakMap<Answer, { readonly key: string; readonly histories: readonly FaultHistory[] }>();

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be a function.");
  return (
    idle(answer) ??
    forAllAtOnce<FaultPlan>(faultPlans, run, SALT, (plans) =>
      played(answer, plans).map((history) => objection(history, question)),
    )
  );
}
const SALT = 71;

/** Whoever gives hardly any page gives nobody a wrong one, and that alone earns nothing: three of four must be given. */
function stingy(answer: Answer, run: CheckRun): Finding | undefined {
  const plans = fc.sample(faultPlans, { seed: (run.seed.value + SALT) | 0, numRuns: run.instances });
  const due = played(answer, plans).flatMap(({ steps }) =>
    steps.filter(({ shouldBe }) => shouldBe === "mapped"),
  );
  const given = due.filter(({ outcome }) => outcome === "mapped").length;
  return 4 * given >= 3 * due.length
    ? undefined
    : fails(
        "Most pages that the guest touched were not given to it: whoever gives nothing gives nothing away. Map the page first.",
        `${given} of ${due.length} pages were given`,
      );
}

const property = (id: string, says: string, question: Question): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => {
    const finding = judge(answer, run, question);
    // A counterexample teaches more than a count.
    return finding.share === 0 || question === givesPage ? finding : (stingy(answer, run) ?? finding);
  },
});

/** Check of exercise 04.4. */
export const demandCheck: Check = defineCheck({
  id: "04.4",
  title: "Give the page that was touched",
  points: 4,
  properties: [
    property("page", "the page that was touched is there afterwards, and no page is lost", givesPage),
    property("inside", "the guest reaches its RAM and nothing else", staysInside),
    property("clean", "no guest reads what somebody else left in a frame", isClean),
    property("books", "frames are used once, and a refusal leaves no trace", keepsBooks),
  ],
});
