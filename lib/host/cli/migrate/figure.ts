/**
 * What each round had to send, and how long the guest stood still at each rate of writing; below, when two stock kernels printed their
 * lines while one of them moved.
 */

import { countTicks, linearScale, type Scale } from "../../../course/marks/scale.ts";
import { box, element, escapeMarkup, label, line, picture } from "../../../course/marks/svg.ts";
import { INK_PAIRS, modePaint, paperPaint, partPaint } from "../../../course/palette.ts";
import type { LinuxMove } from "./linux.ts";
import type { MigrationRun } from "./runs.ts";

const WIDTH = 760;
const HEIGHT = 386;
const LINUX_HEIGHT = 322;
const TOP = 74;
const BOTTOM = 330;
const LEFT = { from: 62, to: 356 } as const;
const RIGHT = { from: 446, to: 728 } as const;
const DASHES = [undefined, "7 4", "2 4", "10 3 2 3"] as const;
const PAINTS = [partPaint("page-table"), modePaint("VS"), partPaint("trap"), partPaint("register")];

type Point = readonly [x: number, y: number];

const quiet = { size: 11, paint: paperPaint("quiet") } as const;
const path = (points: readonly Point[]): string =>
  points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** Shapes, so that no line is told by its color alone. */
function mark([x, y]: Point, kind: number, paint: string): string {
  if (kind % 4 === 0) return element("circle", { cx: x, cy: y, r: 3.5, fill: paint });
  if (kind % 4 === 1) return box(x - 3.2, y - 3.2, 6.4, 6.4, { fill: paint });
  if (kind % 4 === 2) return element("path", { d: `M${x} ${y - 4.5}l4.5 8h-9z`, fill: paint });
  return element("path", { d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z`, fill: paint });
}

/** Powers of two up to a value, as an axis of doublings. */
function doublings(most: number): { readonly at: Scale; readonly ticks: readonly number[] } {
  const top = Math.ceil(Math.log2(Math.max(2, most)));
  const scale = linearScale([0, top], [BOTTOM, TOP]);
  const step = top > 8 ? 2 : 1;
  const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => 2 ** (index * step));
  return { at: (value) => scale(Math.log2(Math.max(1, value))), ticks };
}

const grid = (from: number, to: number, y: number, text: string): string =>
  line(from, y, to, y, paperPaint("rule")) + label(from - 8, y + 4, text, { ...quiet, anchor: "end" });

function below(at: Scale, ticks: readonly number[], name: string, middle: number): string {
  return (
    ticks.map((tick) => label(at(tick), BOTTOM + 18, String(tick), { ...quiet, anchor: "middle" })).join("") +
    label(middle, BOTTOM + 36, name, { ...quiet, anchor: "middle", italic: true })
  );
}

/** Pages of each round, a line for each run. */
function roundsOf(runs: readonly MigrationRun[]): string {
  const most = Math.max(...runs.flatMap(({ roundPages }) => roundPages));
  const rounds = Math.max(...runs.map(({ roundPages }) => roundPages.length));
  const { at: y, ticks } = doublings(most);
  const x = linearScale([1, Math.max(2, rounds)], [LEFT.from + 10, LEFT.to - 10]);
  const lines = runs.map(({ roundPages }, kind) => {
    const paint = PAINTS[kind % PAINTS.length] as string;
    const points = roundPages.map((pages, round): Point => [x(round + 1), y(pages)]);
    const stroke = { d: path(points), fill: "none", stroke: paint, "stroke-width": 2 };
    return (
      element("path", { ...stroke, "stroke-dasharray": DASHES[kind % DASHES.length] }) +
      points.map((point) => mark(point, kind, paint)).join("")
    );
  });
  const key = runs.map(({ name }, kind) => {
    const [at, top] = [LEFT.to - 122, TOP + 12 + 17 * kind];
    return (
      mark([at, top - 4], kind, PAINTS[kind % PAINTS.length] as string) +
      label(at + 12, top, name, { size: 11 })
    );
  });
  return [
    label(LEFT.from - 44, TOP - 16, "Pages to send, by round (logarithmic)", {
      size: 12,
      bold: true,
    }),
    ...ticks.map((tick) => grid(LEFT.from, LEFT.to, y(tick), String(tick))),
    ...lines,
    box(LEFT.to - 134, TOP - 4, 134, 17 * runs.length + 8, {
      fill: paperPaint("paper"),
      stroke: paperPaint("rule"),
    }),
    ...key,
    below(
      x,
      countTicks([1, rounds], 6),
      "round; the last is that of the stopped guest",
      (LEFT.from + LEFT.to) / 2,
    ),
  ].join("");
}

/** Downtime by rate of writing. */
function downtimeOf(runs: readonly MigrationRun[]): string {
  const known = runs.filter(
    (run): run is MigrationRun & { writesPerMs: number } => run.writesPerMs !== undefined,
  );
  const [widest, longest] = [
    Math.max(...known.map(({ writesPerMs }) => writesPerMs)),
    Math.max(...runs.map(({ downtimeMs }) => downtimeMs)),
  ];
  const x = linearScale([0, widest * 1.05], [RIGHT.from, RIGHT.to]);
  const y = linearScale([0, longest * 1.1], [BOTTOM, TOP]);
  const paint = partPaint("trap");
  const points = known.map(({ writesPerMs, downtimeMs }): Point => [x(writesPerMs), y(downtimeMs)]);
  return [
    label(RIGHT.from - 30, TOP - 16, "Downtime in ms of guest time", { size: 12, bold: true }),
    ...countTicks([0, longest * 1.1], 5).map((tick) => grid(RIGHT.from, RIGHT.to, y(tick), String(tick))),
    element("path", { d: path(points), fill: "none", stroke: paint, "stroke-width": 2 }),
    ...points.map((point) => mark(point, 0, paint)),
    below(
      x,
      countTicks([0, widest], 6),
      "pages that it writes in a millisecond, undisturbed",
      (RIGHT.from + RIGHT.to) / 2,
    ),
  ].join("");
}

/** Dark paper where the reader's screen is dark. */
const THEME = `<style>@media (prefers-color-scheme: dark){svg{${INK_PAIRS.map(
  ([name, { dark }]) => `--dom0-${name}:${dark}`,
).join(";")}}}</style>`;

const TIMES = { from: LEFT.from, to: RIGHT.to, top: HEIGHT + 48, bottom: HEIGHT + 270 } as const;

/** Lines of both guests over time. Where it was stopped is a line; the rounds before it are told by ticks above. */
function linesOf({ run, printed }: LinuxMove): string {
  const times = printed.map(({ ms }) => ms);
  const span = [Math.min(...times), Math.max(...times)] as const;
  const most = Math.max(...printed.map(({ line: number }) => number));
  const x = linearScale(span, [TIMES.from + 10, TIMES.to - 10]);
  const y = linearScale([0, most], [TIMES.bottom, TIMES.top]);
  const kinds = [
    [
      "guest 1, where it was",
      0,
      modePaint("VS"),
      printed.filter((each) => each.guest === "moves" && !each.isMoved),
    ],
    ["guest 1, where it is", 3, partPaint("trap"), printed.filter(({ isMoved }) => isMoved)],
    ["guest 2, which stays", 1, partPaint("page-table"), printed.filter(({ guest }) => guest === "stays")],
  ] as const;
  const stoppedMs = run.totalMs - run.downtimeMs;
  const vertical = (ms: number, paint: string): string =>
    line(x(ms), TIMES.top - 8, x(ms), TIMES.bottom, paint);
  const first = run.sent[0];
  return [
    label(18, HEIGHT + 14, "Two stock kernels, each with a disk: lines printed while guest 1 moves", {
      size: 12,
      bold: true,
    }),
    ...countTicks([0, most], 5).map((tick) => grid(TIMES.from, TIMES.to, y(tick), String(tick))),
    vertical(0, paperPaint("quiet")),
    vertical(stoppedMs, partPaint("trap")),
    label(
      x(0) + 4,
      TIMES.top - 10,
      `first round: ${first?.ram} pages of RAM, ${first?.disk} of the disk`,
      quiet,
    ),
    label(x(stoppedMs) + 4, TIMES.top - 10, `stopped for ${run.downtimeMs.toFixed(2)} ms`, quiet),
    ...kinds.flatMap(([, kind, paint, lines]) =>
      lines.map((each) => mark([x(each.ms), y(each.line)], kind, paint)),
    ),
    ...kinds.flatMap(([name, kind, paint], row) => {
      const [at, top] = [TIMES.to - 150, TIMES.bottom - 50 + 18 * row];
      return [mark([at, top - 4], kind, paint), label(at + 12, top, name, { size: 11 })];
    }),
    ...countTicks(span, 8).map((tick) =>
      label(x(tick), TIMES.bottom + 18, String(tick), { ...quiet, anchor: "middle" }),
    ),
    label((TIMES.from + TIMES.to) / 2, TIMES.bottom + 36, "ms since the order to move", {
      ...quiet,
      anchor: "middle",
      italic: true,
    }),
  ].join("");
}

/** The picture as an SVG file. */
export function migrationFigure(
  shown: readonly MigrationRun[],
  sweep: readonly MigrationRun[],
  linux?: LinuxMove,
): string {
  const title = "A guest moves while it runs";
  const drawn = linux === undefined ? shown : [...shown, linux.run];
  const description = [
    ...drawn.map(({ name, roundPages }) => `${name}: rounds of ${roundPages.join(", ")} pages.`),
    ...(linux === undefined ? sweep : [...sweep, linux.run]).map(
      ({ name, downtimeMs }) => `${name}: stood still for ${downtimeMs.toFixed(2)} ms.`,
    ),
    ...(linux === undefined ? [] : [`Of two stock kernels ${linux.verdict}.`]),
  ].join(" ");
  const svg = picture(
    { title, description },
    WIDTH,
    linux === undefined ? HEIGHT : HEIGHT + LINUX_HEIGHT,
    label(18, 30, title, { size: 16, bold: true }),
    roundsOf(drawn),
    downtimeOf(sweep),
    linux === undefined ? "" : linesOf(linux),
  );
  return `${svg.replace(`<title>${escapeMarkup(title)}`, `${THEME}<title>${escapeMarkup(title)}`)}\n`;
}
