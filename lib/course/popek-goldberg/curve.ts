/** The Popek–Goldberg curve: what a sensitive instruction costs, by how many there are. */
import { type DensityPoint, densityCurve } from "../../vmm/density.ts";
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { MODE_INK, modePaint, PAPER_INK, paperPaint } from "../palette.ts";

/** A curve with a name. */
export interface Curve {
  readonly name: string;
  readonly points: readonly DensityPoint[];
}

/** Measures both ways to run a guest: by trap and emulation in U-mode, and in VS-mode with the hypervisor extension. */
export const slowdownCurves = (perThousands: readonly number[]): readonly Curve[] => [
  { name: "trap and emulate", points: densityCurve("classic", perThousands) },
  { name: "with the hypervisor extension", points: densityCurve("extension", perThousands) },
];

const STYLES = [
  { ink: MODE_INK.M, paint: modePaint("M"), symbol: "square", dash: "solid" },
  { ink: MODE_INK.VS, paint: modePaint("VS"), symbol: "circle", dash: "dash" },
] as const;
const styleOf = (index: number) => STYLES[index % STYLES.length] ?? STYLES[0];

const LEFT = 64;
const TOP = 64;
const HEIGHT = 250;
const RIGHT = FIGURE_WIDTH - 40;
/** 0 has no logarithm; it stands where 0.3 would. */
const ZERO = 0.3;

const xOf = (perThousand: number): number =>
  LEFT +
  ((Math.log10(Math.max(ZERO, perThousand)) - Math.log10(ZERO)) / (3 - Math.log10(ZERO))) * (RIGHT - LEFT);

function curveMarks({ points }: Curve, index: number, y: (slowdown: number) => number): string {
  const { paint, symbol, dash } = styleOf(index);
  const path = points
    .map(
      ({ perThousand, slowdown }, at) =>
        `${at === 0 ? "M" : "L"}${xOf(perThousand).toFixed(1)} ${y(slowdown).toFixed(1)}`,
    )
    .join("");
  return [
    element("path", {
      d: path,
      fill: "none",
      stroke: paint,
      "stroke-width": 2,
      ...(dash === "dash" ? { "stroke-dasharray": "6 4" } : {}),
    }),
    ...points.map(({ perThousand, slowdown }) =>
      symbol === "square"
        ? element("rect", { x: xOf(perThousand) - 4, y: y(slowdown) - 4, width: 8, height: 8, fill: paint })
        : element("circle", {
            cx: xOf(perThousand),
            cy: y(slowdown),
            r: 4,
            fill: paperPaint("paper"),
            stroke: paint,
            "stroke-width": 2,
          }),
    ),
    ...points.map(({ perThousand, slowdown }) =>
      index > 0 || perThousand === 0
        ? ""
        : label(xOf(perThousand) - 8, y(slowdown) - 8, timesText(slowdown), {
            size: 11,
            anchor: "end",
            bold: true,
          }),
    ),
  ].join("");
}

const timesText = (slowdown: number): string =>
  `\u00d7${slowdown < 10 ? slowdown.toFixed(2) : slowdown.toFixed(1)}`;

function curveSvg(curves: readonly Curve[], title: string, words: string): string {
  const most = Math.max(10, ...curves.flatMap(({ points }) => points.map(({ slowdown }) => slowdown)));
  const decades = Math.log10(most * 1.6);
  const y = (slowdown: number): number => TOP + HEIGHT - (Math.log10(slowdown) / decades) * HEIGHT;
  const quiet = paperPaint("quiet");
  return picture(
    { title, description: words },
    FIGURE_WIDTH,
    TOP + HEIGHT + 100,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 48, "slowdown, times", { size: 11, italic: true, paint: quiet }),
    ...Array.from({ length: Math.floor(decades) + 1 }, (_, power) => 10 ** power).flatMap((tick) => [
      line(LEFT, y(tick), RIGHT, y(tick), paperPaint("rule")),
      label(LEFT - 6, y(tick) + 4, `\u00d7${tick}`, { size: 11, anchor: "end", paint: quiet }),
    ]),
    ...[0, 1, 10, 100, 1000].flatMap((tick) => [
      line(xOf(tick), TOP + HEIGHT, xOf(tick), TOP + HEIGHT + 5, quiet),
      label(xOf(tick), TOP + HEIGHT + 18, String(tick), { size: 11, anchor: "middle", paint: quiet }),
    ]),
    label((LEFT + RIGHT) / 2, TOP + HEIGHT + 34, "sensitive instructions in a thousand", {
      size: 11,
      anchor: "middle",
      italic: true,
      paint: quiet,
    }),
    ...curves.map((curve, index) => curveMarks(curve, index, y)),
    ...curves.flatMap(({ name }, index) => [
      line(24, TOP + HEIGHT + 52 + index * 18, 52, TOP + HEIGHT + 52 + index * 18, styleOf(index).paint, {
        "stroke-width": 2,
        ...(styleOf(index).dash === "dash" ? { "stroke-dasharray": "6 4" } : {}),
      }),
      label(60, TOP + HEIGHT + 56 + index * 18, name, { size: 12 }),
    ]),
    label(24, TOP + HEIGHT + 92, words, { size: 12, bold: true }),
  );
}

function curvePlotly(curves: readonly Curve[], title: string): PlotlySpec {
  return {
    data: curves.map(({ name, points }, index) => ({
      type: "scatter",
      mode: "lines+markers",
      name,
      x: points.map(({ perThousand }) => Math.max(ZERO, perThousand)),
      y: points.map(({ slowdown }) => slowdown),
      text: points.map(({ perThousand, slowdown }) => `${perThousand} in a thousand: ${timesText(slowdown)}`),
      hovertemplate: "%{text}<extra></extra>",
      line: { color: styleOf(index).ink.light, dash: styleOf(index).dash, width: 2 },
      marker: { symbol: index === 0 ? "square" : "circle-open", size: 9 },
    })),
    layout: {
      title: { text: title },
      xaxis: {
        title: { text: "sensitive instructions in a thousand" },
        type: "log",
        tickvals: [ZERO, 1, 10, 100, 1000],
        ticktext: ["0", "1", "10", "100", "1000"],
      },
      yaxis: {
        title: { text: "slowdown, times" },
        type: "log",
        tickvals: [1, 10, 100],
        ticktext: ["\u00d71", "\u00d710", "\u00d7100"],
      },
      legend: { orientation: "h", y: -0.25 },
      font: { color: PAPER_INK.ink.light },
      height: 420,
    },
  };
}

/** Draws slowdown by density, both on logarithmic axes. */
export function slowdownChart(
  curves: readonly Curve[],
  title = "The price of a sensitive instruction",
): FigureBundle {
  const [first] = curves;
  const last = first?.points.at(-1);
  const words =
    first === undefined || last === undefined
      ? "Nothing was measured."
      : `${first.name}: ${timesText(last.slowdown)} with ${last.perThousand} sensitive instructions in a thousand.`;
  const lines = curves.flatMap(({ name, points }) => [
    `  ${name}`,
    ...points.map(
      ({ perThousand, slowdown }) =>
        `    ${String(perThousand).padStart(4)} in a thousand  ${timesText(slowdown)}`,
    ),
  ]);
  return chartBundle(
    curvePlotly(curves, title),
    curveSvg(curves, title, words),
    [title, ...lines, `  ${words}`].join("\n"),
  );
}
