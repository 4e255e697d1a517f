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
import type { OpenVerdict } from "../checks/check.ts";
import { roundPoints } from "../checks/score.ts";
import { escapeHtml } from "../checks/verdict-bundle.ts";
import type { GradeRow } from "./gradebook/gradebook.ts";
import type { Entry, GradedCell, NotebookReport, SubmissionReport } from "./report.ts";

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.6 "Iowan Old Style", "Palatino Linotype", Charter, Georgia, serif;
  --line: color-mix(in srgb, currentColor 18%, transparent); --yes: #2f7d4f; --part: #a86b00; --no: #b3372f; --open: #5a6b8c; }
@media (prefers-color-scheme: dark) { :root { --yes: #6cc492; --part: #e0a94a; --no: #f0837a; --open: #9db0d4; } }
body { max-width: 44rem; margin: 3rem auto 5rem; padding: 0 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.0625rem; margin: .25rem 0; } h3 { font-size: 1rem; margin: .75rem 0 0; }
pre { font: .8125rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; padding: .75rem 1rem; margin: 1rem 0 0;
  white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: .375rem; tab-size: 2; }
pre.output { border-style: dashed; opacity: .85; }
.total { font-size: 1.25rem; margin: 1.25rem 0 .5rem; } .note, small { opacity: .8; font-size: .9375rem; }
table { border-collapse: collapse; margin-bottom: 2rem; font-variant-numeric: tabular-nums; }
th { font-weight: normal; text-align: left; } td { white-space: nowrap; } th, td { padding: .3rem 1.5rem .3rem 0; border-bottom: 1px solid var(--line); }
section { border-left: .25rem solid; padding: .1rem 0 .1rem 1rem; margin: 1rem 0 2.5rem; }
section.full { border-color: var(--yes); } section.part { border-color: var(--part); }
section.none { border-color: var(--no); } section.open { border-color: var(--open); }
.points { float: right; font-weight: normal; font-variant-numeric: tabular-nums; }
ul { list-style: none; margin: .4rem 0; padding: 0; } li { padding-left: 1.5em; text-indent: -1.5em; margin: .3rem 0; }
.why { text-indent: 0; } .mark { display: inline-block; width: 1.5em; text-indent: 0; }
.yes { color: var(--yes); } .no { color: var(--no); }
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
  const { title } = notebook;
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
    `<p class="note">${escapeHtml(report.assignment)} · ${escapeHtml(report.student)}${report.timestamp === null ? "" : ` · submitted ${escapeHtml(report.timestamp.slice(0, 19))} UTC`}</p>`,
    `<p class="total"><strong>${roundPoints(score)}</strong> of ${roundPoints(most)} points</p>`,
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
    ...cell.lines.map((line) => `<p>${escapeHtml(line)}</p>`),
    ...cell.verdicts.map((verdict) => verdictHtml(verdict, cell.title)),
    `${commentHtml(marks, cell.id)}</section>`,
  ].join("\n");
}

function verdictHtml({ title, score, most, properties }: OpenVerdict, heading: string): string {
  const items = properties.map(({ says, passed, message }) => {
    const mark = passed
      ? '<span class="mark yes" role="img" aria-label="holds">✔</span>'
      : '<span class="mark no" role="img" aria-label="does not hold">✘</span>';
    const why = passed ? "" : `<div class="why">${escapeHtml(message)}</div>`;
    return `<li>${mark} ${escapeHtml(says)}${why}</li>`;
  });
  const head =
    title === heading
      ? ""
      : `<h3>${escapeHtml(title)} <small>${roundPoints(score)} of ${roundPoints(most)}</small></h3>`;
  return `${head}<ul>${items.join("")}</ul>`;
}
