/** Outputs of cells as HTML. A chart keeps its static picture: it is what shows without JavaScript and in print. */
import type { ExportOutput } from "./document.ts";
import { joined } from "./document.ts";
import { cleanHtml, htmlFromMarkdown, htmlFromMath, type TextContext } from "./html-text.ts";
import { alternativeText, PLOTLY_MIME, plainTextOf, withoutTerminalCodes } from "./outputs.ts";

/** What outputs need to become HTML, and what they leave behind. */
export interface OutputContext extends TextContext {
  /** Plotly figures in the order of their numbers; the page draws them from here. */
  readonly charts: unknown[];
}

export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** One output as HTML. */
export function htmlFromOutput(output: ExportOutput, context: OutputContext): string {
  if (output.type === "stream")
    return textBlock(output.text, output.name === "stderr" ? "text stderr" : "text");
  if (output.type === "error") return errorBlock(output);
  return `<div class="output">${htmlFromBundle(output.data, output.type === "execute_result", context)}</div>`;
}

function textBlock(text: string, kind: string): string {
  return `<pre class="output ${kind}" tabindex="0">${escapeHtml(withoutTerminalCodes(text))}</pre>`;
}

function errorBlock({ name, message, traceback }: ExportOutput & { type: "error" }): string {
  const trace = withoutTerminalCodes(traceback.join("\n")).trim();
  const head = `<p><strong>${escapeHtml(name)}</strong> ${escapeHtml(withoutTerminalCodes(message))}</p>`;
  const isNews = trace !== "" && trace !== `${name}: ${message}`.trim();
  const rest = isNews
    ? `<details><summary>Where</summary><pre tabindex="0">${escapeHtml(trace)}</pre></details>`
    : "";
  return `<div class="output error">${head}${rest}</div>`;
}

type Bundle = { readonly [mime: string]: unknown };

/** The richest representation that a page can show, each as one entry of a table in order of preference. */
const DRAWERS: readonly (readonly [
  mime: string,
  draw: (text: string, data: Bundle, context: OutputContext) => string,
])[] = [
  ["text/html", (text) => `<div class="rich" tabindex="0">${cleanHtml(text)}</div>`],
  ["image/svg+xml", (text, data) => figure(cleanHtml(text), data)],
  ["image/png", bitmap("image/png")],
  ["image/jpeg", bitmap("image/jpeg")],
  ["image/gif", bitmap("image/gif")],
  ["image/webp", bitmap("image/webp")],
  ["text/markdown", (text, _, context) => `<div class="rich">${htmlFromMarkdown(text, context)}</div>`],
  ["text/latex", (text, _, context) => htmlFromMath(text.replaceAll(/^\s*\$+|\$+\s*$/g, ""), true, context)],
];

function htmlFromBundle(data: Bundle, isResult: boolean, context: OutputContext): string {
  if (data[PLOTLY_MIME] !== undefined) return chart(data, context);
  for (const [mime, draw] of DRAWERS) {
    const text = joined(data[mime]);
    if (text !== "") return draw(text, data, context);
  }
  const text = plainTextOf(data) ?? JSON.stringify(data, undefined, 2);
  return `<pre class="text${isResult ? " result" : ""}" tabindex="0">${escapeHtml(text)}</pre>`;
}

function bitmap(mime: string) {
  return (base64: string, data: Bundle): string =>
    `<img alt="${escapeHtml(alternativeText(data))}" src="data:${mime};base64,${base64.replaceAll(/[^A-Za-z0-9+/=]/g, "")}">`;
}

function figure(drawing: string, data: Bundle): string {
  return `<figure><div class="drawing">${drawing}</div>${asText(data)}</figure>`;
}

function chart(data: Bundle, context: OutputContext): string {
  const number = context.charts.push(data[PLOTLY_MIME]) - 1;
  const svg = joined(data["image/svg+xml"]);
  const still = svg === "" ? "" : `<div class="drawing still">${cleanHtml(svg)}</div>`;
  const label = escapeHtml(alternativeText(data));
  const note =
    svg === "" ? `<noscript><p>This chart is drawn by JavaScript, which is off.</p></noscript>` : "";
  return `<figure class="chart" data-chart="${number}">${still}<div class="plot" role="group" aria-label="${label}"></div>${note}${asText(data)}</figure>`;
}

function asText(data: Bundle): string {
  const text = plainTextOf(data);
  if (text === undefined) return "";
  return `<details class="as-text"><summary>As text</summary><pre tabindex="0">${escapeHtml(text)}</pre></details>`;
}
