/** The privilege ladder as an interactive chart. */
import { type Crossing, crossingText, type Ladder, MOST_NUMBERED, RUNG_WORDS, rungsOf } from "./climb.ts";
import type { PlotlySpec } from "./figure.ts";
import { spreadBadges } from "./ladder-picture.ts";
import { type LadderMode, MODE_INK, PAPER_INK, PART_INK } from "./palette.ts";

/** Lines of the stays, one trace for each rung; rungs are numbered from below, so that up is up. */
const stayTraces = (ladder: Ladder, rungs: readonly LadderMode[]): PlotlySpec["data"] =>
  rungs.map((mode, rung) => {
    const spans = ladder.spans.filter((span) => span.mode === mode);
    return {
      type: "scatter",
      mode: "lines",
      name: `${mode} (${RUNG_WORDS[mode]})`,
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

/** Room that a number takes on the axis, as a share of the run. */
const NUMBER_SHARE = 1 / 24;

/** Numbers of the crossings above the top rung, apart from one another, and a thin line from each to its crossing. */
function numberTraces(
  ladder: Ladder,
  crossings: readonly Crossing[],
  rungs: readonly LadderMode[],
): PlotlySpec["data"] {
  const length = Math.max(1, ladder.length);
  const wanted = crossings.map(({ at }) => at);
  const places = spreadBadges(wanted, length * NUMBER_SHARE, 0, length);
  const top = rungs.length - 0.5;
  return [
    {
      type: "scatter",
      mode: "lines",
      line: { color: PAPER_INK.rule.light, width: 1 },
      x: crossings.flatMap(({ at }, index) => [places[index] ?? at, at, null]),
      y: crossings.flatMap(({ from, to }) => [
        top - 0.1,
        Math.max(rungs.indexOf(from), rungs.indexOf(to)) + 0.15,
        null,
      ]),
      hoverinfo: "skip",
    },
    {
      type: "scatter",
      mode: "text",
      x: places,
      y: places.map(() => top),
      text: places.map((_, index) => `${index + 1}`),
      hoverinfo: "skip",
    },
  ];
}

/** The ladder as a chart. */
export function ladderPlotly(ladder: Ladder, title: string): PlotlySpec {
  const rungs = rungsOf(ladder).reverse();
  const changes = {
    type: "scatter",
    mode: "markers",
    name: "change of mode",
    marker: { color: PAPER_INK.ink.light, size: 14, opacity: 0 },
    x: ladder.crossings.map((crossing) => crossing.at),
    y: ladder.crossings.map((crossing) => rungs.indexOf(crossing.to)),
    text: ladder.crossings.map(
      (crossing, index) => `${index + 1}: ${crossingText(crossing)}, ${crossing.why}`,
    ),
    hovertemplate: "%{text}, at %{x}<extra></extra>",
  };
  const arrows = ladder.crossings.length <= MOST_NUMBERED ? ladder.crossings : [];
  return {
    data: [...numberTraces(ladder, arrows, rungs), ...stayTraces(ladder, rungs), changes],
    layout: {
      title: { text: title, x: 0, xref: "paper" },
      xaxis: {
        title: { text: "retired instructions" },
        range: [0, Math.max(1, ladder.length) * 1.02],
        zeroline: false,
      },
      yaxis: {
        title: { text: "privilege mode", standoff: 12 },
        tickvals: rungs.map((_, rung) => rung),
        ticktext: rungs.map((mode) => `<b>${mode}</b> ${RUNG_WORDS[mode]}`),
        range: [-0.5, rungs.length - 0.3],
        zeroline: false,
      },
      annotations: arrows.map((crossing) => arrowAnnotation(crossing, rungs)),
      showlegend: false,
      paper_bgcolor: PAPER_INK.paper.light,
      plot_bgcolor: PAPER_INK.paper.light,
      font: { color: PAPER_INK.ink.light },
      margin: { l: 140, r: 24, t: 56, b: 56 },
      height: 320,
    },
  };
}
