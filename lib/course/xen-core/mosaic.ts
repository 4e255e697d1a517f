/** Machine memory as a mosaic: one cell for each frame, its letters the owner, its look the type; rows of equal cells are folded. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, element, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import { type Census, type FrameKind, type FrameView, frameCensus } from "./census.ts";
import type { Office } from "./office.ts";

const ACROSS = 28;
const CELL = 19;
const GAP = 1;
const LEFT = 104;
const FOLDED = 20;
const TOP = 96;

const WORDS: Readonly<Record<FrameKind, string>> = {
  firmware: "machine mode's, and nobody's",
  hypervisor: "the hypervisor's own",
  free: "free",
  loader: "what the loader left",
  memory: "memory",
  table: "page tables",
};

/** What the figure says of a cell. */
const isPlain = ({ lentTo, isBroken }: FrameView): boolean => lentTo.length === 0 && !isBroken;
const looks = ({ kind, letters, lentTo, isBroken }: FrameView): string =>
  `${kind} ${letters} ${lentTo.join()} ${isBroken}`;

/** A row of cells, or several rows that are folded because all their cells look the same. */
interface Band {
  readonly cells: readonly FrameView[];
  readonly isFolded: boolean;
}

function bandsOf(census: Census, changed: ReadonlySet<bigint>): Band[] {
  const bands: Band[] = [];
  for (let at = 0; at < census.length; at += ACROSS) {
    const cells = census.slice(at, at + ACROSS);
    const [first] = cells;
    const isFolded =
      first !== undefined &&
      cells.every((cell) => looks(cell) === looks(first) && isPlain(cell) && !changed.has(cell.address));
    const last = bands.at(-1);
    const [before] = last?.cells ?? [];
    if (isFolded && last?.isFolded === true && before !== undefined && looks(before) === looks(first))
      bands[bands.length - 1] = { cells: [...last.cells, ...cells], isFolded: true };
    else bands.push({ cells, isFolded });
  }
  return bands;
}

const paintOf = ({ kind, isBroken }: Pick<FrameView, "kind" | "isBroken">): string =>
  isBroken
    ? partPaint("trap")
    : kind === "table"
      ? partPaint("page-table")
      : kind === "hypervisor"
        ? modePaint("HS")
        : partPaint("memory");

/** Tables are full, memory has a frame, the hypervisor is tinted, what is free has a dot. */
function cellMarks(cell: FrameView, x: number, y: number, isChanged: boolean): string {
  const paint = paintOf(cell);
  const isTable = cell.kind === "table";
  const isOwned = isTable || cell.kind === "memory";
  const body =
    isOwned || cell.kind === "hypervisor"
      ? box(x + 0.5, y + 0.5, CELL - 1, CELL - 1, {
          fill: isTable ? paint : cell.kind === "hypervisor" ? paint : paperPaint("paper"),
          "fill-opacity": cell.kind === "hypervisor" ? 0.25 : undefined,
          stroke: paint,
          "stroke-width": cell.isBroken ? 2.5 : 1,
        })
      : element("circle", { cx: x + CELL / 2, cy: y + CELL / 2, r: 1.2, fill: paperPaint("quiet") });
  const text = isOwned
    ? label(x + CELL / 2, y + 14, cell.isBroken ? `${cell.letters}!` : cell.letters, {
        size: cell.isBroken ? 8.5 : 10.5,
        mono: true,
        bold: true,
        anchor: "middle",
        paint: isTable ? paperPaint("paper") : paperPaint("ink"),
      })
    : "";
  const corner =
    cell.lentTo.length > 0
      ? element("path", { d: `M${x + CELL - 8} ${y + 1}h7v7z`, fill: modePaint("VS") })
      : "";
  const frame = isChanged
    ? box(x - 0.5, y - 0.5, CELL + 1, CELL + 1, {
        fill: "none",
        stroke: paperPaint("ink"),
        "stroke-width": 2.5,
      })
    : "";
  return body + text + corner + frame;
}

function bandMarks(band: Band, y: number, changed: ReadonlySet<bigint>): string {
  const [first] = band.cells;
  if (first === undefined) return "";
  const address = label(24, y + 14, groupedHex(first.address, 8), {
    size: 10.5,
    mono: true,
    paint: paperPaint("quiet"),
  });
  if (!band.isFolded)
    return (
      address +
      band.cells
        .map((cell, index) => cellMarks(cell, LEFT + index * (CELL + GAP), y, changed.has(cell.address)))
        .join("")
    );
  return (
    address +
    cellMarks(first, LEFT, y, false) +
    label(LEFT + CELL + 8, y + 14, `${band.cells.length} frames like this: ${wordsOf(first)}`, {
      size: 11,
      paint: paperPaint("quiet"),
      italic: true,
    })
  );
}

const wordsOf = ({ kind, owner }: FrameView): string =>
  owner === "" ? WORDS[kind] : `${owner}'s ${WORDS[kind]}`;

