/**
 * The page walk as a picture: the virtual address cut into indexes, then one page-table entry for each level, bit by
 * bit, until a leaf answers or a bit says no.
 */
import { type FigureBundle, pictureBundle } from "./figure.ts";
import { box, element, label, line, picture } from "./marks/svg.ts";
import { paperPaint, partPaint } from "./palette.ts";

/** Low eight bits of a PTE, highest first, as the manual names them. @spec priv §Sv39: Page-Based 39-bit Virtual-Memory System */
const PTE_BITS = ["D", "A", "G", "U", "X", "W", "R", "V"] as const;

/** One step of a walk. */
export interface WalkStep {
  /** 2, 1 or 0 under Sv39. */
  readonly level: number;
  /** Index into this level's table, 0 to 511. */
  readonly vpnIndex: number;
  /** Physical address of the entry. */
  readonly pteAddress: bigint;
  /** The entry, 64 bits. */
  readonly pte: bigint;
  /** What the walker concluded from it, in a few words. */
  readonly verdict: string;
}

/** A walk as an explainer returns it. */
export interface WalkView {
  readonly ok: boolean;
  readonly vaddr: bigint;
  /** "load", "store", "fetch". */
  readonly access: string;
  readonly levels: readonly WalkStep[];
  /** The bit that said no, e.g. "U" or "V". */
  readonly failedBit?: string | undefined;
  /** The outcome in one sentence. */
  readonly sentence: string;
  /** Where it leads, when `ok`. */
  readonly paddr?: bigint | undefined;
}

const WIDTH = 760;
const STRIP = 216;
const PPN_WIDTH = 176;
const RSW_WIDTH = 34;
const BIT_WIDTH = 32;
const CELL = 30;
const LEVEL_HEIGHT = 92;
const FIRST_LEVEL = 128;

const hex = (value: bigint, digits = 1): string =>
  `0x${BigInt.asUintN(64, value).toString(16).padStart(digits, "0")}`;

const bitOf = (pte: bigint, name: (typeof PTE_BITS)[number]): bigint =>
  (pte >> BigInt(7 - PTE_BITS.indexOf(name))) & 1n;

/** Physical page number of a PTE as the address of its page. */
const pageOf = (pte: bigint): bigint => ((pte >> 10n) & ((1n << 44n) - 1n)) << 12n;

function addressMarks(view: WalkView): string {
  const paint = partPaint("memory");
  const parts = [
    { name: "VPN[2]", value: (view.vaddr >> 30n) & 511n, width: 116, bits: "38\u201330" },
    { name: "VPN[1]", value: (view.vaddr >> 21n) & 511n, width: 116, bits: "29\u201321" },
    { name: "VPN[0]", value: (view.vaddr >> 12n) & 511n, width: 116, bits: "20\u201312" },
    { name: "offset", value: view.vaddr & 4095n, width: 116, bits: "11\u20130" },
  ];
  const cells = parts.map((part, index) => {
    const x = STRIP + index * 116;
    const used = index === 3 || view.levels.some((step) => step.level === 2 - index);
    return [
      box(x, 62, part.width, CELL, {
        fill: paperPaint("paper"),
        stroke: paint,
        "stroke-width": 1.25,
        "stroke-dasharray": used ? undefined : "3 3",
      }),
      label(x + part.width / 2, 82, index === 3 ? hex(part.value, 3) : String(part.value), {
        size: 13,
        mono: true,
        anchor: "middle",
        bold: true,
      }),
      label(x + part.width / 2, 56, `${part.name}  ${part.bits}`, {
        size: 10.5,
        anchor: "middle",
        paint: paperPaint("quiet"),
      }),
    ].join("");
  });
  return (
    label(24, 76, `${view.access} at`, { size: 12, paint: paperPaint("quiet") }) +
    label(24, 92, hex(view.vaddr), { size: 12, mono: true, bold: true }) +
    cells.join("")
  );
}

function bitMarks(step: WalkStep, failed: string | undefined, y: number): string {
  const start = STRIP + PPN_WIDTH + RSW_WIDTH;
  const paint = partPaint("page-table");
  return PTE_BITS.map((name, index) => {
    const x = start + index * BIT_WIDTH;
    const isSet = bitOf(step.pte, name) === 1n;
    const isCulprit = failed === name;
    return [
      box(x, y, BIT_WIDTH, CELL, {
        fill: isSet ? paint : paperPaint("paper"),
        stroke: paint,
        "stroke-width": 1.25,
      }),
      label(x + BIT_WIDTH / 2, y + 20, isSet ? "1" : "0", {
        size: 13,
        mono: true,
        anchor: "middle",
        bold: true,
        paint: isSet ? paperPaint("paper") : paperPaint("quiet"),
      }),
      label(x + BIT_WIDTH / 2, y - 5, name, {
        size: 11,
        anchor: "middle",
        bold: isCulprit,
        paint: isCulprit ? partPaint("trap") : paperPaint("quiet"),
      }),
      isCulprit
        ? box(x - 2, y - 2, BIT_WIDTH + 4, CELL + 4, {
            fill: "none",
            stroke: partPaint("trap"),
            "stroke-width": 3.5,
            rx: 3,
          })
        : "",
    ].join("");
  }).join("");
}

