/** CSRs as the guest reads them beside what the hart has: a lie, word by word. */
import { groupedHex } from "../../bits/hex.ts";
import type { CsrName } from "../../isa/csr-map.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import type { GuestMachine } from "./guest-machine.ts";

/** Shows the mode and CSRs, first as the guest believes, then as they are. */
export function twoTruths(
  guest: GuestMachine,
  names: readonly CsrName[],
  title = "What the guest believes, and what is so",
): FigureBundle {
  const { hart } = guest.board;
  const rows = names.map((name) => {
    const [believed, real] = [guest.csr(name), hart.csr(name)];
    return [
      { text: name, code: true },
      {
        text: believed === undefined ? "the hart\u2019s" : groupedHex(believed),
        code: believed !== undefined,
      },
      { text: groupedHex(real), code: true },
    ];
  });
  const table: Table = {
    caption: title,
    columns: ["", "the guest", "the hart"],
    namesRows: true,
    rows: [["mode", { text: guest.mode(), strong: true }, { text: hart.mode, strong: true }], ...rows],
  };
  return markupBundle(tableHtml(table), tableText(table));
}
