/** Exercise A6.1: one update of a page table, with types and counts. The judge is the hypervisor on paper. */
import type { Answer, Outcome } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { describeInert, type Inert, member, sameInert } from "../../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { fewestCalls } from "../../xen-core/fewest-calls.ts";
import { seldomMade } from "../../xen-core/made-calls.ts";
import {
  DOMAINS,
  ENTRIES,
  FRAMES,
  firstFrameOf,
  frameName,
  opWords,
  type PaperEntry,
  type PaperFrame,
  PaperHypervisor,
  type PaperMachine,
  type PaperOp,
} from "../../xen-core/paper.ts";

/** Cases of a property at most: a submission has ten seconds. */
const MOST_CASES = 400;

type Update = Extract<PaperOp, { op: "update" }>;

/** The last update, and those before it. */
interface Case {
  readonly before: readonly Update[];
  readonly last: Update;
}

function drawUpdate(word: () => number): Update {
  const pick = (count: number): number => (word() >>> 8) % count;
  const domain = DOMAINS[pick(2)] ?? 1;
  const own = firstFrameOf(domain);
  const table = own + (pick(8) === 0 ? pick(FRAMES) : pick(3) === 0 ? 0 : 1 + pick(2));
  const isRoot = table === own;
  const near = pick(10) === 0 ? firstFrameOf(3 - domain) : own;
  const kind = pick(6);
  const entry: PaperEntry | null =
    kind === 0
      ? null
      : isRoot && kind < 5
        ? { kind: "link", frame: own + 1 + pick(5), writable: false }
        : isRoot || kind < 5
          ? { kind: "page", frame: near + (isRoot ? 4 * pick(2) : pick(FRAMES)), writable: pick(2) === 0 }
          : { kind: "link", frame: own + 1 + pick(5), writable: false };
  return {
    op: "update",
    domain,
    table: pick(12) === 0 ? firstFrameOf(3 - domain) + pick(2) : table,
    index: pick(ENTRIES),
    entry,
  };
}

/** Cases of a run. */
function casesOf(run: CheckRun): Case[] {
  const word = seededWords(run.seed.value ^ 0xa61);
  return Array.from({ length: Math.min(MOST_CASES, 5 * run.instances) }, () => ({
    before: Array.from({ length: word() % 10 }, () => drawUpdate(word)),
    last: drawUpdate(word),
  }));
}

/** What a machine looks like to the answer: frames, and the entries of tables, `null` where nothing is. */
interface Plain {
  readonly frames: ReadonlyMap<number, PaperFrame>;
  readonly tables: ReadonlyMap<number, readonly (PaperEntry | null)[]>;
}

function plainOf({ frames, entries }: PaperMachine): Plain {
  const tables = new Map<number, (PaperEntry | null)[]>();
  for (const { frame, use } of frames)
    if (use === "table" || use === "root")
      tables.set(frame, new Array<PaperEntry | null>(ENTRIES).fill(null));
  for (const { table, index, kind, frame, writable } of entries) {
    const list = tables.get(table);
    if (list !== undefined) list[index] = { kind, frame, writable };
  }
  return { frames: new Map(frames.map((frame) => [frame.frame, frame])), tables };
}

const inertPlain = ({ frames, tables }: Plain): Inert => ({
  frames: new Map(
    [...frames].map(([number, { owner, use, refs, typed }]): [Inert, Inert] => [
      number,
      { owner, use, refs, typed },
    ]),
  ),
  tables: new Map(
    [...tables].map(([number, list]): [Inert, Inert] => [
      number,
      list.map((each) => (each === null ? null : { ...each })),
    ]),
  ),
});

/** What the hypervisor makes of a case. */
interface Wanted {
  readonly value: number;
  readonly was: Plain;
  readonly is: Plain;
}

function wantedOf({ before, last }: Case): Wanted {
  const hypervisor = new PaperHypervisor();
  for (const op of before) hypervisor.do(op);
  const was = plainOf(hypervisor.look());
  const value = hypervisor.do(last);
  return { value, was, is: plainOf(hypervisor.look()) };
}

type Question = (
  wanted: Wanted,
  value: number,
  machine: Inert,
) => { readonly hint: string; readonly fact: string } | undefined;

const WHY: Readonly<Record<string, string>> = {
  "-1": "A table or a frame that is not the domain's own is not permitted: -1.",
  "-22": "Invalid, -22, is an entry in memory that is no table, a page in a root, and a link in a table.",
  "-16":
    "Busy, -16, is a frame that is in use as something else: a table, or a root, that shall be written or linked; memory with writers that shall be a table.",
};

const refuses: Question = ({ value: wanted }, value) =>
  wanted >= 0 || value === wanted
    ? undefined
    : {
        hint: WHY[String(wanted)] ?? "",
        fact: `the last update returns ${value}, and should be refused with ${wanted}`,
      };

const allows: Question = ({ value: wanted }, value) =>
  wanted < 0 || value === wanted
    ? undefined
    : {
        hint: "An update that is allowed was refused. A frame may be read whatever it is; memory that nobody can write may become a table; and one that is a table may be linked again.",
        fact: `the last update returns ${value}, and should return 0`,
      };

/** A frame as the answer left it. */
function frameIn(machine: Inert, number: number): Inert {
  const frames = member(machine, "frames");
  return frames instanceof Map ? frames.get(number) : undefined;
}

