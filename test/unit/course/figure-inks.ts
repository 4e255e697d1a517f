/** Contrast of a figure's labels with what lies under them, in both themes. The luminance formula is WCAG 2.2's. */
import { INK_PAIRS } from "../../../lib/course/palette.ts";
import { parseXml, type XmlElement } from "./markup.ts";

type Theme = "light" | "dark";
type Channels = readonly [number, number, number];

const channelsOf = (color: string): Channels => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return [red, green, blue];
};

function luminance(color: Channels): number {
  const [red = 0, green = 0, blue = 0] = color
    .map((value) => value / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Ratio of two colors, 1 to 21. */
function ratio(left: Channels, right: Channels): number {
  const [high = 0, low = 0] = [luminance(left), luminance(right)].toSorted((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** Ratio of two colors as `#rrggbb`. */
export const contrast = (left: string, right: string): number => ratio(channelsOf(left), channelsOf(right));

const VARIABLE = /^var\(--dom0-([a-z-]+), (#[0-9a-f]{6})\)$/;

/** What a paint of a figure is in a theme. Throws for a paint that no theme can change. */
function colorIn(paint: string, theme: Theme): Channels {
  const [, name] = VARIABLE.exec(paint) ?? [];
  const pair = INK_PAIRS.find(([known]) => known === name)?.[1];
  if (pair === undefined) throw new Error(`"${paint}" is no ink of the palette`);
  return channelsOf(pair[theme]);
}

const numberOf = (element: XmlElement, name: string): number => Number(element.attributes[name] ?? 0);

/** A label with the least contrast that it has in a theme. */
export interface LabelContrast {
  readonly text: string;
  readonly theme: Theme;
  readonly ratio: number;
}

/**
 * Every upright label of a figure with its contrast: with the paper and with each filled box drawn before it that lies under its
 * anchor, as they show through one another.
 */
export function labelContrasts(svg: string): LabelContrast[] {
  const marks = parseXml(svg).children;
  return (["light", "dark"] as const).flatMap((theme) =>
    marks.flatMap((mark, at): LabelContrast[] => {
      if (mark.name !== "text") return [];
      const [x, y] = [numberOf(mark, "x"), numberOf(mark, "y")];
      const nudge = mark.attributes["text-anchor"] === "end" ? -2 : 2;
      const under = marks.slice(0, at).filter((box) => {
        const [left, top] = [numberOf(box, "x"), numberOf(box, "y")];
        const [width, height] = [numberOf(box, "width"), numberOf(box, "height")];
        const isInside =
          left <= x + nudge && x + nudge <= left + width && top <= y - 2 && y - 2 <= top + height;
        return box.name === "rect" && box.attributes["fill"] !== "none" && isInside;
      });
      const ground = under.reduce<Channels>((below, box) => {
        const share = Number(box.attributes["fill-opacity"] ?? 1);
        const [red, green, blue] = colorIn(box.attributes["fill"] ?? "", theme);
        const mix = (over: number, old: number): number => over * share + old * (1 - share);
        return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2])];
      }, channelsOf("#ffffff"));
      const ink = colorIn(mark.attributes["fill"] ?? "", theme);
      return [{ text: mark.text, theme, ratio: ratio(ink, ground) }];
    }),
  );
}
