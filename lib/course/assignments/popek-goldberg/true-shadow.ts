/**
 * Exercise A3.3: shadow tables kept true while the guest edits its own at random. The model is what the manual allows a hart to remember:
 * any entry that was true at some time since the last fence that covers it.
 */
import fc from "fast-check";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import type { Inert } from "../../../checks/inert.ts";
import { type Broken, fails } from "../../../checks/property.ts";
import { forAllAtWork, type Work } from "../../popek-goldberg/work-share.ts";

const ASIDS = 2;
const PAGES = 3;
const FRAMES = 16;
/** The guest's memory really begins so many frames higher. */
const SHIFT = 0x200n;
const V = 1n;
const RIGHTS = { load: 2n, store: 4n, fetch: 8n } as const;
type Kind = keyof typeof RIGHTS;

type Op =
  | { readonly op: "edit"; readonly asid: number; readonly page: number; readonly leaf: bigint }
  | { readonly op: "access"; readonly page: number; readonly kind: Kind }
  | { readonly op: "switch"; readonly asid: number }
  | { readonly op: "fence"; readonly page: number | undefined; readonly asid: number | undefined };

/** What the monitor of a student is told. Edits it does not hear of. */
export type MonitorEvent =
  | {
      readonly kind: "fault";
      readonly asid: number;
      readonly page: number;
      readonly access: Kind;
      readonly leaf: bigint;
    }
  | { readonly kind: "switch"; readonly asid: number }
  | { readonly kind: "fence"; readonly page: number | undefined; readonly asid: number | undefined };

type Shadow = ReadonlyMap<number, bigint>;
const keyOf = (asid: number, page: number): number => asid * 4096 + page;

const leaves = fc
  .record({
    frame: fc.integer({ min: 1, max: FRAMES }),
    rights: fc.constantFrom(2n, 6n, 8n, 10n, 2n, 6n),
    valid: fc.nat(4),
  })
  .map(({ frame, rights, valid }) => (valid === 0 ? 0n : (BigInt(frame) << 10n) | rights | V));
const asids = fc.integer({ min: 1, max: ASIDS });
const pages = fc.nat(PAGES - 1);
const ops: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant("edit" as const), asid: asids, page: pages, leaf: leaves }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("access" as const),
      page: pages,
      kind: fc.constantFrom<Kind>("load", "store", "load", "fetch"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("switch" as const), asid: asids }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("fence" as const),
      page: fc.option(pages, { nil: undefined }),
      asid: fc.option(asids, { nil: undefined }),
    }),
  },
);
/** All spaces have pages to begin with. */
const plans: fc.Arbitrary<readonly Op[]> = fc
  .record({
    start: fc.array(leaves, { minLength: ASIDS * PAGES, maxLength: ASIDS * PAGES }),
    list: fc.array(ops, { minLength: 1, maxLength: 40, size: "max" }),
  })
  .map(({ start, list }) => [
    ...start.map(
      (leaf, index): Op => ({ op: "edit", asid: 1 + (index % ASIDS), page: Math.floor(index / ASIDS), leaf }),
    ),
    ...list,
  ]);

const rightsText = (leaf: bigint): string =>
  (leaf & V) === 0n
    ? "nothing"
    : `frame ${leaf >> 10n} ${[..."RWX"].filter((_, bit) => ((leaf >> BigInt(bit + 1)) & 1n) === 1n).join("")}`;

function opText(op: Op): string {
  if (op.op === "edit") return `edit ${op.asid}:${op.page} to ${rightsText(op.leaf)}`;
  if (op.op === "access") return `${op.kind} page ${op.page}`;
  if (op.op === "switch") return `switch to ${op.asid}`;
  return `fence ${op.page === undefined ? "all pages" : `page ${op.page}`} of ${op.asid === undefined ? "all spaces" : `space ${op.asid}`}`;
}

type Fault = "kept too long" | "made at a fence" | "not filled" | "too much" | "wrong place" | "broken off";

/** One run of a student's monitor in a guest that does as the plan says. */
interface World {
  readonly plan: readonly Op[];
  readonly tables: Map<number, bigint>;
  /** For each entry, what it was since the last fence that covers it. */
  readonly allowed: Map<number, Set<bigint>>;
  shadow: Shadow;
  asid: number;
  /** Faults that the guest hears nothing of. */
  faults: number;
  /** Those that a monitor has that forgets nothing but what a fence covers. */
  needed: number;
  best: Map<number, bigint>;
  done: number;
  /** Faults of accesses that the guest's leaf allows, as the monitor heard of them, and those behind which the shadow allows them. */
  asked: number;
  filled: number;
  /** The first mistake of each kind, and behind how many steps. */
  readonly mistakes: Map<Fault, { readonly why: string; readonly done: number }>;
  /** Entries that are known to be wrong, by key and value: each is reported once. */
  readonly wrong: Set<string>;
}

