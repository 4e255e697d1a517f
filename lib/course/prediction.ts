/** Predictions: the reader commits to an expectation before the machine speaks. */
import { type FigureBundle, markupBundle } from "./figure.ts";
import { escapeMarkup } from "./marks/svg.ts";

/** What a prediction can be about. */
export type Predictable = bigint | number | string | boolean;

/** A prediction on record. */
export interface Prediction {
  readonly question: string;
  readonly guess: Predictable;
  /** Compares with what happened; a bigint and a number of the same value are equal. */
  against(outcome: Predictable): FigureBundle;
}

/** A bigint and a number of the same value are the same; words must agree to the letter. */
const isSame = (guess: Predictable, outcome: Predictable): boolean => String(guess) === String(outcome);

/** What the reader has not answered yet. */
const OPEN = "?";

function verdictOn(guess: Predictable, outcome: Predictable): string {
  if (guess === OPEN) return 'Next time, write your guess in place of "?" before you run the cell.';
  return isSame(guess, outcome)
    ? "You saw it coming."
    : "Not the same. Good: now there is something to explain.";
}

/**
 * Records a prediction.
 *
 * @param question  What is predicted, as a question.
 * @param guess     The reader's answer; "?" while there is none.
 */
export function predict(question: string, guess: Predictable): Prediction {
  return {
    question,
    guess,
    against(outcome) {
      const said = guess === OPEN ? "none yet" : String(guess);
      const tail = verdictOn(guess, outcome);
      const text = `${question}\n  your prediction: ${said}\n  the machine:     ${outcome}\n  ${tail}`;
      const html = `<p class="dom0-prediction"><em>${escapeMarkup(question)}</em><br>your prediction: <strong>${escapeMarkup(said)}</strong><br>the machine: <strong>${escapeMarkup(String(outcome))}</strong><br>${escapeMarkup(tail)}</p>`;
      return markupBundle(html, text);
    },
  };
}
