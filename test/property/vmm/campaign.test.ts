/**
 * The campaign: random programs for one to three guests, as machine code, on the hypervisor as it is and with mistakes planted in it. The
 * referee looks behind every trap, hypercall and fence, and each guest writes down what it saw, which a model without frames foretells.
 */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { vmmAfresh } from "../../support/vmm-afresh.ts";
import { CampaignMachine, type Outcome } from "./campaign-machine.ts";
import { CAMPAIGN_MISTAKES } from "./campaign-mistakes.ts";
import { type CampaignProgram, programs, type SceneName } from "./campaign-operations.ts";
import { planted } from "./paravirtual-mistakes.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
const SEED = 6;
const PROGRAMS = IS_FULL ? 10_000 : 300;
/** Within so many programs a mistake must show, and so few operations must be left of the one that shows it. */
const [MOST_PROGRAMS, MOST_OPERATIONS] = [1_000, 8];
/** Of a hundred operations of a kind so many must be more than an error. */
const LEAST_DONE = 20;
/** Some need three or four others before them, in this order; and tables of a paravirtualized guest fit together seldom. */
const LEAST_OF_LATE = 4;
const LATE = /^(pv_.*|event_send|event_bind|grant_unmap|fetch)$/;

const machines = new Map<SceneName, CampaignMachine>();
function machineFor(name: SceneName): CampaignMachine {
  const machine = machines.get(name) ?? new CampaignMachine(name);
  machines.set(name, machine);
  return machine;
}

const play = (program: CampaignProgram, module?: Parameters<CampaignMachine["use"]>[0]): Outcome => {
  const machine = machineFor(program.scene);
  machine.use(module);
  return machine.run(program);
};

const wordsOf = (program: CampaignProgram): string => {
  const machine = machineFor(program.scene);
  machine.use(undefined);
  machine.run({ ...program, operations: [] });
  return machine.words(program);
};

it(`${PROGRAMS} random programs break no rule, and see what they must (seed ${SEED})`, () => {
  const counts = new Map<string, { made: number; done: number }>();
  const result = fc.check(
    fc.property(programs, (program) => {
      const { finding, done } = play(program);
      for (const { act, isDone } of done) {
        const count = counts.get(act) ?? { made: 0, done: 0 };
        counts.set(act, { made: count.made + 1, done: count.done + (isDone ? 1 : 0) });
      }
      return finding === undefined;
    }),
    { seed: SEED, numRuns: PROGRAMS },
  );
  const [program] = result.counterexample ?? [];
  if (program !== undefined) throw new Error(`${wordsOf(program)}\n${play(program).finding}`);
  const rows = [...counts].map(([act, { made, done }]) => `${act.padEnd(16)} ${made} made, ${done} done`);
  console.log(`seed ${SEED}, ${PROGRAMS} programs\n${rows.join("\n")}`);
  for (const [act, { made, done }] of counts) {
    const least = LATE.test(act) ? LEAST_OF_LATE : LEAST_DONE;
    expect([act, (100 * done) / made >= least, made >= PROGRAMS / 50]).toEqual([act, true, true]);
  }
  expect(counts.size).toBe(32);
}, 7_200_000);

describe("a hypervisor is found in which", () => {
  const table: string[] = [];
  afterAll(() => console.log(table.join("\n")));

  it.each(CAMPAIGN_MISTAKES.map((mistake) => [mistake.about, mistake] as const))(
    "%s",
    async (about, mistake) => {
      const module = await vmmAfresh(planted(mistake));
      const result = fc.check(
        fc.property(programs, (program) => play(program, module).finding === undefined),
        { seed: SEED, numRuns: MOST_PROGRAMS },
      );
      const [program] = result.counterexample ?? [];
      if (program === undefined) throw new Error(`${MOST_PROGRAMS} programs do not show it`);
      const size = program.operations.length;
      const finding = play(program, module).finding ?? "nothing";
      table.push(
        `${about}: found at program ${result.numRuns}, ${size} operations are left: ${finding.split("\n")[0]}`,
      );
      expect(size, wordsOf(program)).toBeLessThanOrEqual(MOST_OPERATIONS);
    },
    600_000,
  );
});
