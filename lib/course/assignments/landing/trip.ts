/** Exercise A1.3: down to U-mode, one call up to S-mode, and back. Bytes run on a machine; the steps are the evidence. */

import type { StepRecord } from "../../../board/step-record.ts";
import { buildBoard } from "../../../board/virt.ts";
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import type { Inert } from "../../../checks/inert.ts";
import { fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { causeWords, EXCEPTION } from "../../../isa/trap.ts";
import { submittedProgram } from "./submitted-program.ts";

/** Instructions that a trip may retire. */
export const TRIP_BUDGET = 300;
const RAM_BYTES = 1 << 20;
const TRIPS = 12;
const MOST_TOKEN = 1_000;

interface Trip {
  readonly steps: readonly StepRecord[];
  /** `s1` at the end. */
  readonly s1: bigint;
}

type Question = (trip: Trip, token: bigint) => string | undefined;

function travel(value: Inert): Trip | string {
  const submitted = submittedProgram(value);
  if (typeof submitted === "string") return submitted;
  const board = buildBoard({ ramBytes: RAM_BYTES });
  const refused = board.load(submitted);
  if (refused !== undefined) return refused.message;
  const { steps = [] } = board.run({ instructions: TRIP_BUDGET, log: true });
  return { steps, s1: board.hart.read("s1") };
}

const trapsOf = (trip: Trip): readonly StepRecord[] => trip.steps.filter((step) => step.trap !== undefined);

const isCall = (step: StepRecord): boolean =>
  step.trap?.isInterrupt === false && step.trap.cause === EXCEPTION.ecallFromU && step.modeAfter === "S";

const goesDown: Question = (trip) => {
  if (trip.steps.some((step) => step.modeBefore === "U")) return undefined;
  const trap = trapsOf(trip)[0]?.trap;
  return trap === undefined
    ? "The hart never ran in U-mode. mret goes to the mode in MPP, at the address in mepc."
    : `The hart never ran in U-mode; first came ${causeWords(trap)}. Without a PMP rule U-mode may not even fetch.`;
};

const callsOnce: Question = (trip) => {
  const traps = trapsOf(trip);
  const other = traps.find((step) => !isCall(step));
  if (other?.trap !== undefined) {
    return `${causeWords(other.trap)} went from ${other.modeBefore} to ${other.modeAfter}. Only one trap is wanted: cause 8, from U to S; bit 8 of medeleg sends it there.`;
  }
  if (traps.length === 0) return `No call climbed from U to S within ${TRIP_BUDGET} instructions.`;
  return traps.length === 1
    ? undefined
    : `${traps.length} calls came, one is wanted. sepc points at the ecall itself: add 4 before sret.`;
};

const comesBack: Question = (trip, token) => {
  const call = trip.steps.findIndex(isCall);
  if (call === -1) return "No call came, so nothing came back.";
  if (!trip.steps.slice(call + 1).some((step) => step.modeBefore === "U")) {
    return "After the call the hart stays in S-mode. sret goes back to the mode in SPP, at the address in sepc.";
  }
  if (trip.s1 === 2n * token) return undefined;
  return trip.s1 === token
    ? "s1 is the token itself: the handler must double a0 before it returns."
    : "s1 is not twice the token. User code copies the answer from a0 to s1 behind its ecall.";
};

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("trip must be a function of a token that returns a program.");
  const word = seededWords(run.seed.value);
  const tokens = Array.from({ length: Math.min(TRIPS, run.instances) }, () => 1 + (word() % MOST_TOKEN));
  const outcomes = answer.callEach(tokens.map((token) => [token]));
  for (const [index, token] of tokens.entries()) {
    const outcome = outcomes[index];
    if (outcome?.ok !== true)
      return fails(
        `trip ${outcome?.category ?? "did not answer"}.`,
        `trip(${token}) ${outcome?.message ?? ""}`,
      );
    const trip = travel(outcome.value);
    const broken = typeof trip === "string" ? trip : question(trip, BigInt(token));
    if (broken !== undefined) return fails(broken, `trip(${token})`);
  }
  return HOLDS;
}

/** Check of exercise A1.3. */
export const tripCheck: Check = defineCheck({
  id: "A1.3",
  title: "Down, up, and back",
  points: 3,
  properties: [
    {
      id: "down",
      says: "the hart gets down to U-mode",
      weight: 1,
      run: (answer, run) => judge(answer, run, goesDown),
    },
    {
      id: "call",
      says: `cause 8 climbs from U to S exactly once within ${TRIP_BUDGET} instructions, and no other trap comes`,
      weight: 1,
      run: (answer, run) => judge(answer, run, callsOnce),
    },
    {
      id: "back",
      says: "user code goes on behind its call, with twice the token in s1",
      weight: 1,
      run: (answer, run) => judge(answer, run, comesBack),
    },
  ],
});
