/**
 * One color for each privilege mode and each machine part, the same in every figure, in the prose and in plots.
 *
 * Each color has a value for light and for dark paper, both with a contrast of at least 4.5:1 (a test computes it).
 * A figure names a color through a CSS variable and carries the light value as fallback, together with its own
 * paper: so it follows the theme of a page that sets the variables and is complete where nothing does.
 * No figure depends on color alone: position, letters or strokes say the same.
 */

/** A color on light and on dark paper, as `#rrggbb`. */
export interface InkPair {
  readonly light: string;
  readonly dark: string;
}

/** Privilege modes of the machine; the last three arrive with the hypervisor extension. */
export type LadderMode = "M" | "HS" | "S" | "U" | "VS" | "VU";

/** What a figure may color that is not a mode. */
export type MachinePart = "register" | "memory" | "csr" | "page-table" | "device" | "trap";

/** Colors of the privilege modes. */
export const MODE_INK: Readonly<Record<LadderMode, InkPair>> = {
  M: { light: "#b03a0c", dark: "#ff9d6e" },
  HS: { light: "#4549b8", dark: "#a9adff" },
  S: { light: "#1c5fa6", dark: "#7fb8f8" },
  U: { light: "#0b7354", dark: "#55d3a8" },
  VS: { light: "#8a3c98", dark: "#dda3ec" },
  VU: { light: "#66660f", dark: "#cdcd66" },
};

/** Colors of the machine parts. */
export const PART_INK: Readonly<Record<MachinePart, InkPair>> = {
  register: { light: "#855600", dark: "#e7b54e" },
  memory: { light: "#4a5a6b", dark: "#a8bbcd" },
  csr: { light: "#70379a", dark: "#cfa3f2" },
  "page-table": { light: "#046873", dark: "#6dd2dc" },
  device: { light: "#86492f", dark: "#e2a486" },
  trap: { light: "#b0043f", dark: "#ff8aaa" },
};

/** Paper, ink and the two quieter inks of axes and notes. */
export const PAPER_INK = {
  paper: { light: "#fffdf7", dark: "#16181c" },
  ink: { light: "#22252a", dark: "#e8e6df" },
  quiet: { light: "#5d636b", dark: "#a3a9b1" },
  rule: { light: "#d9d5c8", dark: "#3a3e45" },
} as const satisfies Record<string, InkPair>;

/** CSS variable of a mode, e.g. `--dom0-mode-s`. */
export const modeVariable = (mode: LadderMode): string => `--dom0-mode-${mode.toLowerCase()}`;

const paint = (variable: string, pair: InkPair): string => `var(${variable}, ${pair.light})`;

/** Paint of a mode for an SVG or CSS attribute: the variable, with the light color as fallback. */
export const modePaint = (mode: LadderMode): string => paint(modeVariable(mode), MODE_INK[mode]);

/** Paint of a machine part. */
export const partPaint = (part: MachinePart): string => paint(`--dom0-${part}`, PART_INK[part]);

/** Paint of paper and inks. */
export const paperPaint = (name: keyof typeof PAPER_INK): string => paint(`--dom0-${name}`, PAPER_INK[name]);

/** Every pair with the name of its CSS variable, without the prefix. */
export const INK_PAIRS: readonly (readonly [name: string, pair: InkPair])[] = [
  ...Object.entries(PAPER_INK),
  ...Object.entries(MODE_INK).map(([mode, pair]) => [`mode-${mode.toLowerCase()}`, pair] as const),
  ...Object.entries(PART_INK),
];

/** A color between paper and ink, as `#rrggbb`, for charts that cannot use opacity. @param share  0 is paper, 1 is ink. */
export function tint(paper: string, ink: string, share: number): string {
  const channel = (color: string, at: number): number => Number.parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) =>
    Math.round(channel(paper, at) + (channel(ink, at) - channel(paper, at)) * share),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * The variables of every figure as CSS declarations (`--dom0-mode-m: #b03a0c; …`), for a page that has themes.
 *
 * @param theme  Which value of each pair to declare.
 */
export const paletteCss = (theme: "light" | "dark"): string =>
  INK_PAIRS.map(([name, pair]) => `--dom0-${name}: ${pair[theme]};`).join("\n");
