/** What the referee has found, for a cell: each finding in a sentence, with the entries on the way. */

import { INVARIANTS, stepLine, type Violation } from "../../referee/violation.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { escapeMarkup } from "../marks/svg.ts";
import type { Office } from "./office.ts";

/** Findings that are shown in full; of the rest the number is told. */
const SHOWN = 3;

/** One of each invariant first: they say more than three of a kind. */
function chosen(violations: readonly Violation[]): readonly Violation[] {
  const seen = new Set<string>();
  return violations.filter(({ invariant }) => !seen.has(invariant) && seen.add(invariant)).slice(0, SHOWN);
}

/** Shows what the referee has noticed since the machine was built. */
export function refereeView({ office }: { readonly office: Office }): FigureBundle {
  const { violations, looks } = office.judge;
  if (violations.length === 0) {
    const text = `The referee looked behind ${looks.traps} traps and ${looks.calls} calls of handlers: no invariant is broken.`;
    return markupBundle(`<p>${text}</p>`, text);
  }
  const shown = chosen(violations);
  const rest = violations.length - shown.length;
  const tail = rest > 0 ? `${rest} more findings of the same kinds.` : "";
  const html = shown.map(
    ({ invariant, sentence, after, walk }) =>
      `<li><strong>${invariant}</strong> ${escapeMarkup(INVARIANTS[invariant])}<br>${escapeMarkup(sentence)}<br>Noticed after ${escapeMarkup(after)}.${
        walk.length === 0
          ? ""
          : `<br>${walk.map((step) => `<code>${escapeMarkup(stepLine(step))}</code>`).join("<br>")}`
      }</li>`,
  );
  const text = shown.flatMap(({ invariant, sentence, after, walk }) => [
    `${invariant} ${INVARIANTS[invariant]}`,
    `   ${sentence}`,
    `   Noticed after ${after}.`,
    ...walk.map((step) => `   ${stepLine(step)}`),
  ]);
  return markupBundle(
    `<ul class="dom0-referee">${html.join("\n")}</ul>\n<p>${tail}</p>`,
    [...text, tail].join("\n").trimEnd(),
  );
}
