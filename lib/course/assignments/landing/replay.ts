/** Exercise A1.4: what a trace hash promises. The judge makes its own run, in another process, and compares. */

import { buildBoard } from "../../../board/virt.ts";
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { label } from "../../../isa/assembler/item.ts";
import { type Program, program } from "../../../isa/assembler/program.ts";
import { asm } from "../../../isa/assembler/typed.ts";

const RAM_BYTES = 1 << 20;
const RUNS = 6;
const BUDGET = 2_000;

/** A pulse: writes a CSR once a turn, then waits. Every write is an event of the trace. */
export function pulse(turns: number): Program {
  const built = program({}, [
    asm.li("t0", turns),
    label("again"),
    asm.csrw("mscratch", "t0"),
    asm.addi("t0", "t0", -1),
    asm.bnez("t0", "again"),
    asm.wfi(),
  ]);
  if (built.kind !== "program") throw new Error(built.message);
  return built;
}

interface Run {
  readonly hash: string;
  readonly retired: number;
}

/** The judge's own run. */
export function pulseRun(seed: number, turns: number): Run {
  const board = buildBoard({ ramBytes: RAM_BYTES, seed });
  const refused = board.load(pulse(turns));
  if (refused !== undefined) throw new Error(refused.message);
  const { retired } = board.run({ instructions: BUDGET });
  return { hash: board.trace.hash(), retired };
}

const instancesOf = (run: CheckRun): readonly (readonly [seed: number, turns: number])[] => {
  const word = seededWords(run.seed.value);
  return Array.from(
    { length: Math.min(RUNS, run.instances) },
    () => [word() % 1_000, 2 + (word() % 300)] as const,
  );
};

function judgeHash(answer: Answer, run: CheckRun): Finding {
  const traceHash = answer.at("traceHash");
  if (!traceHash.isFunction) return fails("traceHash is not defined, or not a function.");
  const instances = instancesOf(run);
  const outcomes = traceHash.callEach(instances.map(([seed, turns]) => [seed, turns]));
  const hashes = new Set<unknown>();
  for (const [index, [seed, turns]] of instances.entries()) {
    const outcome = outcomes[index];
    if (outcome?.ok !== true)
      return fails(`traceHash ${outcome?.category ?? "did not answer"}.`, outcome?.message);
    hashes.add(outcome.value);
    if (outcome.value === pulseRun(seed, turns).hash) continue;
    return fails(hashHint(outcome.value, hashes.size === 1 && index > 0), `traceHash(${seed}, ${turns})`);
  }
  return HOLDS;
}

function hashHint(value: unknown, isConstant: boolean): string {
  if (typeof value !== "string") return "traceHash must return the text of board.trace.hash().";
  if (isConstant) return "The hash never changes, whatever the seed and the turns are.";
  return "Another hash than in the judge's run. Same RAM size, same seed, same program, and the run to its end: nothing else goes into a hash.";
}

function judgeRetired(answer: Answer, run: CheckRun): Finding {
  const retired = answer.at("retired");
  if (!retired.isFunction) return fails("retired is not defined, or not a function.");
  const instances = instancesOf(run);
  const outcomes = retired.callEach(instances.map(([, turns]) => [turns]));
  for (const [index, [seed, turns]] of instances.entries()) {
    const outcome = outcomes[index];
    if (outcome?.ok !== true)
      return fails(`retired ${outcome?.category ?? "did not answer"}.`, outcome?.message);
    const wanted = pulseRun(seed, turns).retired;
    if (outcome.value === wanted || outcome.value === BigInt(wanted)) continue;
    const off = typeof outcome.value === "number" ? outcome.value - wanted : Number.NaN;
    return fails(
      Math.abs(off) === 1
        ? "Off by one: li runs once before the loop, wfi once after it, and both retire."
        : "Count one turn, multiply, then add what runs once.",
      `retired(${turns})`,
    );
  }
  return HOLDS;
}

/** Check of exercise A1.4. */
export const replayCheck: Check = defineCheck({
  id: "A1.4",
  title: "The same run twice",
  points: 2,
  properties: [
    {
      id: "hash",
      says: "traceHash gives the hash that the judge's own machine gives",
      weight: 1,
      run: judgeHash,
    },
    { id: "retired", says: "retired foretells how many instructions retire", weight: 1, run: judgeRetired },
  ],
});
