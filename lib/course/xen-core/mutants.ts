/** Ten hypervisors with one mistake each, and what brings it to light. */
import type { NamedSeed } from "../../checks/seed.ts";
import { seededWords } from "../../checks/seed.ts";
import { fewestCalls } from "./fewest-calls.ts";
import { type MistakeName, opWords, type PaperMachine, type PaperOp } from "./paper.ts";
import { drawHistory, play, playUntilWrong } from "./paper-histories.ts";
import { paperMistakes } from "./paper-referee.ts";

/** A hypervisor that has forgotten something. */
export interface Mutant {
  readonly name: MistakeName;
  /** What it does, as a relative clause: "that …". */
  readonly says: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "superpage",
    says: "lets a large page stand in a root and looks at its first frame alone (XSA-148)",
  },
  { name: "fast path", says: "changes R to RW without a look when the frame stays the same (XSA-182)" },
  { name: "double drop", says: "drops two references when one of several mappings goes (XSA-224)" },
  { name: "read-only drop", says: "drops a writer when a mapping that only reads goes (XSA-234)" },
  { name: "grant rights", says: "maps writable what was granted to be read" },
  { name: "early revoke", says: "takes a grant back while somebody maps the page" },
  { name: "kept reference", says: "keeps the reference of an entry that was replaced" },
  { name: "stranger", says: "does not ask whose a frame is that is only to be read" },
  { name: "typed while writable", says: "makes a table of a frame that somebody can write" },
  { name: "early release", says: "takes a frame back that entries still map" },
];

const LENGTH = 40;
const MOST_TRIED = 400;

/** A machine that has gone wrong, and the requests that did it. */
export interface Wreck {
  readonly ops: readonly PaperOp[];
  readonly machine: PaperMachine;
}

/** Machines that a mutant has made, at the first step behind which something is wrong. */
export function wrecksOf(mistake: MistakeName, seed: NamedSeed, count: number): Wreck[] {
  const word = seededWords(seed.value);
  const wrecks: Wreck[] = [];
  for (let tried = 0; tried < MOST_TRIED && wrecks.length < count; tried++) {
    const ops = drawHistory(word(), LENGTH);
    const steps = playUntilWrong(ops, mistake);
    const wrong = steps?.at(-1);
    if (steps !== undefined && wrong !== undefined)
      wrecks.push({ ops: ops.slice(0, steps.length), machine: wrong.machine });
  }
  return wrecks;
}

/** Machines that a hypervisor without mistakes has made. */
export function soundMachines(seed: NamedSeed, histories: number): Wreck[] {
  const word = seededWords(seed.value ^ 0x50d);
  return Array.from({ length: histories }, () => drawHistory(word(), LENGTH)).flatMap((ops) =>
    play(ops).flatMap(({ machine }, at) => (at % 8 === 7 ? [{ ops: ops.slice(0, at + 1), machine }] : [])),
  );
}

/** A short story of the mistake: "after `grant(…); map(…)`: frame 0x81a3 counts 1 reference, but it has 2". */
export function storyOf({ ops }: Wreck, mistake: MistakeName): string {
  const few = fewestCalls(ops, (list) => playUntilWrong(list, mistake) !== undefined);
  const wrong = playUntilWrong(few, mistake)?.at(-1);
  const [first = "nothing is wrong"] = wrong === undefined ? [] : paperMistakes(wrong.machine);
  return `after \`${few.map(opWords).join("; ")}\`: ${first}`;
}
