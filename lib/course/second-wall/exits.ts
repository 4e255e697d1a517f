/** Exits: each time a guest came to the hypervisor, why, and what it cost in instructions until a guest ran again. */
import type { Board } from "../../board/board.ts";
import type { Stop } from "../../board/stop.ts";
import { causeWords } from "../../isa/trap.ts";
import { chartBundle, type FigureBundle, type PlotlySpec } from "../figure.ts";
import { bottomAxis } from "../marks/axis.ts";
import { groupDigits, linearScale } from "../marks/scale.ts";
import { box, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { modePaint, PART_INK, paperPaint, partPaint } from "../palette.ts";

/** One exit. */
export interface Exit {
  /** What brought the guest here, in words. */
  readonly why: string;
  /** Instructions of the hypervisor until a guest ran again. */
  readonly cost: number;
}

/** A run, and its exits. */
export interface WatchedRun {
  readonly stop: Stop;
  readonly exits: readonly Exit[];
  /** Traps that a guest's programs took to the guest's own kernel, without the hypervisor. */
  readonly inside: number;
}

/** Instructions between two looks at the ring of events: it holds 1,024. */
const STRETCH = 1_000;
const isGuest = (mode: string): boolean => mode === "VS" || mode === "VU";
const GUEST_PAGE_FAULTS: ReadonlySet<number> = new Set([20, 21, 23]);
/** Where guests have RAM; devices lie below. */
const GUEST_RAM = 0x8000_0000n;

/** Runs, and notes every exit. */
export function watchExits(board: Board, instructions: number): WatchedRun {
  const exits: Exit[] = [];
  const reasons: string[] = [];
  let inside = 0;
  const ignore = board.onTrap(({ from, to, trap }) => {
    if (!isGuest(from)) return;
    if (isGuest(to)) {
      inside += 1;
      return;
    }
    const isFault = !trap.isInterrupt && GUEST_PAGE_FAULTS.has(trap.cause);
    const isDevice = isFault && trap.tval2 << 2n < GUEST_RAM;
    reasons.push(
      isDevice
        ? `a device\u2019s register, ${trap.cause === 23 ? "store" : "load"}`
        : isFault
          ? "memory not given yet"
          : causeWords(trap),
    );
  });
  const end = board.clock.retired + instructions;
  let open: { readonly why: string; readonly at: number } | undefined;
  let stop: Stop;
  do {
    const before = board.trace.count;
    stop = board.run({ instructions: Math.min(STRETCH, end - board.clock.retired) });
    const fresh = board.trace.count - before;
    for (const event of fresh === 0 ? [] : board.trace.events.slice(-fresh)) {
      if (event.kind !== "exception" && event.kind !== "interrupt" && event.kind !== "trap-return") continue;
      if (event.kind === "trap-return") {
        if (open !== undefined && isGuest(event.to)) {
          exits.push({ why: open.why, cost: event.retired + 1 - open.at });
          open = undefined;
        }
      } else if (isGuest(event.from) && !isGuest(event.to))
        open = { why: reasons.shift() ?? "", at: event.retired };
    }
  } while (stop.reason === "budget" && board.clock.retired < end);
  ignore();
  return { stop, exits, inside };
}

/** Exits of one cause. */
interface Cause {
  readonly why: string;
  readonly count: number;
  readonly costs: readonly number[];
}

function causesOf(exits: readonly Exit[]): Cause[] {
  const byWhy = Map.groupBy(exits, ({ why }) => why);
  return [...byWhy]
    .map(([why, list]) => ({
      why,
      count: list.length,
      costs: list.map(({ cost }) => cost).sort((a, b) => a - b),
    }))
    .sort((a, b) => b.count - a.count || (a.why < b.why ? -1 : 1));
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

const LEFT = 226;
const COUNT = 262;
const ROW = 30;
const TOP = 84;

function rowMarks(cause: Cause, index: number, scale: (value: number) => number, most: number): string {
  const y = TOP + index * ROW;
  const { costs } = cause;
  const [low, middle, high] = [at(costs, 0), at(costs, 0.5), at(costs, 1)].map((cost) => scale(cost));
  return [
    label(24, y + 15, cause.why, { size: 12 }),
    box(LEFT, y + 3, 0.5 + (34 * cause.count) / most, 16, {
      fill: modePaint("HS"),
      "fill-opacity": 0.25,
      stroke: modePaint("HS"),
    }),
    label(COUNT + 46, y + 15, groupDigits(cause.count), { size: 12, mono: true, anchor: "end" }),
    line(low ?? 0, y + 11, high ?? 0, y + 11, partPaint("trap"), {
      "stroke-width": 4,
      "stroke-opacity": 0.35,
    }),
    line(middle ?? 0, y + 3, middle ?? 0, y + 19, partPaint("trap"), { "stroke-width": 3 }),
    label(Math.min((high ?? 0) + 8, FIGURE_WIDTH - 40), y + 15, groupDigits(at(costs, 0.5)), {
      size: 11,
      paint: paperPaint("quiet"),
    }),
  ].join("");
}

function exitsSvg(causes: readonly Cause[], title: string, words: string): string {
  const [fromX, toX] = [COUNT + 66, FIGURE_WIDTH - 70];
  const end = Math.max(100, ...causes.map(({ costs }) => at(costs, 1)));
  const scale = linearScale([0, end], [fromX, toX]);
  const bottom = TOP + causes.length * ROW + 6;
  const most = Math.max(1, ...causes.map(({ count }) => count));
  const quiet = { size: 11, paint: paperPaint("quiet") } as const;
  return picture(
    { title, description: words },
    FIGURE_WIDTH,
    bottom + 74,
    label(24, 30, title, { size: 15, bold: true }),
    label(24, 66, "why the guest came", quiet),
    label(LEFT, 66, "how often", quiet),
    label(fromX, 66, "what it cost: least, median, most", quiet),
    ...causes.map((cause, index) => rowMarks(cause, index, scale, most)),
    bottomAxis({
      scale,
      domain: [0, end],
      fromX,
      toX,
      y: bottom,
      unit: "instructions of the hypervisor for one exit",
    }),
    label(24, bottom + 60, words, { size: 12, bold: true }),
  );
}

/** Shows exits by cause: how often, and what one cost. */
export function exitsPicture(
  { exits, inside }: WatchedRun,
  title = "Why guests came, and what it cost",
): FigureBundle {
  const causes = causesOf(exits);
  const words = `${groupDigits(exits.length)} exits; ${groupDigits(inside)} traps stayed inside a guest.`;
  const lines = causes.map(
    ({ why, count, costs }) =>
      `  ${why.padEnd(34)} ${groupDigits(count).padStart(6)}   ${groupDigits(at(costs, 0))} / ${groupDigits(at(costs, 0.5))} / ${groupDigits(at(costs, 1))}`,
  );
  const heading = "  why, how often, and the cost in instructions: least / median / most";
  return chartBundle(
    { data: boxTraces(causes), layout: layoutOf(title) },
    exitsSvg(causes, title, words),
    [title, heading, ...lines, `  ${words}`].join("\n"),
  );
}

/** Every cost is a dot; equal ones lie on each other, so that a box says more. */
const boxTraces = (causes: readonly Cause[]): PlotlySpec["data"] =>
  causes.toReversed().map(({ why, count, costs }) => ({
    type: "box",
    orientation: "h",
    name: `${why} (${groupDigits(count)})`,
    x: thinned(costs),
    boxpoints: false,
    line: { color: PART_INK.trap.light },
    fillcolor: "rgba(176,4,63,0.15)",
  }));

/** At most 200 of the costs, evenly, with both ends. */
function thinned(costs: readonly number[]): number[] {
  const most = 200;
  if (costs.length <= most) return [...costs];
  return Array.from(
    { length: most },
    (_, index) => costs[Math.round((index * (costs.length - 1)) / (most - 1))] ?? 0,
  );
}

const layoutOf = (title: string): PlotlySpec["layout"] => ({
  title: { text: title },
  showlegend: false,
  xaxis: { rangemode: "tozero", title: { text: "instructions of the hypervisor for one exit" } },
  yaxis: { automargin: true },
});
