/**
 * Feedback for one notebook: a page without script, font, image or link that loads anything.
 *
 * Everything a student wrote is text here, or Markdown cut down to harmless elements. The text of a test is never in
 * it, hidden or not: what a student learns is the sentence that a property says.
 */
import { createHash } from "node:crypto";
import rehypeSanitize, { defaultSchema } from "rehype-sanitize";
import rehypeStringify from "rehype-stringify";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";
import { roundPoints } from "../checks/score.ts";
import { escapeHtml } from "../checks/verdict-bundle.ts";
import type { GradeRow } from "./gradebook/gradebook.ts";
import type { Entry, GradedCell, NotebookReport, SubmissionReport } from "./report.ts";

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.55 system-ui, sans-serif; }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin-bottom: .25rem; }
pre { font: .875rem/1.5 ui-monospace, monospace; padding: .75rem 1rem; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .4rem; }
pre.output { border-style: dashed; }
section.graded { border-left: .3rem solid; padding: .1rem 0 .1rem 1rem; margin: 1.25rem 0; }
section.full { border-color: #2f7d4f; } section.part { border-color: #a86b00; } section.none { border-color: #b3372f; }
section.open { border-color: #5a6b8c; }
section.graded h2 { font-size: 1rem; margin: .25rem 0; }
.points { float: right; font-variant-numeric: tabular-nums; }
.note { opacity: .8; font-size: .9rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; }
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/** Text-level and block elements of a written answer. No image, no class, no id, links only to the web. */
const HARMLESS = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter(
    (tag) => !["img", "input", "picture", "source"].includes(tag),
  ),
  attributes: { a: ["href"] },
  protocols: { href: ["http", "https"] },
};

const markdown = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype)
  .use(rehypeSanitize, HARMLESS)
  .use(rehypeStringify);

/** What the gradebook says of one notebook: a person's scores and comments stand above the automatic ones. */
export interface Marks {
  readonly grades: ReadonlyMap<string, GradeRow>;
  readonly comments: ReadonlyMap<string, string>;
}

/** Renders the page. */
export function feedbackPage(report: SubmissionReport, notebook: NotebookReport, marks: Marks): string {
  const { grades } = marks;
  const graded = notebook.entries.flatMap((entry) => (entry.kind === "graded" ? [entry.cell] : []));
  const most = graded.reduce((sum, cell) => sum + cell.most, 0);
  const score = graded.reduce((sum, cell) => sum + scoreOf(cell, grades), 0);
  const title = `${report.assignment} · ${notebook.name}`;
  const head = [
    `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style>`,
  ].join("");
  const rows = graded.map(
    (cell) => `<tr><th scope="row">${escapeHtml(cell.title)}</th><td>${pointsText(cell, grades)}</td></tr>`,
  );
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="note">${escapeHtml(report.student)}${report.timestamp === null ? "" : ` · submitted ${escapeHtml(report.timestamp.slice(0, 19))} UTC`}</p>`,
    `<p><strong>${roundPoints(score)} of ${roundPoints(most)} points</strong></p>`,
    `<table><tbody>${rows.join("")}</tbody></table>`,
    ...endNote(notebook, report),
    ...notebook.entries.map((entry) => entryHtml(entry, marks)),
  ];
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body><main>\n${body.join("\n")}\n</main></body></html>\n`;
}

const scoreOf = (cell: GradedCell, grades: ReadonlyMap<string, GradeRow>): number =>
  grades.get(cell.id)?.score ?? cell.points ?? 0;

function pointsText(cell: GradedCell, grades: ReadonlyMap<string, GradeRow>): string {
  const row = grades.get(cell.id);
  const isOpen = row === undefined ? cell.points === null : row.needsManual;
  return isOpen
    ? `not graded yet, of ${roundPoints(cell.most)}`
    : `${roundPoints(scoreOf(cell, grades))} of ${roundPoints(cell.most)}`;
}

const ENDS: Readonly<Record<string, string>> = {
  timeout: "Your code used up its processor time; tests after that point have no verdict.",
  silent: "Your code did not answer any more; tests after that point have no verdict.",
  output: "Your code printed more than is read; tests after that point have no verdict.",
  memory: "Your code ran out of memory; tests after that point have no verdict.",
  protocol: "Your code disturbed the process it ran in; tests after that point have no verdict.",
  exit: "Your code ended its process; tests after that point have no verdict.",
  crash: "Your code's process crashed; tests after that point have no verdict.",
};

function endNote(notebook: NotebookReport, report: SubmissionReport): string[] {
  const ended = ENDS[notebook.end];
  const practice =
    report.isolation === "practice" ? ["Practice, not for credit: this machine has no sandbox."] : [];
  return [...(ended === undefined ? [] : [ended]), ...practice].map(
    (text) => `<p class="note">${escapeHtml(text)}</p>`,
  );
}

function entryHtml(entry: Entry, marks: Marks): string {
  if (entry.kind === "text")
    return `<article>${String(markdown.processSync(entry.source.slice(0, MOST_TEXT)))}</article>`;
  if (entry.kind === "graded") return gradedHtml(entry.cell, marks);
  const { source, report } = entry;
  return `${cellHtml(source, report)}${commentHtml(marks, report.answers)}`;
}

const MOST_TEXT = 100_000;

function commentHtml({ comments }: Marks, id: string | undefined): string {
  const text = id === undefined ? undefined : comments.get(id);
  return text === undefined ? "" : `\n<p class="comment">${escapeHtml(text)}</p>`;
}

function cellHtml(source: string, report: Extract<Entry, { kind: "cell" }>["report"]): string {
  const parts = [`<pre><code>${escapeHtml(source.slice(0, MOST_TEXT))}</code></pre>`];
  if (report.output !== undefined && report.output !== "")
    parts.push(`<pre class="output">${escapeHtml(report.output)}</pre>`);
  if (report.status !== "ok") parts.push(`<p class="note">✘ ${escapeHtml(report.message)}</p>`);
  return parts.join("\n");
}

function gradedHtml(cell: GradedCell, marks: Marks): string {
  const row = marks.grades.get(cell.id);
  const score = scoreOf(cell, marks.grades);
  const isOpen = row === undefined ? cell.points === null : row.needsManual;
  const kind = isOpen ? "open" : score >= cell.most ? "full" : score > 0 ? "part" : "none";
  const head = `<span class="points">${pointsText(cell, marks.grades)}</span>${escapeHtml(cell.title)}`;
  return [
    `<section class="graded ${kind}"><h2>${head}</h2>`,
    ...cell.lines.map((line) => `<pre class="verdict">${escapeHtml(line)}</pre>`),
    `${commentHtml(marks, cell.id)}</section>`,
  ].join("\n");
}
