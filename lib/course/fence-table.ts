/** What the fence checker reports, as a table. */
import { groupedHex } from "../bits/hex.ts";
import type { FenceReport } from "../mmu/fence-report.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";

const NOTHING = "No translation was used without the fence that it needed.";

function tableOf(reports: readonly FenceReport[]): Table {
  return {
    caption: "Translations used without the fence that they needed",
    columns: ["hart", "used at", "for", "entry", "was \u2192 is", "written by", "uses", "what to do"],
    rows: reports.map((report) => [
      String(report.hart),
      { text: groupedHex(report.pc, 8), code: true },
      { text: `${report.access} ${groupedHex(report.address, 8)}`, code: true },
      { text: groupedHex(report.pteAddress, 8), code: true },
      {
        text: `${groupedHex(report.oldPte)} \u2192 ${report.newPte === undefined ? "other tables" : groupedHex(report.newPte)}`,
        code: true,
      },
      report.writer === undefined ? "?" : `hart ${report.writer.hart} at ${groupedHex(report.writer.pc, 8)}`,
      String(report.uses),
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
