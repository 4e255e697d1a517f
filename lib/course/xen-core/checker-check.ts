/** Exercise 06.5, break: the reader's own referee must find what ten hypervisors have forgotten, and accuse no innocent one. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import type { Inert } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords, seedFor } from "../../checks/seed.ts";
import { MUTANTS, type Mutant, soundMachines, storyOf, type Wreck, wrecksOf } from "./mutants.ts";
import { opWords, type PaperMachine } from "./paper.ts";

/** So many of the ten are enough. */
export const ENOUGH = 8;
/** Machines of each mutant that are shown. */
const SHOWN = 4;
/** So many a referee must find before his silence about the others says anything. */
const SOME = 3;

/** A machine as inert data. */
export const inertMachine = ({ frames, entries, grants, mappings, roots }: PaperMachine): Inert => ({
  frames: frames.map((each) => ({ ...each })),
  entries: entries.map((each) => ({ ...each })),
  grants: grants.map((each) => (each === null ? null : { ...each })),
  mappings: mappings.map((each) => (each === null ? null : { ...each })),
  roots: roots.map((each) => ({ ...each })),
});

/** A machine that is shown. `mutant`: whose it is; `undefined`: a hypervisor without mistakes has made it. */
interface Shown<Name> {
  readonly wreck: Wreck;
  readonly mutant: Name | undefined;
}

/** Which machines an answer accuses. */
interface Accused<Name> {
  readonly innocent: readonly Wreck[];
  readonly mutants: ReadonlySet<Name>;
}

/**
 * Asks about all machines at once, in an order of the seed's: sound and wrecked ones stand in one queue, so nobody who counts the calls knows
 * which this one is.
 */
export function accusedBy<Name>(
  isBroken: Answer,
  machines: readonly Shown<Name>[],
  seed: number,
): Accused<Name> | Finding {
  const queue = mixed(machines, seed);
  const mutants = new Set<Name>();
  const innocent: Wreck[] = [];
  const outcomes = isBroken.callEach(queue.map(({ wreck }) => [inertMachine(wreck.machine)]));
  for (const [at, { wreck, mutant }] of queue.entries()) {
    const outcome = outcomes[at];
    if (outcome?.ok !== true)
      return fails(`isBroken ${outcome?.category ?? "did not answer"}.`, outcome?.message);
    if (typeof outcome.value !== "boolean") return fails("isBroken must return true or false.");
    if (!outcome.value) continue;
    if (mutant === undefined) innocent.push(wreck);
    else mutants.add(mutant);
  }
  return { innocent, mutants };
}

/** A list in another order (Fisher and Yates). */
function mixed<Item>(items: readonly Item[], seed: number): Item[] {
  const word = seededWords(seed);
  const list = [...items];
  for (let end = list.length - 1; end > 0; end--) {
    const [item] = list.splice((word() >>> 4) % (end + 1), 1);
    if (item !== undefined) list.push(item);
  }
  return list;
}

/** What the answer says of all machines of a run. */
function heard(answer: Answer, run: CheckRun): (Accused<Mutant> & { readonly alarm: Finding }) | Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a machine.");
  const histories = Math.max(4, Math.min(40, Math.floor(run.instances / 4)));
  const accused = accusedBy(
    answer,
    [
      ...soundMachines(run.seed, histories).map((wreck) => ({ wreck, mutant: undefined })),
      ...MUTANTS.flatMap((mutant) => wrecks(run, mutant).map((wreck) => ({ wreck, mutant }))),
    ],
    run.seed.value ^ 0x065,
  );
  if (!("innocent" in accused)) return accused;
  const [innocent] = accused.innocent;
  return { ...accused, alarm: innocent === undefined ? HOLDS : falseAlarm(innocent) };
}

const wrecks = (run: CheckRun, { name }: Mutant): Wreck[] =>
  wrecksOf(name, seedFor(run.seed.name, name), SHOWN);

const falseAlarm = ({ ops }: Wreck): Finding =>
  fails(
    "A hypervisor without mistakes is accused. Its owner is one reference of a frame; a granted page may be mapped; a table is held by links, by granted pages in it, and a root by its domain.",
    `after \`${ops.slice(-6).map(opWords).join("; ")}\` nothing is wrong`,
  );

function judgeKills(answer: Answer, run: CheckRun): Finding {
  const found = heard(answer, run);
  if (!("alarm" in found)) return found;
  const { alarm, mutants } = found;
  if (alarm.share < 1)
    return fails(`Whoever accuses everybody has caught nobody. ${alarm.message}`, alarm.detail);
  if (mutants.size >= ENOUGH) return HOLDS;
  const alive = MUTANTS.find((mutant) => !mutants.has(mutant));
  const [wreck] = alive === undefined ? [] : wrecks(run, alive);
  return {
    share: mutants.size / ENOUGH,
    message: `${mutants.size} of ${MUTANTS.length} found, ${ENOUGH} are wanted. It does not notice a hypervisor that ${alive?.says}.`,
    ...(alive === undefined || wreck === undefined ? {} : { detail: storyOf(wreck, alive.name) }),
  };
}

function judgeSound(answer: Answer, run: CheckRun): Finding {
  const found = heard(answer, run);
  if (!("alarm" in found)) return found;
  const { alarm, mutants } = found;
  if (alarm.share < 1) return alarm;
  if (mutants.size >= SOME) return HOLDS;
  return fails(
    mutants.size === 0
      ? "Who never accuses anybody is no referee: recount the references of each frame first."
      : "Who hardly ever accuses anybody is no referee: recount the references of each frame first.",
  );
}

/** Check of exercise 06.5. */
export const checkerCheck: Check = defineCheck({
  id: "06.5",
  title: "A referee of your own",
  points: 5,
  properties: [
    { id: "sound", says: "a hypervisor without mistakes is never accused", weight: 1, run: judgeSound },
    {
      id: "kills",
      says: `at least ${ENOUGH} of ${MUTANTS.length} hypervisors with a mistake are found`,
      weight: 4,
      run: judgeKills,
    },
  ],
});
