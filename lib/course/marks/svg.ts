/**
 * SVG as text: escaped, with rounded coordinates, so that the same data gives the same bytes everywhere.
 *
 * No element carries an id and no style sheet is emitted: any number of figures can share one page, and a figure
 * shown through `<img>` looks the same as one inlined.
 */
import { paperPaint } from "../palette.ts";

/** Attributes of one element; numbers are coordinates in CSS pixels and are rounded to two decimals. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Escapes text for XML and HTML, in content and in double-quoted attributes. */
export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => (c === "&" ? "&amp;" : c === "<" ? "&lt;" : c === ">" ? "&gt;" : "&quot;"));

const attributeText = (value: string | number): string =>
  typeof value === "number" ? String(Math.round(value * 100) / 100) : escapeMarkup(value);

/** One element; children are markup already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const list = Object.entries(attributes)
    .filter((pair): pair is [string, string | number] => pair[1] !== undefined)
    .map(([key, value]) => ` ${key}="${attributeText(value)}"`)
    .join("");
  return children.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${children.join("")}</${name}>`;
}

/** Font families of figures: a page may set `--dom0-figure-font` and `--dom0-figure-mono`. */
export const FIGURE_FONT =
  "var(--dom0-figure-font, ui-sans-serif, system-ui, -apple-system, Segoe UI, sans-serif)";
export const FIGURE_MONO =
  "var(--dom0-figure-mono, ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace)";

/** Width of every figure in CSS pixels: as wide as a column of text, so that figures are not scaled down. */
export const FIGURE_WIDTH = 680;

/** Advance of one character of the mono font at 1 px, generous for every family of the list. */
export const MONO_ADVANCE = 0.61;

export interface LabelOptions {
  readonly size?: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly mono?: boolean;
  readonly bold?: boolean;
  readonly italic?: boolean;
  readonly paint?: string;
}

/** A line of text with its baseline at (x, y). */
export function label(x: number, y: number, text: string, options: LabelOptions = {}): string {
  return element(
    "text",
    {
      x,
      y,
      "font-size": options.size ?? 12,
      "text-anchor": options.anchor === "start" ? undefined : options.anchor,
      "font-family": options.mono === true ? FIGURE_MONO : undefined,
      "font-weight": options.bold === true ? 600 : undefined,
      "font-style": options.italic === true ? "italic" : undefined,
      fill: options.paint ?? paperPaint("ink"),
      "xml:space": options.mono === true ? "preserve" : undefined,
    },
    escapeMarkup(text),
  );
}

/** A straight stroke. */
export const line = (
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  stroke: string,
  attributes: Attributes = {},
): string => element("line", { x1, y1, x2, y2, stroke, ...attributes });

/** A box. */
export const box = (x: number, y: number, width: number, height: number, attributes: Attributes): string =>
  element("rect", { x, y, width, height, ...attributes });

/** What a figure says to a reader who does not see it. */
export interface FigureText {
  /** One short noun phrase; also printed above the figure. */
  readonly title: string;
  /** What the figure shows, in full sentences. */
  readonly description: string;
}

/** A whole picture on its own paper, with title and description for screen readers. */
export function picture(
  text: FigureText,
  widthPx: number,
  heightPx: number,
  ...marks: readonly string[]
): string {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${Math.round(widthPx)} ${Math.round(heightPx)}`,
      width: Math.round(widthPx),
      height: Math.round(heightPx),
      role: "img",
      "aria-label": `${text.title}. ${text.description}`,
      "font-family": FIGURE_FONT,
    },
    element("title", {}, escapeMarkup(text.title)),
    element("desc", {}, escapeMarkup(text.description)),
    box(0, 0, widthPx, heightPx, { fill: paperPaint("paper"), rx: 6 }),
    ...marks,
  );
}
