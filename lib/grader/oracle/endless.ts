/**
 * Checks that an answer makes work without end: that property earns nothing, and everything else keeps its verdict.
 *
 * Judging cannot be interrupted from inside, so the oracle says what it begins, and is ended from outside at its limit of
 * processor time. Then the notebook is judged again from the start, in a new cage and by the same draw, without the
 * property that did not end.
 */
import type { JobResult } from "./oracle.ts";
import type { Work } from "./protocol.ts";

/** What a student reads in place of a verdict. */
export const ENDLESS =
  "This answer makes the check work without end: no verdict. Does what it gives back end, and is it small?";

/** Properties of one notebook that may be passed over singly; after those the whole test is. It bounds the batch's time. */
const MOST_SINGLE = 6;

/** Second tries of one notebook: a machine that is that busy all the time must not stop the batch either. */
const MOST_DOUBTS = 3;

/** Is this passed over? A test covers all its properties. */
export const isEndless = (endless: readonly Work[], work: Work): boolean =>
  endless.some(
    (each) =>
      each.test === work.test &&
      (each.property === undefined || (each.check === work.check && each.property === work.property)),
  );

/**
 * Judges a notebook, passing over what does not end.
 *
 * @param run  Judges without those; a second try of the same is patient with the machine.
 */
export async function judgeToTheEnd(
  run: (endless: readonly Work[], isPatient: boolean) => Promise<JobResult>,
): Promise<JobResult> {
  const endless: Work[] = [];
  let isPatient = false;
  let doubts = 0;
  for (;;) {
    const result = await run(endless, isPatient);
    // Silence without processor time may be this machine's fault, and so may a lost oracle: both get one more try.
    const isDoubtful = result.ok ? result.end === "silent" : result.cause !== "worked";
    if (isDoubtful && !isPatient && doubts < MOST_DOUBTS) {
      isPatient = true;
      doubts += 1;
      continue;
    }
    if (result.ok || result.at === undefined) return result;
    const next = nextEndless(endless, result.at, result.cause === "worked");
    if (isEndless(endless, next)) return result;
    endless.push(next);
    isPatient = false;
  }
}

/** The property at work; or its whole test, when one more property would take too long to find out about. */
const nextEndless = (endless: readonly Work[], at: Work, isQuick: boolean): Work =>
  isEndless(endless, at) || endless.length >= MOST_SINGLE || !isQuick ? { test: at.test } : at;
