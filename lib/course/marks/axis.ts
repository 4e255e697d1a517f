/** The bottom axis of a figure: ticks, numbers and a label that names the unit. */
import { paperPaint } from "../palette.ts";
import { countTicks, groupDigits, type Scale } from "./scale.ts";
import { label, line } from "./svg.ts";

export interface BottomAxis {
  readonly scale: Scale;
  readonly domain: readonly [number, number];
  /** Ends of the axis line, CSS pixels. */
  readonly fromX: number;
  readonly toX: number;
  readonly y: number;
  /** What is counted, e.g. "retired instructions". */
  readonly unit: string;
}

/** Draws a bottom axis; it occupies 36 px below `y`. */
export function bottomAxis({ scale, domain, fromX, toX, y, unit }: BottomAxis): string {
  const rule = paperPaint("quiet");
  const ticks = countTicks(domain, Math.max(2, Math.floor((toX - fromX) / 90)));
  return [
    line(fromX, y, toX, y, rule),
    ...ticks.map((tick) => line(scale(tick), y, scale(tick), y + 5, rule)),
    ...ticks.map((tick) =>
      label(scale(tick), y + 17, groupDigits(tick), { size: 11, anchor: "middle", paint: rule }),
    ),
    label((fromX + toX) / 2, y + 33, unit, { size: 11, anchor: "middle", paint: rule, italic: true }),
  ].join("");
}
