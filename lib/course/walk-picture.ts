/**
 * The page walk as a picture: the virtual address cut into indexes, then one page-table entry for each level, bit by
 * bit, until a leaf answers or a bit says no.
 */
import { groupedHex } from "../bits/hex.ts";
import type { ExplainedLevel, TranslationExplanation } from "../mmu/explain-translation.ts";
import type { FailedBit } from "../mmu/walk-words.ts";
import { type FigureBundle, markupBundle, pictureBundle } from "./figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "./marks/svg.ts";
import { paperPaint, partPaint } from "./palette.ts";
import { drawTwoStages } from "./two-stage-picture.ts";
import { addressMarks, outcomeOf, STRIP, wrap } from "./walk-marks.ts";

/** Low eight bits of a PTE, highest first, as the manual names them. @spec priv §Sv39: Page-Based 39-bit Virtual-Memory System */
const PTE_BITS = ["D", "A", "G", "U", "X", "W", "R", "V"] as const;

/** What a walk can be drawn from: an explained translation, an explained trap, or a landing that ended in one. */
export type Walked =
  | TranslationExplanation
  | { readonly walk: TranslationExplanation | undefined }
  | { readonly explanation: { readonly walk: TranslationExplanation | undefined } | undefined };

const PPN_WIDTH = 168;
const RSW_WIDTH = 34;
const BIT_WIDTH = 32;
const CELL = 30;
const LEVEL_HEIGHT = 92;
const FIRST_LEVEL = 140;
const STRIP_END = STRIP + PPN_WIDTH + RSW_WIDTH + 8 * BIT_WIDTH;

/** Physical page number of an entry as the address of its page. */
const pageOf = (step: ExplainedLevel): bigint => step.ppn << 12n;

function bitMarks(step: ExplainedLevel, failed: FailedBit | undefined, y: number): string {
  const start = STRIP + PPN_WIDTH + RSW_WIDTH;
  const paint = partPaint("page-table");
  const cells = PTE_BITS.map((name, index) => {
    const x = start + index * BIT_WIDTH;
    const isSet = step.flags[name];
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
    ].join("");
  });
  const culprit = failed === undefined ? -1 : (PTE_BITS as readonly string[]).indexOf(failed);
  const frame = box(start + culprit * BIT_WIDTH - 2, y - 2, BIT_WIDTH + 4, CELL + 4, {
    fill: "none",
    stroke: partPaint("trap"),
    "stroke-width": 3.5,
    rx: 3,
  });
  return cells.join("") + (culprit < 0 ? "" : frame);
}

function stepMarks(step: ExplainedLevel, failed: FailedBit | undefined, isLast: boolean, y: number): string {
  const paint = partPaint("page-table");
  const culprit = failed !== undefined;
  const ppnCenter = STRIP + PPN_WIDTH / 2;
  return [
    label(24, y + 12, `level ${step.level}`, { size: 13, bold: true }),
    label(24, y + 28, `entry ${step.vpnIndex}, at ${groupedHex(step.pteAddress, 8)}`, {
      size: 11,
      paint: paperPaint("quiet"),
    }),
    box(STRIP, y, PPN_WIDTH, CELL, { fill: paperPaint("paper"), stroke: paint, "stroke-width": 1.25 }),
    label(ppnCenter, y + 20, groupedHex(pageOf(step), 8), { size: 12, mono: true, anchor: "middle" }),
    label(ppnCenter, y - 5, "PPN, as an address", {
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
    ...wrap(step.sentence).map((part, index) =>
      label(STRIP_END, y + CELL + 16 + index * 14, part, {
        size: 11.5,
        anchor: "end",
        bold: culprit,
        paint: culprit ? partPaint("trap") : paperPaint("quiet"),
      }),
    ),
    isLast ? "" : pointerMarks(y),
  ].join("");
}

/** The arrow from an entry's page number to the next table. */
function pointerMarks(y: number): string {
  const paint = partPaint("page-table");
  const x = STRIP + 16;
  return (
    line(x, y + CELL, x, y + LEVEL_HEIGHT - 22, paint, { "stroke-width": 1.5 }) +
    element("path", { d: `M${x} ${y + LEVEL_HEIGHT - 15}l-5 -9h10z`, fill: paint })
  );
}

/** A line below the outcome, where the last level has not said it already. */
const remarkOf = (view: TranslationExplanation): string =>
  view.sentence === view.levels.at(-1)?.sentence ? "" : (view.pmp?.sentence ?? view.sentence);

function walkSvg(view: TranslationExplanation, title: string): string {
  const bottom = FIRST_LEVEL + view.levels.length * LEVEL_HEIGHT;
  const last = view.levels.length - 1;
  const remark = remarkOf(view);
  return picture(
    { title, description: `${view.sentence} ${view.levels.map((step) => step.sentence).join(" ")}` },
    FIGURE_WIDTH,
    bottom + (remark === "" ? 24 : 44),
    label(24, 30, title, { size: 15, bold: true }),
    addressMarks(view, "satp"),
    ...view.levels.map((step, index) =>
      stepMarks(
        step,
        index === last && !view.ok ? view.failedBit : undefined,
        index === last,
        FIRST_LEVEL + index * LEVEL_HEIGHT,
      ),
    ),
    line(24, bottom - 16, FIGURE_WIDTH - 24, bottom - 16, paperPaint("rule")),
    label(24, bottom + 6, outcomeOf(view), {
      size: 13,
      bold: true,
      paint: partPaint(view.ok ? "memory" : "trap"),
    }),
    remark === "" ? "" : label(24, bottom + 26, remark, { size: 12 }),
  );
}

function walkText(view: TranslationExplanation, title: string): string {
  const steps = view.levels.map(
    (step) =>
      `  level ${step.level}  entry ${String(step.vpnIndex).padStart(3)}  ${step.flagsText}  page ${groupedHex(pageOf(step), 8)}  ${step.sentence}`,
  );
  const remark = remarkOf(view);
  const lines = [
    `${title}: ${view.access} at ${groupedHex(view.vaddr, 8)}, mode ${view.mode}`,
    ...steps,
    `  ${outcomeOf(view)}`,
  ];
  return [...lines, ...(remark === "" ? [] : [`  ${remark}`])].join("\n");
}

const explanationOf = (walked: Walked): TranslationExplanation | undefined =>
  "levels" in walked ? walked : "walk" in walked ? walked.walk : walked.explanation?.walk;

/**
 * Draws one walk, level by level; the bit that said no has a heavy frame. Of a guest's access it draws both stages: each
 * entry of the guest's tables with the walk of the second stage that finds it.
 *
 * @param walked  What `explainTranslation` or `explainTrap` returned, or a landing.
 */
export function walkPicture(walked: Walked, title = "The walk, level by level"): FigureBundle {
  const view = explanationOf(walked);
  if (view === undefined)
    return markupBundle(`<p>${title}: no translation failed.</p>`, `${title}: no translation failed.`);
  if (view.guest !== undefined) return drawTwoStages(view, view.guest, title);
  return pictureBundle(walkSvg(view, title), walkText(view, title));
}
