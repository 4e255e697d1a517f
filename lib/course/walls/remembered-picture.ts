/** Two answers to one question: where the hart remembers a page to be, and where the tables say it is. */
import { groupedHex } from "../../bits/hex.ts";
import type { Board } from "../../board/board.ts";
import { explainTranslation } from "../../mmu/explain-translation.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { paperPaint, partPaint } from "../palette.ts";
import { leafFor } from "./leaf.ts";

const TOP = 64;
const ROW = 74;
const HEIGHT = 44;

interface Answer {
  readonly who: string;
  readonly entry: bigint | undefined;
  readonly isUsed: boolean;
}

const frameOf = (entry: bigint): bigint => ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;

const frameText = (entry: bigint | undefined): string =>
  entry === undefined ? "nothing" : groupedHex(frameOf(entry), 8);

function answersOf(board: Board, vaddr: bigint): Answer[] {
  const level = explainTranslation(board.hart, vaddr, "load", "S").levels.at(-1);
  const remembered = level?.isRemembered === true ? level.pte : undefined;
  return [
    { who: "what the hart remembers", entry: remembered, isUsed: remembered !== undefined },
    { who: "what the tables say", entry: leafFor(board, vaddr)?.entry, isUsed: remembered === undefined },
  ];
}

function answerMarks({ who, entry, isUsed }: Answer, index: number, differs: boolean): string {
  const y = TOP + index * ROW;
  const middle = y + HEIGHT / 2;
  const paint = isUsed && differs ? partPaint("trap") : partPaint(index === 0 ? "csr" : "page-table");
  const isNothing = entry === undefined;
  return [
    element("path", {
      d: `M178 ${TOP + ROW / 2 + HEIGHT / 2}C214 ${TOP + ROW / 2 + HEIGHT / 2} 206 ${middle} 240 ${middle}`,
      fill: "none",
      stroke: isNothing ? paperPaint("rule") : paint,
      "stroke-width": isUsed ? 3 : 1.5,
      "stroke-dasharray": isUsed ? undefined : "4 4",
    }),
    box(240, y, 190, HEIGHT, {
      fill: paperPaint("paper"),
      stroke: isNothing ? paperPaint("rule") : paint,
      "stroke-width": isUsed ? 2.5 : 1.25,
      "stroke-dasharray": isNothing ? "3 3" : undefined,
      rx: 3,
    }),
    label(250, y + 18, who, { size: 11.5, bold: isUsed }),
    label(250, y + 35, isNothing ? "nothing" : `entry ${groupedHex(entry)}`, {
      size: 11,
      mono: true,
      paint: paperPaint("quiet"),
    }),
    ...(isNothing
      ? []
      : [
          line(430, middle, 486, middle, paint, {
            "stroke-width": isUsed ? 3 : 1.5,
            "stroke-dasharray": isUsed ? undefined : "4 4",
          }),
          element("path", { d: `M496 ${middle}l-11 -6v12z`, fill: paint }),
          box(498, y, FIGURE_WIDTH - 24 - 498, HEIGHT, {
            fill: partPaint("memory"),
            "fill-opacity": 0.14,
            stroke: partPaint("memory"),
            rx: 3,
          }),
          label(508, y + 18, "physical page", { size: 11, paint: paperPaint("quiet") }),
          label(508, y + 35, frameText(entry), { size: 12, mono: true, bold: true }),
        ]),
    ...(isUsed
      ? [label(430, y + HEIGHT + 13, "the hart uses this", { size: 11, anchor: "end", bold: true, paint })]
      : []),
  ].join("");
}

/** Draws what a hart of a sticky board uses for an address, and what it would find if it looked. */
export function rememberedPicture(board: Board, vaddr: bigint, title = "Memory of a wall"): FigureBundle {
  const answers = answersOf(board, vaddr);
  const [remembered, tables] = answers;
  const differs = remembered?.entry !== undefined && remembered.entry !== tables?.entry;
  const words = differs
    ? `The hart goes to ${frameText(remembered.entry)}; the tables say ${frameText(tables?.entry)}.`
    : remembered?.entry === undefined
      ? `The hart remembers nothing and would walk the tables to ${frameText(tables?.entry)}.`
      : `Both say ${frameText(tables?.entry)}.`;
  const svg = picture(
    { title, description: words },
    FIGURE_WIDTH,
    TOP + 2 * ROW + 26,
    label(24, 30, title, { size: 15, bold: true }),
    box(24, TOP + ROW / 2, 154, HEIGHT, {
      fill: paperPaint("paper"),
      stroke: partPaint("memory"),
      "stroke-width": 1.5,
      rx: 3,
    }),
    label(34, TOP + ROW / 2 + 18, "virtual page", { size: 11, paint: paperPaint("quiet") }),
    label(34, TOP + ROW / 2 + 35, groupedHex(vaddr, 8), { size: 12, mono: true, bold: true }),
    ...answers.map((answer, index) => answerMarks(answer, index, differs)),
    label(24, TOP + 2 * ROW + 14, words, {
      size: 12.5,
      bold: true,
      paint: differs ? partPaint("trap") : paperPaint("ink"),
    }),
  );
  const lines = answers.map(
    ({ who, entry, isUsed }) =>
      `  ${who}: ${entry === undefined ? "nothing" : `entry ${groupedHex(entry)}, page ${frameText(entry)}`}${isUsed ? "  <- the hart uses this" : ""}`,
  );
  return pictureBundle(svg, [`${title}: ${groupedHex(vaddr, 8)}`, ...lines, `  ${words}`].join("\n"));
}
