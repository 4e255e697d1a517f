/**
 * Makes a failing program small. All that can be left out is tried at once, for a round is one image; what works alone is
 * then tried together.
 */
import { MAX_PROGRAMS } from "./layout.ts";
import type { Program } from "./program.ts";

/** Which of these programs fail. */
export type Failing = (programs: readonly Program[]) => Promise<readonly boolean[]>;

/** Makes a program simpler in one way. */
type Step = (program: Program) => Program;

/** `mstatus.MPP` and `MPV`. */
const MODES = 0x80_0000_1800n;
/** Rounds are few: each removes what it can. */
const MAX_ROUNDS = 16;

/** Leaves out items by their numbers. */
const withoutItems =
  (ids: ReadonlySet<number>): Step =>
  (program) => ({ ...program, items: program.items.filter(({ id }) => !ids.has(id)) });

const withoutWord =
  (item: number, place: number): Step =>
  (program) => ({
    ...program,
    items: program.items.map((each) =>
      each.id === item ? { ...each, words: each.words.toSpliced(place, 1) } : each,
    ),
  });

const withControl =
  (name: string, mask: bigint): Step =>
  (program) => ({
    ...program,
    control: { ...program.control, [name]: (program.control[name] ?? 0n) & mask },
  });

/** Halves, quarters and so on down to single items, then single instructions. */
function codeSteps({ items }: Program): Step[] {
  const steps: Step[] = [];
  for (let size = items.length; size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < items.length; at += size)
      steps.push(withoutItems(new Set(items.slice(at, at + size).map(({ id }) => id))));
  for (const { id, words, jump, isWhole } of items)
    if (words.length > 1 && jump === undefined && !isWhole)
      for (const place of words.keys()) steps.push(withoutWord(id, place));
  return steps;
}

/** The values that the hart starts with. */
function stateSteps({ integers, floats, control, entries }: Program): Step[] {
  const steps: Step[] = [(program) => ({ ...program, floats: floats.map(() => 0n) })];
  const zero =
    (name: "integers" | "floats", at: number): Step =>
    (program) => ({
      ...program,
      [name]: program[name].with(at, 0n),
    });
  for (const [at, value] of integers.entries()) if (value !== 0n) steps.push(zero("integers", at));
  for (const [at, value] of floats.entries()) if (value !== 0n) steps.push(zero("floats", at));
  for (const [name, value] of Object.entries(control)) {
    if (value === 0n || name.endsWith("envcfg")) continue;
    steps.push(withControl(name, 0n));
    // Half a mode is none, half a root leaves the handlers without memory, and faults are delegated in pairs.
    const bits = /atp$|^medeleg$/.test(name) ? [] : Array.from({ length: 44 }, (_, bit) => 1n << BigInt(bit));
    for (const bit of bits)
      if (value & bit && value !== bit && !(name === "mstatus" && bit & MODES))
        steps.push(withControl(name, ~bit));
  }
  for (const stage of ["own", "guest", "second"] as const)
    for (const at of entries[stage].keys())
      steps.push((program) => ({
        ...program,
        entries: { ...program.entries, [stage]: program.entries[stage].with(at, 0n) },
      }));
  return steps;
}

/** The largest beginning of the steps that can be taken together, by halving. */
async function together(
  program: Program,
  steps: readonly Step[],
  failing: Failing,
): Promise<Program | undefined> {
  const lengths: number[] = [];
  for (let length = steps.length; length >= 1; length = Math.floor(length / 2)) lengths.push(length);
  const candidates = lengths.map((length) =>
    steps.slice(0, length).reduce((made, step) => step(made), program),
  );
  const fails = await failing(candidates);
  return candidates.find((_, at) => fails[at]);
}

/** The smallest program that still fails and that this search finds. The program itself must fail. */
export async function shrunk(program: Program, failing: Failing): Promise<Program> {
  let best = program;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let isSmaller = false;
    for (const stepsOf of [codeSteps, stateSteps]) {
      const steps = stepsOf(best).slice(0, MAX_PROGRAMS);
      if (steps.length === 0) continue;
      const made = steps.map((step) => step(best));
      const fails = await failing(made);
      const changes = steps.filter((_, at) => fails[at] && isChange(best, made[at]));
      const smaller = changes.length === 0 ? undefined : await together(best, changes, failing);
      if (smaller === undefined) continue;
      best = smaller;
      isSmaller = true;
    }
    if (!isSmaller) return best;
  }
  return best;
}

const textOf = (program: Program | undefined): string =>
  JSON.stringify(program, (_, value) => (typeof value === "bigint" ? `${value}` : value));
const isChange = (before: Program, after: Program | undefined): boolean => textOf(before) !== textOf(after);
