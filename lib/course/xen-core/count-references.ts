/** Exercise 06.1, read: a list of requests and answers, one frame, and what the hypervisor's books say of it. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { askWords, type GrantOp } from "./grant-histories.ts";
import { frameBehind, type GrantOffice, grantModel, quietOffice } from "./grant-model.ts";

/** The instance of exercise 06.1. */
export interface ReferenceStory {
  /** The frame that is asked about, and its owner's first grant of it. */
  readonly frame: number;
  readonly grant: number;
  /** The requests, to be shown. */
  readonly log: FigureBundle;
}

interface Story extends ReferenceStory {
  readonly office: GrantOffice;
}

/** dom1 grants a frame twice, others map it in places, one of them tries what it may not, one mapping goes. */
function storyOf(seed: number): Story {
  const word = seededWords(seed ^ 0x0601);
  const pick = (count: number): number => (word() >>> 8) % count;
  const frame = frameBehind(1, pick(2));
  const other = frameBehind(1, frame === frameBehind(1, 0) ? 1 : 0);
  const ops: GrantOp[] = [
    { me: 1, ask: { call: "grant", to: 2, frame, writable: true } },
    { me: 1, ask: { call: "grant", to: 3, frame, writable: pick(2) === 0 } },
    { me: 1, ask: { call: "grant", to: 2, frame: other, writable: true } },
  ];
  const maps: GrantOp[] = [
    { me: 2, ask: { call: "map", grant: 0, page: 2, writable: pick(2) === 0 } },
    { me: 2, ask: { call: "map", grant: 0, page: 3, writable: pick(2) === 0 } },
    { me: 3, ask: { call: "map", grant: 1, page: 2, writable: pick(2) === 0 } },
    { me: 2, ask: { call: "map", grant: 2, page: 4, writable: true } },
    { me: 3, ask: { call: "map", grant: 0, page: 3, writable: false } },
  ];
  for (let left = maps.length; left > 0; left--) ops.push(...maps.splice(pick(left), 1));
  let office = quietOffice();
  for (const { me, ask } of ops) office = grantModel(office, me, ask).office;
  const mine = [...office.mappings.entries()].filter(
    ([, mapping]) => mapping !== null && mapping.grant === 0,
  );
  const gone = pick(3) === 0 ? mine : mine.slice(pick(2)).slice(0, 1);
  for (const [mapping] of gone) ops.push({ me: 2, ask: { call: "unmap", mapping } });
  let now = quietOffice();
  const rows = ops.map((op) => {
    const { value, office: next } = grantModel(now, op.me, op.ask);
    now = next;
    return [{ text: askWords(op), code: true }, { text: String(value) }];
  });
  const table: Table = {
    caption: `What happened to frame 0x${frame.toString(16)}? dom1 owns it and has it at page ${frame - frameBehind(1, 0)}, writable`,
    columns: ["request", "answer"],
    rightColumns: [1],
    rows,
  };
  return { frame, grant: 0, log: markupBundle(tableHtml(table), tableText(table)), office: now };
}

export const referenceStory = (seed: number): ReferenceStory => {
  const { frame, grant, log } = storyOf(seed);
  return { frame, grant, log };
};

/** What the books say. */
export function bookOf(seed: number): {
  readonly refs: number;
  readonly writers: number;
  readonly revoke: number;
} {
  const { frame, office } = storyOf(seed);
  const { refs = 0, writers = 0 } = office.frames.get(frame) ?? {};
  return { refs, writers, revoke: grantModel(office, 1, { call: "revoke", grant: 0 }).value };
}

function judge(answer: Answer, name: "refs" | "writers" | "revoke"): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const given = wholeNumber(answer, name);
  if (given === undefined) return fails(`${name} must be a whole number.`);
  const book = bookOf(seed);
  const wanted = book[name];
  if (given === BigInt(wanted)) return HOLDS;
  if (name === "refs")
    return fails(
      given === BigInt(wanted - 2)
        ? "Its owner is one reference, and so is the owner's own entry that maps it."
        : given === BigInt(wanted - 1)
          ? "One is missing: count its owner, the owner's own entry, and each mapping that was granted and has not gone."
          : "Count its owner, the owner's own entry, and each mapping of this frame. What was refused (a negative answer) changed nothing, and a grant that nobody maps is no reference.",
    );
  if (name === "writers")
    return fails(
      "writers are entries that are writable: the owner's own, and each mapping of this frame with RW that was not refused and has not gone.",
    );
  return fails(
    "A grant that somebody maps is not taken back: -16. Else the answer is 0. Only mappings of this very grant count, not of the frame.",
  );
}

/** Check of exercise 06.1. */
export const referenceCheck: Check = defineCheck({
  id: "06.1",
  title: "Who would miss it?",
  points: 3,
  properties: [
    {
      id: "refs",
      says: "you count who would miss the frame",
      weight: 1,
      run: (answer) => judge(answer, "refs"),
    },
    {
      id: "writers",
      says: "you know how many entries may write it",
      weight: 1,
      run: (answer) => judge(answer, "writers"),
    },
    {
      id: "revoke",
      says: "you know whether the grant can be taken back",
      weight: 1,
      run: (answer) => judge(answer, "revoke"),
    },
  ],
});
