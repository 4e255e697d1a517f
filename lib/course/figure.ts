/**
 * What every figure of the course is: one bundle with an interactive chart, a static picture and plain text.
 *
 * The three say the same. Trees, tables and bit diagrams have no chart: their bundle holds picture or table and text.
 * Output depends on the data alone.
 */

/** A bundle that `show` accepts; keys are MIME types. */
export type FigureBundle = Readonly<Record<string, unknown>>;

/** A Plotly figure as data; only what the course draws with. */
export interface PlotlySpec {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** Bundle of a chart. */
export const chartBundle = (plotly: PlotlySpec, svg: string, text: string): FigureBundle => ({
  "application/vnd.plotly.v1+json": plotly,
  "image/svg+xml": svg,
  "text/plain": text,
});

/** Bundle of a picture that is not a chart. */
export const pictureBundle = (svg: string, text: string): FigureBundle => ({
  "image/svg+xml": svg,
  "text/plain": text,
});

/** Bundle of a table, a card or a listing. */
export const markupBundle = (html: string, text: string): FigureBundle => ({
  "text/html": html,
  "text/plain": text,
});
