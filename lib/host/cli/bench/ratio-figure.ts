/**
 * The ratios as a picture: bars to the right of parity are faster than QEMU, to the left slower, on a logarithmic axis.
 * What it says is in shapes and words, not in colors: filled bars met their target, hatched ones missed it.
 */
import { type BenchReport, type RatioRow, ratioRows, shown } from "./report.ts";
import { verdictOf } from "./targets.ts";

const LEFT = 150;
const PLOT_WIDTH = 470;
const RIGHT = 190;
const TOP = 76;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 14;
const WIDTH = LEFT + PLOT_WIDTH + RIGHT;
const INK = "#1a1a1a";
const FAINT = "#c8c8c8";
/** Ticks that are shown when they lie in the axis' range. */
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Where a ratio lies on the axis, in pixels. */
export type Axis = (ratio: number) => number;

/** An axis from one tick to another, with room for all ratios and targets. */
export function ratioAxis(rows: readonly RatioRow[]): {
  readonly at: Axis;
  readonly ticks: readonly number[];
} {
  const values = [0.5, 2, ...rows.flatMap(({ ratio, target }) => [ratio, target.atLeast])].filter(
    (value) => value > 0 && Number.isFinite(value),
  );
  const low = TICKS.findLast((tick) => tick <= Math.min(...values)) ?? (TICKS[0] as number);
  const high = TICKS.find((tick) => tick >= Math.max(...values)) ?? (TICKS.at(-1) as number);
  const span = Math.log(high / low);
  const at: Axis = (ratio) => {
    const inside = Math.min(high, Math.max(low, ratio));
    return Math.round(10 * (LEFT + (PLOT_WIDTH * Math.log(inside / low)) / span)) / 10;
  };
  return { at, ticks: TICKS.filter((tick) => tick >= low && tick <= high) };
}

function gridOf(at: Axis, ticks: readonly number[], bottom: number): string[] {
  return ticks.flatMap((tick) => {
    const x = at(tick);
    const line =
      tick === 1 ? `stroke="${INK}" stroke-width="1.5"` : `stroke="${FAINT}" stroke-dasharray="2 3"`;
    return [
      `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${bottom}" ${line}/>`,
      `<text x="${x}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`,
    ];
  });
}

function rowOf({ name, ratio, target }: RatioRow, index: number, at: Axis): string[] {
  const y = TOP + index * ROW_HEIGHT;
  const baseline = y + BAR_HEIGHT - 2;
  const [parity, end, mark] = [at(1), at(ratio), at(target.atLeast)];
  const verdict = verdictOf(ratio, target);
  const fill = verdict === "missed" ? "url(#hatched)" : INK;
  const bar = Number.isNaN(ratio)
    ? []
    : [
        `<rect x="${Math.min(parity, end)}" y="${y}" width="${Math.abs(end - parity).toFixed(1)}" height="${BAR_HEIGHT}" fill="${fill}" stroke="${INK}"/>`,
      ];
  return [
    `<text x="${LEFT - 10}" y="${baseline}" text-anchor="end">${escaped(name)}</text>`,
    ...bar,
    `<path d="M${mark} ${y - 4}V${y + BAR_HEIGHT + 4}" stroke="#fff" stroke-width="5"/>`,
    `<path d="M${mark} ${y - 4}V${y + BAR_HEIGHT + 4}M${mark - 4} ${y - 4}h8" stroke="${INK}" stroke-width="2" fill="none"/>`,
    `<text x="${LEFT + PLOT_WIDTH + 12}" y="${baseline}"><tspan font-weight="bold">${shown(ratio)}</tspan>, target ${target.atLeast}: ${verdict}</text>`,
  ];
}

/** The picture as SVG. */
export function ratioFigure(report: BenchReport): string {
  const rows = ratioRows(report);
  const { at, ticks } = ratioAxis(rows);
  const bottom = TOP + rows.length * ROW_HEIGHT;
  const { machine } = report;
  const title = `Speed of ${report.engine} over the faster of ${report.peers.join(" and ") || "no QEMU"}`;
  const from = `${machine.processor}, ${machine.threads} threads, Node ${machine.node}; processor time of whole processes`;
  const key = "Filled: target met. Hatched: missed. Upright mark: the target. Logarithmic axis, 1 is parity.";
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${WIDTH}" height="${bottom + 46}" viewBox="0 0 ${WIDTH} ${bottom + 46}" font-family="system-ui, sans-serif" font-size="13" fill="${INK}">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(rows.map((row) => `${row.name} ${shown(row.ratio)}, target ${row.target.atLeast}`).join("; "))}</desc>`,
    '<defs><pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/><path d="M0 0V6" stroke="#1a1a1a" stroke-width="2.5"/></pattern></defs>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="14" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    `<text x="14" y="42" font-size="12">${escaped(from)}</text>`,
    `<text x="14" y="58" font-size="12">${escaped(key)}</text>`,
    ...gridOf(at, ticks, bottom),
    ...rows.flatMap((row, index) => rowOf(row, index, at)),
    `<text x="${LEFT + PLOT_WIDTH / 2}" y="${bottom + 36}" text-anchor="middle">our speed ÷ QEMU's</text>`,
    "</svg>",
  ].join("\n")}\n`;
}