const begin = (plan: readonly Op[]): World => ({
  plan,
  tables: new Map(),
  allowed: new Map(),
  shadow: new Map(),
  asid: 1,
  faults: 0,
  needed: 0,
  best: new Map(),
  done: 0,
  asked: 0,
  filled: 0,
  mistakes: new Map(),
  wrong: new Set(),
});

const may = (entry: bigint, kind: Kind): boolean => (entry & V) !== 0n && (entry & RIGHTS[kind]) !== 0n;

/** Does the plan's next step in the world; returns what the monitor has to hear. */
function advance(world: World): MonitorEvent | undefined {
  const op = world.plan[world.done];
  world.done += 1;
  if (op === undefined) return undefined;
  if (op.op === "edit") {
    const key = keyOf(op.asid, op.page);
    world.tables.set(key, op.leaf);
    world.allowed.set(key, (world.allowed.get(key) ?? new Set()).add(op.leaf));
    return undefined;
  }
  if (op.op === "switch") {
    world.asid = op.asid;
    return { kind: "switch", asid: op.asid };
  }
  if (op.op === "fence") {
    for (const key of world.tables.keys()) {
      const [asid, page] = [key >> 12, key & 4095];
      if ((op.page ?? page) !== page || (op.asid ?? asid) !== asid) continue;
      world.allowed.set(key, new Set([world.tables.get(key) ?? 0n]));
      world.best.delete(key);
    }
    return { kind: "fence", page: op.page, asid: op.asid };
  }
  const key = keyOf(world.asid, op.page);
  const leaf = world.tables.get(key) ?? 0n;
  if (!may(world.best.get(key) ?? 0n, op.kind)) {
    if (may(leaf, op.kind)) world.needed += 1;
    world.best.set(key, leaf);
  }
  if (may(world.shadow.get(key) ?? 0n, op.kind)) return undefined;
  if (may(leaf, op.kind)) world.faults += 1;
  return { kind: "fault", asid: world.asid, page: op.page, access: op.kind, leaf };
}

const frameOf = (entry: bigint): bigint => entry >> 10n;

/** What is wrong with an entry of the shadow, if anything. */
function objection(
  world: World,
  key: number,
  entry: bigint,
): { readonly what: Fault; readonly why: string } | undefined {
  const truths = [...(world.allowed.get(key) ?? [])].filter((leaf) => (leaf & V) !== 0n);
  const place = truths.filter((leaf) => frameOf(leaf) + SHIFT === frameOf(entry));
  if ((entry & V) === 0n || place.some((leaf) => (entry & 14n & ~leaf) === 0n)) return undefined;
  const where = `entry ${key >> 12}:${key & 4095}`;
  if (place.length > 0)
    return { what: "too much", why: `${where} allows what the guest\u2019s leaf does not` };
  return truths.some((leaf) => frameOf(leaf) === frameOf(entry))
    ? { what: "wrong place", why: `${where} leads where the guest believes its frame to be; add 0x200` }
    : {
        what: "wrong place",
        why: `${where} leads where the guest\u2019s leaf has not led since the last fence`,
      };
}

/** Whether the hart would go on with an entry, and to that leaf's frame, wherever the guest's memory is thought to begin. */
const isFilled = (entry: bigint, { leaf, access }: MonitorEvent & { readonly kind: "fault" }): boolean =>
  may(entry, access) && (frameOf(entry) === frameOf(leaf) + SHIFT || frameOf(entry) === frameOf(leaf));

/** Notes what is wrong behind an event. What was right before a fence and is wrong behind it was kept too long. */
function look(world: World, event: MonitorEvent, before: Shadow): void {
  const note = (what: Fault, why: string): void => {
    if (!world.mistakes.has(what)) world.mistakes.set(what, { why, done: world.done });
  };
  for (const [key, entry] of world.shadow) {
    const found = objection(world, key, entry);
    if (found === undefined || world.wrong.has(`${key} ${entry}`)) continue;
    world.wrong.add(`${key} ${entry}`);
    const where = `entry ${key >> 12}:${key & 4095}`;
    if (event.kind !== "fence") note(found.what, found.why);
    else if (before.get(key) === entry)
      note("kept too long", `${where} is still as it was behind a fence that covers it`);
    else note("made at a fence", `${where} was not there before the fence, or was another`);
  }
  if (event.kind !== "fault" || !may(event.leaf, event.access)) return;
  world.asked += 1;
  if (isFilled(world.shadow.get(keyOf(event.asid, event.page)) ?? 0n, event)) world.filled += 1;
  else
    note(
      "not filled",
      `the guest may ${event.access} page ${event.page}, and the hart would fault again at once, or go elsewhere`,
    );
}

const inertEvent = (event: MonitorEvent): Inert => ({ ...event });

function shadowOf(value: Inert): Shadow | undefined {
  if (!(value instanceof Map) || value.size > ASIDS * PAGES * 4) return undefined;
  for (const [key, entry] of value)
    if (typeof key !== "number" || typeof entry !== "bigint" || entry < 0n || entry >> 64n !== 0n)
      return undefined;
  return value as Shadow;
}

