/** Exercise 06.3, build: event channels, call by call against a model. */
import fc from "fast-check";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Inert, member, sameInert } from "../../checks/inert.ts";
import { type Broken, fails } from "../../checks/property.ts";
import { EVENT_PORTS, type EventCall, type EventDomains, eventModel, quietDomains } from "./event-model.ts";
import { fewestCalls, forAllFewest } from "./fewest-calls.ts";

/** Domains beside the hypervisor. */
const COUNT = 3;

/** A call, behind others that went as they should. */
export interface EventCase {
  readonly before: readonly EventCall[];
  readonly domains: EventDomains;
  readonly last: EventCall;
}

export type EventCallName = EventCall["call"];

/** What a random call is made of; which ports there are decides what becomes of it. */
interface Draw {
  readonly call: EventCallName;
  readonly domain: number;
  readonly remote: number;
  readonly port: number;
  /** 0 to 2 for `mask`; 2 is neither. */
  readonly flag: number;
  readonly salt: number;
  /** 0: whatever was drawn, whether it is there or not. */
  readonly wild: number;
}

const draw = (names: readonly EventCallName[]): fc.Arbitrary<Draw> =>
  fc.record({
    call: fc.constantFrom(...names),
    domain: fc.integer({ min: 1, max: COUNT }),
    remote: fc.integer({ min: 0, max: COUNT + 1 }),
    port: fc.integer({ min: 0, max: EVENT_PORTS - 1 }),
    flag: fc.constantFrom(1, 0, 1, 0, 1, 2),
    salt: fc.nat(1_000),
    wild: fc.integer({ min: 0, max: 4 }),
  });

/** Ports that are not free. */
const usedPorts = (domains: EventDomains) =>
  domains.flatMap(({ ports }, domain) =>
    ports.flatMap((end, port) => (end.state === "free" ? [] : [{ ...end, domain, port }])),
  );

/** A call that mostly finds what it is about. */
function aimed(domains: EventDomains, { call, domain, remote, port, flag, salt, wild }: Draw): EventCall {
  const blind = {
    domain,
    call,
    a: call === "bind" || call === "allocate" ? remote : port,
    b: call === "bind" ? port : call === "mask" ? flag : 0,
  };
  const used = usedPorts(domains);
  const waiting = used.filter((each) => each.state === "waiting");
  const bound = used.filter((each) => each.state === "bound");
  const list = call === "bind" ? waiting : call === "mask" || call === "close" ? used : bound;
  const found = list[salt % Math.max(1, list.length)];
  if (wild === 0 || found === undefined || call === "allocate") return blind;
  if (call === "bind") {
    // Now and then somebody for whom the port does not wait.
    return { domain: salt % 4 === 0 ? domain : found.remote, call, a: found.domain, b: found.port };
  }
  return { domain: found.domain, call, a: call === "take" ? 0 : found.port, b: blind.b };
}

/** Whether a domain would bind a port of its own: what that means is nobody's business here. */
const isToItself = ({ domain, call, a }: EventCall): boolean =>
  (call === "bind" || call === "allocate") && domain === a;

/** Cases whose last call is one of some. A channel is there from the start, so that calls find something. */
export function eventCases(
  names: readonly EventCallName[],
  before: readonly EventCallName[],
): fc.Arbitrary<EventCase> {
  return fc
    .record({
      turn: fc.integer({ min: 0, max: COUNT - 1 }),
      draws: fc.array(draw(before), { maxLength: 10 }),
      waits: fc.boolean(),
      last: draw(names),
    })
    .map(({ turn, draws, waits, last }) => {
      const [from, to] = [1 + turn, 1 + ((turn + 1) % COUNT)];
      const list: EventCall[] = [
        { domain: from, call: "allocate", a: to, b: 0 },
        { domain: to, call: "bind", a: from, b: 1 },
      ];
      if (waits) list.push({ domain: to, call: "allocate", a: from, b: 0 });
      let domains = list.reduce((state, call) => eventModel(state, call).domains, quietDomains(COUNT));
      for (const each of draws) {
        const call = aimed(domains, each);
        if (isToItself(call)) continue;
        list.push(call);
        domains = eventModel(domains, call).domains;
      }
      const call = aimed(domains, last);
      return { before: list, domains, last: isToItself(call) ? { ...call, a: (call.a % COUNT) + 1 } : call };
    });
}

/** A case with calls left out, as long as the same thing is wrong. */
export const fewerCalls = (each: EventCase, isWrong: (fewer: EventCase) => boolean): EventCase => {
  const behind = (before: readonly EventCall[]): EventCase => ({
    ...each,
    before,
    domains: before.reduce((state, call) => eventModel(state, call).domains, quietDomains(COUNT)),
  });
  return behind(fewestCalls(each.before, (before) => isWrong(behind(before))));
};

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
      detail: `${story} the value is ${value}n, and should be ${wanted.value}n`,
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
  return forAllFewest(
    eventCases(names, ["allocate", "bind", "bind", "send", "mask", "take"]),
    run,
    salt,
    (batch) => {
      const outcomes = answer.callEach(
        batch.map(({ domains, last: { domain: me, call, a, b } }) => [inertDomains(domains), me, call, a, b]),
      );
      return batch.map((each, index) => eventMistake(each, outcomes[index], "eventCall"));
    },
    fewerCalls,
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
