/** Exercise A6.2: frames that change hands. Grants, copies, and pages that are given back: nobody reads what he was not given. */
import fc from "fast-check";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { type Inert, member } from "../../../checks/inert.ts";
import { type Broken, fails } from "../../../checks/property.ts";
import { fewestCalls, forAllFewest, leaveOutNumbered } from "../../xen-core/fewest-calls.ts";
import { seldomMade } from "../../xen-core/made-calls.ts";
import { HAND_FRAMES, HANDS, HANDS_START, type HandAsk, type HandOffice, handModel } from "./hand-office.ts";

interface Op {
  readonly me: number;
  readonly ask: HandAsk;
}

/** Histories of a property at most: a submission has ten seconds. */
const MOST_HISTORIES = 240;

interface Draw {
  readonly call: HandAsk["call"];
  readonly me: number;
  readonly other: number;
  readonly frame: number;
  readonly number: number;
  readonly flag: boolean;
  readonly wild: number;
}

const draws: fc.Arbitrary<Draw> = fc.record({
  call: fc.constantFrom(
    "grant",
    "grant",
    "map",
    "map",
    "unmap",
    "revoke",
    "copy",
    "copy",
    "release",
    "release",
    "claim",
  ),
  me: fc.integer({ min: 1, max: HANDS }),
  other: fc.integer({ min: 1, max: HANDS }),
  frame: fc.integer({ min: 0, max: HAND_FRAMES - 1 }),
  number: fc.nat(20),
  flag: fc.boolean(),
  wild: fc.nat(5),
});

const live = <Value>(list: readonly (Value | null)[]) =>
  list.flatMap((value, at) => (value === null ? [] : [{ at, value }]));
const one = <Value>(list: readonly Value[], number: number): Value | undefined =>
  list[number % Math.max(1, list.length)];

/** A request that mostly can be granted. */
function aimed(
  { frames, grants, mappings }: HandOffice,
  { call, me, other, frame, number, flag, wild }: Draw,
): Op {
  const isBlind = wild === 0;
  const grant = one(live(grants), number);
  const mapping = one(live(mappings), number);
  const ownFrame = (domain: number): number => {
    const own = frames.flatMap(({ owner }, at) => (owner === domain ? [at] : []));
    return isBlind ? frame : (one(own, number) ?? frame);
  };
  switch (call) {
    case "grant":
      return {
        me,
        ask: { call, to: other === me ? (me % HANDS) + 1 : other, frame: ownFrame(me), writable: flag },
      };
    case "map":
      return { me: isBlind ? me : (grant?.value.to ?? me), ask: { call, grant: grant?.at ?? number % 3 } };
    case "unmap":
      return {
        me: isBlind ? me : (mapping?.value.domain ?? me),
        ask: { call, mapping: mapping?.at ?? number % 3 },
      };
    case "revoke":
      return { me: isBlind ? me : (grant?.value.from ?? me), ask: { call, grant: grant?.at ?? number % 3 } };
    case "copy": {
      const who = isBlind ? me : (grant?.value.to ?? me);
      return { me: who, ask: { call, grant: grant?.at ?? number % 3, frame: ownFrame(who), store: flag } };
    }
    case "release":
      return { me, ask: { call, frame: ownFrame(me) } };
    case "claim":
      return { me, ask: { call } };
  }
}

const plans: fc.Arbitrary<readonly Op[]> = fc.array(draws, { minLength: 1, maxLength: 24 }).map((list) => {
  let office = HANDS_START;
  return list.map((each) => {
    const op = aimed(office, each);
    office = handModel(office, op.me, op.ask).office;
    return op;
  });
});

/** What the model answers. */
function valuesOf(plan: readonly Op[]): number[] {
  let office = HANDS_START;
  return plan.map(({ me, ask }) => {
    const result = handModel(office, me, ask);
    office = result.office;
    return result.value;
  });
}

/** Calls that are allowed in one of the plans. */
const allowedIn = (list: readonly (readonly Op[])[]): ReadonlySet<string> =>
  new Set(
    list.flatMap((plan) => {
      const values = valuesOf(plan);
      return plan.flatMap(({ ask }, at) => ((values[at] ?? -1) >= 0 ? [ask.call] : []));
    }),
  );

/** A plan with requests left out, as long as the same thing is wrong. */
const fewerOps = (plan: readonly Op[], isWrong: (fewer: readonly Op[]) => boolean): readonly Op[] =>
  fewestCalls(plan, isWrong, (calls, at) => leaveOutNumbered(calls, at, valuesOf(calls)));

