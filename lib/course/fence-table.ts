/** What the fence checker reports, as a table. */
import { groupedHex } from "../bits/hex.ts";
import type { FenceReport } from "../mmu/fence-report.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";

const NOTHING = "No translation was used without the fence that it needed.";

const writerOf = ({ writer }: FenceReport): string =>
  writer === undefined ? "" : `, written by hart ${writer.hart} at ${groupedHex(writer.pc, 8)}`;

function tableOf(reports: readonly FenceReport[]): Table {
  return {
    caption: "Translations used without the fence that they needed",
    columns: ["who used it", "what had changed", "what to do"],
    rows: reports.map((report) => [
      `hart ${report.hart} at ${groupedHex(report.pc, 8)}: ${report.access} ${groupedHex(report.address, 8)}${report.uses > 1 ? `, ${report.uses} times` : ""}`,
      `entry at ${groupedHex(report.pteAddress, 8)}: ${groupedHex(report.oldPte)} \u2192 ${report.newPte === undefined ? "other tables" : groupedHex(report.newPte)}${writerOf(report)}`,
      report.sentence.slice(report.sentence.indexOf("Missing: ")),
    ]),
  };
}

/** Shows what `board.fenceReports()` returned. */
export function fenceTable(reports: readonly FenceReport[]): FigureBundle {
  if (reports.length === 0) return markupBundle(`<p>${NOTHING}</p>`, NOTHING);
  const table = tableOf(reports);
  return markupBundle(tableHtml(table), tableText(table));
}
