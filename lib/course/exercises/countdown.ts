/** Exercise 01.1, read: what a loop leaves behind. The expected values are arithmetic, not a run. */

import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { label } from "../../isa/assembler/item.ts";
import type { AssemblyError } from "../../isa/assembler/mistake.ts";
import { type Program, program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";

/** Numbers of one countdown. */
export interface Countdown {
  /** Turns of the loop, 3 to 9. */
  readonly turns: number;
  /** What one turn takes off the counter, 2 to 5. */
  readonly stride: number;
}

/** The countdown of a seed. */
export function countdownOf(seed: number): Countdown {
  const word = seededWords(seed ^ 0x0101);
  return { turns: 3 + (word() % 7), stride: 2 + (word() % 4) };
}

/** The program of exercise 01.1: a0 adds up a1 while a1 counts down to zero. */
export function countdownProgram(seed: number): Program | AssemblyError {
  const { turns, stride } = countdownOf(seed);
  return program({}, [
    asm.addi("a0", "zero", 0),
    asm.addi("a1", "zero", turns * stride),
    label("again"),
    asm.add("a0", "a0", "a1"),
    asm.addi("a1", "a1", -stride),
    asm.bne("a1", "zero", "again"),
    asm.wfi(),
  ]);
}

/** a0 at the end: stride × (1 + 2 + … + turns). */
export const countdownSum = ({ turns, stride }: Countdown): bigint =>
  BigInt((stride * turns * (turns + 1)) / 2);

/** A member of an answer as a whole number. */
export function wholeNumber(answer: Answer, name: string): bigint | undefined {
  const { value } = answer.at(name);
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** The seed that an answer names, or a finding that says how to name it. */
export function seedOf(answer: Answer): number | Finding {
  const seed = wholeNumber(answer, "seed");
  return seed === undefined || seed < 0n || seed > 0xffff_ffffn
    ? fails("The answer must name its seed: { seed: SEED, … }.")
    : Number(seed);
}

function judgeSum(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const given = wholeNumber(answer, "a0");
  if (given === undefined) return fails("a0 must be a whole number.");
  const countdown = countdownOf(seed);
  const first = BigInt(countdown.turns * countdown.stride);
  if (given === countdownSum(countdown)) return HOLDS;
  if (given === countdownSum(countdown) - first)
    return fails("The first turn counts too: a0 gets a1 before a1 shrinks.");
  return fails("Follow add a0, a0, a1 turn by turn: what is in a1 each time it runs?");
}

function judgeTaken(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const given = wholeNumber(answer, "taken");
  if (given === undefined) return fails("taken must be a whole number.");
  const { turns } = countdownOf(seed);
  if (given === BigInt(turns - 1)) return HOLDS;
  if (given === BigInt(turns))
    return fails("bne runs that often, but the last time a1 is 0 and it falls through.");
  return fails("Count the turns: a1 shrinks by the same amount each time, until it is 0.");
}

/** Check of exercise 01.1. */
export const countdownCheck: Check = defineCheck({
  id: "01.1",
  title: "Read a loop",
  points: 2,
  properties: [
    { id: "sum", says: "a0 holds what the loop added up", weight: 1, run: judgeSum },
    { id: "taken", says: "bne jumps back as often as you said", weight: 1, run: judgeTaken },
  ],
});
