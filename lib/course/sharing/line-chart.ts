/** Curves: points that were measured, joined, over a line that says what they should be. As a chart, a picture and a table of numbers. */
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { tableText } from "../marks/html.ts";
import { groupDigits, linearScale } from "../marks/scale.ts";
import { element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { MODE_INK, modePaint, PAPER_INK, PART_INK, paperPaint, partPaint } from "../palette.ts";

/** One curve. */
export interface Curve {
  readonly name: string;
  /** The first kind is a guest's line; `limit` is dashed and has no points; `other` has hollow points. */
  readonly kind: "measured" | "other" | "limit";
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What the axes count. */
export interface Axes {
  readonly x: string;
  readonly y: string;
  /** Largest value of y; from 0 on. */
  readonly most: number;
}

const HEIGHT = 300;
const PLOT = { left: 70, right: FIGURE_WIDTH - 130, top: 48, bottom: HEIGHT - 52 };
const PAINT = { measured: modePaint("VS"), other: partPaint("register"), limit: paperPaint("quiet") };
const INK = {
  measured: MODE_INK.VS.light,
  other: PART_INK.register.light,
  limit: PAPER_INK.quiet.light,
};
const DASH = { measured: undefined, other: undefined, limit: "5 4" };

/** Draws curves. @param says  What the figure shows, for readers who do not see it. */
export function lineChart(title: string, axes: Axes, curves: readonly Curve[], says: string): FigureBundle {
  return chartBundle(
    plotlyOf(title, axes, curves),
    svgOf(title, axes, curves, says),
    textOf(title, axes, curves),
  );
}

const xsOf = (curves: readonly Curve[]): number[] => [
  ...new Set(curves.flatMap(({ points }) => points.map(([x]) => x))),
];

/** The measured places whose numbers have room beside each other. */
function ticksOf(curves: readonly Curve[], x: (value: number) => number): number[] {
  const ticks: number[] = [];
  for (const at of xsOf(curves.filter(({ kind }) => kind !== "limit")).sort((a, b) => a - b)) {
    const last = ticks.at(-1);
    if (last === undefined || x(at) - x(last) >= 46) ticks.push(at);
  }
  return ticks;
}

function svgOf(title: string, axes: Axes, curves: readonly Curve[], says: string): string {
  const all = xsOf(curves);
  const x = linearScale([Math.min(...all), Math.max(...all)], [PLOT.left, PLOT.right]);
  const y = linearScale([0, axes.most], [PLOT.bottom, PLOT.top]);
  const quiet = paperPaint("quiet");
  const small = { size: 11, paint: quiet } as const;
  const yTicks = Array.from({ length: 5 }, (_, index) => (axes.most * index) / 4);
  return picture(
    { title, description: says },
    FIGURE_WIDTH,
    HEIGHT,
    label(20, 24, title, { bold: true }),
    label(20, 40, axes.y, { ...small, italic: true }),
    ...yTicks.map((tick) => line(PLOT.left, y(tick), PLOT.right, y(tick), paperPaint("rule"))),
    ...yTicks.map((tick) =>
      label(PLOT.left - 8, y(tick) + 4, groupDigits(Math.round(tick)), { ...small, anchor: "end" }),
    ),
    ...ticksOf(curves, x).flatMap((tick) => [
      line(x(tick), PLOT.bottom, x(tick), PLOT.bottom + 5, quiet),
      label(x(tick), PLOT.bottom + 18, groupDigits(tick), { ...small, anchor: "middle" }),
    ]),
    label((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, axes.x, {
      ...small,
      anchor: "middle",
      italic: true,
    }),
    ...curves.map((curve) => curveMarks(curve, x, y)),
    ...namesOf(curves, y),
  );
}

function curveMarks(
  { kind, points }: Curve,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const paint = PAINT[kind];
  const path = points
    .map(([px, py]) => `${Math.round(x(px) * 10) / 10},${Math.round(y(py) * 10) / 10}`)
    .join(" ");
  const stroke = {
    fill: "none",
    stroke: paint,
    "stroke-width": kind === "limit" ? 1.5 : 2,
    "stroke-dasharray": DASH[kind],
  };
  const dots =
    kind === "limit"
      ? []
      : points.map(([px, py]) =>
          element("circle", {
            cx: x(px),
            cy: y(py),
            r: 4,
            fill: kind === "measured" ? paint : paperPaint("paper"),
            stroke: paint,
            "stroke-width": 2,
          }),
        );
  return [element("polyline", { points: path, ...stroke }), ...dots].join("");
}

/** Names stand at the ends of their curves, moved apart where they would touch, and above the axis. */
function namesOf(curves: readonly Curve[], y: (value: number) => number): string[] {
  const ends = curves
    .map((curve) => ({ curve, at: y(curve.points.at(-1)?.[1] ?? 0) + 4 }))
    .sort((a, b) => b.at - a.at);
  let last = PLOT.bottom + 8;
  return ends.map(({ curve, at }) => {
    last = Math.min(at, last - 15);
    return label(PLOT.right + 10, last, curve.name, { size: 12, paint: PAINT[curve.kind] });
  });
}

function textOf(title: string, axes: Axes, curves: readonly Curve[]): string {
  const xs = xsOf(curves.filter(({ kind }) => kind !== "limit")).sort((a, b) => a - b);
  const valueAt = (curve: Curve, x: number): string => {
    const y = curve.points.find(([px]) => px === x)?.[1];
    return y === undefined ? "" : y.toFixed(1);
  };
  return tableText({
    caption: `${title} (${axes.y})`,
    columns: [axes.x, ...curves.map(({ name }) => name)],
    rightColumns: [0, ...curves.map((_, index) => index + 1)],
    rows: xs.map((x) => [groupDigits(x), ...curves.map((curve) => valueAt(curve, x))]),
  });
}

function plotlyOf(title: string, axes: Axes, curves: readonly Curve[]): PlotlySpec {
  return {
    data: curves.map(({ name, kind, points }) => ({
      type: "scatter",
      mode: kind === "limit" ? "lines" : "lines+markers",
      name,
      x: points.map(([x]) => x),
      y: points.map(([, y]) => y),
      line: {
        color: INK[kind],
        width: kind === "limit" ? 1.5 : 2,
        dash: kind === "limit" ? "dash" : "solid",
      },
      marker: { size: 9, symbol: kind === "other" ? "circle-open" : "circle" },
      hovertemplate: `%{x}: %{y:.1f}<extra>${name}</extra>`,
    })),
    layout: {
      title: { text: title, x: 0, xref: "paper" },
      xaxis: { title: { text: axes.x }, zeroline: false },
      yaxis: { title: { text: axes.y }, range: [0, 1.03 * axes.most], zeroline: false },
      legend: { orientation: "h", y: -0.3 },
      paper_bgcolor: PAPER_INK.paper.light,
      plot_bgcolor: PAPER_INK.paper.light,
      font: { color: PAPER_INK.ink.light },
      margin: { l: 70, r: 24, t: 56, b: 70 },
      height: 340,
    },
  };
}
