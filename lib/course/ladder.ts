/**
 * The privilege ladder: which mode the hart was in, over retired instructions, with an arrow at each change.
 *
 * Rungs are ordered by privilege, M on top. A climb is a trap; a descent is MRET or SRET.
 */

import type { TraceEvent } from "../board/trace-event.ts";
import { causeWords, type Trap } from "../isa/trap.ts";
import { chartBundle, type FigureBundle, type PlotlySpec } from "./figure.ts";
import { bottomAxis } from "./marks/axis.ts";
import { groupDigits, linearScale, type Scale } from "./marks/scale.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "./marks/svg.ts";
import {
  type LadderMode,
  MODE_INK,
  modePaint,
  PAPER_INK,
  PART_INK,
  paperPaint,
  partPaint,
} from "./palette.ts";
import { type LoggedRun, stepsOf } from "./run-steps.ts";

/** The part of a step record that the ladder reads; `retired` counts instructions retired before the step. */
export interface LadderStep {
  readonly retired: number | bigint;
  readonly modeBefore: LadderMode;
  readonly modeAfter: LadderMode;
  readonly text?: string;
  readonly trap?: Pick<Trap, "isInterrupt" | "cause"> | undefined;
}

/** An uninterrupted stay on one rung, in retired instructions since the first step. */
export interface LadderSpan {
  readonly mode: LadderMode;
  readonly from: number;
  readonly to: number;
}

/** One change of mode. */
export interface Crossing {
  readonly at: number;
  readonly from: LadderMode;
  readonly to: LadderMode;
  readonly why: string;
  readonly isTrap: boolean;
}

/** What the figure shows, as data. */
export interface Ladder {
  readonly spans: readonly LadderSpan[];
  readonly crossings: readonly Crossing[];
  /** Instructions retired from the first step to the last. */
  readonly length: number;
}

const NAMES: Readonly<Record<LadderMode, string>> = {
  M: "machine",
  HS: "hypervisor",
  S: "supervisor",
  VS: "virtual supervisor",
  U: "user",
  VU: "virtual user",
};
const RUNGS = ["M", "HS", "S", "VS", "U", "VU"] as const satisfies readonly LadderMode[];

/** Reads stays and crossings off consecutive steps, or off a logged run. */
export function climb(run: readonly LadderStep[] | LoggedRun<LadderStep>): Ladder {
  const steps = stepsOf(run);
  const spans: LadderSpan[] = [];
  const crossings: Crossing[] = [];
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return { spans, crossings, length: 0 };
  const origin = Number(first.retired);
  let from = 0;
  for (const step of steps) {
    if (step.modeBefore === step.modeAfter && step.trap === undefined) continue;
    const isTrap = step.trap !== undefined;
    const at = Number(step.retired) - origin + (isTrap ? 0 : 1);
    if (at > from) spans.push({ mode: step.modeBefore, from, to: at });
    from = at;
    crossings.push({
      at,
      from: step.modeBefore,
      to: step.modeAfter,
      why: step.trap === undefined ? (step.text ?? "") : causeWords(step.trap),
      isTrap,
    });
  }
  const length = Number(last.retired) - origin + (last.trap === undefined ? 1 : 0);
  if (length > from) spans.push({ mode: last.modeAfter, from, to: length });
  return { spans, crossings, length };
}

/**
 * Reads stays and crossings off trace events, for runs too long to log step by step.
 *
 * @param end  Instructions retired when the run ended.
 */
export function climbEvents(events: readonly TraceEvent[], end: number): Ladder {
  const spans: LadderSpan[] = [];
  const crossings: Crossing[] = [];
  let from = 0;
  let mode: LadderMode = "M";
  for (const event of events) {
    if (event.kind !== "exception" && event.kind !== "interrupt" && event.kind !== "trap-return") continue;
    const isTrap = event.kind !== "trap-return";
    const at = event.retired + (isTrap ? 0 : 1);
    if (at > from) spans.push({ mode: event.from, from, to: at });
    from = at;
    mode = event.to;
    const why = isTrap
      ? causeWords({ isInterrupt: event.kind === "interrupt", cause: event.cause })
      : event.from === "M"
        ? "mret"
        : "sret";
    crossings.push({ at, from: event.from, to: event.to, why, isTrap });
  }
  if (end > from) spans.push({ mode, from, to: end });
  return { spans, crossings, length: end };
}