const counts: Question = ({ value: wanted, is }, value, machine) => {
  if (value !== wanted) return undefined;
  for (const [number, { use, refs, typed }] of is.frames) {
    const got = frameIn(machine, number);
    const name = `frame ${frameName(number)}`;
    if (member(got, "use") !== use)
      return {
        hint: "A table that nothing leads to any more is memory again, and what it held goes with it; memory that is linked becomes an empty table.",
        fact: `${name} is called ${describeInert(member(got, "use"))}, and should be ${use}`,
      };
    for (const [count, right] of [
      ["refs", refs],
      ["typed", typed],
    ] as const) {
      if (member(got, count) === right) continue;
      return {
        hint:
          count === "refs"
            ? "Every entry is a reference to its frame: one more for the new one, one fewer for the old one, and for those of a table that goes."
            : "typed counts writable entries of memory, and links to a table: what the old entry counted must go, and no more.",
        fact: `${name} has ${count} ${describeInert(member(got, count))}, but a recount gives ${right}`,
      };
    }
  }
  return undefined;
};

const tables: Question = ({ value: wanted, was, is }, value, machine) => {
  if (value !== wanted) return undefined;
  const got = member(machine, "tables");
  const right = (inertPlain(is) as { readonly tables: Inert }).tables;
  if (!(got instanceof Map) || !(right instanceof Map))
    return {
      hint: "Return { value, machine }, and machine with frames and tables, both Maps.",
      fact: "machine.tables is no Map",
    };
  for (const [number, list] of right)
    if (!sameInert(got.get(number), list))
      return wanted < 0
        ? {
            hint: "An update that is refused changes nothing.",
            fact: `table ${frameName(Number(number))} has changed`,
          }
        : {
            hint: "The entry must stand where it was asked for; a new table holds four times null.",
            fact: `table ${frameName(Number(number))} does not hold what it should`,
          };
  const extra = [...got.keys()].find((number) => !right.has(number));
  if (extra === undefined) return undefined;
  const name = typeof extra === "number" ? frameName(extra) : describeInert(extra);
  return typeof extra === "number" && was.tables.has(extra)
    ? {
        hint: "A table that nothing leads to any more is none: take it out of tables.",
        fact: `${name} is still among the tables`,
      }
    : {
        hint:
          wanted < 0
            ? "An update that is refused changes nothing."
            : "The keys of tables are the numbers of the frames that are tables, and nothing else.",
        fact: `${name} is among the tables`,
      };
};

const callOf = ({ last: { domain, table, index, entry } }: Case, was: Plain): Inert[] => [
  inertPlain(was),
  domain,
  table,
  index,
  entry === null ? null : { ...entry },
];

function objection(
  each: Case,
  wanted: Wanted,
  outcome: Outcome | undefined,
  question: Question,
): Broken | undefined {
  const story = `after \`${[...each.before, each.last].map(opWords).join("; ")}\``;
  if (outcome?.ok !== true)
    return {
      hint: `pvUpdate ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${story}`,
    };
  const value = member(outcome.value, "value");
  if (typeof value !== "number")
    return { hint: "pvUpdate must return { value, machine }, and value must be a number.", detail: story };
  const found = question(wanted, value, member(outcome.value, "machine"));
  return found === undefined ? undefined : { hint: found.hint, detail: `${story} ${found.fact}` };
}

/** Answers that say nothing wrong by refusing everything. */
const isMade = ({ value }: Wanted, outcome: Outcome | undefined): boolean =>
  value === 0 && outcome?.ok === true && member(outcome.value, "value") === 0;

/** What an update puts there: what it leaves behind is another thing for each. */
const KINDS = ["pvUpdate with null", "pvUpdate with a page", "pvUpdate with a link"] as const;
const kindOf = ({ last: { entry } }: Case): string =>
  entry === null ? KINDS[0] : entry.kind === "page" ? KINDS[1] : KINDS[2];

/** Who makes few updates leaves little behind. */
function seldom(
  cases: readonly { readonly each: Case; readonly wanted: Wanted }[],
  outcomes: readonly Outcome[],
): Finding | undefined {
  const calls = cases.map(({ each, wanted }, at) => {
    const outcome = outcomes[at];
    const value = outcome?.ok === true ? member(outcome.value, "value") : undefined;
    return {
      call: kindOf(each),
      value: typeof value === "number" ? value : Number.NaN,
      wanted: wanted.value,
    };
  });
  return seldomMade(KINDS, calls, new Set());
}

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("pvUpdate must be a function.");
  const cases = casesOf(run).map((each) => ({ each, wanted: wantedOf(each) }));
  const outcomes = answer.callEach(cases.map(({ each, wanted }) => callOf(each, wanted.was)));
  const one = (each: Case): Broken | undefined => {
    const wanted = wantedOf(each);
    return objection(each, wanted, answer.callEach([callOf(each, wanted.was)])[0], question);
  };
  const found = cases.find(
    ({ each, wanted }, at) => objection(each, wanted, outcomes[at], question) !== undefined,
  );
  if (found === undefined)
    return cases.some(({ wanted }, at) => isMade(wanted, outcomes[at]))
      ? (seldom(cases, outcomes) ?? HOLDS)
      : fails("Not one update is made: a hypervisor that refuses everything has no guests.");
  const { last } = found.each;
  const isWrong = (list: readonly Update[]): boolean => one({ before: list, last }) !== undefined;
  const before = fewestCalls(found.each.before, isWrong);
  const broken = one({ before, last }) ?? one(found.each);
  return fails(broken?.hint ?? "An input failed once and passed when tried again.", broken?.detail);
}

const property = (id: string, says: string, question: Question): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, question),
});

/** Check of exercise A6.1. */
export const pageTypesCheck: Check = defineCheck({
  id: "A6.1",
  title: "An entry with a type",
  points: 4,
  properties: [
    property("allows", "what a domain may have is made", allows),
    property("refuses", "what it may not have is refused, with the right word", refuses),
    property("counts", "types, references and uses are what a recount gives", counts),
    property("tables", "the tables hold what was asked for, and no more", tables),
  ],
});
