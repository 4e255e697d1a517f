/** Exercise 03.2, change: one line of a monitor's SRET is wrong. The oracle is SRET itself, on a hart in S-mode. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { describeInert, member } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import { legalSstatus, sretOnHart } from "./one-step.ts";

const SIE = 1n << 1n;
const SPIE = 1n << 5n;
const SPP = 1n << 8n;

/** Values that `sstatus` can have. */
const statuses: fc.Arbitrary<bigint> = fc
  .array(fc.constantFrom(SIE, SPIE, SPP, 1n << 18n, 1n << 19n, 0x6000n), { maxLength: 5 })
  .map((bits) => legalSstatus(bits.reduce((all, bit) => all | bit, 0n)));

type Question = (before: bigint, after: bigint, mode: unknown) => string | undefined;

const interrupts: Question = (before, after) => {
  const wanted = sretOnHart(before).sstatus;
  if (((wanted ^ after) & SIE) === 0n) return undefined;
  return (before & SPIE) === 0n
    ? "Interrupts were off before the trap (SPIE is 0), and are on behind it. SIE must become what SPIE was."
    : "Interrupts were on before the trap (SPIE is 1), and are off behind it. SIE must become what SPIE was.";
};

const rest: Question = (before, after, mode) => {
  const wanted = sretOnHart(before);
  if (mode !== wanted.mode)
    return typeof mode === "number"
      ? "The guest goes on in the wrong mode. SPP, bit 8, says which: 1 is S, 0 is U."
      : "Return { mode, sstatus }: a number and a bigint.";
  if (((wanted.sstatus ^ after) & SPP) !== 0n) return "Behind SRET the bit SPP is 0, whatever it was.";
  if (((wanted.sstatus ^ after) & SPIE) !== 0n) return "Behind SRET the bit SPIE is 1, whatever it was.";
  if (((wanted.sstatus ^ after) & SIE) !== 0n) return "SIE must become what SPIE was.";
  return wanted.sstatus === after ? undefined : "A bit has changed that is no matter of SRET.";
};

function compare(before: bigint, outcome: Outcome | undefined, question: Question): Broken | undefined {
  if (outcome?.ok !== true)
    return { hint: `sret ${outcome?.category ?? "did not answer"}.`, detail: outcome?.message ?? "" };
  const after = member(outcome.value, "sstatus");
  if (typeof after !== "bigint")
    return { hint: "Return { mode, sstatus }: a number and a bigint.", detail: describeInert(outcome.value) };
  const hint = question(before, after, member(outcome.value, "mode"));
  if (hint === undefined) return undefined;
  const wanted = sretOnHart(before);
  return {
    hint,
    detail: `sstatus ${groupedHex(before)}: a hart leaves mode ${wanted.mode} and ${groupedHex(wanted.sstatus)}, you leave ${describeInert(outcome.value)}`,
  };
}

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of sstatus.");
  return forAllAtOnce(statuses, run, 32, (batch) => {
    const outcomes = answer.callEach(batch.map((before) => [before]));
    return batch.map((before, index) => compare(before, outcomes[index], question));
  });
}

/** Check of exercise 03.2. */
export const sretCheck: Check = defineCheck({
  id: "03.2",
  title: "One line of SRET",
  points: 2,
  properties: [
    {
      id: "interrupts",
      says: "interrupts are behind the return what they were before the trap",
      weight: 1,
      run: (answer, run) => judge(answer, run, interrupts),
    },
    {
      id: "rest",
      says: "mode and sstatus are what a hart leaves",
      weight: 1,
      run: (answer, run) => judge(answer, run, rest),
    },
  ],
});
