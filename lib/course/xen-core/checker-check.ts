/** Exercise 06.5, break: the reader's own referee must find what ten hypervisors have forgotten, and accuse no innocent one. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import type { Inert } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seedFor } from "../../checks/seed.ts";
import { MUTANTS, soundMachines, storyOf, type Wreck, wrecksOf } from "./mutants.ts";
import { opWords, type PaperMachine } from "./paper.ts";

/** So many of the ten are enough. */
export const ENOUGH = 8;
/** Machines of each mutant that are shown. */
const SHOWN = 4;

/** A machine as inert data. */
export const inertMachine = ({ frames, entries, grants, mappings, roots }: PaperMachine): Inert => ({
  frames: frames.map((each) => ({ ...each })),
  entries: entries.map((each) => ({ ...each })),
  grants: grants.map((each) => (each === null ? null : { ...each })),
  mappings: mappings.map((each) => (each === null ? null : { ...each })),
  roots: roots.map((each) => ({ ...each })),
});

/** What the answer says of each machine. */
function verdictsOn(answer: Answer, wrecks: readonly Wreck[]): readonly boolean[] | Finding {
  const verdicts: boolean[] = [];
  for (const outcome of answer.callEach(wrecks.map(({ machine }) => [inertMachine(machine)]))) {
    if (!outcome.ok) return fails(`isBroken ${outcome.category}.`, outcome.message);
    if (typeof outcome.value !== "boolean") return fails("isBroken must return true or false.");
    verdicts.push(outcome.value);
  }
  return verdicts;
}

const isFinding = (value: readonly boolean[] | Finding): value is Finding => !Array.isArray(value);

function falseAlarm(answer: Answer, run: CheckRun): Finding {
  const sound = soundMachines(run.seed, Math.max(4, Math.min(40, Math.floor(run.instances / 4))));
  const verdicts = verdictsOn(answer, sound);
  if (isFinding(verdicts)) return verdicts;
  const accused = sound[verdicts.indexOf(true)];
  if (accused === undefined) return HOLDS;
  return fails(
    "A hypervisor without mistakes is accused. Its owner is one reference of a frame; a granted page may be mapped; a table is held by links, by granted pages in it, and a root by its domain.",
    `after \`${accused.ops.slice(-6).map(opWords).join("; ")}\` nothing is wrong`,
  );
}

/** Which mutants are found, or why nothing can be said. */
function kills(
  answer: Answer,
  run: CheckRun,
): { readonly killed: number; readonly alive: Finding } | Finding {
  let killed = 0;
  let alive: Finding = HOLDS;
  for (const { name, says } of MUTANTS) {
    const wrecks = wrecksOf(name, seedFor(run.seed.name, name), SHOWN);
    const verdicts = verdictsOn(answer, wrecks);
    if (isFinding(verdicts)) return verdicts;
    const [wreck] = wrecks;
    if (verdicts.includes(true)) killed += 1;
    else if (alive.share === 1 && wreck !== undefined)
      alive = fails(`It does not notice a hypervisor that ${says}.`, storyOf(wreck, name));
  }
  return { killed, alive };
}

function judgeKills(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a machine.");
  const alarm = falseAlarm(answer, run);
  if (alarm.share < 1)
    return fails(`Whoever accuses everybody has caught nobody. ${alarm.message}`, alarm.detail);
  const found = kills(answer, run);
  if (!("killed" in found)) return found;
  const { killed, alive } = found;
  if (killed >= ENOUGH) return HOLDS;
  return {
    ...alive,
    share: killed / ENOUGH,
    message: `${killed} of ${MUTANTS.length} found, ${ENOUGH} are wanted. ${alive.message}`,
  };
}

function judgeSound(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a machine.");
  const alarm = falseAlarm(answer, run);
  if (alarm.share < 1) return alarm;
  for (const { name } of MUTANTS) {
    const verdicts = verdictsOn(answer, wrecksOf(name, seedFor(run.seed.name, name), 2));
    if (isFinding(verdicts)) return verdicts;
    if (verdicts.includes(true)) return HOLDS;
  }
  return fails("Who never accuses anybody is no referee: recount the references of each frame first.");
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
