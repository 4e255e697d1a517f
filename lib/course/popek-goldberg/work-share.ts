/** Properties that whoever does nothing would keep: they count only where the work was done, in the very batch that is judged. */
import type fc from "fast-check";
import type { CheckRun, Finding } from "../../checks/check.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";

/** What an answer made of one input: whether it broke the property, and how much of the work in it was done. */
export interface Work {
  readonly broken: Broken | undefined;
  /** Pieces of work in the input; none where there was nothing to do. */
  readonly asked: number;
  readonly done: number;
}

/** How much of the work must be done, at least, and what to say where it was not. */
export interface WorkShare {
  /** 0 to 1. Far below what a plausible mistake leaves undone: that one costs its own property and not this. */
  readonly least: number;
  readonly idle: string;
  /** Whether that is said in place of what else is broken: where it is the first thing to understand. */
  readonly isSaidFirst?: boolean;
}

/**
 * As `forAllAtOnce`. A sample asked beforehand would be known by its look or by its place; here an answer cannot tell for which inputs
 * it had better do something.
 */
export function forAllAtWork<Input>(
  inputs: fc.Arbitrary<Input>,
  run: CheckRun,
  salt: number,
  { least, idle, isSaidFirst = false }: WorkShare,
  judge: (batch: readonly Input[]) => readonly Work[],
): Finding {
  // The first batch is the whole; those after it are one input each, made smaller.
  let whole: readonly Work[] | undefined;
  const finding = forAllAtOnce(inputs, run, salt, (batch) => {
    const works = judge(batch);
    whole ??= works;
    return works.map(({ broken }) => broken);
  });
  const total = (of: "asked" | "done"): number => (whole ?? []).reduce((sum, work) => sum + work[of], 0);
  return (finding.share < 1 && !isSaidFirst) || total("done") >= least * total("asked")
    ? finding
    : fails(idle, `${total("done")} of ${total("asked")}`);
}
