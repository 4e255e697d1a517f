/** Exercise 01.3, build: a trip from M to U and back to S. The submission is bytes; the machine runs them. */

import type { StepRecord } from "../../board/step-record.ts";
import { buildBoard } from "../../board/virt.ts";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { type Inert, member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { causeWords, EXCEPTION } from "../../isa/trap.ts";

const BUDGET = 300;
const RAM_BYTES = 1 << 20;
const MOST_BYTES = 64 * 1024;
const VISITS = 12;

/** A program as a submission holds it. */
interface SubmittedProgram {
  readonly origin: bigint;
  readonly bytes: Uint8Array;
}

function programOf(value: Inert): SubmittedProgram | string {
  const message = member(value, "message");
  if (member(value, "kind") === "assembly-error")
    return typeof message === "string" ? message : "the program has a mistake";
  const origin = member(value, "origin");
  const bytes = member(value, "bytes");
  if (typeof origin !== "bigint" || !(bytes instanceof Uint8Array))
    return "return what program({ origin: RAM }, […]) gives you";
  return bytes.length > MOST_BYTES ? "the program is larger than 64 KiB" : { origin, bytes };
}

/** What one run did. */
interface Trip {
  readonly steps: readonly StepRecord[];
  /** a0 at each trap that a program in U-mode took. */
  readonly tokens: readonly bigint[];
}

function travel(submitted: SubmittedProgram): Trip | string {
  const board = buildBoard({ ramBytes: RAM_BYTES });
  const refused = board.load(submitted);
  if (refused !== undefined) return refused.message;
  const tokens: bigint[] = [];
  board.onTrap((event) => {
    if (event.from === "U") tokens.push(board.hart.read("a0"));
  });
  const { steps = [] } = board.run({ instructions: BUDGET, log: true });
  return { steps, tokens };
}

const isCall = (step: StepRecord): boolean =>
  step.trap?.isInterrupt === false && step.trap.cause === EXCEPTION.ecallFromU && step.modeAfter === "S";

type Question = (trip: Trip, token: bigint) => string | undefined;

const reachesUser: Question = ({ steps }) => {
  if (steps.some((step) => step.modeBefore === "U")) return undefined;
  const trap = steps.find((step) => step.trap !== undefined)?.trap;
  return trap === undefined
    ? "The hart never ran in U-mode. mret goes to the mode in MPP and the address in mepc."
    : `The hart never ran in U-mode; first came ${causeWords(trap)}.`;
};

const callsOnce: Question = ({ steps }) => {
  const traps = steps.filter((step) => step.trap !== undefined);
  const calls = traps.filter(isCall).length;
  if (calls === 1 && traps.length === 1) return undefined;
  const other = traps.find((step) => !isCall(step));
  if (other?.trap !== undefined)
    return `${causeWords(other.trap)} was taken from ${other.modeBefore} to ${other.modeAfter}. Only one trap may happen: cause 8, from U to S.`;
  return calls === 0
    ? "No call came: nothing climbed from U to S."
    : `${calls} calls came, one is asked for. Let the handler stay with wfi.`;
};

const bringsToken: Question = ({ tokens }, token) => {
  if (tokens.length === 0) return "No trap came from U-mode, so no token arrived.";
  return tokens[0] === token ? undefined : "a0 held something else than the token when U-mode called.";
};

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a token that returns a program.");
  const word = seededWords(run.seed.value);
  const tokens = Array.from({ length: Math.min(VISITS, run.instances) }, () => 1 + (word() % 2047));
  const outcomes: readonly Outcome[] = answer.callEach(tokens.map((token) => [token]));
  for (const [index, outcome] of outcomes.entries()) {
    const token = tokens[index] ?? 0;
    const broken = outcome.ok
      ? answerTo(outcome.value, BigInt(token), question)
      : `Your function ${outcome.category}.`;
    if (broken !== undefined) return fails(broken, `visit(${token})`);
  }
  return HOLDS;
}

function answerTo(value: Inert, token: bigint, question: Question): string | undefined {
  const submitted = programOf(value);
  if (typeof submitted === "string") return submitted;
  const trip = travel(submitted);
  return typeof trip === "string" ? trip : question(trip, token);
}

/** Check of exercise 01.3. */
export const visitCheck: Check = defineCheck({
  id: "01.3",
  title: "Down to U, back up to S",
  points: 4,
  properties: [
    {
      id: "down",
      says: "the hart gets down to U-mode",
      weight: 1,
      run: (answer, run) => judge(answer, run, reachesUser),
    },
    {
      id: "up",
      says: "it climbs to S-mode with cause 8, exactly once, and meets no other trap",
      weight: 2,
      run: (answer, run) => judge(answer, run, callsOnce),
    },
    {
      id: "token",
      says: "the token is in a0 at the call",
      weight: 1,
      run: (answer, run) => judge(answer, run, bringsToken),
    },
  ],
});
