/**
 * The heat map of a run: where the instructions came from (rows, by address) against when (columns, by retired count).
 *
 * A cell has the color of the mode it ran in and is stronger the more often its row ran; the number at the right is
 * the row's total. Rows are single instructions while they are few, then functions or blocks of memory.
 */
import type { SymbolTable } from "../board/symbols.ts";
import { chartBundle, type FigureBundle, type PlotlySpec } from "./figure.ts";
import { countHeat, type HeatMap, type HeatRow, type HeatStep } from "./heat-count.ts";
import { bottomAxis } from "./marks/axis.ts";
import { groupDigits, linearScale } from "./marks/scale.ts";
import { box, FIGURE_WIDTH, label, line, MONO_ADVANCE, picture } from "./marks/svg.ts";
import { type LadderMode, MODE_INK, modePaint, PAPER_INK, paperPaint, tint } from "./palette.ts";
import { type LoggedRun, stepsOf } from "./run-steps.ts";

/** How a heat map is drawn. */
export interface HeatOptions {
  readonly title?: string;
  /** Names of addresses, as `board.symbols` has them; with them a crowded map has one row for each function. */
  readonly symbols?: SymbolTable;
}

const RIGHT = 64;
const TOP = 66;
const ROW = 17;
const GAP = 9;
/** Bytes between two rows that call for a visible gap. */
const FAR = 4096n;
/** The four strengths of a cell, as opacity and as a character. */
const OPACITIES = [0.35, 0.55, 0.75, 1] as const;
const SHADES = ["-", "+", "*", "#"] as const;

/** Strength of a cell, 0 to 3: quarters of the map's largest count. */
const strengthOf = (count: number, most: number): number =>
  Math.max(0, Math.ceil((count / Math.max(1, most)) * OPACITIES.length) - 1);

const opacityOf = (count: number, most: number): number => OPACITIES[strengthOf(count, most)] ?? 1;

const labelWidth = (rows: readonly HeatRow[]): number =>
  Math.min(286, 58 + Math.max(0, ...rows.map((row) => row.label.length)) * 11 * MONO_ADVANCE);

const clip = (text: string, widthPx: number): string => {
  const room = Math.floor(widthPx / (11 * MONO_ADVANCE));
  return text.length <= room ? text : `${text.slice(0, room - 1)}\u2026`;
};

/** Top of each row; rows that are far apart in memory stand apart. */
function rowTops(rows: readonly HeatRow[]): number[] {
  let y = TOP;
  return rows.map((row, index) => {
    const before = rows[index - 1];
    if (index > 0) y += ROW + (before !== undefined && row.from - before.from > FAR ? GAP : 0);
    return y;
  });
}

