/**
 * Notebook → one HTML file that needs nothing else: no network, no server, and for its text no JavaScript.
 *
 * A content security policy names the hashes of the page's own scripts, so nothing that a notebook's output smuggled
 * past the cleaning could run, and nothing can be fetched.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bundledLanguages, createHighlighter } from "shiki";
import type { ExportCell, ExportDocument } from "./document.ts";
import { escapeHtml, htmlFromOutput, type OutputContext } from "./html-outputs.ts";
import { type Highlight, htmlFromMarkdown } from "./html-text.ts";
import { CHART_SCRIPT, CODE_THEME, PAGE_CSS } from "./html-theme.ts";

/** Files that a page may need inside it; the host reads them. */
export interface HtmlAssets {
  /** `@font-face` rules with their fonts inside. */
  readonly fontCss: string;
  /** Variables of the figures' colors, for both themes. */
  readonly figureCss: string;
  /** The same colors for charts, which are written in those of light paper. */
  readonly figureInks: readonly { readonly light: string; readonly dark: string }[];
  /** KaTeX's style sheet with its fonts inside, for a page whose HTML is given. */
  mathCss(html: string): Promise<string>;
  /** Source of plotly.js (cartesian). */
  plotly(): Promise<string>;
}

/** What the page says besides the notebook. */
export interface HtmlChoices {
  /** Line at the foot of the page. */
  readonly footer?: string;
  /** Reads a picture that the text names, as a `data:` address. */
  readonly picture?: (address: string) => string | undefined;
  /** Language of the prose. */
  readonly lang?: string;
}

/** Converts a document to one self-contained HTML page. */
export async function htmlFromDocument(
  document: ExportDocument,
  assets: HtmlAssets,
  choices: HtmlChoices = {},
): Promise<string> {
  const context: OutputContext = {
    highlight: await highlighterFor(document),
    picture: choices.picture,
    headings: [],
    charts: [],
    usesMath: false,
  };
  const cells = document.cells.map((cell) => htmlFromCell(cell, document.language, context));
  const body = [...cells.filter((html) => html !== "")];
  const contents = contentsOf(context);
  const afterTitle = body.findIndex((html) => html.includes("</h1>")) + 1;
  if (contents !== "") body.splice(afterTitle, 0, contents);
  if (afterTitle === 0) body.unshift(`<h1>${escapeHtml(document.title)}</h1>`);
  if (choices.footer !== undefined) body.push(`<footer>${escapeHtml(choices.footer)}</footer>`);
  const math = context.usesMath ? await assets.mathCss(body.join("\n")) : "";
  const css = [assets.fontCss, assets.figureCss, math, PAGE_CSS].filter((part) => part !== "").join("\n");
  const scripts = context.charts.length === 0 ? [] : [scriptText(await assets.plotly()), CHART_SCRIPT];
  const data = context.charts.length === 0 ? "" : chartData(context.charts, assets.figureInks);
  return page(document.title, css, body.join("\n"), data, scripts, choices.lang ?? "en");
}

function page(
  title: string,
  css: string,
  body: string,
  data: string,
  scripts: readonly string[],
  lang: string,
): string {
  const hashes = scripts.map((script) => `'sha256-${base64(sha256(new TextEncoder().encode(script)))}'`);
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data: blob:",
    "font-src data:",
    `script-src ${hashes.length === 0 ? "'none'" : hashes.join(" ")}`,
  ].join("; ");
  return `<!doctype html>
<html lang="${escapeHtml(lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main class="page">
${body}
</main>
${data}${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`;
}

/** What the chart script reads: the charts, and what each ink is on dark paper. */
const chartData = (charts: readonly unknown[], inks: HtmlAssets["figureInks"]): string =>
  [
    ["charts", charts],
    ["inks", inks],
  ]
    .map(([id, value]) => `<script type="application/json" id="${id}">${scriptJson(value)}</script>\n`)
    .join("");

