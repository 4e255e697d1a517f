/** The grade sheet as CSV: nbgrader's columns, RFC 4180 quoting, and nothing that a spreadsheet would run. */
import { stringify } from "csv-stringify/sync";
import { visibleText } from "../../checks/verdict-bundle.ts";
import type { ExportRow } from "./sheet.ts";

const COLUMNS = [
  "assignment",
  "duedate",
  "timestamp",
  "student_id",
  "last_name",
  "first_name",
  "email",
  "raw_score",
  "late_submission_penalty",
  "score",
  "max_score",
] as const satisfies readonly (keyof ExportRow)[];

/** The sheet, lines ending in CRLF. A text that a spreadsheet would take for a formula gets a leading apostrophe. */
export function gradesCsv(rows: readonly ExportRow[]): string {
  return stringify(
    rows.map((row) => COLUMNS.map((column) => cellText(row[column]))),
    // Without the pattern only the whole delimiter, CR LF, would be quoted, and a lone line feed would split a record.
    { header: true, columns: [...COLUMNS], record_delimiter: "\r\n", quoted_match: /[\r\n]/ },
  );
}

/** Python prints whole floats with `.0`, and whoever reads nbgrader's sheet may rely on it. */
function cellText(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : `${value}`;
  const text = visibleText(value);
  return /^\s*[=+\-@\t\r\n|%]/.test(text) ? `'${text}` : text;
}
