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

/** Records a prediction. @param question  What is predicted, as a question. */
export function predict(question: string, guess: Predictable): Prediction {
  return {
    question,
    guess,
    against(outcome) {
      const tail = isSame(guess, outcome)
        ? "You saw it coming."
        : "Not the same. Good: now there is something to explain.";
      const text = `${question}\n  your prediction: ${guess}\n  the machine:     ${outcome}\n  ${tail}`;
      const html = `<p class="dom0-prediction"><em>${escapeMarkup(question)}</em><br>your prediction: <strong>${escapeMarkup(String(guess))}</strong><br>the machine: <strong>${escapeMarkup(String(outcome))}</strong><br>${tail}</p>`;
      return markupBundle(html, text);
    },
  };
}
