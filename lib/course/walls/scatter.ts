/** Where virtual pages lie in physical memory: one dot for each page; long stretches without pages are left out. */
import { groupedHex } from "../../bits/hex.ts";
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { MODE_INK, modePaint, paperPaint } from "../palette.ts";
import { type PageMap, type PageView, pageCount } from "./page-map.ts";

/** A stretch of addresses and where it begins on the axis, in bands. */
interface Band {
  readonly from: bigint;
  readonly to: bigint;
}

interface Dot {
  readonly page: PageView;
  readonly x: number;
  readonly y: number;
}

/** Bands of equal width, split wherever a run begins or ends, so that a single page is as wide as a hundred. */
function bandsOf(stretches: readonly Band[]): Band[] {
  const edges = [...new Set(stretches.flatMap(({ from, to }) => [from, to]))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return edges.flatMap((from, index) => {
    const to = edges[index + 1];
    if (to === undefined) return [];
    return stretches.some((stretch) => stretch.from < to && from < stretch.to) ? [{ from, to }] : [];
  });
}

function placeIn(bands: readonly Band[], address: bigint): number {
  const index = bands.findIndex(({ from, to }) => from <= address && address < to);
  const band = bands[index];
  if (band === undefined) return 0;
  return index + (Number(address - band.from) + 2048) / Number(band.to - band.from);
}

const LEFT = 128;
const TOP = 60;
const PLOT = { width: FIGURE_WIDTH - 24 - LEFT, height: 330 } as const;

interface Shape {
  readonly virtual: readonly Band[];
  readonly physical: readonly Band[];
  readonly dots: readonly Dot[];
}

function shapeOf(map: PageMap): Shape {
  const lengthOf = (pages: readonly PageView[]): bigint => pages.reduce((sum, { bytes }) => sum + bytes, 0n);
  const virtual = bandsOf(map.runs.map(({ vaddr, pages }) => ({ from: vaddr, to: vaddr + lengthOf(pages) })));
  const physical = bandsOf(
    map.runs.map(({ paddr, pages }) => ({ from: paddr, to: paddr + lengthOf(pages) })),
  );
  const dots = map.pages.map((page) => ({
    page,
    x: placeIn(virtual, page.vaddr),
    y: placeIn(physical, page.paddr),
  }));
  return { virtual, physical, dots };
}

const ownerOf = ({ flags }: PageView): "U" | "S" => (flags.includes("U") ? "U" : "S");

function dotMark({ page, x, y }: Dot, shape: Shape): string {
  const cx = LEFT + (x / shape.virtual.length) * PLOT.width;
  const cy = TOP + PLOT.height - (y / shape.physical.length) * PLOT.height;
  const owner = ownerOf(page);
  return owner === "U"
    ? element("rect", { x: cx - 4.5, y: cy - 4.5, width: 9, height: 9, fill: modePaint("U") })
    : element("circle", { cx, cy, r: 3.5, fill: "none", stroke: modePaint("S"), "stroke-width": 1.5 });
}

function scatterSvg(shape: Shape, title: string, words: string): string {
  const right = LEFT + PLOT.width;
  const bottom = TOP + PLOT.height;
  const stepX = PLOT.width / shape.virtual.length;
  const stepY = PLOT.height / shape.physical.length;
  const rule = paperPaint("rule");
  const columns = shape.virtual.map(({ from }, index) => {
    const x = LEFT + index * stepX;
    const text = element(
      "g",
      { transform: `translate(${Math.round(x + stepX / 2 + 4)} ${bottom + 10}) rotate(-35)` },
      label(0, 0, groupedHex(from, 8), { size: 10, mono: true, anchor: "end" }),
    );
    return line(x, TOP, x, bottom, rule) + text;
  });
  const rows = shape.physical.map(({ from }, index) => {
    const y = bottom - index * stepY;
    return (
      line(LEFT, y, right, y, rule) +
      label(LEFT - 6, y - stepY / 2 + 4, groupedHex(from, 8), { size: 10, mono: true, anchor: "end" })
    );
  });
  return picture(
    { title, description: words },
    FIGURE_WIDTH,
    bottom + 116,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 48, "physical page, from", { size: 11, paint: paperPaint("quiet"), italic: true }),
    ...columns,
    ...rows,
    line(LEFT, bottom, right, bottom, paperPaint("quiet")),
    line(right, TOP, right, bottom, rule),
    line(LEFT, TOP, right, TOP, rule),
    ...shape.dots.map((dot) => dotMark(dot, shape)),
    label(right, bottom + 92, "virtual page, from", {
      size: 11,
      anchor: "end",
      paint: paperPaint("quiet"),
      italic: true,
    }),
    element("rect", { x: 24, y: bottom + 83, width: 9, height: 9, fill: modePaint("U") }),
    label(40, bottom + 92, "U: user mode", { size: 11 }),
    element("circle", {
      cx: 148,
      cy: bottom + 88,
      r: 3.5,
      fill: "none",
      stroke: modePaint("S"),
      "stroke-width": 1.5,
    }),
    label(158, bottom + 92, "S: supervisor mode", { size: 11 }),
    label(24, bottom + 112, words, { size: 11.5, bold: true }),
  );
}

function scatterPlotly(shape: Shape, title: string): PlotlySpec {
  const trace = (owner: "U" | "S", name: string, symbol: string) => {
    const dots = shape.dots.filter(({ page }) => ownerOf(page) === owner);
    return {
      type: "scatter",
      mode: "markers",
      name,
      x: dots.map(({ x }) => x),
      y: dots.map(({ y }) => y),
      text: dots.map(
        ({ page }) => `${groupedHex(page.vaddr, 8)} \u2192 ${groupedHex(page.paddr, 8)} ${page.flags}`,
      ),
      hovertemplate: "%{text}<extra></extra>",
      marker: { symbol, size: 8, color: MODE_INK[owner].light },
    };
  };
  const axis = (name: string, bands: readonly Band[]) => ({
    title: { text: name },
    range: [0, bands.length],
    tickvals: bands.map((_, index) => index),
    ticktext: bands.map(({ from }) => groupedHex(from, 8)),
    zeroline: false,
    automargin: true,
  });
  return {
    data: [trace("S", "S: supervisor mode", "circle-open"), trace("U", "U: user mode", "square")],
    layout: {
      title: { text: title },
      xaxis: axis("virtual page, from", shape.virtual),
      yaxis: axis("physical page, from", shape.physical),
      height: 520,
    },
  };
}

/** Draws every page as a dot: across where programs see it, up where it is. */
export function addressScatter(map: PageMap, title = "Where virtual pages are"): FigureBundle {
  const shape = shapeOf(map);
  const frames = new Map<bigint, number>();
  for (const { paddr } of map.pages) frames.set(paddr, (frames.get(paddr) ?? 0) + 1);
  const shared = [...frames.values()].filter((count) => count > 1).length;
  const same = map.pages.filter(({ vaddr, paddr }) => vaddr === paddr).length;
  const words = `${map.pages.length} pages: ${same} lie where they are seen; ${shared} physical pages are seen at two addresses.`;
  const lines = map.runs.map(
    (run) =>
      `  ${groupedHex(run.vaddr, 8)} \u2192 ${groupedHex(run.paddr, 8)}  ${pageCount(run).padEnd(9)}  ${run.flags.includes("U") ? "U" : "S"}  ${run.name}`,
  );
  return chartBundle(
    scatterPlotly(shape, title),
    scatterSvg(shape, title, words),
    [title, ...lines, `  ${words}`].join("\n"),
  );
}