function words({ me, ask }: Op): string {
  switch (ask.call) {
    case "grant":
      return `dom${me} grant(to dom${ask.to}, frame ${ask.frame}, ${ask.writable ? "RW" : "R"})`;
    case "map":
    case "revoke":
      return `dom${me} ${ask.call}(grant ${ask.grant})`;
    case "unmap":
      return `dom${me} unmap(mapping ${ask.mapping})`;
    case "copy":
      return `dom${me} copy(${ask.store ? `frame ${ask.frame} to grant ${ask.grant}` : `grant ${ask.grant} to frame ${ask.frame}`})`;
    case "release":
      return `dom${me} release(frame ${ask.frame})`;
    case "claim":
      return `dom${me} claim()`;
  }
}

const inert = ({ frames, grants, mappings }: HandOffice): Inert => ({
  frames: frames.map((each) => ({ ...each })),
  grants: grants.map((each) => (each === null ? null : { ...each })),
  mappings: mappings.map((each) => (each === null ? null : { ...each })),
});

const numbers = (value: Inert, ...keys: readonly string[]): boolean =>
  keys.every((key) => typeof member(value, key) === "number");

function officeOf(value: Inert): HandOffice | undefined {
  const [frames, grants, mappings] = [
    member(value, "frames"),
    member(value, "grants"),
    member(value, "mappings"),
  ];
  if (!Array.isArray(frames) || !Array.isArray(grants) || !Array.isArray(mappings)) return undefined;
  const isGood =
    frames.length === HAND_FRAMES &&
    grants.length + mappings.length < 1_000 &&
    frames.every((each) => numbers(each, "owner", "refs", "word")) &&
    grants.every(
      (each) =>
        each === null ||
        (numbers(each, "from", "to", "frame", "mapped") && typeof member(each, "writable") === "boolean"),
    ) &&
    mappings.every((each) => each === null || numbers(each, "domain", "grant"));
  return isGood ? (value as unknown as HandOffice) : undefined;
}

interface Step extends Op {
  readonly value: number;
  readonly wanted: number;
  readonly office: HandOffice;
  readonly model: HandOffice;
}
interface History {
  readonly steps: readonly Step[];
  readonly broken: string | undefined;
}

/** Each answer goes on from what it made of the request before. */
function play(answer: Answer, list: readonly (readonly Op[])[]): History[] {
  const runs = list.map((plan) => ({
    plan,
    steps: [] as Step[],
    office: HANDS_START,
    model: HANDS_START,
    broken: undefined as string | undefined,
  }));
  const longest = Math.max(0, ...list.map(({ length }) => length));
  for (let round = 0; round < longest; round++) {
    const going = runs.flatMap((run) => {
      const op = run.plan[round];
      return op === undefined || run.broken !== undefined ? [] : [{ run, op }];
    });
    const outcomes = answer.callEach(going.map(({ run, op }) => [inert(run.office), op.me, { ...op.ask }]));
    for (const [index, { run, op }] of going.entries()) {
      const outcome = outcomes[index];
      const value = outcome?.ok === true ? member(outcome.value, "value") : undefined;
      const office = outcome?.ok === true ? officeOf(member(outcome.value, "office")) : undefined;
      if (typeof value !== "number" || office === undefined) {
        run.broken =
          outcome?.ok === true
            ? "handCall must return { value, office }: a number, and the office with its three lists."
            : `handCall ${outcome?.category ?? "did not answer"}.`;
        continue;
      }
      const model = handModel(run.model, op.me, op.ask);
      run.steps.push({ ...op, value, wanted: model.value, office, model: model.office });
      run.office = office;
      run.model = model.office;
      if (value !== model.value) run.broken = "";
    }
  }
  return runs.map(({ steps, broken }) => ({ steps, broken }));
}

type Question = (step: Step) => { readonly hint: string; readonly fact: string } | undefined;

const WHY: Readonly<Record<string, string>> = {
  "copy -1":
    "copy asks of a grant what map asks, and for a store that it is writable: else -1. No mapping is needed.",
  "copy -14": "The other end of a copy is a frame of the caller's own: else -14.",
  "release -16": "A frame that somebody else maps, or that is granted, is not given back: -16.",
  "release -1": "Only the owner gives a frame back: -1.",
  "revoke -16": "A grant that is mapped cannot be taken back: -16.",
  "claim -12": "When no frame is free, claim says -12.",
};

const answers: Question = ({ ask, value, wanted }) =>
  value === wanted
    ? undefined
    : {
        hint:
          WHY[`${ask.call} ${wanted}`] ??
          (wanted < 0
            ? `A ${ask.call} that is not allowed: ${wanted}.`
            : `A ${ask.call} that is allowed has the wrong value. claim returns the first free frame.`),
        fact: `the last call returns ${value}, and should return ${wanted}`,
      };