/** Instructions that a run retired in one mode. */
export const retiredIn = (run: readonly LadderStep[] | LoggedRun<LadderStep>, mode: LadderMode): number =>
  climb(run)
    .spans.filter((span) => span.mode === mode)
    .reduce((sum, span) => sum + span.to - span.from, 0);

const LEFT = 124;
const RIGHT = 24;
const TOP = 82;
const LANE = 58;
const BAR = 16;
const MOST_BADGES = 20;

interface Frame {
  readonly rungs: readonly LadderMode[];
  readonly x: Scale;
  readonly laneY: (mode: LadderMode) => number;
  readonly bottom: number;
}

function frameOf(ladder: Ladder): Frame {
  const visited = new Set(ladder.spans.map((span) => span.mode));
  const rungs = RUNGS.filter((mode) => mode === "M" || mode === "S" || mode === "U" || visited.has(mode));
  return {
    rungs,
    x: linearScale([0, Math.max(1, ladder.length)], [LEFT, FIGURE_WIDTH - RIGHT]),
    laneY: (mode) => TOP + rungs.indexOf(mode) * LANE + LANE / 2,
    bottom: TOP + rungs.length * LANE,
  };
}

const rungMarks = ({ rungs, laneY }: Frame): string =>
  rungs
    .map((mode) =>
      [
        line(LEFT, laneY(mode), FIGURE_WIDTH - RIGHT, laneY(mode), paperPaint("rule"), {
          "stroke-dasharray": "1 5",
        }),
        label(24, laneY(mode) + 6, mode, { size: 18, bold: true, paint: modePaint(mode) }),
        label(mode.length === 1 ? 48 : 60, laneY(mode) + 5, NAMES[mode], {
          size: 12,
          paint: paperPaint("quiet"),
        }),
      ].join(""),
    )
    .join("");

const spanMarks = (ladder: Ladder, { x, laneY }: Frame): string =>
  ladder.spans
    .map((span) => {
      const width = Math.max(2, x(span.to) - x(span.from));
      const y = laneY(span.mode);
      const count = span.to - span.from;
      const bar = box(x(span.from), y - BAR / 2, width, BAR, { fill: modePaint(span.mode), rx: 2 });
      const text = groupDigits(count);
      return width < text.length * 7 + 10
        ? bar
        : bar +
            label(x(span.from) + width / 2, y + 4, text, {
              size: 11,
              anchor: "middle",
              bold: true,
              paint: paperPaint("paper"),
            });
    })
    .join("");

