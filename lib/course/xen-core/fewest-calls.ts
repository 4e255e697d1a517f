/** Counterexamples without calls that they do not need. */
import type fc from "fast-check";
import type { CheckRun, Finding } from "../../checks/check.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";

/** The same mistake with as few calls as it takes: one after the other is left out, until none can go. */
export function fewestCalls<Call>(
  calls: readonly Call[],
  isWrong: (calls: readonly Call[]) => boolean,
  leaveOut: (calls: readonly Call[], at: number) => readonly Call[] = (list, at) =>
    list.filter((_, index) => index !== at),
): readonly Call[] {
  let kept = calls;
  for (let before = kept.length + 1; kept.length < before; ) {
    before = kept.length;
    for (let at = kept.length - 1; at >= 0; at--) {
      const fewer = leaveOut(kept, at);
      if (isWrong(fewer)) kept = fewer;
    }
  }
  return kept;
}

/** Requests as they speak of grants and mappings, by their numbers. */
interface Numbered {
  readonly ask: { readonly call: string; readonly grant?: number; readonly mapping?: number };
}

/** Leaves a request out. What it would have numbered is not there, so later requests speak of the numbers behind it by one less. */
export function leaveOutNumbered<Call extends Numbered>(
  calls: readonly Call[],
  at: number,
  values: readonly number[],
): readonly Call[] {
  const number = values[at] ?? -1;
  const made = calls[at]?.ask.call === "grant" ? "grant" : "mapping";
  const isNumbered = number >= 0 && (made === "grant" || calls[at]?.ask.call === "map");
  return calls.flatMap((call, index) => {
    if (index === at) return [];
    const named = call.ask[made];
    return isNumbered && index > at && named !== undefined && named > number
      ? [{ ...call, ask: { ...call.ask, [made]: named - 1 } }]
      : [call];
  });
}

/**
 * As `forAllAtOnce`. Calls are drawn of what those before have made, so while fast-check leaves one out the others turn to something else, and
 * idle ones stay. `without` gets the smallest input and leaves out calls as they are, as long as the same thing is wrong.
 */
export function forAllFewest<Input>(
  inputs: fc.Arbitrary<Input>,
  run: CheckRun,
  salt: number,
  broken: (batch: readonly Input[]) => readonly (Broken | undefined)[],
  without: (input: Input, isWrong: (fewer: Input) => boolean) => Input,
): Finding {
  const small: Input[] = [];
  const finding = forAllAtOnce(inputs, run, salt, (batch) => {
    const found = broken(batch);
    if (batch.length === 1 && found[0] !== undefined) small.push(...batch);
    return found;
  });
  const smallest = small.at(-1);
  if (finding.share === 1 || smallest === undefined) return finding;
  const isSame = (shown: Broken | undefined): shown is Broken => shown?.hint === finding.message;
  const shown = broken([without(smallest, (fewer) => isSame(broken([fewer])[0]))])[0];
  return isSame(shown) ? fails(shown.hint, shown.detail) : finding;
}
