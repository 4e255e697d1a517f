/** A guest's page tables and the shadow that the hart really walks, face to face, with the pages between them. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import {
  type PageMap,
  type PageRun,
  type PageView,
  pageCount,
  pageMap,
  type TableNode,
} from "../walls/page-map.ts";
import { GUEST_SHIFT, type GuestMachine } from "./guest-machine.ts";

/** Both tables of one address space. */
export interface ShadowView {
  /** What the guest wrote; addresses are the guest's. */
  readonly guest: PageMap;
  /** What the hart walks; addresses are the machine's. */
  readonly shadow: PageMap;
  /** Runs of the guest's pages, each with those of its pages that the shadow has. */
  readonly rows: readonly ShadowRow[];
}

/** A run of the guest's pages. */
export interface ShadowRow {
  readonly run: PageRun;
  /** The shadow's pages for these addresses. */
  readonly shadowed: readonly PageView[];
  /** Rights of the shadow's pages, each kind once. */
  readonly rights: readonly string[];
}

const overlaps = (page: PageView, { vaddr, bytes }: PageView): boolean =>
  page.vaddr < vaddr + bytes && vaddr < page.vaddr + page.bytes;

/** Reads the guest's tables and the shadow that is in use now. */
export function shadowView(machine: GuestMachine): ShadowView {
  const { board } = machine;
  const guest = pageMap(board, machine.csr("satp") ?? 0n, GUEST_SHIFT);
  const shadow = pageMap(board);
  const rows = guest.runs.map((run) => {
    const shadowed = shadow.pages.filter((page) => run.pages.some((each) => overlaps(page, each)));
    return { run, shadowed, rights: [...new Set(shadowed.map(({ flags }) => flags))] };
  });
  return { guest, shadow, rows };
}

const rightsText = (flags: string): string =>
  [..."RWX"].map((bit) => (flags.includes(bit) ? bit : "-")).join("");
const ownerOf = (flags: string): "U" | "S" => (flags.includes("U") ? "U" : "S");

const ROW = 46;
const TOP = 104;
const BOX = { width: 44, height: 26 } as const;
/** Left edges by level: the guest's tables from the left, the shadow's from the right. */
const GUEST_X: Readonly<Record<number, number>> = { 2: 20, 1: 84, 0: 148 };
const SHADOW_X: Readonly<Record<number, number>> = { 3: 618, 2: 566, 1: 514, 0: 462 };
const MIDDLE = { from: 214, to: 440 } as const;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** A table stands in the middle of what it leads to. */
function placesOf(
  map: PageMap,
  columns: Readonly<Record<number, number>>,
  rowOf: (page: PageView) => number,
) {
  const places = new Map<bigint, Place>();
  for (const table of [...map.tables].sort((left, right) => left.level - right.level)) {
    const ys = [
      ...map.pages.filter(({ entryAt }) => (entryAt & ~4095n) === table.paddr).map(rowOf),
      ...map.tables.flatMap(({ parent, paddr }) =>
        parent === table.paddr ? [places.get(paddr)?.y ?? TOP] : [],
      ),
    ];
    const y = ys.length === 0 ? TOP : (Math.min(...ys) + Math.max(...ys)) / 2;
    places.set(table.paddr, { x: columns[table.level] ?? 20, y });
  }
  return places;
}

const tableBox = ({ used }: TableNode, { x, y }: Place): string =>
  box(x, y, BOX.width, BOX.height, {
    fill: paperPaint("paper"),
    stroke: partPaint("page-table"),
    "stroke-width": 1.5,
    rx: 2,
  }) + label(x + BOX.width / 2, y + 17, String(used), { size: 12, anchor: "middle", bold: true });

function curveTo(fromX: number, fromY: number, toX: number, toY: number): string {
  const middle = (fromX + toX) / 2;
  const [from, to] = [fromY + BOX.height / 2, toY + BOX.height / 2];
  return element("path", {
    d: `M${fromX} ${from}C${middle} ${from} ${middle} ${to} ${toX} ${to}`,
    fill: "none",
    stroke: partPaint("page-table"),
    "stroke-width": 1.25,
  });
}

/** Links of one side. @param side  1: from left to right, -1: from right to left. */
function sideMarks(
  map: PageMap,
  places: ReadonlyMap<bigint, Place>,
  rowOf: (page: PageView) => number,
  side: 1 | -1,
): string {
  const out = ({ x, y }: Place) => ({ x: side === 1 ? x + BOX.width : x, y });
  const into = ({ x, y }: Place) => ({ x: side === 1 ? x : x + BOX.width, y });
  const toPages = new Map<string, readonly [Place, number]>();
  for (const page of map.pages) {
    const from = places.get(page.entryAt & ~4095n);
    if (from !== undefined) toPages.set(`${from.x} ${from.y} ${rowOf(page)}`, [from, rowOf(page)]);
  }
  const edge = side === 1 ? MIDDLE.from : MIDDLE.to;
  return [
    ...map.tables.flatMap(({ paddr, parent }) => {
      const [above, here] = [places.get(parent ?? -1n), places.get(paddr)];
      return above === undefined || here === undefined
        ? []
        : [curveTo(out(above).x, above.y, into(here).x, here.y)];
    }),
    ...[...toPages.values()].map(([from, y]) => curveTo(out(from).x, from.y, edge, y)),
    ...map.tables.map((table) => tableBox(table, places.get(table.paddr) ?? { x: 0, y: 0 })),
  ].join("");
}

