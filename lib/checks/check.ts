/**
 * A check is a list of properties with weights. Credit is by property, never by text; the same object judges in the
 * page, in the headless runner and in the grader's oracle.
 */
import { type Answer, AnswerLost } from "./answer.ts";
import { clampShare, roundPoints } from "./score.ts";
import { describeSeed, type NamedSeed, visibleSeed } from "./seed.ts";

/** What a property found. */
export interface Finding {
  /** 0…1; anything else counts as 0. */
  readonly share: number;
  /** A sentence for the student that gives away no hidden input or expected value. */
  readonly message: string;
  /** The counterexample in plain words; shown only where inputs are not hidden. */
  readonly detail?: string;
}

/** Where a check runs. */
export interface CheckRun {
  readonly seed: NamedSeed;
  /** Random instances per property: few for an immediate answer, many for a grade. */
  readonly instances: number;
  /** Hears each property before it is judged; a sentence in return stands in for its verdict, which is then 0. */
  readonly begins?: (property: string) => string | undefined;
}

/** One property of an answer. */
export interface Property {
  readonly id: string;
  /** What must hold, as a sentence. */
  readonly says: string;
  /** Share of the check's points relative to the other properties. */
  readonly weight: number;
  run(answer: Answer, run: CheckRun): Finding;
}

/** Result of one property, with its points. */
export interface PropertyVerdict extends Finding {
  readonly id: string;
  readonly says: string;
  readonly passed: boolean;
  readonly points: number;
  readonly most: number;
}

/** Result of a check. */
export interface Verdict {
  readonly check: string;
  readonly title: string;
  readonly passed: boolean;
  /** Points earned. */
  readonly score: number;
  /** Points that could be earned. */
  readonly most: number;
  /** One line: the first thing to look at, or that all holds. */
  readonly message: string;
  readonly properties: readonly PropertyVerdict[];
  readonly seed: NamedSeed;
}

/** What anybody may read of a verdict: no counterexample and no seed. */
export interface OpenVerdict {
  readonly title: string;
  readonly score: number;
  readonly most: number;
  readonly properties: readonly {
    readonly says: string;
    readonly passed: boolean;
    readonly message: string;
  }[];
}

/** The open part of a verdict, as a new object: what is not listed here cannot leak. */
export const openVerdict = ({ title, score, most, properties }: Verdict): OpenVerdict => ({
  title,
  score,
  most,
  properties: properties.map(({ says, passed, message }) => ({ says, passed, message })),
});

/** A check that can be run on an answer. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  run(answer: Answer, run?: Partial<CheckRun>): Verdict;
}

/** Random instances of an immediate check. */
export const QUICK_INSTANCES = 40;

/** Builds a check from its properties. A property that throws earns nothing: that is our bug, and it is said. */
export function defineCheck(definition: {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly properties: readonly Property[];
}): Check {
  const { id, title, points, properties } = definition;
  const weights = properties.reduce((sum, property) => sum + property.weight, 0);
  const run: Check["run"] = (answer, options = {}) => {
    const seed = options.seed ?? visibleSeed(id);
    const at: CheckRun = { ...options, seed, instances: options.instances ?? QUICK_INSTANCES };
    const verdicts = properties.map((property) =>
      judge(property, answer, at, (points * property.weight) / weights),
    );
    const failed = verdicts.find((verdict) => !verdict.passed);
    return {
      check: id,
      title,
      passed: failed === undefined,
      score:
        failed === undefined
          ? points
          : roundPoints(verdicts.reduce((sum, verdict) => sum + verdict.points, 0)),
      most: points,
      message: failed?.message ?? "Every property holds.",
      properties: verdicts,
      seed,
    };
  };
  return { id, title, points, run };
}

function judge(property: Property, answer: Answer, run: CheckRun, most: number): PropertyVerdict {
  const finding = findingOf(property, answer, run);
  const share = clampShare(finding.share);
  return {
    ...finding,
    id: property.id,
    says: property.says,
    passed: share === 1,
    share,
    points: share * most,
    most,
  };
}

function findingOf(property: Property, answer: Answer, run: CheckRun): Finding {
  const passedOver = run.begins?.(property.id);
  if (passedOver !== undefined) return { share: 0, message: passedOver };
  try {
    return property.run(answer, run);
  } catch (error) {
    if (error instanceof AnswerLost) throw error;
    const detail = error instanceof Error ? error.message : "";
    return { share: 0, message: "This property could not be judged: tell whoever wrote the check.", detail };
  }
}

/** The verdict as lines of text. `revealed` also prints counterexamples and the seed: never for hidden inputs. */
export function verdictText(verdict: Verdict, revealed: boolean): string {
  const head = `${verdict.passed ? "✔" : "✘"} ${verdict.title}: ${points(verdict.score)} of ${points(verdict.most)}`;
  const lines = verdict.properties.map((property) => {
    const mark = property.passed ? "✔" : "✘";
    const message = property.passed ? "" : ` — ${property.message}`;
    const detail =
      revealed && !property.passed && property.detail !== undefined ? `\n      ${property.detail}` : "";
    return `  ${mark} ${property.says}${message}${detail}`;
  });
  const seed = revealed && !verdict.passed ? [`  seed ${describeSeed(verdict.seed)}`] : [];
  return [head, ...lines, ...seed].join("\n");
}

const points = (value: number): string => `${roundPoints(value)}`;
