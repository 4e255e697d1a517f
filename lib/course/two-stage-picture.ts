/**
 * Two-stage translation as a picture: one row for each entry of the guest's tables and one for the access itself. A row
 * begins with a guest-physical address, goes through the second stage's entries, and ends with what is found there.
 * Numbers count the reads of memory.
 */
import { groupedHex } from "../bits/hex.ts";
import type {
  ExplainedGuest,
  ExplainedGuestWalk,
  ExplainedLevel,
  TranslationExplanation,
} from "../mmu/explain-translation.ts";
import { type FigureBundle, pictureBundle } from "./figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "./marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "./palette.ts";
import { addressMarks, outcomeOf, wrap } from "./walk-marks.ts";

const LEFT = 24;
const CELLS = 172;
const RESULT_WIDTH = 142;
const RESULT = FIGURE_WIDTH - 24 - RESULT_WIDTH;
const GAP = 10;
const CELL_HEIGHT = 42;
const ROW_HEIGHT = 66;
/** Cells below this width say "3: 5" for "3: entry 5". */
const NARROW = 100;
const FIRST_ROW = 172;

/** One row. */
interface Row {
  readonly name: string;
  /** The walk of the second stage; `undefined` when the hart remembers the guest's leaf. */
  readonly walk: ExplainedGuestWalk | undefined;
  /** The guest's entry; `undefined` in the row of the access. */
  readonly entry: ExplainedLevel | undefined;
}

function rowsOf(view: TranslationExplanation, { access, update }: ExplainedGuest): Row[] {
  const rows: Row[] = view.levels.map((entry) => ({
    name: `guest's PTE ${entry.level}`,
    walk: entry.gStage,
    entry,
  }));
  if (update !== undefined) rows.push({ name: "setting A or D", walk: update, entry: undefined });
  if (access !== undefined) rows.push({ name: "the access", walk: access, entry: undefined });
  return rows;
}

/** Verdicts about entries that could not be read. */
const UNREAD: ReadonlySet<ExplainedLevel["verdict"]> = new Set([
  "pte-guest-fault",
  "pte-access-denied",
  "pte-unreachable",
]);

/** Numbers the reads of memory: first the second stage's entries of a row, then the guest's entry. */
function readNumbers(rows: readonly Row[]): ReadonlyMap<ExplainedLevel, number> {
  const numbers = new Map<ExplainedLevel, number>();
  const isRead = ({ isRemembered, verdict }: ExplainedLevel): boolean =>
    !(isRemembered || UNREAD.has(verdict));
  for (const { walk, entry } of rows)
    for (const level of [...(walk?.levels ?? []), ...(entry === undefined ? [] : [entry])])
      if (isRead(level)) numbers.set(level, numbers.size + 1);
  return numbers;
}

/** Whether an entry is the one that said no. */
const isCulprit = (level: ExplainedLevel): boolean =>
  level.verdict !== "pointer" && level.verdict !== "leaf" && level.verdict !== "pte-guest-fault";

/** One entry of either stage. */
function entryMarks(
  level: ExplainedLevel,
  number: number | undefined,
  x: number,
  y: number,
  width: number,
  paint: string,
): string {
  const bad = isCulprit(level);
  const trap = partPaint("trap");
  const isNarrow = width < NARROW;
  const place = `${level.level}: ${isNarrow ? "" : "entry "}${level.vpnIndex}`;
  const what = level.isRemembered ? "remembered" : place;
  return [
    box(x, y, width, CELL_HEIGHT, {
      fill: paperPaint("paper"),
      stroke: bad ? trap : paint,
      "stroke-width": bad ? 3.5 : 1.25,
      "stroke-dasharray": level.isRemembered ? "3 3" : undefined,
      rx: 3,
    }),
    label(x + 7, y + 15, what, { size: 10.5, paint: paperPaint("quiet") }),
    label(x + 7, y + 33, level.flagsText, { size: 12, mono: true, bold: true, paint: bad ? trap : paint }),
    number === undefined
      ? ""
      : label(x + width - 6, y + 15, String(number), { size: 10.5, anchor: "end", bold: true }),
  ].join("");
}