/** Neighboring cells of one strength, drawn as one box. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly opacity: number;
}

function stretches(counts: readonly number[], most: number): Stretch[] {
  const list: Stretch[] = [];
  for (const [column, count] of counts.entries()) {
    if (count === 0) continue;
    const opacity = opacityOf(count, most);
    const last = list.at(-1);
    if (last !== undefined && last.to === column && last.opacity === opacity)
      list[list.length - 1] = { ...last, to: column + 1 };
    else list.push({ from: column, to: column + 1, opacity });
  }
  return list;
}

function rowMarks(
  map: HeatMap,
  row: HeatRow,
  y: number,
  left: number,
  x: (value: number) => number,
  most: number,
): string {
  const edge = (column: number): number => x(Math.min(map.length, column * map.columnWidth));
  const cells = stretches(row.counts, most).map(({ from, to, opacity }) =>
    box(edge(from), y + 1, edge(to) - edge(from), ROW - 2, {
      fill: modePaint(row.mode),
      "fill-opacity": opacity,
    }),
  );
  return [
    label(24, y + 12.5, row.mode, { size: 11, bold: true, paint: modePaint(row.mode) }),
    label(44, y + 12.5, clip(row.label, left - 52), { size: 11, mono: true }),
    line(left, y + ROW / 2, FIGURE_WIDTH - RIGHT, y + ROW / 2, paperPaint("rule"), {
      "stroke-dasharray": "1 5",
    }),
    ...cells,
    label(FIGURE_WIDTH - 24, y + 12.5, groupDigits(row.total), {
      size: 11,
      anchor: "end",
      paint: paperPaint("quiet"),
    }),
  ].join("");
}

function inkKey(most: number, left: number): string {
  if (most === 1) return "";
  const y = 48;
  return (
    OPACITIES.map((opacity, index) =>
      box(left + index * 18, y - 10, 17, 12, { fill: paperPaint("ink"), "fill-opacity": opacity }),
    ).join("") +
    label(left + OPACITIES.length * 18 + 8, y, `ran 1 to ${most} times in a column`, {
      size: 11,
      paint: paperPaint("quiet"),
    })
  );
}

function describe(map: HeatMap): string {
  const hottest = [...map.rows].sort((a, b) => b.total - a.total)[0];
  const place =
    hottest === undefined ? "" : ` The hottest row is ${hottest.label.trim()} with ${hottest.total}.`;
  return `${map.length} retired instructions from ${map.rows.length} places in memory, over time.${place}`;
}

function heatSvg(map: HeatMap, title: string): string {
  const left = labelWidth(map.rows);
  const x = linearScale([0, Math.max(1, map.length)], [left, FIGURE_WIDTH - RIGHT]);
  const most = Math.max(1, ...map.rows.flatMap((row) => row.counts));
  const tops = rowTops(map.rows);
  const bottom = (tops.at(-1) ?? TOP) + ROW;
  return picture(
    { title, description: describe(map) },
    FIGURE_WIDTH,
    bottom + 48,
    label(24, 28, title, { size: 15, bold: true }),
    inkKey(most, left),
    label(FIGURE_WIDTH - 24, 48, "total", {
      size: 11,
      anchor: "end",
      italic: true,
      paint: paperPaint("quiet"),
    }),
    ...map.rows.map((row, index) => rowMarks(map, row, tops[index] ?? TOP, left, x, most)),
    bottomAxis({
      scale: x,
      domain: [0, Math.max(1, map.length)],
      fromX: left,
      toX: FIGURE_WIDTH - RIGHT,
      y: bottom + 3,
      unit: "retired instructions",
    }),
  );
}

/** One layer of cells for each mode, so that each has its color. */
function heatLayer(map: HeatMap, mode: LadderMode): Readonly<Record<string, unknown>> {
  const rows = [...map.rows].reverse();
  const ink = MODE_INK[mode].light;
  return {
    type: "heatmap",
    hoverongaps: false,
    name: mode,
    x: map.rows[0]?.counts.map((_, column) => (column + 0.5) * map.columnWidth) ?? [],
    y: rows.map((row) => row.label),
    z: rows.map((row) => row.counts.map((count) => (row.mode !== mode || count === 0 ? null : count))),
    zmin: 0,
    zmax: Math.max(1, ...map.rows.flatMap((row) => row.counts)),
    colorscale: [
      [0, tint(PAPER_INK.paper.light, ink, 0.25)],
      [1, ink],
    ],
    showscale: false,
    ygap: 2,
    hovertemplate: `%{y}<br>${mode}: %{z} times, around instruction %{x}<extra></extra>`,
  };
}

function heatPlotly(map: HeatMap, title: string): PlotlySpec {
  const modes = [...new Set(map.rows.map((row) => row.mode))];
  return {
    data: modes.map((mode) => heatLayer(map, mode)),
    layout: {
      title: { text: title, x: 0, xref: "paper" },
      xaxis: {
        title: { text: "retired instructions" },
        range: [0, Math.max(1, map.length)],
        showgrid: false,
      },
      yaxis: {
        title: { text: "address", standoff: 12 },
        automargin: true,
        tickfont: { family: "monospace", size: 11 },
        categoryorder: "array",
        categoryarray: [...map.rows].reverse().map((row) => row.label),
      },
      paper_bgcolor: PAPER_INK.paper.light,
      plot_bgcolor: PAPER_INK.paper.light,
      font: { color: PAPER_INK.ink.light },
      margin: { l: 24, r: 24, t: 56, b: 56 },
      height: Math.max(280, map.rows.length * 24 + 120),
    },
  };
}

function heatText(map: HeatMap, title: string): string {
  const most = Math.max(1, ...map.rows.flatMap((row) => row.counts));
  const width = Math.min(34, Math.max(0, ...map.rows.map((row) => row.label.length)));
  const shade = (count: number): string =>
    count === 0 ? "\u00b7" : (SHADES[strengthOf(count, most)] ?? "#");
  const columns = 50;
  const lines = map.rows.map((row) => {
    const bins = new Array<number>(Math.min(columns, row.counts.length)).fill(0);
    row.counts.forEach((count, index) => {
      const bin = Math.floor((index * bins.length) / row.counts.length);
      bins[bin] = Math.max(bins[bin] ?? 0, count);
    });
    return `${row.mode.padEnd(2)} ${row.label.slice(0, width).padEnd(width)} ${bins.map(shade).join("")} ${row.total}`;
  });
  return [`${title} (${map.length} retired instructions, left to right)`, ...lines].join("\n");
}

/**
 * Draws the heat map of a run.
 *
 * @param run  Consecutive step records of one hart, or what `board.run({ log: true })` returned.
 */
export function heatMap(
  run: readonly HeatStep[] | LoggedRun<HeatStep>,
  options: HeatOptions = {},
): FigureBundle {
  const title = options.title ?? "Where the instructions came from";
  const map = countHeat(stepsOf(run), options.symbols);
  return chartBundle(heatPlotly(map, title), heatSvg(map, title), heatText(map, title));
}
