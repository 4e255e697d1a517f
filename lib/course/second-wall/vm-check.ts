/** Exercise 04.5, break: the reader's own property test must tell hypervisors that fence badly from one that does not. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import {
  CARELESS_HYPERVISORS,
  firstLieIn,
  RIGHT_HYPERVISOR,
  runHypervisor,
  VM_PAGES,
  type VmEvent,
  type VmHabit,
  type VmOp,
  vmWords,
} from "./vm-machine.ts";

/** Trials that one property runs, and the longest that is run. */
const TRIALS = 20;
const MOST_OPS = 200;

const within = (value: Inert, least: number, most: number): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most ? value : undefined;

function opOf(value: Inert): VmOp | undefined {
  const op = member(value, "op");
  const vm = within(member(value, "vm"), 1, 2);
  const page = within(member(value, "page"), 0, VM_PAGES - 1);
  if (vm === undefined || page === undefined) return undefined;
  if (op === "unmap" || op === "load") return { op, vm, page };
  const frame = within(member(value, "frame"), 0, VM_PAGES - 1);
  return op === "map" && frame !== undefined ? { op, vm, page, frame } : undefined;
}

const SHAPE = `trial must return a list of at most ${MOST_OPS} requests: { op: "map", vm, page, frame }, { op: "unmap", vm, page } or { op: "load", vm, page }; vm is 1 or 2, page and frame 0 to ${VM_PAGES - 1}.`;

/** The trials of an answer, or what is wrong with them. */
function trialsOf(answer: Answer, run: CheckRun): readonly (readonly VmOp[])[] | Finding {
  const trial = answer.at("trial");
  if (!trial.isFunction || !answer.at("firstLie").isFunction)
    return fails("The answer must be { trial, firstLie }: two functions.");
  const word = seededWords(run.seed.value ^ 0x0405);
  const seeds = Array.from({ length: Math.min(TRIALS, run.instances) }, () => word() % 1_000_000);
  const trials: VmOp[][] = [];
  for (const outcome of trial.callEach(seeds.map((seed) => [seed]))) {
    if (!outcome.ok) return fails(`trial ${outcome.category}.`, outcome.message);
    const list =
      Array.isArray(outcome.value) && outcome.value.length <= MOST_OPS
        ? outcome.value.map(opOf)
        : [undefined];
    if (list.includes(undefined)) return fails(SHAPE);
    trials.push(list as VmOp[]);
  }
  if (trials.every((ops) => ops.length === 0))
    return fails("A trial without requests shows nothing: map pages, change them, and load from them.");
  return trials;
}

const inert = (history: readonly VmEvent[]): Inert => history.map((event) => ({ ...event }));

/** What the answer says of each history. */
function verdictsOn(answer: Answer, histories: readonly (readonly VmEvent[])[]): readonly number[] | Finding {
  const verdicts: number[] = [];
  for (const outcome of answer.at("firstLie").callEach(histories.map((history) => [inert(history)]))) {
    if (!outcome.ok) return fails(`firstLie ${outcome.category}.`, outcome.message);
    if (typeof outcome.value !== "number")
      return fails("firstLie must return a number: the place of the load in the history, or -1.");
    verdicts.push(outcome.value);
  }
  return verdicts;
}

/** What the answer says of the hypervisor without mistakes: every property asks. */
function verdictsOnRight(answer: Answer, trials: readonly (readonly VmOp[])[]): readonly number[] | Finding {
  const key = JSON.stringify(trials);
  const known = ASKED.get(answer);
  if (known?.key === key) return known.verdicts;
  const histories = trials.map((ops) => runHypervisor(ops, RIGHT_HYPERVISOR));
  const verdicts = verdictsOn(answer, histories);
  ASKED.set(answer, { key, verdicts });
  return verdicts;
}
const ASKED = new WeakMap<Answer, { readonly key: string; readonly verdicts: readonly number[] | Finding }>();

const isFinding = <Value>(value: readonly Value[] | Finding): value is Finding => !Array.isArray(value);

/** What happened to the page of one load, in both VMs, up to that load: the rest has nothing to say about it. */
function aboutPage(history: readonly VmEvent[], place: number): string {
  const load = history[place];
  if (load === undefined) return vmWords(history);
  const told = history.slice(0, place + 1).filter(({ page }) => page === load.page);
  return `of page ${load.page}: ${vmWords(told)}`;
}

function judgeRight(answer: Answer, run: CheckRun): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const histories = trials.map((ops) => runHypervisor(ops, RIGHT_HYPERVISOR));
  if (!histories.some((history) => history.some(({ saw }) => saw !== undefined && saw >= 0)))
    return fails("No load of any trial finds a page: map before you load.");
  const verdicts = verdictsOn(answer, histories);
  if (isFinding(verdicts)) return verdicts;
  const which = verdicts.findIndex((place) => place !== -1);
  const accused = histories[which];
  if (accused === undefined) return HOLDS;
  return fails(
    "A hypervisor that gives every fence is accused. A load must see the frame of the last map of that page of that VM, or fault.",
    aboutPage(accused, verdicts[which] ?? -1),
  );
}

function judgeMutant(answer: Answer, run: CheckRun, habit: VmHabit): Finding {
  const trials = trialsOf(answer, run);
  if (isFinding(trials)) return trials;
  const histories = trials
    .map((ops) => runHypervisor(ops, habit))
    .filter((history) => firstLieIn(history) >= 0);
  const [first] = histories;
  if (first === undefined)
    return fails(
      habit.name === "shared"
        ? "No trial brings the mistake to light: every load saw what it should. A VMID is about two VMs: let both use the same page number, with different frames."
        : "No trial brings the mistake to light: every load saw what it should. A hart remembers a page only after a load, so load before the change and again behind it.",
    );
  const verdicts = verdictsOn(answer, histories);
  if (isFinding(verdicts)) return verdicts;
  const right = verdictsOnRight(answer, trials);
  if (isFinding(right)) return right;
  if (right.some((place) => place !== -1))
    return fails("The hypervisor without mistakes is accused too, so this says nothing.");
  const found = histories.findIndex((_, index) => verdicts[index] !== -1);
  if (found === -1)
    return fails(
      "A load saw the wrong frame, and firstLie did not notice: keep a map from VM and page to frame while you read the history, and compare.",
      aboutPage(first, firstLieIn(first)),
    );
  const wrong = histories.findIndex(
    (history, index) => verdicts[index] !== -1 && verdicts[index] !== firstLieIn(history),
  );
  const told = histories[wrong];
  if (told === undefined) return HOLDS;
  return fails(
    "The mistake is noticed, at another place: name the first load that saw something else than the maps before it say.",
    `${aboutPage(told, firstLieIn(told))} — place ${firstLieIn(told)}, you say ${verdicts[wrong]}`,
  );
}

const PROPERTIES: readonly Property[] = [
  { id: "right", says: "a hypervisor that gives every fence is never accused", weight: 1, run: judgeRight },
  ...CARELESS_HYPERVISORS.map((habit) => ({
    id: habit.name,
    says: habit.says,
    weight: 1,
    run: (answer: Answer, run: CheckRun) => judgeMutant(answer, run, habit),
  })),
];

/** Check of exercise 04.5. */
export const vmCheck: Check = defineCheck({
  id: "04.5",
  title: "Catch the careless hypervisor",
  points: 6,
  properties: PROPERTIES,
});
