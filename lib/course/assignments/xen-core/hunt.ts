/** Exercise A6.4: requests that bring mistakes to light, and a referee that sees them. */
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { accusedBy } from "../../xen-core/checker-check.ts";
import { MUTANTS, type Mutant, storyOf, type Wreck } from "../../xen-core/mutants.ts";
import {
  DOMAINS,
  ENTRIES,
  FIRST_FRAME,
  FRAMES,
  type PaperEntry,
  type PaperOp,
} from "../../xen-core/paper.ts";
import { play, playUntilWrong } from "../../xen-core/paper-histories.ts";

const TRIALS = 12;
const MOST_OPS = 60;
/** So many of the ten are enough. */
const ENOUGH = 8;

/** Nine of the notebook's, and one that nobody has seen there. */
const HUNTED: readonly Mutant[] = [
  ...MUTANTS.filter(({ name }) => name !== "kept reference"),
  { name: "lost mapping", says: "does not count the mappings of a grant" },
];

const whole = (value: Inert, from: number, to: number): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= from && value < to ? value : undefined;
const frameOf = (value: Inert, name: string): number | undefined =>
  whole(member(value, name), FIRST_FRAME, FIRST_FRAME + DOMAINS.length * FRAMES);
const MOST = 1_000;

function entryOf(value: Inert): PaperEntry | null | undefined {
  if (value === null) return null;
  const kind = member(value, "kind");
  const frame = frameOf(value, "frame");
  const writable = member(value, "writable");
  if (frame === undefined || typeof writable !== "boolean" || (kind !== "page" && kind !== "link"))
    return undefined;
  return kind === "link" ? { kind, frame, writable: false } : { kind, frame, writable };
}

/** A request of an answer's; `undefined`: it is none. */
function opOf(value: Inert): PaperOp | undefined {
  const op = member(value, "op");
  const domain = whole(member(value, "domain"), 1, 3);
  if (domain === undefined) return undefined;
  const [table, frame] = [frameOf(value, "table"), frameOf(value, "frame")];
  const index = whole(member(value, "index"), 0, ENTRIES);
  const [grant, mapping] = [whole(member(value, "grant"), 0, MOST), whole(member(value, "mapping"), 0, MOST)];
  const to = whole(member(value, "to"), 1, 3);
  const writable = member(value, "writable");
  if (op === "update" && table !== undefined && index !== undefined) {
    const entry = entryOf(member(value, "entry"));
    return entry === undefined ? undefined : { op, domain, table, index, entry };
  }
  if (op === "grant" && to !== undefined && frame !== undefined && typeof writable === "boolean")
    return { op, domain, to, frame, writable };
  if (
    op === "map" &&
    grant !== undefined &&
    table !== undefined &&
    index !== undefined &&
    typeof writable === "boolean"
  )
    return { op, domain, grant, table, index, writable };
  if (op === "unmap" && mapping !== undefined) return { op, domain, mapping };
  if (op === "revoke" && grant !== undefined) return { op, domain, grant };
  if (op === "release" && frame !== undefined) return { op, domain, frame };
  return op === "claim" ? { op, domain } : undefined;
}

/** The trials of an answer, or what is wrong with them. */
function trialsOf(answer: Answer, run: CheckRun): readonly (readonly PaperOp[])[] | Finding {
  const trial = answer.at("trial");
  if (!trial.isFunction || !answer.at("isBroken").isFunction)
    return fails("The answer must be { trial, isBroken }: two functions.");
  const word = seededWords(run.seed.value ^ 0xa64);
  const trials: PaperOp[][] = [];
  for (const outcome of trial.callEach(Array.from({ length: TRIALS }, () => [word() % 1_000_000]))) {
    if (!outcome.ok) return fails(`trial ${outcome.category}.`, outcome.message);
    if (!Array.isArray(outcome.value) || outcome.value.length > MOST_OPS)
      return fails(`trial must return a list of at most ${MOST_OPS} requests.`);
    const list = outcome.value.map(opOf);
    const bad = list.indexOf(undefined);
    if (bad >= 0)
      return fails(
        "trial returns something that is no request: see the list in the text, with frames from 0x81a0 to 0x81af, indexes from 0 to 3, domains 1 and 2.",
        `request ${bad}`,
      );
    trials.push(list as PaperOp[]);
  }
  return trials;
}

const isFinding = (value: object): value is Finding => "share" in value;

/** Every fourth machine of the hypervisor without a mistake, and the last. */
const soundOf = (trials: readonly (readonly PaperOp[])[]): Wreck[] =>
  trials.flatMap((ops) =>
    play(ops).flatMap(({ machine }, at, all) =>
      at % 4 === 3 || at === all.length - 1 ? [{ ops: ops.slice(0, at + 1), machine }] : [],
    ),
  );

function wrecked(trials: readonly (readonly PaperOp[])[], { name }: Mutant): Wreck[] {
  return trials.flatMap((ops) => {
    const steps = playUntilWrong(ops, name);
    const last = steps?.at(-1);
    return steps === undefined || last === undefined
      ? []
      : [{ ops: ops.slice(0, steps.length), machine: last.machine }];
  });
}

function judgeTrials(answer: Answer, run: CheckRun): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const missed = HUNTED.filter((mutant) => wrecked(trials, mutant).length === 0);
  const brought = HUNTED.length - missed.length;
  if (brought >= ENOUGH) return HOLDS;
  const [first] = missed;
  return {
    share: brought / ENOUGH,
    message: `The trials bring ${brought} of ${HUNTED.length} mistakes to light, ${ENOUGH} are wanted. None shows a hypervisor that ${first?.says}.`,
  };
}

function judgeHunt(answer: Answer, run: CheckRun): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const sound = soundOf(trials);
  if (sound.length === 0) return fails("No trial asks for anything.");
  const wrecks = HUNTED.flatMap((mutant) => wrecked(trials, mutant).map((wreck) => ({ wreck, mutant })));
  const accused = accusedBy(
    answer.at("isBroken"),
    [...sound.map((wreck) => ({ wreck, mutant: undefined })), ...wrecks],
    run.seed.value ^ 0xa640,
  );
  if (isFinding(accused)) return accused;
  if (accused.innocent.length > 0) return fails("A hypervisor without mistakes is accused.");
  const killed = accused.mutants.size;
  if (killed >= ENOUGH) return HOLDS;
  const alive = HUNTED.find((mutant) => !accused.mutants.has(mutant));
  const shown = wrecks.find(({ mutant }) => mutant === alive);
  return {
    share: killed / ENOUGH,
    message: `${killed} of ${HUNTED.length} found, ${ENOUGH} are wanted. ${shown === undefined ? "No trial shows" : "isBroken does not notice"} a hypervisor that ${alive?.says}.`,
    ...(shown === undefined ? {} : { detail: storyOf(shown.wreck, shown.mutant.name) }),
  };
}

/** Check of exercise A6.4. */
export const huntCheck: Check = defineCheck({
  id: "A6.4",
  title: "Hunt",
  points: 3,
  properties: [
    {
      id: "trials",
      says: `your requests bring ${ENOUGH} of ${HUNTED.length} mistakes to light`,
      weight: 1,
      run: judgeTrials,
    },
    {
      id: "hunt",
      says: `your referee finds ${ENOUGH} of ${HUNTED.length}, and accuses nobody else`,
      weight: 2,
      run: judgeHunt,
    },
  ],
});
