/**
 * Stands in for fast-check while mutants are tried: fewer cases, no shrinking, and the wrong expectation itself instead of a
 * report about it, so that it can be told from a crash. A mutant that needs more cases to be seen counts as not seen.
 */
import fc, { type IAsyncProperty, type IProperty, type Parameters, type RunDetails } from "fast-check";

export * from "fast-check";

const MOST_CASES = 150;

function judge<T>(details: RunDetails<T>): void {
  if (!details.failed) return;
  throw details.errorInstance ?? new Error("the property failed without an error");
}

/** `fc.assert` in short. */
export function assert<T>(
  property: IAsyncProperty<T> | IProperty<T>,
  parameters: Parameters<T> = {},
): Promise<void> | void {
  const numRuns = Math.min(parameters.numRuns ?? MOST_CASES, MOST_CASES);
  const details = fc.check(property, { ...parameters, numRuns, endOnFailure: true });
  return details instanceof Promise ? details.then(judge) : judge(details);
}

export default { ...fc, assert };
