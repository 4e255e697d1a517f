/** Exercise 06.4, build: grants with counts, against a model and a recount of what the answer itself has written. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Broken, fails } from "../../checks/property.ts";
import { forAllFewest } from "./fewest-calls.ts";
import {
  allowedIn,
  askWords,
  fewerGrants,
  type GrantHistory,
  type GrantOp,
  type GrantStep,
  grantPlans,
  playGrants,
} from "./grant-histories.ts";
import { frameBehind, type GrantAsk } from "./grant-model.ts";
import { seldomMade } from "./made-calls.ts";

type Question = (step: GrantStep) => { readonly hint: string; readonly fact: string } | undefined;

const hex = (frame: number): string => `0x${frame.toString(16)}`;
const times = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const WHY_REFUSED: Readonly<Record<string, string>> = {
  "grant -1": "Only the owner of a frame may grant it.",
  "map -2": "A grant that does not exist, or was taken back, is -2.",
  "map -1":
    "Only the domain that a grant is for may map it, and writable only what was granted writable: -1.",
  "map -14": "Where the domain has a page already, nothing is mapped: -14.",
  "unmap -2": "A mapping that does not exist, or is somebody else's, is -2.",
  "revoke -2": "Only who has made a grant may take it back: -2 for everybody else.",
  "revoke -16": "A grant that somebody maps cannot be taken back: -16.",
};

/** Nothing is allowed that is not, and the right word is said about it. */
const refuses: Question = ({ ask, value, wanted }) => {
  if (wanted >= 0 || value === wanted) return undefined;
  return {
    hint: WHY_REFUSED[`${ask.call} ${wanted}`] ?? "Something is allowed that is not.",
    fact: `the last call returns ${value}, and it should be refused with ${wanted}`,
  };
};

const grants: Question = ({ ask, value, wanted }) => {
  if (wanted < 0 || value === wanted) return undefined;
  return {
    hint:
      value < 0
        ? `A ${ask.call} that is allowed was refused.${ask.call === "map" ? " Has unmap left an entry behind?" : ""}`
        : "The value is the place of the new grant or mapping in its list; 0 for unmap and revoke. Leave null where one was.",
    fact: `the last call returns ${value}, and it should return ${wanted}`,
  };
};

/** I3. */
const counts: Question = ({ office }) => {
  for (const [number, { refs, writers }] of office.frames) {
    const uses = office.entries.filter(({ frame }) => frame === number);
    const writing = uses.filter(({ writable }) => writable).length;
    if (refs !== 1 + uses.length)
      return {
        hint: "A frame's references are not its owner and the entries that map it: count with every map and unmap, once each.",
        fact: `frame ${hex(number)} counts ${times(refs, "reference")}, but its owner and ${times(uses.length, "page table entry maps", "page table entries map")} it`,
      };
    if (writers !== writing)
      return {
        hint: "writers counts entries that are writable, and no others: unmap must look at the entry that goes (XSA-234).",
        fact: `frame ${hex(number)} counts ${times(writers, "writer")}, but ${times(writing, "entry is", "entries are")} writable`,
      };
  }
  for (const [number, grant] of office.grants.entries()) {
    const mapped = office.mappings.filter((each) => each?.grant === number).length;
    if (grant !== null && grant.mapped !== mapped)
      return {
        hint: "mapped is the number of a grant's mappings: one more with map, one fewer with unmap.",
        fact: `grant ${number} counts ${times(grant.mapped, "mapping")}, and there are ${mapped}`,
      };
  }
  return undefined;
};

