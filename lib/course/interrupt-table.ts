/** Interrupts as a table: what stands in the way of each. */
import type { InterruptExplanation } from "../hart/explain-interrupt.ts";
import { causeWords, interrupt } from "../isa/trap.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";

const yesNo = (answer: boolean): string => (answer ? "yes" : "no");

function interruptsOf(explanations: readonly InterruptExplanation[], caption: string): Table {
  return {
    caption,
    columns: ["interrupt", "pending", "enabled", "goes to", "open now", "outcome"],
    namesRows: true,
    rows: explanations.map(({ code, isPending, isEnabled, to, isOpen, isTaken, sentence }) => [
      `${causeWords(interrupt(code))} (${code})`,
      yesNo(isPending),
      yesNo(isEnabled),
      to,
      yesNo(isOpen),
      { text: sentence, strong: isTaken },
    ]),
  };
}

function questionsOf({ code, questions }: InterruptExplanation): Table {
  return {
    caption: `The ${causeWords(interrupt(code))}: the hart's questions, in order`,
    columns: ["question", "goes on", "answer"],
    namesRows: true,
    rows: questions.map(({ question, ok, sentence }) => [
      QUESTIONS[question],
      { text: yesNo(ok), strong: !ok },
      sentence,
    ]),
  };
}

const QUESTIONS = {
  pending: "Is it pending?",
  enabled: "Is it enabled?",
  route: "Who takes it?",
  mode: "Are that mode's interrupts on?",
  first: "Is it the first?",
} as const satisfies Record<InterruptExplanation["questions"][number]["question"], string>;

/**
 * Shows why interrupts are taken or not.
 *
 * @param explained  What `explainInterrupt` returned, or `explainInterrupts` for all of them.
 */
export function interruptTable(
  explained: InterruptExplanation | readonly InterruptExplanation[],
  caption = "Interrupts, and what stands in the way of each",
): FigureBundle {
  const table = "questions" in explained ? questionsOf(explained) : interruptsOf(explained, caption);
  return markupBundle(tableHtml(table), tableText(table));
}
