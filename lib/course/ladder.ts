/**
 * The privilege ladder: which mode the hart was in, over retired instructions, with an arrow at each change.
 *
 * Rungs are ordered by privilege, M on top. A climb is a trap; a descent is MRET or SRET.
 */
import { climb, crossingText, type Ladder, type LadderStep, MOST_NUMBERED, rungsOf } from "./climb.ts";
import { chartBundle, type FigureBundle } from "./figure.ts";
import { ladderPlotly } from "./ladder-chart.ts";
import { ladderSvg } from "./ladder-picture.ts";
import { linearScale } from "./marks/scale.ts";
import type { LadderMode } from "./palette.ts";
import type { LoggedRun } from "./run-steps.ts";

function ladderText(ladder: Ladder, title: string): string {
  const columns = 60;
  const rungs = rungsOf(ladder);
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
  const shown = ladder.crossings.slice(0, MOST_NUMBERED);
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
