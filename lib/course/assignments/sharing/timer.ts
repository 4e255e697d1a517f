/** Exercise A5.1: a guest's timer under random schedules. No interrupt is lost, none comes early, none twice, also when the guest moves. */
import fc from "fast-check";
import type { Answer } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { FunctionHandle, type Inert, isInertRecord, member, Opaque } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";

/** Never, as a time. */
export const NEVER = 2n ** 64n - 1n;

/** What happens to a timer. All times are the machine's, but `deadline`, which is the guest's. */
export type TimerEvent =
  | { readonly what: "set"; readonly now: bigint; readonly deadline: bigint }
  | { readonly what: "look"; readonly now: bigint }
  | { readonly what: "move"; readonly now: bigint; readonly delta: bigint };

/** A step of a plan: so many ticks later this happens. `await`: at the alarm, or a little behind it. */
type Planned =
  | { readonly what: "set"; readonly after: number; readonly ahead: number }
  | { readonly what: "look"; readonly after: number }
  | { readonly what: "await"; readonly late: number }
  | { readonly what: "cancel"; readonly after: number }
  | { readonly what: "move"; readonly after: number; readonly shift: number };
type Plan = readonly Planned[];

interface Expected {
  readonly pending: boolean;
  readonly alarm: bigint;
}
interface Step {
  readonly event: TimerEvent;
  readonly expected: Expected;
  readonly pending: Inert;
  readonly alarm: Inert;
}
interface Played {
  readonly steps: readonly Step[];
  readonly broken: string | undefined;
}

const BEGINNING = 1_000_000n;

/** The timer as the specification has it; the answer shares nothing with it. */
class Model {
  #deadline = NEVER;
  #delta = 0n;
  #isRaised = false;

