/**
 * Outputs as HTML text: the same function draws an output of the build and an output of a run in the page.
 */
import { type CellOutput, type MimeBundle, mimeText, plainText, plotlyType } from "./notebook-output.ts";

/** Cleans untrusted markup; the page and the build have one walker each over the same allow-list. */
export type CleanMarkup = (markup: string) => string;

export const escapeMarkup = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** A bundle after the build has moved its chart into a file of its own. */
export interface ChartReference {
  readonly chart: string;
}

/** HTML of one output. */
export function outputMarkup(output: CellOutput, clean: CleanMarkup): string {
  if (output.type === "stream") {
    return `<pre class="output-text${output.name === "stderr" ? " output-stderr" : ""}" tabindex="0">${escapeMarkup(plainText(output.text))}</pre>`;
  }
  if (output.type === "error") return errorMarkup(output);
  return bundleMarkup(output.data, clean, output.type === "execute_result");
}

function errorMarkup(error: Extract<CellOutput, { type: "error" }>): string {
  const trace = plainText(error.traceback.join("\n"));
  const rest =
    trace.trim() === "" || trace.trim() === `${error.name}: ${error.message}`
      ? ""
      : `<details><summary>Where</summary><pre tabindex="0">${escapeMarkup(trace)}</pre></details>`;
  return `<div class="output-error"><p><strong>${escapeMarkup(error.name)}</strong> ${escapeMarkup(plainText(error.message))}</p>${rest}</div>`;
}

function bundleMarkup(data: MimeBundle, clean: CleanMarkup, isResult: boolean): string {
  const svg = mimeText(data["image/svg+xml"]);
  if (svg !== undefined) return figureMarkup(clean(svg), data);
  const html = mimeText(data["text/html"]);
  if (html !== undefined)
    return `<div class="output-html" tabindex="0" role="group" aria-label="Output">${clean(html)}</div>`;
  const png = mimeText(data["image/png"]);
  if (png !== undefined)
    return `<img class="output-image" alt="${escapeMarkup(mimeText(data["text/plain"]) ?? "Picture")}" src="data:image/png;base64,${escapeMarkup(png.replaceAll("\n", ""))}">`;
  const text =
    mimeText(data["text/plain"]) ?? mimeText(data["text/markdown"]) ?? JSON.stringify(data, undefined, 2);
  return `<pre class="output-text${isResult ? " output-result" : ""}" tabindex="0">${escapeMarkup(plainText(text))}</pre>`;
}

function figureMarkup(svg: string, data: MimeBundle): string {
  const chart = chartAddress(data[plotlyType]);
  const explore =
    chart === undefined
      ? ""
      : `<button type="button" class="text-button" data-explore="${escapeMarkup(chart)}">Explore</button>`;
  const text = mimeText(data["text/plain"]);
  const asText =
    text === undefined
      ? ""
      : `<details data-pagefind-ignore><summary>As text</summary><pre tabindex="0">${escapeMarkup(plainText(text))}</pre></details>`;
  return `<figure class="output-figure"><div class="figure-drawing">${svg}</div><div class="figure-tools">${explore}${asText}</div></figure>`;
}

/** Where the interactive chart's data is: a file of the build, or the specification itself for a run in the page. */
function chartAddress(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { chart } = value as Partial<ChartReference>;
  return typeof chart === "string" ? chart : JSON.stringify(value);
}
