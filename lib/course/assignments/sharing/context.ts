/** Exercise A5.3: the context of a virtual CPU goes to RAM and back, floats and all, while interrupts come for guests that are away. */
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { type Inert, isInertRecord } from "../../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { smallest } from "../../sharing/smallest.ts";
import { GUEST_CSRS, HOST_CSRS, SPP } from "../../sharing/world-switch-parts.ts";

const FLOATS = [...Array.from({ length: 32 }, (_, number) => `f${number}`), "fcsr"] as const;
const GUEST = [...GUEST_CSRS, ...FLOATS];
const ALL = [...GUEST, "sstatus", ...HOST_CSRS];
const ALL_BITS = 2n ** 64n - 1n;
const BITS = { software: 1n << 2n, timer: 1n << 6n, external: 1n << 10n } as const;

type Hart = Readonly<Record<string, bigint>>;
type Writes = readonly (readonly [name: string, value: bigint])[];

/** A story: guests have the hart in turn, change everything, and are sent interrupts while they are away. */
interface Story {
  readonly turns: readonly number[];
  readonly words: readonly Hart[];
  readonly first: readonly Hart[];
  readonly interrupts: readonly { readonly guest: number; readonly bits: bigint }[];
}

const GUESTS = 3;
const STORIES = 24;

function storiesFor(run: CheckRun): readonly Story[] {
  const word = seededWords(run.seed.value ^ 0x0a53);
  const big = (): bigint => (BigInt(word()) << 32n) | BigInt(word()) | 1n;
  const hart = (): Hart => Object.fromEntries(ALL.map((name) => [name, name === "hvip" ? 0n : big()]));
  return Array.from({ length: Math.max(4, Math.min(STORIES, run.instances)) }, () => {
    const length = 3 + (word() % 8);
    const turns = [0];
    while (turns.length < length) turns.push(((turns.at(-1) ?? 0) + 1 + (word() % (GUESTS - 1))) % GUESTS);
    return {
      turns,
      words: turns.map(hart),
      first: Array.from({ length: GUESTS }, hart),
      interrupts: turns.map(() => ({
        guest: word() % GUESTS,
        bits: Object.values(BITS)[word() % 3] ?? 0n,
      })),
    };
  });
}

interface Seen {
  readonly guest: number;
  readonly wanted: Hart;
  readonly hostWas: Hart;
  readonly hart: Hart;
  readonly injected: bigint;
  readonly between: string | undefined;
}

const SHAPES = {
  save: "save must return a record of bigints, by name.",
  restore: 'restore must return a list of pairs in the order of writing: [["vsatp", 0n], …].',
  inject: "inject must return a record as save does, with the interrupt in it.",
};

function recordOf(value: Inert): Hart | undefined {
  if (!isInertRecord(value)) return undefined;
  return Object.values(value).every((word) => typeof word === "bigint") ? (value as Hart) : undefined;
}

function writesOf(value: Inert): Writes | undefined {
  if (!Array.isArray(value) || value.length > 400) return undefined;
  const isWrite = (each: Inert): boolean =>
    Array.isArray(each) && typeof each[0] === "string" && typeof each[1] === "bigint";
  return value.every(isWrite) ? (value as unknown as Writes) : undefined;
}

class Told extends Error {}

function ask<Made>(
  answer: Answer,
  name: keyof typeof SHAPES,
  args: readonly Inert[],
  read: (value: Inert) => Made | undefined,
): Made {
  const outcome = answer.at(name).call(...args);
  if (!outcome.ok) throw new Told(`${name} ${outcome.category}.`);
  const made = read(outcome.value);
  if (made === undefined) throw new Told(SHAPES[name]);
  return made;
}

