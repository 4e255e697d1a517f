/** The privilege ladder as a static picture: rungs, stays, numbered arrows, and a key that says why each happened. */
import { type Crossing, crossingText, type Ladder, MOST_NUMBERED, RUNG_WORDS, rungsOf } from "./climb.ts";
import { bottomAxis } from "./marks/axis.ts";
import { groupDigits, linearScale, type Scale } from "./marks/scale.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "./marks/svg.ts";
import { type LadderMode, modePaint, paperPaint, partPaint } from "./palette.ts";

const LEFT = 124;
const RIGHT = 24;
const TOP = 82;
const LANE = 58;
const BAR = 16;

interface Frame {
  readonly rungs: readonly LadderMode[];
  readonly x: Scale;
  readonly laneY: (mode: LadderMode) => number;
  readonly bottom: number;
}

function frameOf(ladder: Ladder): Frame {
  const rungs = rungsOf(ladder);
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
        label(mode.length === 1 ? 48 : 60, laneY(mode) + 5, RUNG_WORDS[mode], {
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
          size: 11.5,
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

/** The ladder as a picture. */
export function ladderSvg(ladder: Ladder, title: string): string {
  const frame = frameOf(ladder);
  const keyed = ladder.crossings.length <= MOST_NUMBERED;
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
