/** Random histories of grants, what an answer makes of them, and a recount of what it has made. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { fewestCalls, leaveOutNumbered } from "./fewest-calls.ts";
import {
  frameBehind,
  GRANT_DOMAINS,
  GRANT_PAGES,
  type Grant,
  type GrantAsk,
  type GrantEntry,
  type GrantFrame,
  type GrantMapping,
  type GrantOffice,
  grantModel,
  quietOffice,
} from "./grant-model.ts";

/** A request and whose it is. */
export interface GrantOp {
  readonly me: number;
  readonly ask: GrantAsk;
}

/** A step of a history: what the answer made of a request, and what the model says. */
export interface GrantStep extends GrantOp {
  readonly value: number;
  readonly wanted: number;
  readonly office: GrantOffice;
}

/** How a history went. `broken`: it ended with something that is no answer. */
export interface GrantHistory {
  readonly steps: readonly GrantStep[];
  readonly broken: string | undefined;
}

/** What a random request is made of; what was granted and mapped before decides what becomes of it. */
interface Draw {
  readonly call: GrantAsk["call"];
  readonly me: number;
  readonly other: number;
  readonly page: number;
  readonly number: number;
  readonly writable: boolean;
  /** 0: whatever was drawn, whether it is there or not, and whoever asks. */
  readonly wild: number;
}

const draws: fc.Arbitrary<Draw> = fc.record({
  call: fc.constantFrom("grant", "grant", "map", "map", "map", "unmap", "unmap", "revoke"),
  me: fc.integer({ min: 1, max: GRANT_DOMAINS }),
  other: fc.integer({ min: 1, max: GRANT_DOMAINS }),
  page: fc.integer({ min: 0, max: GRANT_PAGES + 1 }),
  number: fc.nat(20),
  writable: fc.boolean(),
  wild: fc.nat(5),
});

/** Places that are in use. */
const live = <Value>(list: readonly (Value | null)[]): { readonly at: number; readonly value: Value }[] =>
  list.flatMap((value, at) => (value === null ? [] : [{ at, value }]));

/** A request that mostly can be granted, and is asked by who may. */
function aimed(office: GrantOffice, { call, me, other, page, number, writable, wild }: Draw): GrantOp {
  const grants = live(office.grants);
  const mappings = live(office.mappings);
  const grant = grants[number % Math.max(1, grants.length)];
  const mapping = mappings[number % Math.max(1, mappings.length)];
  const isBlind = wild === 0;
  switch (call) {
    case "grant": {
      const to = other === me ? (me % GRANT_DOMAINS) + 1 : other;
      const of = isBlind ? other : me;
      return { me, ask: { call, to, frame: frameBehind(of, page % GRANT_PAGES), writable } };
    }
    case "map": {
      const where = isBlind ? page : GRANT_PAGES + (page % 2);
      const mapper = isBlind ? me : (grant?.value.to ?? me);
      return { me: mapper, ask: { call, grant: grant?.at ?? number % 3, page: where, writable } };
    }
    case "unmap":
      return {
        me: isBlind ? me : (mapping?.value.domain ?? me),
        ask: { call, mapping: isBlind ? number % 3 : (mapping?.at ?? 0) },
      };
    case "revoke":
      return { me: isBlind ? me : (grant?.value.from ?? me), ask: { call, grant: grant?.at ?? number % 3 } };
  }
}

/** Requests of three domains. */
export const grantPlans: fc.Arbitrary<readonly GrantOp[]> = fc
  .array(draws, { minLength: 1, maxLength: 24 })
  .map((list) => {
    let office = quietOffice();
    return list.map((each) => {
      const op = aimed(office, each);
      office = grantModel(office, op.me, op.ask).office;
      return op;
    });
  });

/** What the model answers. */
function valuesOf(plan: readonly GrantOp[]): number[] {
  let office = quietOffice();
  return plan.map(({ me, ask }) => {
    const result = grantModel(office, me, ask);
    office = result.office;
    return result.value;
  });
}

/** Calls that plans have, and that are allowed. */
export const allowedIn = (plans: readonly (readonly GrantOp[])[]): ReadonlySet<string> =>
  new Set(
    plans.flatMap((plan) => {
      const values = valuesOf(plan);
      return plan.flatMap(({ ask }, at) => ((values[at] ?? -1) >= 0 ? [ask.call] : []));
    }),
  );

/** A plan with requests left out, as long as the same thing is wrong. */
export const fewerGrants = (
  plan: readonly GrantOp[],
  isWrong: (fewer: readonly GrantOp[]) => boolean,
): readonly GrantOp[] =>
  fewestCalls(plan, isWrong, (calls, at) => leaveOutNumbered(calls, at, valuesOf(calls)));