function rowMarks({ run, shadowed, rights }: ShadowRow, index: number): string {
  const y = TOP + index * ROW - 4;
  const owner = ownerOf(run.flags);
  const differs = rights.some((flags) =>
    [..."WX"].some((bit) => flags.includes(bit) && !run.flags.includes(bit)),
  );
  const paint = differs ? partPaint("trap") : modePaint(owner);
  const middle = (MIDDLE.from + MIDDLE.to) / 2;
  return [
    box(MIDDLE.from, y, MIDDLE.to - MIDDLE.from, 36, {
      fill: paint,
      "fill-opacity": 0.1,
      stroke: paint,
      "stroke-width": differs ? 3 : 1.25,
      ...(shadowed.length === 0 ? { "stroke-dasharray": "4 3" } : {}),
      rx: 2,
    }),
    label(MIDDLE.from + 8, y + 15, `${owner} ${rightsText(run.flags)}`, {
      size: 12,
      mono: true,
      bold: true,
      paint,
    }),
    label(MIDDLE.to - 8, y + 15, shadowed.length === 0 ? "\u2013" : rights.map(rightsText).join(" "), {
      size: 12,
      mono: true,
      bold: true,
      anchor: "end",
      paint,
    }),
    label(middle, y + 15, groupedHex(run.vaddr, 8), { size: 10.5, mono: true, anchor: "middle" }),
    label(MIDDLE.from + 8, y + 30, pageCount(run), { size: 10, paint: paperPaint("quiet") }),
    label(MIDDLE.to - 8, y + 30, shadowed.length === 0 ? "not yet" : String(shadowed.length), {
      size: 10,
      anchor: "end",
      paint: paperPaint("quiet"),
    }),
  ].join("");
}

function textOf({ guest, shadow, rows }: ShadowView, title: string, words: string): string {
  const lines = rows.map(
    ({ run, shadowed, rights }) =>
      `  ${groupedHex(run.vaddr, 8)}  guest ${ownerOf(run.flags)} ${rightsText(run.flags)} ${pageCount(run).padEnd(9)}  shadow ${
        shadowed.length === 0 ? "none yet" : `${rights.map(rightsText).join(" ")} ${shadowed.length} of them`
      }  ${run.name}`,
  );
  return [
    title,
    `  guest: ${guest.tables.length} tables, root ${groupedHex(guest.root, 8)} (its own address)`,
    `  shadow: ${shadow.tables.length} tables, root ${groupedHex(shadow.root, 8)}`,
    ...lines,
    `  ${words}`,
  ].join("\n");
}

/** Draws the guest's tables on the left, the shadow on the right, and between them what both lead to. */
export function shadowPicture(
  machine: GuestMachine,
  title = "What the guest wrote, and what the hart walks",
): FigureBundle {
  const view = shadowView(machine);
  const { guest, shadow, rows } = view;
  const rowOfGuest = (page: PageView): number =>
    TOP +
    Math.max(
      0,
      rows.findIndex(({ run }) => run.pages.includes(page)),
    ) *
      ROW;
  const rowOfShadow = (page: PageView): number =>
    TOP +
    Math.max(
      0,
      rows.findIndex(({ shadowed }) => shadowed.includes(page)),
    ) *
      ROW;
  const words = `The guest maps ${guest.pages.length} pages; its shadow has ${shadow.pages.length} of them so far.`;
  const quiet = paperPaint("quiet");
  const bottom = TOP + rows.length * ROW;
  const svg = picture(
    {
      title,
      description: `${words} ${rows.map(({ run, rights }) => `${groupedHex(run.vaddr, 8)}: guest ${rightsText(run.flags)}, shadow ${rights.map(rightsText).join(" ") || "none"}`).join("; ")}.`,
    },
    FIGURE_WIDTH,
    bottom + 54,
    label(20, 30, title, { size: 15, bold: true }),
    label(20, 58, "the guest\u2019s tables", { size: 12, bold: true }),
    label(20, 74, `root ${groupedHex(guest.root, 8)}`, { size: 10.5, mono: true, paint: quiet }),
    label(FIGURE_WIDTH - 18, 58, "the shadow", { size: 12, bold: true, anchor: "end" }),
    label(FIGURE_WIDTH - 18, 74, `root ${groupedHex(shadow.root, 8)}`, {
      size: 10.5,
      mono: true,
      anchor: "end",
      paint: quiet,
    }),
    label(MIDDLE.from + 8, 90, "guest says", { size: 10.5, paint: quiet }),
    label(MIDDLE.to - 8, 90, "shadow has", { size: 10.5, anchor: "end", paint: quiet }),
    line(20, bottom + 4, FIGURE_WIDTH - 20, bottom + 4, paperPaint("rule")),
    sideMarks(guest, placesOf(guest, GUEST_X, rowOfGuest), rowOfGuest, 1),
    sideMarks(shadow, placesOf(shadow, SHADOW_X, rowOfShadow), rowOfShadow, -1),
    ...rows.map(rowMarks),
    label(20, bottom + 24, words, { size: 12, bold: true }),
    label(20, bottom + 42, "A box is a table; its number: entries used, of 512.", { size: 11, paint: quiet }),
  );
  return pictureBundle(svg, textOf(view, title, words));
}
