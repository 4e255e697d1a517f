/** HTML tables and their plain-text twins, from one list of rows. No classes of our own are needed to read them. */
import { escapeMarkup } from "./svg.ts";

/** A cell: text, and how it is set. */
export interface Cell {
  readonly text: string;
  readonly code?: boolean;
  readonly strong?: boolean;
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (Cell | string)[])[];
  /** Columns that are numbers in text output stand right; by index. */
  readonly rightColumns?: readonly number[];
  /** Whether the first cell of a row is a name for the row. */
  readonly namesRows?: boolean;
}

const cellOf = (cell: Cell | string): Cell => (typeof cell === "string" ? { text: cell } : cell);

function cellHtml(cell: Cell): string {
  if (cell.text === "") return "";
  const text = escapeMarkup(cell.text);
  const set = cell.code === true ? `<code>${text}</code>` : text;
  return cell.strong === true ? `<strong>${set}</strong>` : set;
}

/** Notebook pages set table cells to the right unless told otherwise in the cell itself. */
const sideOf = (table: Table, index: number): string =>
  ` style="text-align:${table.rightColumns?.includes(index) === true ? "right" : "left"};vertical-align:baseline"`;

function rowHtml(table: Table, row: Table["rows"][number]): string {
  const cells = row.map((cell, index) => {
    const html = cellHtml(cellOf(cell));
    return index === 0 && table.namesRows === true
      ? `<th scope="row"${sideOf(table, index)}>${html}</th>`
      : `<td${sideOf(table, index)}>${html}</td>`;
  });
  return `<tr>${cells.join("")}</tr>`;
}

/** The table as HTML with caption and column headings. */
export function tableHtml(table: Table): string {
  const head = table.columns
    .map((column, index) =>
      // A column without a name has no header: an empty one would be read out as one.
      column === "" ? "<td></td>" : `<th scope="col"${sideOf(table, index)}>${escapeMarkup(column)}</th>`,
    )
    .join("");
  const body = table.rows.map((row) => rowHtml(table, row)).join("\n");
  return `<table class="dom0-table">\n<caption>${escapeMarkup(table.caption)}</caption>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

/** The table as aligned text under its caption. */
export function tableText(table: Table): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map((cell) => cellOf(cell).text))];
  const widths = table.columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const right = new Set(table.rightColumns ?? []);
  const lines = rows.map((row) =>
    row
      .map((text, index) =>
        right.has(index) ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return [table.caption, ...lines].join("\n");
}
