/** What the referee says when an invariant does not hold. */
import { hex } from "../bits/hex.ts";
import { BIT, type Step } from "./page-tables.ts";

/** The invariants of the course, by number, in one sentence each. */
export const INVARIANTS = {
  I1: "A guest reaches no frame that it neither owns nor was granted.",
  I2: "No frame that holds page tables can be written by a guest.",
  I3: "Reference counts and type counts are what a recount of all tables gives.",
  I4: "The code of the machine's masters is what was loaded.",
  I5: "Nothing can be both written and executed.",
  I7: "A call that a domain may not make has no success.",
  I9: "Every frame is somebody's, or free, and none is twice.",
  I10: "A hypervisor that forgets all but machine RAM does the same.",
  I11: "An interrupt that is pending and not masked is delivered in time.",
} as const;
/** Number of an invariant. */
export type Invariant = keyof typeof INVARIANTS;

/** What a rule has found, before anybody asks when and where. */
export interface Finding {
  readonly invariant: Invariant;
  /** What it is about: a frame, a table's entry, a hart. The same object is reported once for each invariant. */
  readonly object: string;
  /** What is wrong, in one sentence. */
  readonly sentence: string;
  /** How one gets there: each entry on the way. */
  readonly walk?: readonly Step[];
  /** The entry of a domain's second stage that it is about: a guest may have an address that comes by it. */
  readonly entry?: { readonly domain: number; readonly at: bigint };
}

/** A violation: what, when, and what happened just before. */
export interface Violation extends Finding {
  /** Instructions that the machine had retired when it was noticed: `board.goTo` takes it. */
  readonly step: number;
  readonly hart: number;
  readonly pc: bigint;
  /** After which event it was noticed. */
  readonly after: string;
  readonly walk: readonly Step[];
  /** The last twenty lines of the trace. */
  readonly lastEvents: string;
}

/** The flags as software prints them, `DAGUXWRV`. */
function flagsText(entry: bigint): string {
  const flags = Object.entries(BIT).reverse();
  return flags.map(([letter, bit]) => ((entry & bit) === 0n ? "-" : letter)).join("");
}

/** An entry on the way, in a line: which table, which entry, its bits, and what it says. */
export function stepLine({ register, level, index, at, entry, meaning }: Step): string {
  const place = `${register} level ${level}, entry ${index} at ${hex(at)}`;
  const bits = entry === undefined ? "not readable" : `${hex(entry)} ${flagsText(entry)}`;
  switch (meaning.kind) {
    case "nothing":
      return `${place}: ${bits}: nothing, ${meaning.why}`;
    case "table":
      return `${place}: ${bits}: go on in the table at ${hex(meaning.to)}`;
    case "leaf":
      return `${place}: ${bits}: ${meaning.bytes} bytes at ${hex(meaning.to)}`;
  }
}

/** A violation as people read it. */
export const violationText = (violation: Violation): string => textBehind(violation, undefined);

/** Several, in order: what has happened last is not printed twice. */
export const violationsText = (violations: readonly Violation[]): string =>
  violations.map((each, index) => textBehind(each, violations[index - 1])).join("\n\n");

function textBehind(violation: Violation, previous: Violation | undefined): string {
  const { invariant, sentence, object, step, hart, pc, after, walk, lastEvents } = violation;
  return [
    `${invariant} does not hold: ${sentence}`,
    `  ${INVARIANTS[invariant]}`,
    `  object: ${object}`,
    `  noticed after ${after}, step ${step}, hart ${hart} at ${hex(pc)}`,
    ...(walk.length === 0 ? [] : ["  the way there:", ...walk.map((each) => `    ${stepLine(each)}`)]),
    ...(lastEvents === previous?.lastEvents
      ? ["  what happened last: the same as above"]
      : ["  what happened last:", ...lastEvents.split("\n").map((line) => `    ${line}`)]),
  ].join("\n");
}
