/** The page list: what an address space maps, where to, and with which permissions. */
import { groupedHex } from "../bits/hex.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import type { IslandPage } from "./island-image.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";

/** Shows pages as a table; permissions are the letters of the PTE bits that are set. */
export function pageList(pages: readonly IslandPage[], title = "The pages of the island"): FigureBundle {
  const table: Table = {
    caption: title,
    columns: ["page", "virtual address", "physical address", "UXWR", "entry at"],
    namesRows: true,
    rows: pages.map((page) => [
      page.name,
      { text: groupedHex(page.vaddr), code: true },
      { text: groupedHex(page.paddr), code: true },
      {
        text: [..."UXWR"].map((bit) => (page.flags.includes(bit) ? bit : "-")).join(""),
        code: true,
        strong: true,
      },
      { text: groupedHex(page.pteAddress), code: true },
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}