const rights = (writable: boolean): string => (writable ? "RW" : "R");

/** A request in words. */
export function askWords({ me, ask }: GrantOp): string {
  switch (ask.call) {
    case "grant":
      return `dom${me} grant(to dom${ask.to}, 0x${ask.frame.toString(16)}, ${rights(ask.writable)})`;
    case "map":
      return `dom${me} map(grant ${ask.grant}, page ${ask.page}, ${rights(ask.writable)})`;
    case "unmap":
      return `dom${me} unmap(mapping ${ask.mapping})`;
    case "revoke":
      return `dom${me} revoke(grant ${ask.grant})`;
  }
}

export const inertOffice = ({ frames, entries, grants, mappings }: GrantOffice): Inert => ({
  frames: new Map([...frames].map(([number, frame]): [Inert, Inert] => [number, { ...frame }])),
  entries: entries.map((each) => ({ ...each })),
  grants: grants.map((each) => (each === null ? null : { ...each })),
  mappings: mappings.map((each) => (each === null ? null : { ...each })),
});

const isNumber = (value: Inert, ...keys: readonly string[]): boolean =>
  keys.every((key) => typeof member(value, key) === "number");
const isFlag = (value: Inert, key: string): boolean => typeof member(value, key) === "boolean";
const MOST = 1_000;

/** An office out of what an answer returned; `undefined`: it is none. */
export function officeOf(value: Inert): GrantOffice | undefined {
  const frames = member(value, "frames");
  const entries = member(value, "entries");
  const grants = member(value, "grants");
  const mappings = member(value, "mappings");
  if (
    !(frames instanceof Map) ||
    !Array.isArray(entries) ||
    !Array.isArray(grants) ||
    !Array.isArray(mappings)
  )
    return undefined;
  if ([frames.size, entries.length, grants.length, mappings.length].some((length) => length > MOST))
    return undefined;
  const isGood =
    [...frames].every(
      ([key, frame]) => typeof key === "number" && isNumber(frame, "owner", "refs", "writers"),
    ) &&
    entries.every((entry) => isNumber(entry, "domain", "page", "frame") && isFlag(entry, "writable")) &&
    grants.every(
      (each) =>
        each === null || (isNumber(each, "from", "to", "frame", "mapped") && isFlag(each, "writable")),
    ) &&
    mappings.every((each) => each === null || isNumber(each, "domain", "grant", "page"));
  if (!isGood) return undefined;
  return {
    frames: frames as unknown as ReadonlyMap<number, GrantFrame>,
    entries: entries as unknown as readonly GrantEntry[],
    grants: grants as unknown as readonly (Grant | null)[],
    mappings: mappings as unknown as readonly (GrantMapping | null)[],
  };
}

/** Lets an answer go through histories side by side, from what it made itself of the request before. */
export function playGrants(answer: Answer, plans: readonly (readonly GrantOp[])[]): GrantHistory[] {
  const runs = plans.map((plan) => ({
    plan,
    steps: [] as GrantStep[],
    model: quietOffice(),
    office: quietOffice(),
    broken: undefined as string | undefined,
  }));
  const longest = Math.max(0, ...plans.map(({ length }) => length));
  for (let round = 0; round < longest; round++) {
    const live = runs.flatMap((run) => {
      const op = run.plan[round];
      return op === undefined || run.broken !== undefined ? [] : [{ run, op }];
    });
    const outcomes = answer.callEach(
      live.map(({ run, op: { me, ask } }) => [inertOffice(run.office), me, { ...ask }]),
    );
    for (const [index, { run, op }] of live.entries()) {
      const outcome = outcomes[index];
      const value = outcome?.ok === true ? member(outcome.value, "value") : undefined;
      const office = outcome?.ok === true ? officeOf(member(outcome.value, "office")) : undefined;
      const model = grantModel(run.model, op.me, op.ask);
      if (typeof value !== "number" || office === undefined) {
        run.broken =
          outcome?.ok === true
            ? "grantCall must return { value, office }: a number, and the office with its four members: full records, and null where one was."
            : `grantCall ${outcome?.category ?? "did not answer"}. ${outcome?.message ?? ""}`.trim();
        continue;
      }
      run.steps.push({ ...op, value, wanted: model.value, office });
      run.office = office;
      run.model = model.office;
      if (value !== model.value) run.broken = "";
    }
  }
  return runs.map(({ steps, broken }) => ({ steps, broken }));
}