  take(event: TimerEvent): Expected {
    if (event.what === "set") {
      this.#deadline = event.deadline;
      this.#isRaised = false;
    }
    if (event.what === "move") this.#delta = event.delta;
    if (this.#deadline !== NEVER && this.#guestTime(event.now) >= this.#deadline) {
      this.#isRaised = true;
      this.#deadline = NEVER;
    }
    return { pending: this.#isRaised, alarm: this.alarm };
  }

  /** When the machine's time will be there. */
  get alarm(): bigint {
    return this.#deadline === NEVER ? NEVER : this.#deadline - BigInt.asIntN(64, this.#delta);
  }

  deadlineAhead(now: bigint, ahead: number): bigint {
    const wanted = this.#guestTime(now) + BigInt(ahead);
    return wanted < 0n ? 0n : wanted;
  }

  #guestTime(now: bigint): bigint {
    return BigInt.asUintN(64, now + this.#delta);
  }
}

const moves: fc.Arbitrary<Planned> = fc.record({
  what: fc.constant("move" as const),
  after: fc.integer({ min: 0, max: 300 }),
  shift: fc.integer({ min: -900_000, max: 900_000 }),
});
const rest: readonly fc.Arbitrary<Planned>[] = [
  fc.record({
    what: fc.constant("set" as const),
    after: fc.integer({ min: 0, max: 300 }),
    ahead: fc.integer({ min: -200, max: 900 }),
  }),
  fc.record({ what: fc.constant("look" as const), after: fc.integer({ min: 0, max: 600 }) }),
  fc.record({ what: fc.constant("await" as const), late: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ what: fc.constant("cancel" as const), after: fc.integer({ min: 0, max: 100 }) }),
];
const plansOf = (withMoves: boolean): fc.Arbitrary<Plan> =>
  fc.array(fc.oneof(...(withMoves ? [moves, ...rest] : rest)), { minLength: 1, maxLength: 24 });

/** The event of a step, at a time that never goes back. */
function eventOf(planned: Planned, model: Model, now: bigint): TimerEvent {
  if (planned.what === "await") {
    const { alarm } = model;
    const at = alarm === NEVER || alarm < now ? now : alarm + BigInt(planned.late);
    return { what: "look", now: at };
  }
  const at = now + BigInt(planned.after);
  if (planned.what === "look") return { what: "look", now: at };
  if (planned.what === "move")
    return { what: "move", now: at, delta: BigInt.asUintN(64, BigInt(planned.shift)) };
  return {
    what: "set",
    now: at,
    deadline: planned.what === "cancel" ? NEVER : model.deadlineAhead(at, planned.ahead),
  };
}

const PLAIN =
  "state must be plain data: it is copied from one call to the next, and functions and an object's methods are lost on the way.";

/** Whether a value is the same behind a copy. */
function isPlain(value: Inert): boolean {
  if (value instanceof FunctionHandle || value instanceof Opaque) return false;
  if (value instanceof Map) return [...value].flat().every(isPlain);
  if (value instanceof Set || Array.isArray(value)) return [...value].every(isPlain);
  return !isInertRecord(value) || Object.values(value).every(isPlain);
}

/** Plays all plans side by side: one message for each step of all. */
function play(answer: Answer, plans: readonly Plan[]): readonly Played[] {
  const games = plans.map(() => ({
    model: new Model(),
    now: BEGINNING,
    state: undefined as Inert,
    steps: [] as Step[],
    broken: undefined as string | undefined,
  }));
  const longest = Math.max(0, ...plans.map(({ length }) => length));
  for (let index = 0; index < longest; index++) {
    const turns = games.flatMap((game, number) => {
      const planned = plans[number]?.[index];
      if (planned === undefined || game.broken !== undefined) return [];
      const event = eventOf(planned, game.model, game.now);
      game.now = event.now;
      return [{ game, event, expected: game.model.take(event) }];
    });
    const outcomes = answer.callEach(turns.map(({ game, event }) => [game.state, { ...event }]));
    for (const [place, { game, event, expected }] of turns.entries()) {
      const outcome = outcomes[place];
      if (outcome?.ok !== true) {
        const category = outcome?.category ?? "does not answer";
        const isMethodGone = isInertRecord(game.state) && /is not a function/.test(outcome?.message ?? "");
        game.broken = `timer ${category}.${isMethodGone ? ` ${PLAIN}` : ""}`;
        continue;
      }
      game.state = member(outcome.value, "state");
      if (!isPlain(game.state)) {
        game.broken = PLAIN;
        continue;
      }
      const [pending, alarm] = [member(outcome.value, "pending"), member(outcome.value, "alarm")];
      if (typeof pending !== "boolean" || typeof alarm !== "bigint")
        game.broken =
          "Return { state, pending, alarm }: what you want to have again, a boolean, and a bigint.";
      else game.steps.push({ event, expected, pending, alarm });
    }
  }
  return games;
}

const eventWords = (event: TimerEvent): string => {
  const name = (deadline: bigint): string => (deadline === NEVER ? "never" : String(deadline));
  if (event.what === "set") return `at ${event.now} set ${name(event.deadline)}`;
  if (event.what === "move") return `at ${event.now} move, delta ${BigInt.asIntN(64, event.delta)}`;
  return `at ${event.now} look`;
};

type Objection = (step: Step, before: readonly Step[]) => string | undefined;

const levelRight: Objection = ({ event, expected, pending }, before) => {
  if (pending === expected.pending) return undefined;
  if (pending === false)
    return event.what === "set"
      ? "An interrupt is lost: a deadline that has already been is due at once."
      : before.at(-1)?.pending === true
        ? "An interrupt is lost: once raised it stays raised until the guest sets its timer again."
        : "An interrupt is lost: the guest's time has reached the deadline.";
  return event.what === "set"
    ? "An interrupt comes twice: setting the timer takes back what was raised."
    : "An interrupt comes early, or for a deadline that has rung or was canceled.";
};

const alarmRight: Objection = ({ expected, alarm }) => {
  if (alarm === expected.alarm) return undefined;
  if (alarm === NEVER)
    return "Nobody will look again, and a deadline is open: that interrupt is lost on a machine where nothing else happens.";
  return expected.alarm === NEVER
    ? "The machine is woken for nothing: after a deadline has rung, or was canceled, the alarm is NEVER."
    : "The alarm is at the wrong time. It is a time of the machine: the deadline less the delta, as signed numbers.";
};

function objectionOf(played: Played, object: Objection): Broken | undefined {
  for (const [index, step] of played.steps.entries()) {
    const hint = object(step, played.steps.slice(0, index));
    if (hint === undefined) continue;
    const told = played.steps
      .slice(0, index + 1)
      .map(({ event }) => eventWords(event))
      .join("; ");
    const { pending, alarm } = step.expected;
    return {
      hint,
      detail: `after \`${told}\`: pending ${String(step.pending)}, alarm ${String(step.alarm)}; should be ${pending}, ${alarm === NEVER ? "NEVER" : alarm}`,
    };
  }
  return played.broken === undefined ? undefined : { hint: played.broken, detail: "" };
}

function judge(answer: Answer, run: CheckRun, withMoves: boolean, objections: readonly Objection[]): Finding {
  if (!answer.isFunction) return fails("The answer must be the function timer.");
  return forAllAtOnce<Plan>(plansOf(withMoves), run, withMoves ? 0x51 : 0x50, (plans) =>
    play(answer, plans).map((played) =>
      objections.map((object) => objectionOf(played, object)).find((found) => found !== undefined),
    ),
  );
}

const property = (
  id: string,
  says: string,
  weight: number,
  withMoves: boolean,
  objections: readonly Objection[],
): Property => ({
  id,
  says,
  weight,
  run: (answer, run) => judge(answer, run, withMoves, objections),
});

/** Check of exercise A5.1. */
export const timerCheck: Check = defineCheck({
  id: "A5.1",
  title: "No interrupt lost, none twice",
  points: 4,
  properties: [
    property("level", "the interrupt is raised exactly while it should be", 2, false, [levelRight]),
    property("alarm", "somebody looks again exactly when it matters", 1, false, [alarmRight]),
    property("moves", "both hold for a guest that moves between machines", 1, true, [levelRight, alarmRight]),
  ],
});