/** Tells a story to an answer: what the hart held whenever a guest came back to it. */
function tell(answer: Answer, { turns, words, first, interrupts }: Story): readonly Seen[] {
  const kept: (Hart | undefined)[] = [];
  // What each should find: what it left, or what it begins with, and interrupts that came since.
  const owned: Hart[] = first.map((begin) => ({ ...begin }));
  const pending: bigint[] = first.map(() => 0n);
  for (const [guest, begin] of first.entries()) kept[guest] = ask(answer, "save", [begin], recordOf);
  let hart: Record<string, bigint> = { ...(first[0] ?? {}) };
  const seen: Seen[] = [];
  let running: number | undefined;
  for (const [index, guest] of turns.entries()) {
    const hostWas = { ...hart };
    if (running !== undefined) {
      kept[running] = ask(answer, "save", [{ ...hart }], recordOf);
      owned[running] = { ...hart };
    }
    const { guest: target, bits } = interrupts[index] ?? { guest, bits: 0n };
    if (bits !== 0n && (target !== running || target === guest)) {
      kept[target] = ask(answer, "inject", [{ ...kept[target] }, bits], recordOf);
      owned[target] = { ...owned[target], hvip: (owned[target]?.["hvip"] ?? 0n) | bits };
      pending[target] = bits;
    }
    const old = { vsatp: hart["vsatp"], hgatp: hart["hgatp"] };
    const next = owned[guest] ?? {};
    let between: string | undefined;
    for (const [name, value] of ask(answer, "restore", [{ ...kept[guest] }, { ...hart }], writesOf)) {
      hart[name] = value;
      const isPair = (pair: Hart | typeof old): boolean =>
        hart["vsatp"] === pair["vsatp"] && hart["hgatp"] === pair["hgatp"];
      if (hart["vsatp"] !== 0n && !isPair(old) && !isPair(next)) between ??= name;
    }
    seen.push({ guest, wanted: next, hostWas, hart: { ...hart }, injected: pending[guest] ?? 0n, between });
    pending[guest] = 0n;
    running = guest;
    // The guest works: all that is its own changes, and the hypervisor's own does, too.
    hart = { ...hart, ...words[index], hgatp: hart["hgatp"] ?? 0n, hvip: hart["hvip"] ?? 0n };
  }
  return seen;
}

type Objection = (seen: Seen) => Broken | undefined;

const comesBack: Objection = ({ guest, wanted, hart }) => {
  const lost = GUEST.filter((name) => name !== "hvip" && hart[name] !== wanted[name]);
  const isLost = lost.length > 0;
  if (isLost)
    return {
      hint: lost.every((name) => FLOATS.some((float) => float === name))
        ? "Floating-point registers do not come back: all 32, and fcsr."
        : "Something of a guest does not come back with it.",
      detail: `guest ${guest + 1} finds others' ${lost.slice(0, 6).join(", ")}`,
    };
  return ((hart["sstatus"] ?? 0n) & SPP) === ((wanted["sstatus"] ?? 0n) & SPP)
    ? undefined
    : { hint: "sstatus.SPP, bit 8, is the guest's, and does not come back.", detail: `guest ${guest + 1}` };
};

/** Who writes next to nothing overwrites nothing and mixes nothing up: only a switch is asked about the hypervisor's and about order. */
const isSwitch: Objection = ({ guest, wanted, hart }) => {
  const back = GUEST_CSRS.filter((name) => hart[name] === wanted[name]);
  const isThere = back.includes("vsatp") && back.includes("hgatp");
  return isThere && 2 * back.length > GUEST_CSRS.length
    ? undefined
    : {
        hint: "This is no switch yet, and shows nothing: vsatp, hgatp and most other CSRs of the guest must come back.",
        detail: `guest ${guest + 1} finds ${back.length} of ${GUEST_CSRS.length} as it left them`,
      };
};

const staysOurs: Objection = ({ hostWas, hart }) => {
  const taken = HOST_CSRS.find((name) => hart[name] !== hostWas[name]);
  if (taken !== undefined)
    return { hint: "Something of the hypervisor is overwritten by a switch.", detail: `written: ${taken}` };
  const rest = ALL_BITS & ~SPP;
  return ((hart["sstatus"] ?? 0n) & rest) === ((hostWas["sstatus"] ?? 0n) & rest)
    ? undefined
    : { hint: "Of sstatus only SPP is the guest's: the rest must stay as it is.", detail: "" };
};

const neverMixed: Objection = ({ between }) =>
  between === undefined
    ? undefined
    : {
        hint: "For a moment one guest's tables stand over another's memory: vsatp must be 0 while hgatp changes.",
        detail: `behind the write of ${between}`,
      };

