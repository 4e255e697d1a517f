/** Hints in small doses, and the way to see an answer: `hint("01.2")`, `hint("01.2", 2)`, `answer("01.2", SEED)`. */
import { type Help, LANDING_HELP, type LandingExercise } from "./exercises/landing-answers.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { escapeMarkup } from "./marks/svg.ts";
import { POPEK_GOLDBERG_HELP, type PopekGoldbergExercise } from "./popek-goldberg/answers.ts";
import { SECOND_WALL_HELP, type SecondWallExercise } from "./second-wall/answers.ts";
import { SHARING_HELP, type SharingExercise } from "./sharing/answers.ts";
import { WALLS_HELP, type WallsExercise } from "./walls/answers.ts";
import { XEN_CORE_HELP, type XenCoreExercise } from "./xen-core/answers.ts";

/** Every exercise of the course. */
export type ExerciseId =
  | LandingExercise
  | WallsExercise
  | PopekGoldbergExercise
  | SecondWallExercise
  | SharingExercise
  | XenCoreExercise;

const HELP: Readonly<Record<ExerciseId, Help>> = {
  ...LANDING_HELP,
  ...WALLS_HELP,
  ...POPEK_GOLDBERG_HELP,
  ...SECOND_WALL_HELP,
  ...SHARING_HELP,
  ...XEN_CORE_HELP,
};

/** Shows the first hints of an exercise. @param count  How many; 1 is the gentlest. */
export function hint(id: ExerciseId, count = 1): FigureBundle {
  const { hints } = HELP[id];
  const shown = hints.slice(0, Math.max(1, count));
  const left = hints.length - shown.length;
  const tail =
    left > 0 ? `hint("${id}", ${shown.length + 1}) says more.` : `answer("${id}", SEED) shows an answer.`;
  const items = shown.map((text) => `<li>${escapeMarkup(text)}</li>`).join("");
  return markupBundle(
    `<ol class="dom0-hint">${items}</ol>\n<p>${escapeMarkup(tail)}</p>`,
    [...shown.map((text, index) => `${index + 1}. ${text}`), tail].join("\n"),
  );
}

/** The hints, answer and reason of an exercise, or `undefined` for an id that is none; the book offers them. */
export const helpOf = (id: string): Help | undefined => (id in HELP ? HELP[id as ExerciseId] : undefined);

/** TypeScript that solves an exercise, in place of its stub. */
export const referenceAnswer = (id: ExerciseId, seed: number): string => HELP[id].source(seed);

/** Shows an answer and why it is right. */
export function answer(id: ExerciseId, seed: number): FigureBundle {
  const source = referenceAnswer(id, seed);
  const { because } = HELP[id];
  return markupBundle(
    `<pre class="dom0-answer"><code>${escapeMarkup(source)}</code></pre>\n<p>${escapeMarkup(because)}</p>`,
    `${source}\n\n${because}`,
  );
}
