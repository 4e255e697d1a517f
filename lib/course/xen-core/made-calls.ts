/** Calls that are allowed, and how many of them an answer made: what a call leaves behind can be judged only where it is made. */
import type { Finding } from "../../checks/check.ts";
import { fails } from "../../checks/property.ts";

/** A call, what the answer returned, and what it should have; below 0 it should be refused. */
export interface AnsweredCall {
  readonly call: string;
  readonly value: number;
  readonly wanted: number;
}

/** So much of the allowed calls of a kind must be made: somebody whose other mistakes cost a call now and then does no less. */
const MOST = 3 / 4;

/**
 * Whoever refuses what is allowed, or answers nonsense so that nobody looks behind it, breaks no rule about what calls leave behind. This is
 * what such a property says then; `undefined`: of each kind named, most are made. `planned` are the kinds that a right answer would have met.
 */
export function seldomMade(
  kinds: readonly string[],
  calls: readonly AnsweredCall[],
  planned: ReadonlySet<string>,
): Finding | undefined {
  for (const kind of kinds) {
    const allowed = calls.filter(({ call, wanted }) => call === kind && wanted >= 0);
    const made = allowed.filter(({ value, wanted }) => value === wanted).length;
    if (allowed.length === 0 ? planned.has(kind) : made < MOST * allowed.length)
      return fails(
        `Too few calls of ${kind} that are allowed are made: what they leave behind can be judged only where they are.`,
        allowed.length === 0
          ? `no history comes as far as a ${kind} that is allowed`
          : `${made} of ${allowed.length} were made`,
      );
  }
  return undefined;
}
