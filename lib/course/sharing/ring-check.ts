/** Exercise 05.2, change: a timer that compares two different clocks and forgets to forget. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";

/** What the guest's timer is, and what the machine's time is when it is looked at. */
interface TimerCase {
  readonly now: bigint;
  readonly deadline: bigint;
  readonly delta: bigint;
}

/** Never, as a time. */
export const NEVER_AGAIN = 2n ** 64n - 1n;

const guestTime = ({ now, delta }: TimerCase): bigint => BigInt.asUintN(64, now + delta);
const isDue = (timer: TimerCase): boolean => guestTime(timer) >= timer.deadline;

/** Timers of guests that began here, came from a machine that was ahead, and from one that was behind. */
function timerCases(run: CheckRun): readonly TimerCase[] {
  const word = seededWords(run.seed.value ^ 0x0502);
  const count = 6 * Math.max(10, run.instances);
  return Array.from({ length: count }, (_, index) => {
    const now = BigInt(50_000_000 + (word() % 1_000_000));
    const shift = BigInt(1 + (word() % 40_000_000));
    const delta = [0n, shift, BigInt.asUintN(64, -shift)][index % 3] ?? 0n;
    const guest = BigInt.asUintN(64, now + delta);
    const away = BigInt(word() % 2_000_000);
    const deadline =
      [guest, guest + 1n, guest - away, guest + 1n + away, NEVER_AGAIN, 0n][(index >> 1) % 6] ?? 0n;
    return { now, deadline: deadline < 0n ? 0n : deadline, delta };
  });
}

interface Rung extends TimerCase {
  readonly due: unknown;
  readonly after: unknown;
}

function ringAll(answer: Answer, run: CheckRun): readonly Rung[] | Finding {
  if (!answer.isFunction) return fails("The answer must be the function ring.");
  const cases = timerCases(run);
  const outcomes = answer.callEach(cases.map(({ now, deadline, delta }) => [now, { deadline, delta }]));
  const rungs: Rung[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const timer = cases[index];
    if (timer === undefined) break;
    if (!outcome.ok) return fails(`ring ${outcome.category}.`, outcome.message);
    const [due, after] = [member(outcome.value, "due"), member(outcome.value, "deadline")];
    if (typeof due !== "boolean" || typeof after !== "bigint")
      return fails("Return { due, deadline }: a boolean, and the deadline from now on as a bigint.");
    rungs.push({ ...timer, due, after });
  }
  return rungs;
}

const isFinding = (value: readonly Rung[] | Finding): value is Finding => "share" in value;

const words = ({ now, deadline, delta }: TimerCase): string =>
  `ring(${now}n, { deadline: ${deadline === NEVER_AGAIN ? "NEVER" : `${deadline}n`}, delta: ${BigInt.asIntN(64, delta)}n as 64 bits }); the guest's clock shows ${guestTime({ now, deadline, delta })}`;

function judgeClock(answer: Answer, run: CheckRun): Finding {
  const rungs = ringAll(answer, run);
  if (isFinding(rungs)) return rungs;
  const wrongs = rungs.filter((rung) => rung.due !== isDue(rung));
  // What is told is the mistake that explains most: which clock, before whether "at" or "after".
  const isClose = (rung: Rung): boolean => guestTime(rung) === rung.deadline;
  const wrong = wrongs.find((rung) => rung.deadline !== NEVER_AGAIN && !isClose(rung)) ?? wrongs[0];
  if (wrong === undefined) return HOLDS;
  if (wrong.deadline === NEVER_AGAIN)
    return fails(
      "A timer that was never set is due. 2^64 - 1 is never; is your sum cut to 64 bits?",
      words(wrong),
    );
  if (isClose(wrong))
    return fails("A deadline that is exactly now is due: at or after, not only after.", words(wrong));
  const isBehind = BigInt.asIntN(64, wrong.delta) < 0n;
  return fails(
    isBehind
      ? "A guest whose clock is behind the machine's is answered at the wrong time. Its delta is a negative number in 64 bits: BigInt.asUintN(64, now + delta)."
      : "The deadline is a time of the guest, and now is one of the machine. Compare times of the same clock.",
    words(wrong),
  );
}

function judgeOnce(answer: Answer, run: CheckRun): Finding {
  const rungs = ringAll(answer, run);
  if (isFinding(rungs)) return rungs;
  const repeated = rungs.find((rung) => rung.due === true && rung.after !== NEVER_AGAIN);
  if (repeated !== undefined)
    return fails(
      repeated.after === repeated.deadline
        ? "A timer that has rung still has its deadline, and rings again at the next look. When it is due, its deadline becomes NEVER."
        : `A timer that has rung has the deadline ${repeated.after}n now, and that will come, or is long past. When it is due, its deadline becomes NEVER.`,
      words(repeated),
    );
  const lost = rungs.find((rung) => rung.due === false && rung.after !== rung.deadline);
  if (lost !== undefined)
    return fails(
      "A timer that is not due yet has lost its deadline: that interrupt never comes.",
      words(lost),
    );
  // Who always gives the same answer never has to decide what becomes of a deadline: both must occur among those that are set.
  const set = rungs.filter(({ deadline }) => deadline !== NEVER_AGAIN && deadline !== 0n);
  const isRare = (due: boolean): boolean => 8 * set.filter((rung) => rung.due === due).length < set.length;
  if (isRare(true)) return fails("No timer is ever due: that is an interrupt lost, each time.");
  return isRare(false) ? fails("Every timer that is set is due at once: none can wait for its time.") : HOLDS;
}

/** Check of exercise 05.2. */
export const ringCheck: Check = defineCheck({
  id: "05.2",
  title: "Two clocks, one deadline",
  points: 3,
  properties: [
    { id: "clock", says: "a timer rings by the guest's clock, and not before", weight: 2, run: judgeClock },
    { id: "once", says: "each deadline rings once, and none is lost", weight: 1, run: judgeOnce },
  ],
});
