/** Exercise 01.5, measure: what a system call costs. Ladders are built from planned costs, so the plan is the oracle. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import type { Check, CheckRun, Finding } from "../../checks/check.ts";
import { defineCheck } from "../../checks/check.ts";
import type { Inert } from "../../checks/inert.ts";
import { type Broken, fails, forAll } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import type { Crossing } from "../climb.ts";

/** One stay in U-mode, and why it ended. */
interface Visit {
  readonly userInsns: number;
  readonly kernelInsns: number;
  readonly reason: "system call" | "page fault" | "system call that M-mode interrupts";
}

const visits: fc.Arbitrary<Visit[]> = fc.array(
  fc.record({
    userInsns: fc.integer({ min: 1, max: 90 }),
    kernelInsns: fc.integer({ min: 4, max: 400 }),
    reason: fc.constantFrom("system call", "page fault", "system call that M-mode interrupts"),
  }),
  { maxLength: 6 },
);

const FIRMWARE_INSNS = 11;

/** Crossings of a run with these visits, after a boot of ten instructions in M-mode and four in S-mode. */
function crossingsOf(plan: readonly Visit[]): Crossing[] {
  const list: Crossing[] = [
    { at: 10, from: "M", to: "S", why: "mret", isTrap: false },
    { at: 14, from: "S", to: "U", why: "sret", isTrap: false },
  ];
  let at = 14;
  for (const visit of plan) {
    at += visit.userInsns;
    const why = visit.reason === "page fault" ? "load page fault" : "environment call from U-mode";
    list.push({ at, from: "U", to: "S", why, isTrap: true });
    if (visit.reason === "system call that M-mode interrupts") {
      list.push({ at: at + 2, from: "S", to: "M", why: "machine timer interrupt", isTrap: true });
      list.push({ at: at + 2 + FIRMWARE_INSNS, from: "M", to: "S", why: "mret", isTrap: false });
      at += FIRMWARE_INSNS;
    }
    at += visit.kernelInsns;
    list.push({ at, from: "S", to: "U", why: "sret", isTrap: false });
  }
  return list;
}

const costsOf = (plan: readonly Visit[]): number[] =>
  plan
    .filter((visit) => visit.reason !== "page fault")
    .map((visit) => visit.kernelInsns + (visit.reason === "system call" ? 0 : FIRMWARE_INSNS));

/** A small ladder to try an answer on: two plain calls, a page fault between them, and a call that is interrupted. */
export function sampleCrossings(seed: number): Crossing[] {
  const word = seededWords(seed ^ 0x0105);
  const reasons = ["system call", "page fault", "system call", "system call that M-mode interrupts"] as const;
  return crossingsOf(
    reasons.map((reason) => ({ reason, userInsns: 5 + (word() % 40), kernelInsns: 20 + (word() % 80) })),
  );
}

const inertOf = (list: readonly Crossing[]): Inert => list.map((crossing) => ({ ...crossing }));

/** A crossing in a few characters. */
const shortly = ({ at, from, to, why }: Crossing): string => `${at}: ${from} \u2192 ${to} ${why}`;

function compare(plan: readonly Visit[], got: Inert): Broken | undefined {
  const wanted = costsOf(plan);
  const detail = `${crossingsOf(plan).map(shortly).join("; ")} — costs [${wanted.join(", ")}]`;
  if (!Array.isArray(got)) return { hint: "Return a list of numbers, one for each system call.", detail };
  const list: readonly Inert[] = got;
  if (list.length > wanted.length)
    return {
      hint: "More costs than system calls: a page fault climbs the ladder as well, but nobody called.",
      detail,
    };
  if (list.length < wanted.length) return { hint: "A system call is missing from the list.", detail };
  if (list.every((cost, index) => Number(cost) === wanted[index])) return undefined;
  return plan.some((visit) => visit.reason === "system call that M-mode interrupts")
    ? {
        hint: "A call may climb twice, from S to M and back. It ends when U-mode runs again, not at the next crossing.",
        detail,
      }
    : {
        hint: "Count from the climb into S-mode to the descent into U-mode: the difference of the two at.",
        detail,
      };
}

function judge(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of crossings.");
  return forAll(visits, run, 5, (plan) => {
    const outcome = answer.call(inertOf(crossingsOf(plan)));
    return outcome.ok
      ? compare(plan, outcome.value)
      : { hint: `Your function ${outcome.category}.`, detail: outcome.message };
  });
}

/** Check of exercise 01.5. */
export const roundTripsCheck: Check = defineCheck({
  id: "01.5",
  title: "Measure a system call",
  points: 3,
  properties: [
    {
      id: "costs",
      says: "every system call of every ladder has its cost, and nothing else has",
      weight: 1,
      run: judge,
    },
  ],
});