/** An arrow to the right. */
function arrow(from: number, to: number, y: number): string {
  const paint = paperPaint("quiet");
  return (
    line(from, y, to - 5, y, paint, { "stroke-width": 1.25 }) +
    element("path", { d: `M${to} ${y}l-7 -4v8z`, fill: paint })
  );
}

/** Width of a cell of the second stage. */
function cellWidth(guest: ExplainedGuest): number {
  const levels = guest.hgatp.MODE === "Sv48x4" ? 4 : 3;
  return (RESULT - CELLS) / levels - GAP;
}

function rowMarks(
  row: Row,
  view: TranslationExplanation,
  guest: ExplainedGuest,
  numbers: ReadonlyMap<ExplainedLevel, number>,
  y: number,
): string {
  const { walk, entry, name } = row;
  const width = row.walk?.levels[0]?.isRemembered ? NARROW : cellWidth(guest);
  const middle = y + CELL_HEIGHT / 2;
  const entries = walk?.levels ?? [];
  const cells = entries.map((level, index) => {
    const x = CELLS + index * (width + GAP);
    const paint = partPaint("page-table");
    return (
      entryMarks(level, numbers.get(level), x, y, width, paint) +
      (index === 0 ? "" : arrow(x - GAP, x, middle))
    );
  });
  const end = CELLS + entries.length * (width + GAP) - GAP;
  const passes = walk?.ok !== false;
  const note =
    walk === undefined ? "no table is read" : entries.length === 0 ? "hgatp is Bare: the same address" : "";
  const gpa = walk?.gpa ?? entry?.pteAddress ?? 0n;
  return [
    label(LEFT, y + 15, name, { size: 12, bold: true }),
    label(LEFT, y + 33, groupedHex(gpa, 8), { size: 11.5, mono: true }),
    ...cells,
    note === "" ? "" : label(CELLS, middle + 4, note, { size: 11, italic: true, paint: paperPaint("quiet") }),
    passes ? arrow(entries.length === 0 ? RESULT - 60 : end, RESULT, middle) : "",
    passes ? resultMarks(row, view, numbers, y) : refusedMarks(y),
  ].join("");
}

/** What stands at the end of a row. */
function resultMarks(
  { walk, entry }: Row,
  view: TranslationExplanation,
  numbers: ReadonlyMap<ExplainedLevel, number>,
  y: number,
): string {
  if (entry !== undefined)
    return entryMarks(entry, numbers.get(entry), RESULT, y, RESULT_WIDTH, modePaint("VS"));
  const isAccess = walk?.purpose === "access";
  const place = walk?.paddr === undefined ? "" : groupedHex(walk.paddr, 8);
  const who = isAccess ? (view.reaches ?? "nobody answers") : "the entry, to be written";
  const bad = isAccess && !view.ok;
  return [
    box(RESULT, y, RESULT_WIDTH, CELL_HEIGHT, {
      fill: paperPaint("paper"),
      stroke: bad ? partPaint("trap") : partPaint("memory"),
      "stroke-width": bad ? 3.5 : 1.25,
      rx: 3,
    }),
    label(RESULT + 7, y + 15, who, { size: 10.5, paint: paperPaint("quiet") }),
    label(RESULT + 7, y + 33, place, { size: 12, mono: true, bold: true }),
  ].join("");
}

const refusedMarks = (y: number): string =>
  label(RESULT + RESULT_WIDTH / 2, y + CELL_HEIGHT / 2 + 5, "\u2715 guest-page fault", {
    size: 12,
    bold: true,
    anchor: "middle",
    paint: partPaint("trap"),
  });

