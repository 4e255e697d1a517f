/**
 * Outputs as HTML text: the same function draws an output of the build and an output of a run in the page.
 */
import { type ChartSpec, chartTable } from "./chart-table.ts";
import { escapeMarkup } from "./escape-markup.ts";
import { machinePart } from "./machine-words.ts";
import { type CellOutput, type MimeBundle, mimeText, plainText, plotlyType } from "./notebook-output.ts";

/** Cleans untrusted markup; the page and the build have one walker each over the same allow-list. */
export type CleanMarkup = (markup: string) => string;

/** A chart after the build has moved its data into a file of its own. */
export interface ChartReference {
  readonly chart: string;
  /** What is in that file; only the build has it at hand. */
  readonly spec?: ChartSpec;
}

/** The number and caption of a drawing. */
export interface FigureLabel {
  /** `2.3` */
  readonly number: string;
  /** Id of the figure's element. */
  readonly anchor: string;
  /** HTML of the book's own text; may be empty. */
  readonly caption: string;
}

/** HTML of one output. */
export function outputMarkup(output: CellOutput, clean: CleanMarkup, label?: FigureLabel): string {
  if (output.type === "stream") {
    return `<pre class="output-text${output.name === "stderr" ? " output-stderr" : ""}" tabindex="0">${escapeMarkup(plainText(output.text))}</pre>`;
  }
  if (output.type === "error") return errorMarkup(output);
  return bundleMarkup(output.data, clean, output.type === "execute_result", label);
}

/** Whether an output is drawn as a figure. */
export const isFigure = (output: CellOutput): boolean =>
  "data" in output &&
  (mimeText(output.data["image/svg+xml"]) !== undefined || output.data[plotlyType] !== undefined);

function errorMarkup(error: Extract<CellOutput, { type: "error" }>): string {
  const trace = plainText(error.traceback.join("\n"));
  const rest =
    trace.trim() === "" || trace.trim() === `${error.name}: ${error.message}`
      ? ""
      : `<details><summary>Where</summary><pre tabindex="0">${escapeMarkup(trace)}</pre></details>`;
  return `<div class="output-error"><p><strong>${escapeMarkup(error.name)}</strong> ${escapeMarkup(plainText(error.message))}</p>${rest}</div>`;
}

function bundleMarkup(
  data: MimeBundle,
  clean: CleanMarkup,
  isResult: boolean,
  label: FigureLabel | undefined,
): string {
  const svg = mimeText(data["image/svg+xml"]);
  if (svg !== undefined || data[plotlyType] !== undefined) return figureMarkup(clean(svg ?? ""), data, label);
  const html = mimeText(data["text/html"]);
  if (html !== undefined)
    return `<div class="output-html" tabindex="0" role="group" aria-label="Output"${html.includes("dom0-verdict") ? " data-pagefind-ignore" : ""}>${withMachineWords(clean(html))}</div>`;
  const png = mimeText(data["image/png"]);
  if (png !== undefined)
    return `<img class="output-image" alt="${escapeMarkup(mimeText(data["text/plain"]) ?? "Picture")}" src="data:image/png;base64,${escapeMarkup(png.replaceAll("\n", ""))}">`;
  const text =
    mimeText(data["text/plain"]) ?? mimeText(data["text/markdown"]) ?? JSON.stringify(data, undefined, 2);
  return `<pre class="output-text${isResult ? " output-result" : ""}" tabindex="0">${escapeMarkup(plainText(text))}</pre>`;
}

/** Colors code in clean HTML by the part of the machine that it names. */
function withMachineWords(html: string): string {
  return html.replace(/<code>([^<&]{1,40})<\/code>/g, (whole, word: string) => {
    const part = machinePart(word);
    return part === undefined ? whole : `<code class="part-${part}">${word}</code>`;
  });
}

function figureMarkup(svg: string, data: MimeBundle, label: FigureLabel | undefined): string {
  const chart = chartIn(data[plotlyType]);
  const explore =
    chart === undefined
      ? ""
      : `<button type="button" class="text-button" data-explore="${escapeMarkup(chart.address)}">Explore</button>`;
  const text = mimeText(data["text/plain"]);
  const table = chart?.spec === undefined ? undefined : chartTable(chart.spec);
  const folded = [
    ...(text === undefined
      ? []
      : [foldedMarkup("As text", `<pre tabindex="0">${escapeMarkup(plainText(text))}</pre>`)]),
    ...(table === undefined
      ? []
      : [foldedMarkup("As a table", `<div class="figure-table" tabindex="0">${table}</div>`)]),
  ];
  return (
    `<figure class="output-figure"${label === undefined ? "" : ` id="${escapeMarkup(label.anchor)}" data-number="${escapeMarkup(label.number)}"`}>` +
    `<div class="figure-drawing">${svg}</div>${label === undefined ? "" : captionMarkup(label)}` +
    `<div class="figure-tools">${explore}${folded.join("")}</div></figure>`
  );
}

const captionMarkup = ({ number, caption }: FigureLabel): string =>
  `<figcaption><span class="figure-number">Figure ${escapeMarkup(number)}</span>${caption === "" ? "" : ` <span class="figure-caption">${caption}</span>`}</figcaption>`;

const foldedMarkup = (summary: string, content: string): string =>
  `<details data-pagefind-ignore><summary>${summary}</summary>${content}</details>`;

/** The interactive chart behind a figure: an address of the build, or the specification itself after a run in the page. */
function chartIn(value: unknown): { address: string; spec: ChartSpec | undefined } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { chart, spec } = value as Partial<ChartReference>;
  if (typeof chart === "string") return { address: chart, spec };
  return {
    address: JSON.stringify(value),
    spec: Array.isArray((value as Partial<ChartSpec>).data) ? (value as ChartSpec) : undefined,
  };
}