const arrives: Objection = ({ guest, wanted, hart, injected }) => {
  const [has, should] = [hart["hvip"] ?? 0n, wanted["hvip"] ?? 0n];
  if (has === should) return undefined;
  const detail = `guest ${guest + 1}: hvip 0x${has.toString(16)}, should be 0x${should.toString(16)}`;
  if ((injected & ~has) !== 0n)
    return {
      hint: "An interrupt that came while a guest was away is lost. It waits in the record, and comes with it.",
      detail,
    };
  return (should & ~has) !== 0n
    ? { hint: "An interrupt that was pending before is lost when another one comes: add the bits.", detail }
    : { hint: "A guest finds an interrupt that was for another one.", detail };
};

/** What is wrong with the answer to a story. Throws `Told` for an answer of the wrong shape. */
function wrongWith(answer: Answer, story: Story, objections: readonly Objection[]): Broken | undefined {
  const seen = tell(answer, story);
  if (seen.every(({ hart, hostWas }) => ALL.every((name) => hart[name] === hostWas[name])))
    return { hint: "Nothing is written: each guest goes on with what the last one has left.", detail: "" };
  for (const each of seen) {
    const found = objections.map((object) => object(each)).find((objection) => objection !== undefined);
    if (found !== undefined)
      return {
        hint: found.hint,
        detail: `turns ${story.turns.map((guest) => guest + 1).join(" ")}: ${found.detail}`,
      };
  }
  return undefined;
}

/** The story up to half of its turns, without one of them, or without an interrupt. The first turn stays, and nobody follows himself. */
function simplerStories({ turns, words, first, interrupts }: Story): readonly Story[] {
  const picked = (kept: readonly number[]): Story => ({
    turns: turns.filter((_, place) => kept.includes(place)),
    words: words.filter((_, place) => kept.includes(place)),
    interrupts: interrupts.filter((_, place) => kept.includes(place)),
    first,
  });
  const places = [...turns.keys()];
  const quiet = places.filter((place) => interrupts[place]?.bits !== 0n);
  return [
    ...(turns.length > 3 ? [picked(places.slice(0, turns.length >> 1))] : []),
    ...places.slice(1).map((left) => picked(places.filter((place) => place !== left))),
    ...quiet.map((place) => ({
      turns,
      words,
      first,
      interrupts: interrupts.map((each, at) => (at === place ? { ...each, bits: 0n } : each)),
    })),
  ].filter((story) => story.turns.every((guest, at) => guest !== story.turns[at - 1]));
}

function judge(answer: Answer, run: CheckRun, ...objections: readonly Objection[]): Finding {
  if (!["save", "restore", "inject"].every((name) => answer.at(name).isFunction))
    return fails("The answer must be { save, restore, inject }: three functions.");
  const broken = (stories: readonly Story[]): readonly (Broken | undefined)[] =>
    stories.map((story) => wrongWith(answer, story, objections));
  try {
    for (const story of storiesFor(run)) {
      const found = wrongWith(answer, story, objections);
      if (found === undefined) continue;
      const { hint, detail } = smallest(story, found, { candidates: simplerStories, broken, width: 1 });
      return fails(hint, detail);
    }
  } catch (error) {
    if (error instanceof Told) return fails(error.message);
    throw error;
  }
  return HOLDS;
}

/** Check of exercise A5.3. */
export const contextCheck: Check = defineCheck({
  id: "A5.3",
  title: "There and back",
  points: 4,
  properties: [
    {
      id: "whole",
      says: "whatever the order of turns, a guest finds what it left",
      weight: 1,
      run: (answer, run) => judge(answer, run, comesBack),
    },
    {
      id: "only",
      says: "what is the hypervisor's stays",
      weight: 1,
      run: (answer, run) => judge(answer, run, isSwitch, staysOurs),
    },
    {
      id: "order",
      says: "tables and memory of two guests are never mixed",
      weight: 1,
      run: (answer, run) => judge(answer, run, isSwitch, neverMixed),
    },
    {
      id: "inject",
      says: "interrupts for who is away arrive, at the right one",
      weight: 1,
      run: (answer, run) => judge(answer, run, arrives),
    },
  ],
});
