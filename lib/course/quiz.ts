/** The ten-minute self-test that opens a notebook: what the reader should know before, and why each answer is right. */
import { type FigureBundle, markupBundle } from "./figure.ts";
import { escapeMarkup } from "./marks/svg.ts";
import { QUIZ_01 } from "./quizzes/landing.ts";
import { QUIZ_03 } from "./quizzes/popek-goldberg.ts";
import { QUIZ_04 } from "./quizzes/second-wall.ts";
import { QUIZ_05 } from "./quizzes/sharing.ts";
import { QUIZ_02 } from "./quizzes/walls.ts";
import { QUIZ_06 } from "./quizzes/xen-core.ts";

/** The answer to one question; "?" is "not yet". */
export type Choice = "a" | "b" | "c" | "?";

/** One question with three choices. */
export interface Question {
  readonly ask: string;
  readonly choices: Readonly<Record<"a" | "b" | "c", string>>;
  readonly right: "a" | "b" | "c";
  /** Shown after an answer, right or wrong. */
  readonly because: string;
}

const QUIZZES = {
  "01": QUIZ_01,
  "02": QUIZ_02,
  "03": QUIZ_03,
  "04": QUIZ_04,
  "05": QUIZ_05,
  "06": QUIZ_06,
} as const satisfies Record<string, readonly Question[]>;

/** Notebooks that have a self-test. */
export type QuizNumber = keyof typeof QUIZZES;

/** The questions of a notebook's self-test, in order. */
export const questionsOf = (number: QuizNumber): readonly Question[] => QUIZZES[number];

const KEYS = ["a", "b", "c"] as const;

const choiceList = (question: Question): string =>
  `<br>${KEYS.map((key) => `<strong>${key}</strong> ${escapeMarkup(question.choices[key])}`).join(" &#183; ")}`;

const verdictOf = (question: Question, choice: Choice): string =>
  choice === question.right
    ? `Yes, ${choice}. ${question.because}`
    : `Not ${choice}: ${question.right}. ${question.because}`;

function scoreLine(questions: readonly Question[], choices: readonly Choice[]): string {
  const answered = choices.filter((choice) => choice !== "?").length;
  const right = questions.filter((question, index) => choices[index] === question.right).length;
  if (answered === 0)
    return `${questions.length} questions. Replace each "?" by your answer and run the cell again.`;
  const rest = questions.length - answered;
  return `${right} of ${answered} right${rest > 0 ? `, ${rest} to go` : ""}.`;
}

/**
 * Shows the self-test with the reader's answers; unanswered questions show their choices.
 *
 * @param choices  One for each question; missing ones count as "?".
 */
export function quiz(number: QuizNumber, choices: readonly Choice[] = []): FigureBundle {
  const questions = questionsOf(number);
  const chosen = questions.map((_, index) => choices[index] ?? "?");
  const score = scoreLine(questions, chosen);
  const html = questions.map((question, index) => {
    const choice = chosen[index] ?? "?";
    const rest = choice === "?" ? choiceList(question) : `<br>${escapeMarkup(verdictOf(question, choice))}`;
    return `<li>${escapeMarkup(question.ask)}${rest}</li>`;
  });
  const text = questions.flatMap((question, index) => {
    const choice = chosen[index] ?? "?";
    const rest =
      choice === "?"
        ? KEYS.map((key) => `   ${key}  ${question.choices[key]}`)
        : [`   ${verdictOf(question, choice)}`];
    return [`${index + 1}. ${question.ask}`, ...rest];
  });
  return markupBundle(
    `<ol class="dom0-quiz">${html.join("\n")}</ol>\n<p>${score}</p>`,
    [...text, score].join("\n"),
  );
}