function headings(guest: ExplainedGuest): string {
  const { MODE, VMID, PPN } = guest.hgatp;
  const second =
    MODE === "Bare"
      ? "hgatp: Bare"
      : `second stage: hgatp, ${MODE}, VMID ${VMID}, root ${groupedHex(PPN << 12n, 8)}`;
  const quiet = { size: 10.5, paint: paperPaint("quiet") } as const;
  return [
    label(LEFT, FIRST_ROW - 14, "guest-physical address", quiet),
    label(CELLS, FIRST_ROW - 14, second, { ...quiet, paint: partPaint("page-table") }),
    label(RESULT, FIRST_ROW - 14, "what is found there", { ...quiet, paint: modePaint("VS") }),
    line(LEFT, FIRST_ROW - 30, FIGURE_WIDTH - 24, FIRST_ROW - 30, paperPaint("rule")),
  ].join("");
}

const readsWords = (reads: number): string =>
  reads === 0
    ? "No page-table entry was read."
    : reads === 1
      ? "1 page-table entry was read."
      : `${reads} page-table entries were read.`;

function twoStageSvg(view: TranslationExplanation, guest: ExplainedGuest, title: string): string {
  const rows = rowsOf(view, guest);
  const numbers = readNumbers(rows);
  const bottom = FIRST_ROW + rows.length * ROW_HEIGHT;
  const remark = wrap(`${view.sentence} ${readsWords(numbers.size)}`, 100);
  return picture(
    { title, description: `${view.sentence} ${rows.map(rowSentence).join(" ")}` },
    FIGURE_WIDTH,
    bottom + 32 + remark.length * 17,
    label(LEFT, 30, title, { size: 15, bold: true }),
    addressMarks(view, "vsatp"),
    headings(guest),
    ...rows.map((row, index) => rowMarks(row, view, guest, numbers, FIRST_ROW + index * ROW_HEIGHT)),
    line(LEFT, bottom - 10, FIGURE_WIDTH - 24, bottom - 10, paperPaint("rule")),
    label(LEFT, bottom + 12, outcomeOf(view), {
      size: 13,
      bold: true,
      paint: partPaint(view.ok ? "memory" : "trap"),
    }),
    ...remark.map((part, index) => label(LEFT, bottom + 34 + index * 17, part, { size: 12 })),
  );
}

/** A row in words. */
function rowSentence({ name, walk, entry }: Row): string {
  const second = (walk?.levels ?? []).map((level) => level.sentence);
  const found = walk === undefined ? [] : walk.ok ? [walk.sentence] : [];
  const own = entry === undefined || entry.verdict === "pte-guest-fault" ? [] : [entry.sentence];
  return `For ${name}: ${[...second, ...found, ...own].join(" ")}`;
}

function twoStageText(view: TranslationExplanation, guest: ExplainedGuest, title: string): string {
  const rows = rowsOf(view, guest);
  const numbers = readNumbers(rows);
  const entryText = (stage: string, level: ExplainedLevel): string => {
    const number = numbers.get(level);
    return `${number === undefined ? "    " : `${String(number).padStart(2)}. `}${stage} ${level.level}  entry ${String(level.vpnIndex).padStart(4)}  ${level.flagsText}  ${level.sentence}`;
  };
  const lines = rows.flatMap(({ name, walk, entry }) => [
    `  ${name}${walk === undefined ? "" : `, guest-physical ${groupedHex(walk.gpa, 8)}`}`,
    ...(walk?.levels ?? []).map((level) => `    ${entryText("G ", level)}`),
    ...(walk?.ok ? [`        ${walk.sentence}`] : []),
    ...(entry === undefined || entry.verdict === "pte-guest-fault" ? [] : [`    ${entryText("VS", entry)}`]),
  ]);
  const heading = `${title}: ${view.access} at ${groupedHex(view.vaddr, 8)}, mode ${view.mode}`;
  return [heading, ...lines, `  ${outcomeOf(view)}`, `  ${view.sentence} ${readsWords(numbers.size)}`].join(
    "\n",
  );
}

/** Draws a guest's access through both stages. */
export const drawTwoStages = (
  view: TranslationExplanation,
  guest: ExplainedGuest,
  title: string,
): FigureBundle => pictureBundle(twoStageSvg(view, guest, title), twoStageText(view, guest, title));
