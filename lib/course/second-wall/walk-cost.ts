/** What one access costs in entries, for each size of page in each stage: built, and asked of the machine. */
import { type FigureBundle, pictureBundle } from "../figure.ts";
import { box, FIGURE_WIDTH, label, picture } from "../marks/svg.ts";
import { modePaint, paperPaint, partPaint } from "../palette.ts";
import { entryTo, hgatpFor, TwoStageMachine, vsatpFor } from "./two-stage-machine.ts";

/** Sizes of pages, by the level of the leaf; no tables at all comes first. */
const SIZES = [
  { name: "off", level: undefined },
  { name: "1 GiB", level: 2 },
  { name: "2 MiB", level: 1 },
  { name: "4 KiB", level: 0 },
] as const;

/** Entries read for one access. */
export interface WalkCost {
  readonly guest: string;
  readonly host: string;
  readonly reads: number;
}

const RAM = 0x8000_0000n;
const DATA = 0x8020_0123n;
const GVA = 0x4020_0123n;
const GUEST_TABLES = [0x8010_0000n, 0x8010_1000n, 0x8010_2000n] as const;
const ROOT = 0x8004_0000n;
const MIDDLE = 0x8004_4000n;
const LAST = [0x8004_5000n, 0x8004_6000n] as const;
const ALL = 0xdfn;

type Level = (typeof SIZES)[number]["level"];
const pageAt = (address: bigint, level: number): bigint => address & -(1n << BigInt(12 + 9 * level));

/** The guest's tables: `GVA` leads to `DATA`. */
function guestEntries(level: Level): [bigint, bigint][] {
  if (level === undefined) return [];
  return GUEST_TABLES.slice(0, 3 - level).map((table, depth) => {
    const at = table + 8n * ((GVA >> BigInt(30 - 9 * depth)) & 511n);
    const next = GUEST_TABLES[depth + 1];
    const isLeaf = depth === 2 - level;
    return [at, isLeaf || next === undefined ? entryTo(pageAt(DATA, level), ALL) : entryTo(next, 1n)];
  });
}

/** The second stage: every guest-physical address leads to itself. */
function hostEntries(level: Level): [bigint, bigint][] {
  if (level === undefined) return [];
  if (level === 2) return [[ROOT + 16n, entryTo(RAM, ALL)]];
  const top: [bigint, bigint] = [ROOT + 16n, entryTo(MIDDLE, 1n)];
  const pieces = [RAM, RAM + 0x20_0000n] as const;
  if (level === 1)
    return [
      top,
      ...pieces.map((piece, index): [bigint, bigint] => [MIDDLE + 8n * BigInt(index), entryTo(piece, ALL)]),
    ];
  const pages = [...GUEST_TABLES, pageAt(DATA, 0)];
  return [
    top,
    ...LAST.map((table, index): [bigint, bigint] => [MIDDLE + 8n * BigInt(index), entryTo(table, 1n)]),
    ...pages.map((page): [bigint, bigint] => {
      const table = page < pieces[1] ? LAST[0] : LAST[1];
      return [table + 8n * ((page >> 12n) & 511n), entryTo(page, ALL)];
    }),
  ];
}

/** Asks the machine for each pair of sizes. */
export function walkCosts(): WalkCost[] {
  const machine = new TwoStageMachine();
  return SIZES.flatMap(({ name: guest, level }) =>
    SIZES.map(({ name: host, level: second }): WalkCost => {
      const { reads } = machine.ask({
        memory: new Map([...guestEntries(level), ...hostEntries(second)]),
        vsatp: level === undefined ? 0n : vsatpFor(GUEST_TABLES[0]),
        hgatp: second === undefined ? 0n : hgatpFor(ROOT, 1),
        gva: level === undefined ? DATA : GVA,
        access: { kind: "load", user: true, sum: false, mxr: false },
      });
      return { guest, host, reads };
    }),
  );
}

const LEFT = 190;
const TOP = 96;
const WIDTH = 108;
const HEIGHT = 52;

function cellMarks({ reads }: WalkCost, column: number, row: number, most: number): string {
  const [x, y] = [LEFT + column * (WIDTH + 6), TOP + row * (HEIGHT + 6)];
  return [
    box(x, y, WIDTH, HEIGHT, {
      fill: partPaint("page-table"),
      "fill-opacity": Math.round((100 * 0.45 * reads) / most) / 100,
      stroke: partPaint("page-table"),
      "stroke-width": reads === most ? 3 : 1.25,
      rx: 3,
    }),
    label(x + WIDTH / 2, y + 33, String(reads), { size: 20, bold: true, anchor: "middle", mono: true }),
  ].join("");
}

/** Draws the map of costs. */
export function walkCostMap(title = "Entries that one access reads"): FigureBundle {
  const costs = walkCosts();
  const most = Math.max(...costs.map(({ reads }) => reads));
  const words = `At most ${most}: (3 + 1) walks of the second stage with 3 entries each, and 3 entries of the guest.`;
  const quiet = { size: 12, paint: paperPaint("quiet") } as const;
  const bottom = TOP + SIZES.length * (HEIGHT + 6);
  const svg = picture(
    {
      title,
      description: `${costs.map(({ guest, host, reads }) => `Guest ${guest}, second stage ${host}: ${reads}.`).join(" ")} ${words}`,
    },
    FIGURE_WIDTH,
    bottom + 42,
    label(24, 30, title, { size: 15, bold: true }),
    label(LEFT, 58, "pages of the second stage", { ...quiet, bold: true, paint: partPaint("page-table") }),
    ...SIZES.map(({ name }, column) =>
      label(LEFT + column * (WIDTH + 6) + WIDTH / 2, 84, name, { ...quiet, anchor: "middle" }),
    ),
    label(24, TOP - 12, "pages of the guest", { ...quiet, bold: true, paint: modePaint("VS") }),
    ...SIZES.map(({ name }, row) => label(24, TOP + row * (HEIGHT + 6) + 31, name, quiet)),
    ...costs.map((cost, index) =>
      cellMarks(cost, index % SIZES.length, Math.floor(index / SIZES.length), most),
    ),
    label(24, bottom + 24, words, { size: 12, bold: true }),
  );
  const heading = `  guest \\ second stage  ${SIZES.map(({ name }) => name.padStart(6)).join("")}`;
  const lines = SIZES.map(({ name }, row) => {
    const cells = costs.slice(row * SIZES.length, (row + 1) * SIZES.length);
    return `  ${name.padEnd(20)}  ${cells.map(({ reads }) => String(reads).padStart(6)).join("")}`;
  });
  return pictureBundle(svg, [title, heading, ...lines, `  ${words}`].join("\n"));
}
