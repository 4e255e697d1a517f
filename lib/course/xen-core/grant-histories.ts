/** Random histories of grants, what an answer makes of them, and a recount of what it has made. */
import fc from "fast-check";
import type { Answer } from "../../checks/answer.ts";
import { type Inert, member } from "../../checks/inert.ts";
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

const small = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const domain = fc.integer({ min: 1, max: GRANT_DOMAINS });
/** What is mapped goes to pages behind the domain's own. */
const page = fc.oneof(
  { weight: 7, arbitrary: fc.integer({ min: GRANT_PAGES, max: GRANT_PAGES + 1 }) },
  { weight: 1, arbitrary: small(1) },
);

const ops: fc.Arbitrary<GrantOp> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      me: domain,
      ask: fc
        .record({ to: domain, of: domain, page: small(GRANT_PAGES - 1), writable: fc.boolean() })
        .map(
          ({ to, of, page: own, writable }): GrantAsk => ({
            call: "grant",
            to,
            frame: frameBehind(of, own),
            writable,
          }),
        ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      me: domain,
      ask: fc.record({ call: fc.constant("map" as const), grant: small(2), page, writable: fc.boolean() }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      me: domain,
      ask: fc.record({ call: fc.constant("unmap" as const), mapping: small(2) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      me: domain,
      ask: fc.record({ call: fc.constant("revoke" as const), grant: small(2) }),
    }),
  },
);

/** Who asks is mostly who may: else nearly everything would be refused. */
function directed(list: readonly (GrantOp & { readonly wild: number })[]): GrantOp[] {
  let office = quietOffice();
  return list.map(({ me, ask, wild }) => {
    const op = wild === 0 ? { me, ask } : { me: whoMay(office, me, ask), ask };
    office = grantModel(office, op.me, op.ask).office;
    return op;
  });
}

function whoMay(office: GrantOffice, me: number, ask: GrantAsk): number {
  switch (ask.call) {
    case "grant":
      return office.frames.get(ask.frame)?.owner ?? me;
    case "map":
      return office.grants[ask.grant]?.to ?? me;
    case "unmap":
      return office.mappings[ask.mapping]?.domain ?? me;
    case "revoke":
      return office.grants[ask.grant]?.from ?? me;
  }
}

/** Requests of three domains. */
export const grantPlans: fc.Arbitrary<readonly GrantOp[]> = fc
  .array(fc.record({ op: ops, wild: small(6) }), { minLength: 1, maxLength: 24 })
  .map((list) => directed(list.map(({ op, wild }) => ({ ...op, wild }))));

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
            ? "grantCall must return { value, office }: a number, and the office with its four members."
            : `grantCall ${outcome?.category ?? "did not answer"}.`;
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