function arrow(crossing: Crossing, { x, laneY }: Frame): string {
  const at = x(crossing.at);
  const paint = crossing.isTrap ? partPaint("trap") : paperPaint("quiet");
  const up = laneY(crossing.to) <= laneY(crossing.from);
  const start = laneY(crossing.from) + (up ? -BAR / 2 : BAR / 2);
  const tip = laneY(crossing.to) + (up ? BAR / 2 : -BAR / 2);
  if (crossing.from === crossing.to)
    return element("circle", { cx: at, cy: laneY(crossing.to), r: 4, fill: paint });
  const back = tip + (up ? 8 : -8);
  return (
    line(at, start, at, back, paint, {
      "stroke-width": 2,
      "stroke-dasharray": crossing.isTrap ? undefined : "4 3",
    }) + element("path", { d: `M${round(at)} ${round(tip)}l-5 ${up ? 9 : -9}h10z`, fill: paint })
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Spreads badges along a row so that none overlap, each as near its crossing as its neighbors allow. */
export function spreadBadges(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const placed: number[] = [];
  for (const x of wanted) placed.push(Math.max(x, (placed.at(-1) ?? low - gap) + gap));
  for (let i = placed.length - 1, limit = high; i >= 0; i -= 1, limit -= gap)
    placed[i] = Math.min(placed[i] ?? limit, limit);
  return placed;
}

function badgeMarks(ladder: Ladder, frame: Frame): string {
  const places = spreadBadges(
    ladder.crossings.map((crossing) => frame.x(crossing.at)),
    22,
    LEFT,
    FIGURE_WIDTH - RIGHT,
  );
  return ladder.crossings
    .map((crossing, index) => {
      const x = places[index] ?? LEFT;
      const paint = crossing.isTrap ? partPaint("trap") : paperPaint("quiet");
      const top = Math.min(frame.laneY(crossing.from), frame.laneY(crossing.to)) - BAR / 2;
      return [
        element("path", {
          d: `M${round(x)} 70L${round(frame.x(crossing.at))} ${round(top - 2)}`,
          stroke: paperPaint("rule"),
          fill: "none",
        }),
        element("circle", {
          cx: x,
          cy: 60,
          r: 9.5,
          fill: paperPaint("paper"),
          stroke: paint,
          "stroke-width": 1.5,
        }),
        label(x, 64, String(index + 1), { size: 11, anchor: "middle", bold: true, paint }),
      ].join("");
    })
    .join("");
}

const crossingText = (crossing: Crossing): string => `${crossing.from} \u2192 ${crossing.to}`;

function keyMarks(ladder: Ladder, top: number): string {
  const half = Math.ceil(ladder.crossings.length / 2);
  return ladder.crossings
    .map((crossing, index) => {
      const x = 24 + (index < half ? 0 : 322);
      const y = top + (index % half) * 20;
      const paint = crossing.isTrap ? partPaint("trap") : paperPaint("quiet");
      return (
        label(x + 14, y, String(index + 1), { size: 11, anchor: "end", bold: true, paint }) +
        label(x + 24, y, crossingText(crossing), { size: 12, bold: true }) +
        label(x + 74, y, `${crossing.why}, at ${groupDigits(crossing.at)}`, {
          size: 12,
          paint: paperPaint("quiet"),
        })
      );
    })
    .join("");
}

function describe(ladder: Ladder): string {
  const traps = ladder.crossings.filter((crossing) => crossing.isTrap).length;
  const stays = ladder.spans.map((span) => `${span.mode} for ${span.to - span.from}`).slice(0, 12);
  return `Privilege mode over ${ladder.length} retired instructions: ${stays.join(", ")}${ladder.spans.length > 12 ? ", and so on" : ""}. ${traps} traps climb the ladder, ${ladder.crossings.length - traps} returns go down.`;
}

function ladderSvg(ladder: Ladder, title: string): string {
  const frame = frameOf(ladder);
  const keyed = ladder.crossings.length <= MOST_BADGES;
  const keyTop = frame.bottom + 68;
  const height =
    keyed && ladder.crossings.length > 0
      ? keyTop + Math.ceil(ladder.crossings.length / 2) * 20
      : frame.bottom + 52;
  return picture(
    { title, description: describe(ladder) },
    FIGURE_WIDTH,
    height,
    label(24, 30, title, { size: 15, bold: true }),
    rungMarks(frame),
    keyed ? badgeMarks(ladder, frame) : "",
    spanMarks(ladder, frame),
    ladder.crossings.map((crossing) => arrow(crossing, frame)).join(""),
    bottomAxis({
      scale: frame.x,
      domain: [0, Math.max(1, ladder.length)],
      fromX: LEFT,
      toX: FIGURE_WIDTH - RIGHT,
      y: frame.bottom + 4,
      unit: "retired instructions",
    }),
    keyed ? keyMarks(ladder, keyTop) : "",
  );
}

/** Lines of the stays, one trace for each rung; rungs are numbered from below, so that up is up. */
const stayTraces = (ladder: Ladder, rungs: readonly LadderMode[]): PlotlySpec["data"] =>
  rungs.map((mode, rung) => {
    const spans = ladder.spans.filter((span) => span.mode === mode);
    return {
      type: "scatter",
      mode: "lines",
      name: `${mode} (${NAMES[mode]})`,
      line: { color: MODE_INK[mode].light, width: 16 },
      x: spans.flatMap((span) => [span.from, span.to, null]),
      y: spans.flatMap(() => [rung, rung, null]),
      text: spans.flatMap((span) => [span, span, span].map((stay) => `${stay.to - stay.from} retired`)),
      hovertemplate: `${mode}: %{text}<extra></extra>`,
    };
  });

/** Arrow of one crossing. */
function arrowAnnotation(
  crossing: Crossing,
  rungs: readonly LadderMode[],
): Readonly<Record<string, unknown>> {
  const color = crossing.isTrap ? PART_INK.trap.light : PAPER_INK.quiet.light;
  return {
    x: crossing.at,
    y: rungs.indexOf(crossing.to),
    ax: crossing.at,
    ay: rungs.indexOf(crossing.from),
    axref: "x",
    ayref: "y",
    text: "",
    showarrow: true,
    arrowhead: 2,
    arrowwidth: 1.5,
    arrowcolor: color,
    standoff: 9,
    startstandoff: 9,
  };
}

/** Numbers of the crossings above the top rung; those too close to part share a place. */
function numberTrace(
  ladder: Ladder,
  crossings: readonly Crossing[],
  top: number,
): PlotlySpec["data"][number] {
  const places: { x: number; text: string }[] = [];
  for (const [index, { at }] of crossings.entries()) {
    const last = places.at(-1);
    if (last !== undefined && at - last.x < ladder.length / 40) last.text += ` ${index + 1}`;
    else places.push({ x: at, text: `${index + 1}` });
  }
  return {
    type: "scatter",
    mode: "text",
    x: places.map((place) => place.x),
    y: places.map(() => top),
    text: places.map((place) => place.text),
    hoverinfo: "skip",
  };
}

function ladderPlotly(ladder: Ladder, title: string): PlotlySpec {
  const rungs = [...frameOf(ladder).rungs].reverse();
  const changes = {
    type: "scatter",
    mode: "markers",
    name: "change of mode",
    marker: {
      color: PAPER_INK.ink.light,
      size: 7,
      symbol: ladder.crossings.map((c) => (c.isTrap ? "triangle-up" : "triangle-down")),
    },
    x: ladder.crossings.map((crossing) => crossing.at),
    y: ladder.crossings.map((crossing) => rungs.indexOf(crossing.to)),
    text: ladder.crossings.map(
      (crossing, index) => `${index + 1}: ${crossingText(crossing)}, ${crossing.why}`,
    ),
    hovertemplate: "%{text}, at %{x}<extra></extra>",
  };
  const arrows = ladder.crossings.length <= MOST_BADGES ? ladder.crossings : [];
  return {
    data: [...stayTraces(ladder, rungs), changes, numberTrace(ladder, arrows, rungs.length - 0.55)],
    layout: {
      title: { text: title, x: 0, xref: "paper" },
      xaxis: {
        title: { text: "retired instructions" },
        range: [0, Math.max(1, ladder.length)],
        zeroline: false,
      },
      yaxis: {
        title: { text: "privilege mode" },
        tickvals: rungs.map((_, rung) => rung),
        ticktext: rungs.map((mode) => `<b>${mode}</b> ${NAMES[mode]}`),
        range: [-0.5, rungs.length - 0.3],
        zeroline: false,
      },
      annotations: arrows.map((crossing) => arrowAnnotation(crossing, rungs)),
      showlegend: false,
      paper_bgcolor: PAPER_INK.paper.light,
      plot_bgcolor: PAPER_INK.paper.light,
      font: { color: PAPER_INK.ink.light },
      margin: { l: 110, r: 24, t: 56, b: 56 },
      height: 320,
    },
  };
}

function ladderText(ladder: Ladder, title: string): string {
  const columns = 60;
  const rungs = frameOf(ladder).rungs;
  const column = linearScale([0, Math.max(1, ladder.length)], [0, columns]);
  const bar = (mode: LadderMode): string => {
    const cells = new Array<string>(columns).fill("\u00b7");
    for (const span of ladder.spans.filter((candidate) => candidate.mode === mode))
      cells.fill(
        "#",
        Math.floor(column(span.from)),
        Math.max(Math.floor(column(span.from)) + 1, Math.round(column(span.to))),
      );
    return `${mode.padEnd(3)}${cells.join("")}`;
  };
  const shown = ladder.crossings.slice(0, MOST_BADGES);
  const key = shown.map(
    (crossing, index) =>
      `${String(index + 1).padStart(2)}  ${crossingText(crossing).padEnd(8)} at ${String(crossing.at).padStart(6)}  ${crossing.why}`,
  );
  const more = ladder.crossings.length - shown.length;
  return [
    `${title} (${ladder.length} retired instructions)`,
    ...rungs.map(bar),
    ...key,
    ...(more > 0 ? [`    and ${more} more`] : []),
  ].join("\n");
}

/** Draws a ladder that was read off already. */
export const drawLadder = (shape: Ladder, title = "The privilege ladder"): FigureBundle =>
  chartBundle(ladderPlotly(shape, title), ladderSvg(shape, title), ladderText(shape, title));

/**
 * Draws the privilege ladder of a run.
 *
 * @param run  Consecutive step records of one hart, or what `board.run({ log: true })` returned.
 */
export const ladder = (run: readonly LadderStep[] | LoggedRun<LadderStep>, title?: string): FigureBundle =>
  drawLadder(climb(run), title);
