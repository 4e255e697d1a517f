/** The permission quilt: one cell for each page, its letters the rights, its color the mode that owns it. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import { isWritableCode, type PageMap, type PageRun, type PageView, pageCount } from "./page-map.ts";

const LEFT = 214;
const CELL = 21;
const GAP = 2;
const ACROSS = Math.floor((FIGURE_WIDTH - 24 - LEFT) / (CELL + GAP));
const TOP = 92;

/** Rights as two letters: what may be done beside reading is what matters. */
export const shortRights = (flags: string): string =>
  flags.replace("U", "").split("").reverse().join("") || "-";

/** Paint of the mode that owns a page; of a page that may be written and executed, the paint of traps. */
const ownerPaint = (flags: string): string =>
  isWritableCode(flags) ? partPaint("trap") : modePaint(flags.includes("U") ? "U" : "S");

function cellMarks(flags: string, x: number, y: number): string {
  const paint = ownerPaint(flags);
  const isCode = flags.includes("X");
  const isWritable = flags.includes("W");
  const isBoth = isWritableCode(flags);
  const fill = isCode ? paint : isWritable ? paint : paperPaint("paper");
  return [
    box(x, y, CELL, CELL, {
      fill,
      "fill-opacity": isCode ? 1 : 0.14,
      stroke: isBoth ? paperPaint("ink") : paint,
      "stroke-width": isBoth ? 3 : 1.25,
      rx: 2,
    }),
    label(x + CELL / 2, y + 14.5, isBoth ? "WX" : shortRights(flags), {
      size: 11,
      anchor: "middle",
      mono: true,
      bold: true,
      paint: isCode ? paperPaint("paper") : paint,
    }),
  ].join("");
}

const rowsOf = (run: PageRun): number => Math.ceil(run.pages.length / ACROSS);

function runMarks(run: PageRun, y: number): string {
  const owner = run.flags.includes("U") ? "U" : "S";
  return [
    label(24, y + 14, owner, { size: 13, bold: true, paint: modePaint(owner) }),
    label(42, y + 14, groupedHex(run.vaddr, 8), { size: 11.5, mono: true }),
    run.pages.length < 12 ? "" : label(42, y + 32, run.name, { size: 11.5, paint: paperPaint("quiet") }),
    run.pages
      .map(({ flags }, index) =>
        cellMarks(
          flags,
          LEFT + (index % ACROSS) * (CELL + GAP),
          y + Math.floor(index / ACROSS) * (CELL + GAP),
        ),
      )
      .join(""),
    label(
      LEFT + Math.min(run.pages.length, ACROSS) * (CELL + GAP) + 6,
      y + 14,
      run.pages.length < 12 ? run.name : "",
      {
        size: 11.5,
        paint: paperPaint("quiet"),
      },
    ),
  ].join("");
}

const KEY = [
  ["X", "R", "executable: full"],
  ["W", "R", "writable: tinted"],
  ["R", "", "read only: empty"],
] as const;
const KEY_OF_BOTH = ["XW", "R", "both: heavy frame"] as const;

function keyMarks(pages: readonly PageView[]): string {
  const key = pages.some(({ flags }) => isWritableCode(flags)) ? [...KEY, KEY_OF_BOTH] : KEY;
  return key
    .map(([first, second, words], index) => {
      const x = 24 + index * 150;
      return (
        cellMarks(`${first}${second}`, x, 46) +
        label(x + CELL + 8, 60, words, { size: 11, paint: paperPaint("quiet") })
      );
    })
    .join("");
}

function wordsOf({ pages, runs }: PageMap): string {
  const bad = pages.filter(({ flags }) => isWritableCode(flags)).length;
  const users = pages.filter(({ flags }) => flags.includes("U")).length;
  return `${pages.length} pages in ${runs.length} runs; ${users} with U; ${bad} both writable and executable.`;
}

/** Draws every page of an address space, run by run. */
export function permissionQuilt(map: PageMap, title = "Who may do what, page by page"): FigureBundle {
  let y = TOP;
  const marks = map.runs.map((run) => {
    const mark = runMarks(run, y);
    y += rowsOf(run) * (CELL + GAP) + 6;
    return mark;
  });
  const words = wordsOf(map);
  const svg = picture(
    { title, description: words },
    FIGURE_WIDTH,
    y + 30,
    label(24, 30, title, { size: 15, bold: true }),
    keyMarks(map.pages),
    ...marks,
    label(24, y + 14, words, { size: 12, bold: true }),
  );
  const lines = map.runs.map(
    (run) =>
      `  ${run.flags.includes("U") ? "U" : "S"}  ${groupedHex(run.vaddr, 8)}  ${shortRights(run.flags).padEnd(3)}  ${pageCount(run).padEnd(9)}  ${run.name}`,
  );
  return pictureBundle(svg, [title, ...lines, `  ${words}`].join("\n"));
}
