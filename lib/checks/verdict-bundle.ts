/** A verdict for the eye: plain text, and markup without script that takes its colors from the page. */
import { type Verdict, verdictText } from "./check.ts";
import { roundPoints } from "./score.ts";
import { describeSeed } from "./seed.ts";

/** Escapes text for HTML, and shows control characters instead of sending them. */
export function escapeHtml(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Control characters other than newline and tab, bidirectional overrides included, become `\u{…}` escapes. */
export function visibleText(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}

/** MIME bundle of a verdict for `show`. */
export function verdictBundle(verdict: Verdict): Record<string, unknown> {
  return { "text/plain": verdictText(verdict, true), "text/html": verdictHtml(verdict) };
}

function verdictHtml(verdict: Verdict): string {
  const rows = verdict.properties.map((property) => {
    const why = property.passed ? "" : `<div>${escapeHtml(property.message)}</div>`;
    const detail =
      property.passed || property.detail === undefined
        ? ""
        : `<div><code>${escapeHtml(property.detail)}</code></div>`;
    return `<li data-passed="${property.passed}">${mark(property.passed)} ${escapeHtml(property.says)}${why}${detail}</li>`;
  });
  const seed = verdict.passed ? "" : `<p><small>seed ${escapeHtml(describeSeed(verdict.seed))}</small></p>`;
  return [
    `<section class="dom0-verdict" data-check="${escapeHtml(verdict.check)}" data-passed="${verdict.passed}">`,
    `<p>${mark(verdict.passed)} <strong>${escapeHtml(verdict.title)}</strong> `,
    `${roundPoints(verdict.score)} of ${roundPoints(verdict.most)}</p>`,
    rows.length === 0
      ? `<p>${escapeHtml(verdict.message)}</p>`
      : `<ul style="list-style:none">${rows.join("")}</ul>`,
    seed,
    "</section>",
  ].join("");
}

const mark = (passed: boolean): string =>
  passed ? '<span role="img" aria-label="passed">✔</span>' : '<span role="img" aria-label="not yet">✘</span>';
