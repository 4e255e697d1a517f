/** The page tables of an address space as a tree: root, middle tables, last tables, and the pages they lead to. */
import { groupedHex } from "../../bits/hex.ts";
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, element, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import { isWritableCode, type PageMap, type PageRun, pageCount, type TableNode } from "./page-map.ts";
import { shortRights } from "./quilt.ts";

const ROW = 44;
const TOP = 84;
const TABLE_WIDTH = 98;
const TABLE_HEIGHT = 32;
/** Left edge of a table by level, and of the pages. */
const COLUMNS = { 2: 24, 1: 166, 0: 308, pages: 450 } as const;

const columnOf = (level: number): number =>
  level === 2 ? COLUMNS[2] : level === 1 ? COLUMNS[1] : COLUMNS[0];

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Physical address of the table that an entry stands in. */
const tableOf = (run: PageRun): bigint => (run.pages[0]?.entryAt ?? 0n) & ~4095n;

/** Pages have a row each; a table stands in the middle of what it leads to. */
function places(map: PageMap): {
  readonly tables: ReadonlyMap<bigint, Place>;
  readonly runs: readonly Place[];
} {
  const runs = map.runs.map((_, index) => ({ x: COLUMNS.pages, y: TOP + index * ROW }));
  const tables = new Map<bigint, Place>();
  for (const table of [...map.tables].sort((left, right) => left.level - right.level)) {
    const below = [
      ...map.runs.flatMap((run, index) => (tableOf(run) === table.paddr ? [runs[index]?.y ?? TOP] : [])),
      ...map.tables.flatMap(({ parent, paddr }) =>
        parent === table.paddr ? [tables.get(paddr)?.y ?? TOP] : [],
      ),
    ];
    const y = below.length === 0 ? TOP : (Math.min(...below) + Math.max(...below)) / 2;
    tables.set(table.paddr, { x: columnOf(table.level), y });
  }
  return { tables, runs };
}

function linkMarks(from: Place, to: Place, index: number): string {
  const paint = partPaint("page-table");
  const startX = from.x + TABLE_WIDTH;
  const startY = from.y + TABLE_HEIGHT / 2;
  const endY = to.y + TABLE_HEIGHT / 2;
  const middle = (startX + to.x) / 2 - 6;
  return [
    element("path", {
      d: `M${startX} ${startY}C${middle} ${startY} ${middle} ${endY} ${to.x} ${endY}`,
      fill: "none",
      stroke: paint,
      "stroke-width": 1.5,
    }),
    box(to.x - 6 - 6.6 * `[${index}]`.length, endY - 8, 6.6 * `[${index}]`.length + 2, 15, {
      fill: paperPaint("paper"),
    }),
    label(to.x - 5, endY + 4, `[${index}]`, {
      size: 10.5,
      anchor: "end",
      mono: true,
      paint: paperPaint("quiet"),
    }),
  ].join("");
}

function tableMarks({ paddr, used }: TableNode, { x, y }: Place): string {
  return [
    box(x, y, TABLE_WIDTH, TABLE_HEIGHT, {
      fill: paperPaint("paper"),
      stroke: partPaint("page-table"),
      "stroke-width": 1.5,
      rx: 2,
    }),
    label(x + 8, y + 14, groupedHex(paddr, 8), { size: 11, mono: true, bold: true }),
    label(x + 8, y + 27, `${used} of 512 used`, { size: 10, paint: paperPaint("quiet") }),
  ].join("");
}

function runMarks(run: PageRun, { x, y }: Place): string {
  const owner = run.flags.includes("U") ? "U" : "S";
  const paint = isWritableCode(run.flags) ? partPaint("trap") : modePaint(owner);
  return [
    box(x, y, FIGURE_WIDTH - 24 - x, TABLE_HEIGHT + 4, {
      fill: paint,
      "fill-opacity": 0.12,
      stroke: paint,
      "stroke-width": isWritableCode(run.flags) ? 3 : 1.25,
      rx: 2,
    }),
    label(x + 8, y + 14, `${owner} ${shortRights(run.flags)}`, { size: 12, mono: true, bold: true, paint }),
    label(FIGURE_WIDTH - 32, y + 14, groupedHex(run.vaddr, 8), { size: 11, mono: true, anchor: "end" }),
    label(x + 8, y + 29, run.name, { size: 10, paint: paperPaint("quiet") }),
    label(FIGURE_WIDTH - 32, y + 29, pageCount(run), { size: 10, anchor: "end", paint: paperPaint("quiet") }),
  ].join("");
}

const HEADS = [
  [COLUMNS[2], "level 2: 1 GiB an entry"],
  [COLUMNS[1], "level 1: 2 MiB an entry"],
  [COLUMNS[0], "level 0: 4 KiB an entry"],
  [COLUMNS.pages, "pages"],
] as const;

function treeText(map: PageMap, title: string): string {
  const lines = map.tables.flatMap((table) => [
    `${"  ".repeat(3 - table.level)}level ${table.level}${table.index === undefined ? "" : ` [${table.index}]`}  table ${groupedHex(table.paddr, 8)}, ${table.used} of 512 used`,
    ...map.runs
      .filter((run) => tableOf(run) === table.paddr)
      .map(
        (run) =>
          `${"  ".repeat(4 - table.level)}${run.flags.includes("U") ? "U" : "S"} ${shortRights(run.flags)}  ${groupedHex(run.vaddr, 8)}  ${pageCount(run)}  ${run.name}`,
      ),
  ]);
  return [title, ...lines].join("\n");
}

/** Draws the tables that an address space consists of, as they lie in memory. */
export function pageTree(map: PageMap, title = "The page tables as a tree"): FigureBundle {
  const { tables, runs } = places(map);
  const at = (paddr: bigint | undefined): Place => tables.get(paddr ?? 0n) ?? { x: 24, y: TOP };
  const description = `${map.tables.length} tables lead to ${map.pages.length} pages in ${map.runs.length} runs.`;
  const links = [
    ...map.tables.flatMap((table) =>
      table.parent === undefined ? [] : [linkMarks(at(table.parent), at(table.paddr), table.index ?? 0)],
    ),
    ...map.runs.map((run, index) =>
      linkMarks(
        at(tableOf(run)),
        runs[index] ?? { x: 24, y: TOP },
        Number(((run.pages[0]?.entryAt ?? 0n) & 4095n) / 8n),
      ),
    ),
  ];
  const svg = picture(
    { title, description },
    FIGURE_WIDTH,
    TOP + map.runs.length * ROW + 26,
    label(24, 30, title, { size: 15, bold: true }),
    ...HEADS.map(([x, words]) => label(x, 66, words, { size: 11, paint: paperPaint("quiet") })),
    ...links,
    ...map.tables.map((table) => tableMarks(table, at(table.paddr))),
    ...map.runs.map((run, index) => runMarks(run, runs[index] ?? { x: 24, y: TOP })),
    label(24, TOP + map.runs.length * ROW + 10, description, { size: 12, bold: true }),
  );
  return pictureBundle(svg, treeText(map, title));
}
