/** Exits by cause: a stacked bar for each stretch of a run. */
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { bottomAxis } from "../marks/axis.ts";
import { countTicks, groupDigits, linearScale } from "../marks/scale.ts";
import { box, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { type InkPair, MODE_INK, modePaint, PART_INK, paperPaint, partPaint } from "../palette.ts";
import {
  EXIT_WORDS,
  type ExitCounts,
  type ExitKind,
  type ExitSlice,
  NO_EXITS,
  totalExits,
} from "./guest-machine.ts";

/** Kinds from the bottom of a bar to its top, with a letter for readers without color. */
const KINDS: readonly {
  readonly kind: ExitKind;
  readonly letter: string;
  readonly ink: InkPair;
  readonly paint: string;
}[] = [
  { kind: "privileged", letter: "P", ink: PART_INK.csr, paint: partPaint("csr") },
  { kind: "device", letter: "D", ink: PART_INK.device, paint: partPaint("device") },
  { kind: "own", letter: "E", ink: PART_INK.trap, paint: partPaint("trap") },
  { kind: "shadow", letter: "S", ink: PART_INK["page-table"], paint: partPaint("page-table") },
  { kind: "patch", letter: "C", ink: PART_INK.memory, paint: partPaint("memory") },
  { kind: "interrupt", letter: "I", ink: MODE_INK.M, paint: modePaint("M") },
];

const LEFT = 64;
const TOP = 56;
const HEIGHT = 220;
const ROW = 18;

export const sumOfSlices = (slices: readonly ExitSlice[]): ExitCounts =>
  slices.reduce<ExitCounts>(
    (sum, { exits }) =>
      Object.fromEntries(KINDS.map(({ kind }) => [kind, sum[kind] + exits[kind]])) as unknown as ExitCounts,
    NO_EXITS,
  );

function bars(
  slices: readonly ExitSlice[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  return slices
    .flatMap(({ from, to, exits }) => {
      let below = 0;
      return KINDS.flatMap(({ kind, letter, paint }) => {
        const count = exits[kind];
        if (count === 0) return [];
        const [top, bottom] = [y(below + count), y(below)];
        below += count;
        const [left, width] = [x(from) + 1, Math.max(2, x(to) - x(from) - 2)];
        const mark = box(left, top, width, bottom - top, {
          fill: paint,
          stroke: paperPaint("paper"),
          "stroke-width": 1,
        });
        const text = label(left + width / 2, (top + bottom) / 2 + 4, letter, {
          size: 10,
          anchor: "middle",
          bold: true,
          paint: paperPaint("paper"),
        });
        return bottom - top >= 12 && width >= 12 ? [mark, text] : [mark];
      });
    })
    .join("");
}

function chartSvg(slices: readonly ExitSlice[], title: string, words: string): string {
  const end = slices.at(-1)?.to ?? 1;
  const most = Math.max(1, ...slices.map(({ exits }) => totalExits(exits)));
  const right = FIGURE_WIDTH - 24;
  const x = linearScale([0, end], [LEFT, right]);
  const y = linearScale([0, most], [TOP + HEIGHT, TOP]);
  const sum = sumOfSlices(slices);
  const shown = KINDS.filter(({ kind }) => sum[kind] > 0);
  const keyTop = TOP + HEIGHT + 58;
  return picture(
    { title, description: words },
    FIGURE_WIDTH,
    keyTop + shown.length * ROW + 22,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 48, "exits in each stretch", { size: 11, italic: true, paint: paperPaint("quiet") }),
    ...countTicks([0, most], 4).flatMap((tick) => [
      line(LEFT, y(tick), right, y(tick), paperPaint("rule")),
      label(LEFT - 6, y(tick) + 4, groupDigits(tick), {
        size: 11,
        anchor: "end",
        paint: paperPaint("quiet"),
      }),
    ]),
    bars(slices, x, y),
    bottomAxis({
      scale: x,
      domain: [0, end],
      fromX: LEFT,
      toX: right,
      y: TOP + HEIGHT,
      unit: "instructions of the machine, the monitor\u2019s included",
    }),
    ...shown.flatMap(({ kind, letter, paint }, index) => [
      box(24, keyTop + index * ROW - 11, 14, 14, { fill: paint }),
      label(31, keyTop + index * ROW, letter, {
        size: 10,
        anchor: "middle",
        bold: true,
        paint: paperPaint("paper"),
      }),
      label(46, keyTop + index * ROW, `${groupDigits(sum[kind])}: ${EXIT_WORDS[kind]}`, { size: 12 }),
    ]),
    label(24, keyTop + shown.length * ROW + 6, words, { size: 12, bold: true }),
  );
}

function chartPlotly(slices: readonly ExitSlice[], title: string): PlotlySpec {
  const sum = sumOfSlices(slices);
  return {
    data: KINDS.filter(({ kind }) => sum[kind] > 0).map(({ kind, letter, ink }) => ({
      type: "bar",
      name: `${letter} ${EXIT_WORDS[kind]}`,
      x: slices.map(({ from, to }) => (from + to) / 2),
      width: slices.map(({ from, to }) => (to - from) * 0.94),
      y: slices.map(({ exits }) => exits[kind]),
      text: slices.map(() => letter),
      textposition: "inside",
      insidetextanchor: "middle",
      marker: { color: ink.light },
      hovertemplate: `%{y} \u00d7 ${EXIT_WORDS[kind]}<extra></extra>`,
    })),
    layout: {
      title: { text: title },
      barmode: "stack",
      xaxis: { title: { text: "instructions of the machine, the monitor\u2019s included" }, zeroline: false },
      yaxis: { title: { text: "exits in each stretch" } },
      legend: { orientation: "h", y: -0.32 },
      height: 460,
    },
  };
}

/** Draws why a guest came to its monitor, stretch by stretch. */
export function exitsChart(
  slices: readonly ExitSlice[],
  title = "Why the guest came to its monitor",
): FigureBundle {
  const sum = sumOfSlices(slices);
  const end = slices.at(-1)?.to ?? 0;
  const words = `${groupDigits(totalExits(sum))} exits in ${groupDigits(end)} instructions.`;
  const lines = KINDS.filter(({ kind }) => sum[kind] > 0).map(
    ({ kind, letter }) => `  ${letter} ${String(sum[kind]).padStart(6)}  ${EXIT_WORDS[kind]}`,
  );
  const stretches = slices.map(
    ({ from, to, exits }) =>
      `  ${groupDigits(from)} to ${groupDigits(to)}: ${
        KINDS.filter(({ kind }) => exits[kind] > 0)
          .map(({ kind, letter }) => `${letter} ${exits[kind]}`)
          .join(", ") || "none"
      }`,
  );
  return chartBundle(
    chartPlotly(slices, title),
    chartSvg(slices, title, words),
    [title, ...lines, "  by stretch:", ...stretches.map((text) => `  ${text}`), `  ${words}`].join("\n"),
  );
}