const counts: Question = ({ office: { frames, grants, mappings } }) => {
  for (const [number, grant] of grants.entries()) {
    const mapped = mappings.filter((mapping) => mapping?.grant === number).length;
    if (grant !== null && grant.mapped !== mapped)
      return {
        hint: "mapped is the number of a grant's mappings.",
        fact: `grant ${number} counts ${grant.mapped} mappings, and there are ${mapped}`,
      };
  }
  for (const [number, { owner, refs }] of frames.entries()) {
    const maps = mappings.filter(
      (mapping) => mapping !== null && grants[mapping.grant]?.frame === number,
    ).length;
    const right = (owner === 0 ? 0 : 1) + maps;
    if (refs !== right)
      return {
        hint: "refs is 1 for the owner, and 1 for each mapping. A copy maps nothing, and leaves no reference.",
        fact: `frame ${number} counts ${refs} references, but ${owner === 0 ? "nobody owns it" : "its owner has it"} and ${maps} page tables map it`,
      };
  }
  return undefined;
};

const secrets: Question = ({ ask, value, wanted, office, model }) => {
  if (value !== wanted) return undefined;
  for (const [number, { owner, word }] of office.frames.entries()) {
    const right = model.frames[number];
    if (right === undefined || owner !== right.owner || word === right.word) continue;
    if (owner !== 0 && ask.call === "claim" && number === value)
      return {
        hint: "A frame that changes hands must be empty: clear its word before anybody gets it.",
        fact: `frame ${number} is dom${owner}'s now, and still holds ${word}`,
      };
    if (owner === 0) continue;
    return {
      hint: "A copy moves one word: with store from my frame to the granted one, else the other way.",
      fact: `frame ${number} holds ${word}, and should hold ${right.word}`,
    };
  }
  return undefined;
};

const hands: Question = ({ value, wanted, office, model }) => {
  if (value !== wanted) return undefined;
  const at = office.frames.findIndex(({ owner }, number) => owner !== model.frames[number]?.owner);
  if (at >= 0)
    return {
      hint: "release makes a frame nobody's (owner 0), and claim makes it the caller's; nothing else changes an owner.",
      fact: `frame ${at} is dom${office.frames[at]?.owner}'s, and should be dom${model.frames[at]?.owner}'s`,
    };
  return undefined;
};

function objection({ steps, broken }: History, question: Question): Broken | undefined {
  for (const [index, step] of steps.entries()) {
    const found = question(step);
    if (found !== undefined)
      return {
        hint: found.hint,
        detail: `after \`${steps
          .slice(0, index + 1)
          .map(words)
          .join("; ")}\` ${found.fact}`,
      };
  }
  return broken === undefined || broken === ""
    ? undefined
    : { hint: broken, detail: steps.map(words).join("; ") };
}

/** Who refuses everything keeps every promise. */
const FIRST: readonly Op[] = [
  { me: 1, ask: { call: "grant", to: 2, frame: 0, writable: true } },
  { me: 2, ask: { call: "map", grant: 0 } },
];

/** `kinds`: calls most of which must be made before the question says anything. */
function judge(
  answer: Answer,
  run: CheckRun,
  question: Question,
  kinds: readonly HandAsk["call"][],
): Finding {
  if (!answer.isFunction) return fails("handCall must be a function.");
  const [letter] = play(answer, [FIRST]);
  if (letter?.steps.length !== 2 || letter.steps.some(({ value }) => value !== 0))
    return fails(
      letter?.broken === undefined || letter.broken === ""
        ? "Not even one frame is granted and mapped."
        : letter.broken,
    );
  const many = { ...run, instances: Math.min(MOST_HISTORIES, 3 * run.instances) };
  let whole: { readonly list: readonly (readonly Op[])[]; readonly histories: History[] } | undefined;
  const finding = forAllFewest(
    plans,
    many,
    62,
    (list) => {
      const histories = play(answer, list);
      whole ??= { list, histories };
      return histories.map((history) => objection(history, question));
    },
    fewerOps,
  );
  if (finding.share < 1 || whole === undefined) return finding;
  const calls = whole.histories.flatMap(({ steps }) =>
    steps.map(({ ask: { call }, value, wanted }) => ({ call, value, wanted })),
  );
  return seldomMade(kinds, calls, allowedIn(whole.list)) ?? finding;
}

const property = (
  id: string,
  says: string,
  question: Question,
  kinds: readonly HandAsk["call"][],
): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, question, kinds),
});

/** Check of exercise A6.2. */
export const handsCheck: Check = defineCheck({
  id: "A6.2",
  title: "Frames that change hands",
  points: 4,
  properties: [
    property("answers", "every call has the right answer", answers, []),
    property("counts", "references and mappings are what a recount gives", counts, ["map", "unmap"]),
    property("hands", "a frame is nobody's, or one domain's", hands, ["release", "claim"]),
    property("secrets", "nobody finds a word that was not meant for him", secrets, ["copy", "claim"]),
  ],
});