/** Plays all plans at once: one message for each round of events. */
function play(answer: Answer, list: readonly (readonly Op[])[]): World[] {
  const worlds = list.map(begin);
  for (;;) {
    const live: { readonly world: World; readonly event: MonitorEvent }[] = [];
    for (const world of worlds) {
      if (world.mistakes.has("broken off")) continue;
      let event: MonitorEvent | undefined;
      while (event === undefined && world.done < world.plan.length) event = advance(world);
      if (event !== undefined) live.push({ world, event });
    }
    if (live.length === 0) return worlds;
    const outcomes = answer.callEach(
      live.map(({ world, event }) => [new Map(world.shadow), inertEvent(event)]),
    );
    for (const [index, { world, event }] of live.entries()) {
      const outcome = outcomes[index];
      const shadow = outcome?.ok === true ? shadowOf(outcome.value) : undefined;
      if (shadow === undefined) {
        const why =
          outcome?.ok === true
            ? "keep must return the shadow: a Map from numbers to entries"
            : `keep ${outcome?.category ?? "did not answer"}`;
        world.mistakes.set("broken off", { why, done: world.done });
        continue;
      }
      const before = world.shadow;
      world.shadow = shadow;
      look(world, event, before);
    }
  }
}

const worldWords = ({ plan, mistakes }: World, what: Fault): string => {
  const mistake = mistakes.get(what);
  return `after ${plan
    .slice(ASIDS * PAGES, mistake?.done ?? plan.length)
    .map(opText)
    .join("; ")}: ${mistake?.why ?? "too many faults"}`;
};

const HINTS: Readonly<Record<Fault, string>> = {
  "kept too long":
    "The guest gave a fence, and an entry that it covers is still in the shadow. A fence without a page covers all pages; without a space, all spaces.",
  "made at a fence":
    "Behind a fence the shadow has an entry that it did not have before, and that is not true. A fence brings no leaf: it only takes entries away.",
  "not filled":
    "The guest may do that, and the shadow has not got it, or not with this right and frame: a fault always brings the newest leaf.",
  "too much": "The shadow has a right that the guest\u2019s leaf never had.",
  "wrong place":
    "An entry leads to the wrong frame. Frames are 0x200 higher, and each space has entries of its own.",
  "broken off": "keep must return the shadow, a Map, for every event.",
};

/** Whoever does nothing does nothing wrong. */
const FILLED = {
  least: 0.5,
  idle: "Nothing wrong is in the shadow, but hardly a page gets in: after most faults the guest may not do what its leaf says.",
};

function judge(answer: Answer, run: CheckRun, faults: readonly Fault[], salt: number): Finding {
  if (!answer.isFunction) return fails("keep must be a function of a shadow and an event.");
  return forAllAtWork(plans, run, salt, FILLED, (batch) =>
    play(answer, batch).map((world): Work => {
      const { asked, filled: done } = world;
      return { broken: brokenIn(world, faults), asked, done };
    }),
  );
}

function brokenIn(world: World, faults: readonly Fault[]): Broken | undefined {
  const what = (["broken off", ...faults] as const).find((each) => world.mistakes.has(each));
  if (what === undefined) return undefined;
  const hint = what === "broken off" ? `${world.mistakes.get(what)?.why ?? ""}.` : HINTS[what];
  return { hint, detail: worldWords(world, what) };
}

/** A monitor that forgets too much is right and slow. */
function judgeCost(answer: Answer, run: CheckRun): Finding {
  if (!answer.isFunction) return fails("keep must be a function of a shadow and an event.");
  const list = fc.sample(plans, { seed: (run.seed.value + 334) | 0, numRuns: Math.min(60, run.instances) });
  const worlds = play(answer, list);
  if (worlds.some(({ mistakes }) => mistakes.size > 0))
    return fails("A monitor that is wrong is not praised for being quick.");
  const [faults, needed] = [
    worlds.reduce((sum, one) => sum + one.faults, 0),
    worlds.reduce((sum, one) => sum + one.needed, 0),
  ];
  return faults <= 1.1 * needed
    ? { share: 1, message: "" }
    : fails(
        "Right, but slow: the guest faults more often than it would have to. A switch forgets nothing, and a fence what it covers and no more.",
        `${faults} faults, where ${needed} would do`,
      );
}

const property = (id: string, says: string, faults: readonly Fault[], salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, faults, salt),
});

/** Check of exercise A3.3. */
export const trueShadowCheck: Check = defineCheck({
  id: "A3.3",
  title: "A true shadow",
  points: 4,
  properties: [
    property("filled", "after a fault the guest may do what its leaf says", ["not filled"], 331),
    property(
      "true",
      "entries lead where the guest\u2019s leaves lead, with no more rights",
      ["too much", "wrong place"],
      332,
    ),
    property("fenced", "what a fence covers is forgotten", ["kept too long", "made at a fence"], 333),
    { id: "cost", says: "and nothing else is forgotten", weight: 1, run: judgeCost },
  ],
});
