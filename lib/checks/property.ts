/** Properties over random inputs: fast-check draws, shrinks and replays; we say in plain words what failed. */
import fc from "fast-check";
import type { CheckRun, Finding } from "./check.ts";

/** Why one input is a counterexample: a hint that is safe to show anywhere, and the particulars. */
export interface Broken {
  /** Teaches without quoting the input: "bits 11–12 came back shifted". */
  readonly hint: string;
  /** Quotes the input, for places where it is not hidden. */
  readonly detail: string;
}

/** Draws inputs and holds each against `broken`; the smallest counterexample found is reported. */
export function forAll<Input>(
  inputs: fc.Arbitrary<Input>,
  run: CheckRun,
  salt: number,
  broken: (input: Input) => Broken | undefined,
): Finding {
  let last: Broken | undefined;
  const property = fc.property(inputs, (input) => {
    const found = broken(input);
    if (found !== undefined) last = found;
    return found === undefined;
  });
  const details = fc.check(property, {
    seed: (run.seed.value + salt) | 0,
    numRuns: run.instances,
    endOnFailure: false,
  });
  if (!details.failed) return { share: 1, message: "" };
  const smallest = details.counterexample?.[0];
  const shown = smallest === undefined ? last : (broken(smallest) ?? last);
  if (shown === undefined) return { share: 0, message: "An input could not be drawn." };
  return { share: 0, message: shown.hint, detail: shown.detail };
}

/**
 * As `forAll`, for answers on the other side of a wall: all inputs go in one batch, and only a failure is shrunk
 * one by one. `broken` gets a list of inputs and answers for each.
 */
export function forAllAtOnce<Input>(
  inputs: fc.Arbitrary<Input>,
  run: CheckRun,
  salt: number,
  broken: (batch: readonly Input[]) => readonly (Broken | undefined)[],
): Finding {
  const batch = fc.sample(inputs, { seed: (run.seed.value + salt) | 0, numRuns: run.instances });
  const found = broken(batch);
  const at = found.findIndex((each) => each !== undefined);
  if (at === -1) return HOLDS;
  const example = batch[at] as Input;
  const one = (input: Input) => broken([input])[0];
  const details = fc.check(
    fc.property(inputs, (input) => one(input) === undefined),
    { seed: (run.seed.value + salt) | 0, numRuns: 1, examples: [[example]] },
  );
  const smallest = details.counterexample?.[0];
  const shown = (smallest === undefined ? undefined : one(smallest)) ?? found[at];
  return shown === undefined
    ? fails("An input failed once and passed when tried again.")
    : fails(shown.hint, shown.detail);
}

/** A property that always holds: full share, nothing to say. */
export const HOLDS: Finding = { share: 1, message: "" };

/** A property that fails for a reason. */
export const fails = (message: string, detail?: string): Finding =>
  detail === undefined ? { share: 0, message } : { share: 0, message, detail };
