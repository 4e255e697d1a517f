/** Exercise 06.3, build: event channels, call by call against a model. */
import fc from "fast-check";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { describeInert, type Inert, member, sameInert } from "../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import { EVENT_PORTS, type EventCall, type EventDomains, eventModel, quietDomains } from "./event-model.ts";

/** Domains beside the hypervisor. */
const COUNT = 3;

/** A call, behind others that went as they should. */
export interface EventCase {
  readonly before: readonly EventCall[];
  readonly domains: EventDomains;
  readonly last: EventCall;
}

export type EventCallName = EventCall["call"];

const domain = fc.integer({ min: 1, max: COUNT });
const port = fc.integer({ min: 0, max: EVENT_PORTS - 1 });
const one = (call: EventCallName): fc.Arbitrary<EventCall> => {
  const fields = { domain, call: fc.constant(call) };
  switch (call) {
    case "allocate":
      return fc.record({ ...fields, a: domain, b: fc.constant(0) });
    case "bind":
      return fc.record({
        ...fields,
        a: fc.integer({ min: 1, max: COUNT + 1 }),
        b: fc.integer({ min: 0, max: 3 }),
      });
    case "mask":
      return fc.record({
        ...fields,
        a: fc.integer({ min: 0, max: 3 }),
        b: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 1 }) },
          { weight: 1, arbitrary: fc.constant(2) },
        ),
      });
    case "take":
      return fc.record({ ...fields, a: fc.constant(0), b: fc.constant(0) });
    default:
      return fc.record({
        ...fields,
        a: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 2 }) }, { weight: 1, arbitrary: port }),
        b: fc.constant(0),
      });
  }
};

/** A channel between two domains, so that random calls find some. */
const channel = fc.record({ from: domain, to: domain }).chain(({ from, to }) =>
  fc.constant<readonly EventCall[]>([
    { domain: from, call: "allocate", a: to, b: 0 },
    { domain: to, call: "bind", a: from, b: 1 },
  ]),
);

/** Whether a domain would bind a port of its own: what that means is nobody's business here. */
const isToItself = ({ domain: me, call, a }: EventCall): boolean =>
  (call === "bind" || call === "allocate") && me === a;

/** Cases whose last call is one of some. */
export function eventCases(
  names: readonly EventCallName[],
  before: readonly EventCallName[],
): fc.Arbitrary<EventCase> {
  return fc
    .record({
      channels: fc.array(channel, { minLength: 1, maxLength: 2 }),
      calls: fc.array(fc.oneof(...before.map(one)), { maxLength: 10 }),
      last: fc.oneof(...names.map(one)),
    })
    .map(({ channels, calls, last }) => {
      const list = [...channels.flat(), ...calls].filter((call) => !isToItself(call));
      const domains = list.reduce((state, call) => eventModel(state, call).domains, quietDomains(COUNT));
      return { before: list, domains, last: isToItself(last) ? { ...last, a: (last.a % COUNT) + 1 } : last };
    });
}

const callText = ({ domain: me, call, a, b }: EventCall): string => {
  const values = {
    allocate: `for dom${a}`,
    bind: `dom${a}, port ${b}`,
    send: `port ${a}`,
    mask: `port ${a}, ${b}`,
    take: "",
    close: `port ${a}`,
  };
  return `dom${me} ${call}(${values[call]})`;
};
const storyOf = ({ before, last }: EventCase): string =>
  `after \`${[...before, last].map(callText).join("; ")}\``;

/** Domains as inert data. */
export const inertDomains = (domains: EventDomains): Inert =>
  domains.map(({ ports, pending, masked }) => ({
    ports: ports.map((each) => ({ ...each })),
    pending,
    masked,
  }));

const HINTS: Readonly<Record<string, string>> = {
  "bind -1": "A port may be bound only while it waits, and only by the domain that it waits for: else -1n.",
  "bind -2": "There is no such port at the other domain, or it is free: -2n. Port 0 is none.",
  "bind -3": "There is no such domain: -3n.",
  "send -2": "Only a bound port leads anywhere; anything else is -2n.",
  "mask -2": "A port that is free cannot be masked: -2n.",
  "mask -22": "mask takes 1 or 0; anything else is -22n.",
  "close -2": "A port that is free cannot be closed: -2n. Port 0 is none.",
};

const DONE: Readonly<Record<EventCallName, string>> = {
  allocate: "The first free port from 1 on waits for the domain named, and its number is returned.",
  bind: "Both ends become bound, each names the other, and the value is the port of the one who binds: its first free one from 1 on.",
  send: "send sets the bit of the other end's port in the other domain's pending, masked or not. It changes nothing of the sender's.",
  mask: "mask sets or clears the port's bit in masked, and touches nothing else.",
  take: "take returns the pending events that are not masked, and clears those. What is masked stays pending, so that it is not lost.",
  close:
    "close frees the port with its bits in pending and masked; the other end, if there is one, waits for the same domain again.",
};

/** What is wrong with an outcome, if anything is. */
export function eventMistake(
  each: EventCase,
  outcome: Outcome | undefined,
  name: string,
): Broken | undefined {
  const wanted = eventModel(each.domains, each.last);
  const story = storyOf(each);
  if (outcome?.ok !== true)
    return {
      hint: `${name} ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${story}`,
    };
  const value = member(outcome.value, "value");
  if (typeof value !== "bigint")
    return { hint: `${name} must return { value, domains }, and value must be a bigint.`, detail: story };
  const hint =
    wanted.value < 0n
      ? (HINTS[`${each.last.call} ${wanted.value}`] ?? DONE[each.last.call])
      : DONE[each.last.call];
  if (value !== wanted.value)
    return {
      hint,
      detail: `${story} the value is ${describeInert(value)}, and should be ${describeInert(wanted.value)}`,
    };
  const after = member(outcome.value, "domains");
  if (sameInert(after, inertDomains(wanted.domains))) return undefined;
  const differs = Array.isArray(after)
    ? wanted.domains.findIndex(
        (_, index) => !sameInert(after[index], (inertDomains(wanted.domains) as readonly Inert[])[index]),
      )
    : 0;
  return {
    hint: wanted.value < 0n ? `A call that is refused changes nothing. ${hint}` : hint,
    detail: `${story} domain ${differs} is not what it should be`,
  };
}

function judge(answer: Answer, run: CheckRun, names: readonly EventCallName[], salt: number): Finding {
  if (!answer.isFunction) return fails("The answer must be a function.");
  return forAllAtOnce(
    eventCases(names, ["allocate", "bind", "bind", "send", "mask", "take"]),
    run,
    salt,
    (batch) => {
      const outcomes = answer.callEach(
        batch.map(({ domains, last: { domain: me, call, a, b } }) => [inertDomains(domains), me, call, a, b]),
      );
      return batch.map((each, index) => eventMistake(each, outcomes[index], "eventCall"));
    },
  );
}

const property = (id: string, says: string, names: readonly EventCallName[], salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, names, salt),
});

/** Check of exercise 06.3. */
export const eventCheck: Check = defineCheck({
  id: "06.3",
  title: "Ring the other island's bell",
  points: 4,
  properties: [
    property("bind", "a port is bound by whom it waits for, and by nobody else", ["bind"], 31),
    property("send", "an event reaches the other end", ["send"], 32),
    property("mask", "a port is masked and unmasked", ["mask"], 33),
    property("take", "what is taken is taken once, and what is masked is kept", ["take"], 34),
  ],
});