function stepMarks(step: WalkStep, failed: string | undefined, isLast: boolean, y: number): string {
  const paint = partPaint("page-table");
  const culprit = failed !== undefined;
  const elbow = { stroke: paint, "stroke-width": 1.5, fill: "none" };
  return [
    label(24, y + 12, `level ${step.level}`, { size: 13, bold: true }),
    label(24, y + 28, `entry ${step.vpnIndex}, at ${hex(step.pteAddress)}`, {
      size: 11,
      paint: paperPaint("quiet"),
    }),
    box(STRIP, y, PPN_WIDTH, CELL, { fill: paperPaint("paper"), stroke: paint, "stroke-width": 1.25 }),
    label(STRIP + PPN_WIDTH / 2, y + 20, hex(pageOf(step.pte)), { size: 12, mono: true, anchor: "middle" }),
    label(STRIP + PPN_WIDTH / 2, y - 5, "PPN, as an address", {
      size: 10.5,
      anchor: "middle",
      paint: paperPaint("quiet"),
    }),
    box(STRIP + PPN_WIDTH, y, RSW_WIDTH, CELL, { fill: paperPaint("paper"), stroke: paperPaint("rule") }),
    label(STRIP + PPN_WIDTH + RSW_WIDTH / 2, y - 5, "RSW", {
      size: 10,
      anchor: "middle",
      paint: paperPaint("quiet"),
    }),
    bitMarks(step, failed, y),
    label(STRIP + PPN_WIDTH + RSW_WIDTH + BIT_WIDTH * 8, y + CELL + 17, step.verdict, {
      size: 12,
      anchor: "end",
      bold: culprit,
      paint: culprit ? partPaint("trap") : paperPaint("ink"),
    }),
    isLast
      ? ""
      : element("path", { d: `M${STRIP + 40} ${y + CELL}v${LEVEL_HEIGHT - CELL - 26}`, ...elbow }) +
        element("path", { d: `M${STRIP + 40} ${y + LEVEL_HEIGHT - 18}l-5 -9h10z`, fill: paint }),
  ].join("");
}

function walkSvg(view: WalkView, title: string): string {
  const bottom = FIRST_LEVEL + view.levels.length * LEVEL_HEIGHT;
  const last = view.levels.length - 1;
  const outcome = view.ok
    ? `\u2192 physical ${view.paddr === undefined ? "" : hex(view.paddr)}`
    : "\u2715 page fault";
  const paint = view.ok ? partPaint("memory") : partPaint("trap");
  return picture(
    {
      title,
      description: `${view.sentence} ${view.levels.map((step) => `Level ${step.level}, entry ${step.vpnIndex}: ${step.verdict}.`).join(" ")}`,
    },
    WIDTH,
    bottom + 44,
    label(24, 30, title, { size: 15, bold: true }),
    addressMarks(view),
    ...view.levels.map((step, index) =>
      stepMarks(
        step,
        index === last && !view.ok ? view.failedBit : undefined,
        index === last,
        FIRST_LEVEL + index * LEVEL_HEIGHT,
      ),
    ),
    line(24, bottom - 16, WIDTH - 24, bottom - 16, paperPaint("rule")),
    label(24, bottom + 6, outcome, { size: 13, bold: true, paint }),
    label(24, bottom + 26, view.sentence, { size: 12 }),
  );
}

const bitsText = (pte: bigint): string =>
  PTE_BITS.map((name) => (bitOf(pte, name) === 1n ? name : "-")).join("");

function walkText(view: WalkView, title: string): string {
  const steps = view.levels.map(
    (step) =>
      `  level ${step.level}  entry ${String(step.vpnIndex).padStart(3)} at ${hex(step.pteAddress)}  ${bitsText(step.pte)}  page ${hex(pageOf(step.pte))}  ${step.verdict}`,
  );
  return [`${title}: ${view.access} at ${hex(view.vaddr)}`, ...steps, `  ${view.sentence}`].join("\n");
}

/** Draws one Sv39 walk, level by level; the bit that said no has a heavy frame. */
export function walkPicture(view: WalkView, title = "The walk, level by level"): FigureBundle {
  return pictureBundle(walkSvg(view, title), walkText(view, title));
}
