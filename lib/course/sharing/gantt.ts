/** Who had the hart, drawn over time: a row for each guest, thick where it runs and thin where it could and must wait, and one for the hypervisor. */
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { bottomAxis } from "../marks/axis.ts";
import { groupDigits, linearScale, type Scale } from "../marks/scale.ts";
import { box, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { MODE_INK, modePaint, PAPER_INK, paperPaint } from "../palette.ts";
import type { Span, Watched } from "./watch.ts";

const LEFT = 120;
const RIGHT = FIGURE_WIDTH - 24;
const TOP = 62;
const ROW = 34;
const BAR = 18;
const NAME = (domain: number): string => (domain === 0 ? "hypervisor" : `domain ${domain}`);

interface Chart {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  /** 1, 2, … and the hypervisor last. */
  readonly rows: readonly number[];
  /** Stays as they are drawn: short visits to the hypervisor do not divide them. */
  readonly runs: readonly Span[];
  /** Stays as they were, for what is counted. */
  readonly spans: readonly Span[];
  readonly waits: readonly Span[];
}

/** What a reader may choose. */
export interface GanttOptions {
  readonly title?: string;
  /** Whether the text lists every stay instead of counting them. */
  readonly lists?: boolean;
}

/** Draws what `watch` saw. */
export function gantt({ spans, waits }: Watched, options: GanttOptions = {}): FigureBundle {
  const { title = "Who has the hart", lists = false } = options;
  const from = spans[0]?.from ?? 0;
  const to = Math.max(from + 1, spans.at(-1)?.to ?? 1);
  const domains = [...new Set([...spans, ...waits].map(({ domain }) => domain))].filter((id) => id > 0);
  const rows = [...domains.sort((a, b) => a - b), 0];
  const chart = { title, from, to, rows, runs: joined(spans, (to - from) / 400), spans, waits };
  return chartBundle(plotlyOf(chart), svgOf(chart), textOf(chart, lists));
}

/** The thick bars of a picture: stays that only a short visit to the hypervisor divides are one. */
export const barsOf = ({ spans }: Watched): readonly Span[] =>
  joined(spans, ((spans.at(-1)?.to ?? 1) - (spans[0]?.from ?? 0)) / 400).filter(({ domain }) => domain > 0);

/** Stays of one domain that only a short visit to the hypervisor divides are drawn as one. */
function joined(spans: readonly Span[], shortest: number): Span[] {
  const last = new Map<number, Span>();
  const done: Span[] = [];
  for (const span of spans) {
    const before = last.get(span.domain);
    if (span.domain !== 0 && before !== undefined && span.from - before.to < shortest) {
      last.set(span.domain, { ...before, to: span.to });
      continue;
    }
    if (before !== undefined) done.push(before);
    last.set(span.domain, span);
  }
  return [...done, ...last.values()].sort((a, b) => a.from - b.from);
}

const timeOf = (spans: readonly Span[], domain: number): number =>
  spans.reduce((sum, span) => sum + (span.domain === domain ? span.to - span.from : 0), 0);

const percentOf = ({ spans, from, to }: Chart, domain: number): string =>
  `${((100 * timeOf(spans, domain)) / (to - from)).toFixed(0)} %`;

function svgOf(chart: Chart): string {
  const { title, from, to, rows, runs, waits } = chart;
  const x = linearScale([0, to - from], [LEFT, RIGHT - 44]);
  const bottom = TOP + ROW * rows.length;
  const inWords = rows.map((domain) => `${NAME(domain)} ${percentOf(chart, domain)}`).join(", ");
  return picture(
    { title, description: `Time from left to right, a row each. Of the hart's time: ${inWords}.` },
    FIGURE_WIDTH,
    bottom + 46,
    label(20, 24, title, { bold: true }),
    label(20, 42, "thick: it runs \u00b7 thin: it could run and waits \u00b7 nothing: it sleeps", {
      size: 11,
      paint: paperPaint("quiet"),
    }),
    ...rows.map((domain, row) => rowMarks(chart, domain, TOP + ROW * row, x, runs, waits)),
    bottomAxis({
      scale: x,
      domain: [0, to - from],
      fromX: LEFT,
      toX: RIGHT - 44,
      y: bottom + 4,
      unit: "ticks of time (0.1 \u00b5s each)",
    }),
  );
}

function rowMarks(
  chart: Chart,
  domain: number,
  y: number,
  x: Scale,
  runs: readonly Span[],
  waits: readonly Span[],
): string {
  const paint = domain === 0 ? modePaint("HS") : modePaint("VS");
  const middle = y + ROW / 2;
  const own = (spans: readonly Span[]): readonly Span[] => spans.filter((span) => span.domain === domain);
  return [
    label(20, middle + 4, NAME(domain), { size: 12, paint, bold: true }),
    line(LEFT, y + ROW, RIGHT - 44, y + ROW, paperPaint("rule")),
    ...own(waits).map((span) =>
      line(x(span.from - chart.from), middle, x(span.to - chart.from), middle, paint, { "stroke-width": 2 }),
    ),
    ...own(runs).map((span) =>
      box(
        x(span.from - chart.from),
        middle - BAR / 2,
        Math.max(0.6, x(span.to - chart.from) - x(span.from - chart.from)),
        BAR,
        { fill: paint },
      ),
    ),
    label(RIGHT, middle + 4, percentOf(chart, domain), {
      size: 11,
      anchor: "end",
      paint: paperPaint("quiet"),
    }),
  ].join("");
}

const COLUMNS = 60;

function textOf(chart: Chart, lists: boolean): string {
  const { title, from, to, rows, runs, waits } = chart;
  const rowOf = (domain: number): string => {
    const cells = Array.from({ length: COLUMNS }, (_, column) => {
      const span = {
        domain,
        from: from + ((to - from) * column) / COLUMNS,
        to: from + ((to - from) * (column + 1)) / COLUMNS,
      };
      const part = (spans: readonly Span[]): number => overlap(spans, span) / (span.to - span.from);
      return part(runs) > 0.4 ? "#" : part(waits) > 0.4 ? "-" : " ";
    });
    return `${NAME(domain).padEnd(11)}|${cells.join("")}| ${percentOf(chart, domain).padStart(5)}`;
  };
  const counts = rows
    .filter((domain) => domain > 0)
    .map((domain) => {
      const own = runs.filter((span) => span.domain === domain);
      if (lists)
        return `${NAME(domain)} ran ${own.map((span) => `${Math.round(span.from - from)}-${Math.round(span.to - from)}`).join(" ")}`;
      const longest = Math.max(
        0,
        ...waits.filter((span) => span.domain === domain).map((w) => w.to - w.from),
      );
      return `${NAME(domain)}: ran ${own.length} times; longest wait ${groupDigits(Math.round(longest))} ticks`;
    });
  return [
    `${title} (${groupDigits(Math.round(to - from))} ticks; # runs, - waits)`,
    ...rows.map(rowOf),
    ...counts,
  ].join("\n");
}

const overlap = (spans: readonly Span[], with_: Span): number =>
  spans.reduce(
    (sum, { domain, from, to }) =>
      domain === with_.domain ? sum + Math.max(0, Math.min(to, with_.to) - Math.max(from, with_.from)) : sum,
    0,
  );

function plotlyOf({ title, from, to, rows, runs, waits }: Chart): PlotlySpec {
  const places = [...rows].reverse();
  const traceOf = (domain: number, spans: readonly Span[], width: number, what: string) => {
    // Visits to the hypervisor are too short to be seen at their true width.
    const least = domain === 0 ? (to - from) / 400 : 0;
    const own = spans
      .filter((span) => span.domain === domain)
      .map((span) => ({ ...span, end: Math.max(span.to, span.from + least) }));
    return {
      type: "scatter",
      mode: "lines",
      name: `${NAME(domain)} ${what}`,
      line: { color: domain === 0 ? MODE_INK.HS.light : MODE_INK.VS.light, width },
      x: own.flatMap((span) => [span.from - from, span.end - from, null]),
      y: own.flatMap(() => [places.indexOf(domain), places.indexOf(domain), null]),
      text: own.flatMap((span) => [span, span, span].map((s) => `${Math.round(s.to - s.from)} ticks`)),
      hovertemplate: `${NAME(domain)} ${what} %{text}<extra></extra>`,
    };
  };
  return {
    data: rows.flatMap((domain) => [
      ...(domain === 0 ? [] : [traceOf(domain, waits, 2, "waits")]),
      traceOf(domain, runs, 18, "runs"),
    ]),
    layout: {
      title: { text: title, x: 0, xref: "paper" },
      xaxis: { title: { text: "ticks of time (0.1 \u00b5s each)" }, range: [0, to - from], zeroline: false },
      yaxis: {
        tickvals: places.map((_, place) => place),
        ticktext: places.map(NAME),
        range: [-0.6, places.length - 0.4],
        zeroline: false,
      },
      showlegend: false,
      paper_bgcolor: PAPER_INK.paper.light,
      plot_bgcolor: PAPER_INK.paper.light,
      font: { color: PAPER_INK.ink.light },
      margin: { l: 100, r: 24, t: 56, b: 56 },
      height: 110 + 44 * rows.length,
    },
  };
}
