/** Exercise A3.1: what obeys Popek and Goldberg's law, told from experiments on a machine that no manual describes. */
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import type { CsrName } from "../../../isa/csr-map.ts";
import { INSTRUCTIONS, judgeTried, type Tried, tryInstructions } from "../../../vmm/classic/classify.ts";

/** One execution of an instruction, as students get it. */
export interface TrialRun {
  readonly mode: "M" | "U";
  /** Two states of all that is not the guest's. */
  readonly state: number;
  /** Two values of the register that the instruction reads. */
  readonly operand: number;
  readonly trapped: boolean;
  /** Whether something has changed that is not the guest's. */
  readonly changed: boolean;
  /** All that the guest can see of it afterwards. */
  readonly result: string;
}

/** An instruction without its name. */
export interface Experiment {
  readonly name: string;
  readonly runs: readonly TrialRun[];
}

const LEAKABLE: readonly CsrName[] = [
  "sstatus",
  "sie",
  "stvec",
  "sscratch",
  "sepc",
  "scause",
  "stval",
  "sip",
  "mscratch",
  "mepc",
];
const COUNTERS = ["csrr a0, cycle", "csrr a0, time", "csrr a0, instret"];
const MACHINES = 4;
const CHOSEN = 36;

/** A machine drawn by lot: its experiments, and the truth about it. */
export interface StrangeMachine {
  readonly experiments: readonly Experiment[];
  /** Instructions by the names that students see. */
  readonly instructions: ReadonlyMap<string, string>;
  readonly privileged: ReadonlySet<string>;
  readonly sensitive: ReadonlySet<string>;
  /** What the machine was built to break the law with; not read off the experiments. */
  readonly breaking: ReadonlySet<string>;
}

function shuffled<Item>(list: readonly Item[], word: () => number): Item[] {
  const result = [...list];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = word() % (at + 1);
    [result[at], result[other]] = [result[other] as Item, result[at] as Item];
  }
  return result;
}

/** Builds a machine whose leaks and names are drawn by lot, and tries some of its instructions. */
export function strangeMachine(seed: number): StrangeMachine {
  const word = seededWords(seed);
  const leaks = shuffled(LEAKABLE, word).slice(0, word() % 4);
  const countersOpen = word() % 3 === 0;
  const ofLeaks = leaks.flatMap((name) => [`csrr a0, ${name}`, `csrw ${name}, a1`]);
  const guilty = [...ofLeaks, ...(countersOpen ? COUNTERS : [])];
  const always = [
    "ecall",
    "hfence.gvma",
    "add a0, a1, a2",
    "sd a1, (a2)",
    "mret",
    "csrw mtvec, a1",
    "csrr a0, sepc",
  ];
  const others = shuffled(INSTRUCTIONS, word).slice(0, CHOSEN);
  const chosen = shuffled([...new Set([...guilty, ...always, ...COUNTERS, ...others])], word);
  const tried = tryInstructions({ isa: { hypervisor: false, leaks }, countersOpen }, chosen);
  const nameOf = new Map(tried.map(({ instruction }, index) => [instruction, `i${index}`]));
  const named = (has: (one: Tried) => boolean): Set<string> =>
    new Set(tried.filter(has).map(({ instruction }) => nameOf.get(instruction) ?? ""));
  return {
    experiments: tried.map(({ instruction, executions }) => ({
      name: nameOf.get(instruction) ?? "",
      runs: executions.map(({ mode, state, operand, trapped, controls, result }) => ({
        mode: mode === "M" ? "M" : "U",
        state,
        operand,
        trapped,
        changed: controls,
        result,
      })),
    })),
    instructions: new Map([...nameOf].map(([instruction, name]) => [name, instruction])),
    privileged: named((one) => judgeTried(one).isPrivileged),
    sensitive: named((one) => judgeTried(one).sensitive.length > 0),
    breaking: new Set(guilty.map((instruction) => nameOf.get(instruction) ?? "")),
  };
}

type List = "privileged" | "sensitive" | "breaking";

const listOf = (value: Inert, list: List): readonly string[] | undefined => {
  const found = member(value, list);
  return Array.isArray(found) && found.every((name): name is string => typeof name === "string")
    ? found
    : undefined;
};

const MISSING: Readonly<Record<List, string>> = {
  privileged:
    "A privileged instruction is missing: it does not trap in M, at least once, and always traps in U.",
  sensitive:
    "A sensitive instruction is missing. It changed something that is not the guest\u2019s, or two runs with the same operand, in whatever mode and state, did not trap and had different results.",
  breaking:
    "An instruction is missing that is sensitive and does not always trap in U: a guest could see the lie with it.",
};
const TOO_MUCH: Readonly<Record<List, string>> = {
  privileged:
    "An instruction is called privileged that is not. What traps in M, too, is no privilege of M; what does not trap in U, with either operand in either state, is none.",
  sensitive:
    "An instruction is called sensitive that is not. Compare runs with the same operand only, and no run that trapped: there the instruction did nothing.",
  breaking: "An instruction is called guilty that is harmless, or that the monitor hears of each time.",
};

function judge(answer: Answer, run: CheckRun, list: List): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a list of experiments.");
  const word = seededWords(run.seed.value ^ 0x0a31);
  const machines = Array.from({ length: Math.min(MACHINES, run.instances) }, () => strangeMachine(word()));
  const outcomes = answer.callEach(
    machines.map(({ experiments }) => [
      experiments.map(({ name, runs }) => ({ name, runs: runs.map((one) => ({ ...one })) })),
    ]),
  );
  for (const [index, machine] of machines.entries()) {
    const outcome = outcomes[index];
    if (outcome?.ok !== true)
      return fails(`classify ${outcome?.category ?? "did not answer"}.`, outcome?.message);
    const got = listOf(outcome.value, list);
    if (got === undefined) return fails("Return { privileged, sensitive, breaking }: three lists of names.");
    const truth = machine[list];
    const missing = [...truth].find((name) => !got.includes(name));
    const extra = got.find((name) => !truth.has(name));
    const named = (name: string): string =>
      `${name}, which is ${machine.instructions.get(name) ?? "nothing"}`;
    if (missing !== undefined) return fails(MISSING[list], `missing: ${named(missing)}`);
    if (extra !== undefined) return fails(TOO_MUCH[list], `too much: ${named(extra)}`);
  }
  return HOLDS;
}

const property = (list: List, says: string, weight: number): Property => ({
  id: list,
  says,
  weight,
  run: (answer, run) => judge(answer, run, list),
});

/** Check of exercise A3.1. */
export const lawCheck: Check = defineCheck({
  id: "A3.1",
  title: "The law, by experiment",
  points: 4,
  properties: [
    property("privileged", "privileged instructions are found, and no others", 1),
    property("sensitive", "sensitive instructions are found, and no others", 2),
    property("breaking", "and those with which a guest sees the lie, on machines drawn by lot", 1),
  ],
});
