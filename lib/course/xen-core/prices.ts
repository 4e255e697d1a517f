/** What it costs to get another guest's bytes: copied by the hypervisor, or through a mapping. Measured with the guest's own `instret`. */
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { bottomAxis } from "../marks/axis.ts";
import { countTicks, groupDigits, linearScale } from "../marks/scale.ts";
import { element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { MODE_INK, modePaint, PART_INK, paperPaint, partPaint } from "../palette.ts";
import type { PriceSample } from "./break-even.ts";
import type { OfficeGuest } from "./office.ts";
import { ROOM } from "./puppet.ts";

/** Where a granted page is mapped. */
const WINDOW = 0x9000_0000n;

/** Lets `to` read so many bytes of a page of `from`'s in both ways. */
export function measurePrices(
  from: OfficeGuest,
  to: OfficeGuest,
  page: bigint,
  sizes: readonly number[],
): PriceSample[] {
  const grant = from.call("grant", to.id, page, 0);
  // Once for nothing: the first copy also brings the page that it goes to.
  to.call("grant_copy", from.id, grant, ROOM, 8, 0);
  const samples = sizes.map((bytes) => {
    to.call("grant_copy", from.id, grant, ROOM, bytes, 0);
    const copy = to.instructions;
    const mapping = to.call("grant_map", from.id, grant, WINDOW, 0);
    let map = to.instructions;
    to.move(WINDOW, bytes);
    map += to.instructions;
    to.call("grant_unmap", mapping);
    return { bytes, copy, map: map + to.instructions };
  });
  from.call("grant_revoke", grant);
  return samples;
}

const PLOT = { left: 84, right: FIGURE_WIDTH - 130, top: 66, height: 260 } as const;

function pricesSvg(samples: readonly PriceSample[], title: string, words: string): string {
  const mostBytes = Math.max(1, ...samples.map(({ bytes }) => bytes));
  const mostPrice = Math.max(1, ...samples.flatMap(({ copy, map }) => [copy, map]));
  const bottom = PLOT.top + PLOT.height;
  const x = linearScale([0, mostBytes], [PLOT.left, PLOT.right]);
  const y = linearScale([0, mostPrice], [bottom, PLOT.top]);
  const curve = (price: "copy" | "map", paint: string, dash?: string): string =>
    element("path", {
      d: samples
        .map(
          (sample, index) =>
            `${index === 0 ? "M" : "L"}${Math.round(x(sample.bytes) * 100) / 100} ${Math.round(y(sample[price]) * 100) / 100}`,
        )
        .join(""),
      fill: "none",
      stroke: paint,
      "stroke-width": 2,
      "stroke-dasharray": dash,
    });
  const last = samples.at(-1);
  return picture(
    { title, description: words },
    FIGURE_WIDTH,
    bottom + 66,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 50, "instructions, the hypervisor's with them", {
      size: 11,
      italic: true,
      paint: paperPaint("quiet"),
    }),
    ...countTicks([0, mostPrice], 5).flatMap((tick) => [
      line(PLOT.left, y(tick), PLOT.right, y(tick), paperPaint("rule")),
      label(PLOT.left - 8, y(tick) + 4, groupDigits(tick), {
        size: 11,
        anchor: "end",
        paint: paperPaint("quiet"),
      }),
    ]),
    curve("copy", modePaint("HS")),
    curve("map", partPaint("page-table"), "7 4"),
    ...samples.flatMap((sample) => [
      element("circle", { cx: x(sample.bytes), cy: y(sample.copy), r: 3.5, fill: modePaint("HS") }),
      element("rect", {
        x: x(sample.bytes) - 3.5,
        y: y(sample.map) - 3.5,
        width: 7,
        height: 7,
        fill: partPaint("page-table"),
      }),
    ]),
    label(PLOT.right + 8, y(last?.copy ?? 0) + 4, "copied by HS", {
      size: 12,
      bold: true,
      paint: modePaint("HS"),
    }),
    label(PLOT.right + 8, y(last?.map ?? 0) + 4, "mapped, read", {
      size: 12,
      bold: true,
      paint: partPaint("page-table"),
    }),
    bottomAxis({
      scale: x,
      domain: [0, mostBytes],
      fromX: PLOT.left,
      toX: PLOT.right,
      y: bottom,
      unit: "bytes",
    }),
    label(24, bottom + 58, words, { size: 12, bold: true }),
  );
}

const pricesPlotly = (samples: readonly PriceSample[], title: string): PlotlySpec => {
  const trace = (price: "copy" | "map", name: string, color: string, symbol: string, dash: string) => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x: samples.map(({ bytes }) => bytes),
    y: samples.map((sample) => sample[price]),
    line: { color, width: 2, dash },
    marker: { symbol, size: 8, color },
    hovertemplate: "%{x} bytes: %{y} instructions<extra></extra>",
  });
  return {
    data: [
      trace("copy", "copied by the hypervisor", MODE_INK.HS.light, "circle", "solid"),
      trace("map", "mapped, read, unmapped", PART_INK["page-table"].light, "square", "dash"),
    ],
    layout: {
      title: { text: title },
      xaxis: { title: { text: "bytes" }, rangemode: "tozero" },
      yaxis: { title: { text: "instructions, the hypervisor's with them" }, rangemode: "tozero" },
      height: 420,
    },
  };
};

/** Draws both prices. */
export function priceChart(
  samples: readonly PriceSample[],
  title = "Another guest's bytes: copy or map?",
): FigureBundle {
  const cheaper = samples.filter(({ copy, map }) => map < copy).map(({ bytes }) => bytes);
  const [first] = cheaper;
  const words =
    first === undefined
      ? "Copying is cheaper for every size measured."
      : `Of the sizes measured, mapping is cheaper from ${groupDigits(first)} bytes on.`;
  const rows = samples.map(
    ({ bytes, copy, map }) =>
      `  ${groupDigits(bytes).padStart(6)} bytes  ${groupDigits(copy).padStart(7)} copied  ${groupDigits(map).padStart(7)} mapped`,
  );
  return chartBundle(
    pricesPlotly(samples, title),
    pricesSvg(samples, title, words),
    [title, ...rows, `  ${words}`].join("\n"),
  );
}