/** JavaScript that cannot end the script element around it; the places it changes are inside strings. */
function scriptText(source: string): string {
  return source.replaceAll(/<(\/script|!--)/gi, "<\\$1");
}

/** JSON that cannot end the script element around it. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function htmlFromCell(cell: ExportCell, language: string, context: OutputContext): string {
  if (cell.kind === "raw") return "";
  const html = cell.kind === "code" ? codeCell(cell, language, context) : textCell(cell, context);
  if (!cell.tags.includes("solution") || html === "") return html;
  return `<details class="fold"><summary>Solution</summary>\n${html}\n</details>`;
}

function textCell(cell: ExportCell, context: OutputContext): string {
  return htmlFromMarkdown(cell.source, context, (url) => {
    const attached = cell.attachments.get(/^attachment:(.*)$/.exec(url)?.[1] ?? "");
    return attached === undefined ? undefined : `data:${attached.mime};base64,${attached.base64}`;
  });
}

/** What the reader should see of a cell's tags: `exercise:01.2` becomes "Exercise 01.2". */
function labelOf(tags: readonly string[]): { readonly kind: string; readonly text: string } | undefined {
  for (const tag of tags) {
    const [, kind, number = ""] = /^(exercise|check)(?::(.+))?$/.exec(tag) ?? [];
    if (kind === undefined) continue;
    const numbered = tags.find((other) => other.startsWith(`${kind}:`))?.slice(kind.length + 1) ?? number;
    return { kind, text: `${kind[0]?.toUpperCase()}${kind.slice(1)} ${numbered}`.trim() };
  }
  return undefined;
}

function codeCell(cell: ExportCell, language: string, context: OutputContext): string {
  const label = labelOf(cell.tags);
  const outputs = cell.outputs.map((output) => htmlFromOutput(output, context)).join("\n");
  const code = cell.source === "" ? "" : context.highlight(cell.source, language);
  const isFolded = cell.tags.includes("hide-input") && code !== "";
  const shown = isFolded ? `<details><summary>Code</summary>${code}</details>` : code;
  const results =
    cell.tags.includes("hide-output") && outputs !== ""
      ? `<details><summary>Output</summary>${outputs}</details>`
      : outputs;
  if (shown === "" && results === "") return "";
  const kind = label === undefined ? "cell" : `cell ${label.kind}`;
  const head = label === undefined ? "" : `<p class="label">${escapeHtml(label.text)}</p>`;
  return `<section class="${kind}" id="cell-${escapeHtml(cell.id)}" aria-label="Cell ${cell.index}"><span class="number" aria-hidden="true">${cell.index}</span>${head}${shown}${results}</section>`;
}

function contentsOf({ headings }: OutputContext): string {
  const sections = headings.filter((heading) => heading.depth === 2);
  if (sections.length < 3) return "";
  const items = sections.map(
    ({ id, text }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(text)}</a></li>`,
  );
  return `<nav class="contents" aria-label="Contents"><ol>${items.join("")}</ol></nav>`;
}

/** A highlighter that knows the languages of this document and no other. */
async function highlighterFor(document: ExportDocument): Promise<Highlight> {
  const named = document.cells.flatMap((cell) => [
    ...cell.source.matchAll(/^[ \t]*(?:```|~~~)[ \t]*([\w+-]+)/gm),
  ]);
  const wanted = new Set([document.language, ...named.map((match) => match[1] ?? "text")]);
  const langs = [...wanted].filter((name) => Object.hasOwn(bundledLanguages, name));
  const highlighter = await createHighlighter({ themes: [CODE_THEME], langs });
  const loaded = new Set(highlighter.getLoadedLanguages());
  return (code, language) =>
    highlighter.codeToHtml(code, {
      lang: loaded.has(language) ? language : "text",
      theme: CODE_THEME.name ?? "inks",
      // The default gives a line half a second and then stops coloring it: a page would depend on how busy the machine was.
      tokenizeTimeLimit: 0,
    });
}