/** I1: the tables say what was granted, and no more. */
const reach: Question = ({ me, ask, office, value, wanted }) => {
  if (value !== wanted) return undefined;
  if (ask.call === "map" && wanted >= 0) {
    const entry = office.entries.find(({ domain, page }) => domain === me && page === ask.page);
    if (entry !== undefined && entry.writable !== ask.writable)
      return {
        hint: "An entry has the right that map asked for, and no other: who asks to read a page that was granted writable cannot write there.",
        fact: `dom${me} ${entry.writable ? "may" : "may not"} write at page ${ask.page}, and asked for ${ask.writable ? "RW" : "R"}`,
      };
  }
  for (const { domain, page, frame, writable } of office.entries) {
    if (office.frames.get(frame)?.owner === domain) continue;
    const mapping = office.mappings.find((each) => each?.domain === domain && each.page === page);
    const grant = mapping === undefined || mapping === null ? undefined : office.grants[mapping.grant];
    const isFine =
      grant !== undefined &&
      grant !== null &&
      grant.frame === frame &&
      grant.to === domain &&
      (grant.writable || !writable);
    if (!isFine)
      return {
        hint: "An entry is left that no mapping and no grant stands behind: unmap takes out the entry too, and map enters the frame and the right that were asked for.",
        fact: `dom${domain} ${writable ? "writes" : "reads"} frame ${hex(frame)} at page ${page}, and has no such mapping`,
      };
  }
  for (const each of office.mappings) {
    if (
      each === null ||
      office.entries.some(({ domain, page }) => domain === each.domain && page === each.page)
    )
      continue;
    return {
      hint: "A mapping is on the list, and the domain's table has no entry for it.",
      fact: `page ${each.page} of dom${each.domain} is not mapped`,
    };
  }
  return undefined;
};

function objection({ steps, broken }: GrantHistory, question: Question): Broken | undefined {
  for (const [index, step] of steps.entries()) {
    const found = question(step);
    if (found !== undefined)
      return {
        hint: found.hint,
        detail: `after \`${steps
          .slice(0, index + 1)
          .map(askWords)
          .join("; ")}\` ${found.fact}`,
      };
  }
  return broken === undefined || broken === ""
    ? undefined
    : { hint: broken, detail: steps.map(askWords).join("; ") };
}

/** One page of dom1's, granted to dom2 and mapped: who refuses that keeps every promise, and is no post office. */
const FIRST_LETTER = [
  { me: 1, ask: { call: "grant", to: 2, frame: frameBehind(1, 0), writable: true } },
  { me: 2, ask: { call: "map", grant: 0, page: 3, writable: true } },
] as const;

/** `kinds`: calls most of which must be made before the question says anything. */
function judge(
  answer: Answer,
  run: CheckRun,
  question: Question,
  kinds: readonly GrantAsk["call"][],
): Finding {
  if (!answer.isFunction) return fails("The answer must be a function.");
  const [letter] = playGrants(answer, [FIRST_LETTER]);
  const last = letter?.steps.at(-1);
  if (
    letter?.steps.length !== FIRST_LETTER.length ||
    last?.value !== 0 ||
    !last.office.entries.some(({ domain, page }) => domain === 2 && page === 3)
  )
    return fails(
      letter?.broken === undefined || letter.broken === ""
        ? "Not even one page is granted and mapped: an office that refuses everything delivers nothing."
        : letter.broken,
      FIRST_LETTER.map(askWords).join("; "),
    );
  let whole:
    | { readonly plans: readonly (readonly GrantOp[])[]; readonly histories: GrantHistory[] }
    | undefined;
  const finding = forAllFewest(
    grantPlans,
    run,
    64,
    (plans) => {
      const histories = playGrants(answer, plans);
      whole ??= { plans, histories };
      return histories.map((history) => objection(history, question));
    },
    fewerGrants,
  );
  if (finding.share < 1 || whole === undefined) return finding;
  const calls = whole.histories.flatMap(({ steps }) =>
    steps.map(({ ask: { call }, value, wanted }) => ({ call, value, wanted })),
  );
  return seldomMade(kinds, calls, allowedIn(whole.plans)) ?? finding;
}

const property = (
  id: string,
  says: string,
  weight: number,
  question: Question,
  kinds: readonly GrantAsk["call"][],
): Property => ({
  id,
  says,
  weight,
  run: (answer, run) => judge(answer, run, question, kinds),
});

/** Check of exercise 06.4. */
export const grantCheck: Check = defineCheck({
  id: "06.4",
  title: "Grants that count",
  points: 5,
  properties: [
    property("grants", "what is allowed is done, and named by its place", 1, grants, []),
    property("refuses", "what is not allowed is refused", 1, refuses, ["grant", "map", "unmap", "revoke"]),
    property("counts", "references, writers and mappings are what a recount gives", 2, counts, [
      "map",
      "unmap",
    ]),
    property("reach", "nobody reaches a frame that was not granted so", 1, reach, ["grant", "map", "unmap"]),
  ],
});