/** A cell for the key. */
const sample = (kind: FrameKind, letters: string, more: Partial<FrameView> = {}): FrameView => ({
  address: 0n,
  kind,
  owner: "",
  letters,
  refs: 0,
  typed: 0,
  lentTo: [],
  isBroken: false,
  ...more,
});

function keyMarks(names: readonly string[], tables: string, isBroken: boolean): string {
  const initial = (names[0] ?? "a").slice(0, 1).toUpperCase();
  const key: readonly (readonly [FrameView, string, boolean])[] = [
    [sample("memory", initial), `${names[0] ?? ""}'s memory`, false],
    [sample("table", tables), "page table: g second stage, digit level", false],
    [sample("memory", initial, { lentTo: ["x"] }), "reached by another", false],
    [sample("memory", initial), "changed", true],
    ...(isBroken
      ? [[sample("table", `${initial}0`, { isBroken: true }), "table that a guest can write", false] as const]
      : []),
  ];
  let x = 24;
  let y = 44;
  return key
    .map(([cell, words, isChanged]) => {
      const width = CELL + 25 + 6 * words.length;
      if (x + width > FIGURE_WIDTH) [x, y] = [24, y + 24];
      const marks =
        cellMarks(cell, x, y, isChanged) +
        label(x + CELL + 7, y + 14, words, { size: 11, paint: paperPaint("quiet") });
      x += width;
      return marks;
    })
    .join("");
}

/** In words: how many of what. */
function summary(census: Census, names: readonly string[]): string {
  const parts = names.map((name) => {
    const own = census.filter(({ owner }) => owner === name);
    const tables = own.filter(({ kind }) => kind === "table").length;
    return `${name} has ${own.length - tables} frames of memory and ${tables} of page tables`;
  });
  const lent = census.filter(({ lentTo }) => lentTo.length > 0).length;
  const broken = census.filter(({ isBroken }) => isBroken).length;
  const end =
    broken === 0
      ? "no page table can be written by a guest"
      : `${broken} page tables can be written by a guest`;
  return `${census.length} frames: ${parts.join("; ")}; ${lent} ${lent === 1 ? "is" : "are"} reached by another; ${end}.`;
}

/** The row in words: runs of equal cells. */
function bandText({ cells, isFolded }: Band, changed: ReadonlySet<bigint>): string {
  const [first] = cells;
  if (first === undefined) return "";
  const start = `  ${groupedHex(first.address, 8)}  `;
  if (isFolded) return `${start}${cells.length} frames: ${wordsOf(first)}`;
  const runs: { text: string; count: number }[] = [];
  for (const cell of cells) {
    const name =
      cell.letters === ""
        ? { firmware: "-", hypervisor: "H", free: ".", loader: "-", memory: "?", table: "?" }[cell.kind]
        : cell.letters;
    const text = `${name}${cell.isBroken ? "!" : ""}${cell.lentTo.length > 0 ? `>${cell.lentTo.join("+")}` : ""}${changed.has(cell.address) ? "*" : ""}`;
    const last = runs.at(-1);
    if (last?.text === text) last.count += 1;
    else runs.push({ text, count: 1 });
  }
  return start + runs.map(({ text, count }) => (count === 1 ? text : `${text}\u00d7${count}`)).join(" ");
}

/** Breaks a long line at spaces. */
function linesOf(text: string, most: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length + 1 > most) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/**
 * Draws the memory of a machine.
 *
 * @param since  An earlier census: what has changed since has a heavy frame.
 */
export function frameMosaic(
  scene: { readonly office: Office },
  {
    title = "Machine memory, frame by frame",
    since,
  }: { readonly title?: string; readonly since?: Census } = {},
): FigureBundle {
  const census = frameCensus(scene);
  const { names } = scene.office;
  const changed = new Set(
    census
      .filter((cell, index) => since !== undefined && looks(since[index] ?? cell) !== looks(cell))
      .map(({ address }) => address),
  );
  const bands = bandsOf(census, changed);
  const hasBroken = census.some(({ isBroken }) => isBroken);
  let y = TOP + (hasBroken ? 8 : 0);
  const marks = bands.map((band) => {
    const mark = bandMarks(band, y, changed);
    y += band.isFolded ? FOLDED + 2 : CELL + GAP;
    return mark;
  });
  const words = summary(census, names);
  const tail = linesOf(words, 88);
  const svg = picture(
    { title, description: words },
    FIGURE_WIDTH,
    y + 16 + 16 * tail.length,
    label(24, 30, title, { size: 15, bold: true }),
    keyMarks(names, census.find(({ kind }) => kind === "table")?.letters ?? "", hasBroken),
    ...marks,
    ...tail.map((text, index) => label(24, y + 20 + 16 * index, text, { size: 12, bold: true })),
  );
  return pictureBundle(
    svg,
    [title, ...bands.map((band) => bandText(band, changed)), `  ${words}`].join("\n"),
  );
}
