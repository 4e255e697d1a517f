/** Listings, consoles and register tables: machine state as text that lines up. */
import { groupedHex } from "../bits/hex.ts";
import type { AssemblyError } from "../isa/assembler/mistake.ts";
import type { Program } from "../isa/assembler/program.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";
import { escapeMarkup } from "./marks/svg.ts";

function listingTable(program: Program, title: string): Table {
  const names = new Map<bigint, string>();
  for (const [name, address] of program.symbols) names.set(address, name);
  return {
    caption: title,
    columns: ["address", "word", "label", "instruction"],
    rows: program.listing.map((entry) => [
      { text: groupedHex(entry.address, 8), code: true },
      {
        text: entry.word === undefined ? `${entry.bytes.length} bytes` : groupedHex(entry.word, 8),
        code: true,
      },
      { text: names.get(entry.address) ?? "", strong: true },
      { text: entry.text, code: true },
    ]),
  };
}

/**
 * A program as the hart will see it: address, 32-bit word, label, instruction.
 *
 * @param program  What `program` or `assemble` returned; for a mistake the view is its message.
 */
export function listing(program: Program | AssemblyError, title = "What the assembler made"): FigureBundle {
  if (program.kind === "assembly-error")
    return markupBundle(`<pre>${escapeMarkup(program.message)}</pre>`, program.message);
  const table = listingTable(program, title);
  return markupBundle(tableHtml(table), tableText(table));
}

/** Longest console text that is shown; the rest is counted. */
const MOST_CONSOLE = 4_000;

/** What the machine printed on its serial port. */
export function consoleView(text: string, title = "The console of the machine"): FigureBundle {
  const shown =
    text.length <= MOST_CONSOLE
      ? text
      : `${text.slice(0, MOST_CONSOLE)}\n(${text.length - MOST_CONSOLE} more characters)`;
  const clean = shown.replace(/\r\n/g, "\n").replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, "\u00b7");
  const html = `<figure class="dom0-console"><figcaption>${escapeMarkup(title)}</figcaption><pre style="white-space:pre-wrap;overflow-wrap:anywhere">${escapeMarkup(clean)}</pre></figure>`;
  return markupBundle(html, `${title}\n${clean}`);
}
