/** The trap card: one trap as the hart saw it, and why it went where it went. */
import { groupedHex } from "../bits/hex.ts";
import type { TrapExplanation } from "../mmu/explain-trap.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";
import { escapeMarkup } from "./marks/svg.ts";

/** What a card can be made from: an explained trap, or a landing that ended in one. */
export type Trapped = TrapExplanation | { readonly explanation: TrapExplanation | undefined };

function trapTable(trap: TrapExplanation): Table {
  const csr = trap.to === "M" ? "m" : "s";
  return {
    caption: "What the hart recorded",
    columns: ["what", "value", "meaning"],
    rows: [
      ["from \u2192 to", { text: `${trap.from} \u2192 ${trap.to}`, strong: true }, trap.route],
      [
        { text: `${csr}cause`, code: true },
        { text: String(trap.cause), code: true, strong: true },
        `${trap.isInterrupt ? "interrupt" : "exception"}: ${trap.name}`,
      ],
      [
        { text: `${csr}epc`, code: true },
        { text: groupedHex(trap.epc), code: true },
        trap.isInterrupt ? "the instruction that would have run next" : "the instruction that trapped",
      ],
      [{ text: `${csr}tval`, code: true }, { text: groupedHex(trap.tval), code: true }, trap.tvalMeaning],
    ],
  };
}

/**
 * Shows a trap: where from, where to, and what the hart left in the cause, epc and tval registers.
 *
 * @param trapped  What `explainTrap` returned, or a landing.
 */
export function trapCard(trapped: Trapped): FigureBundle {
  const trap = "explanation" in trapped ? trapped.explanation : trapped;
  if (trap === undefined) return markupBundle("<p>No trap was taken.</p>", "No trap was taken.");
  const table = trapTable(trap);
  return markupBundle(
    `<p>${escapeMarkup(trap.sentence)}</p>\n${tableHtml(table)}`,
    `${trap.sentence}\n${tableText(table)}`,
  );
}
