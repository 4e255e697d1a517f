/**
 * Line breaking of printed values: the rules of Node's `util.inspect` (compact 3, 80 columns), so that a notebook
 * reads the same in every kernel. The unit tests compare with Node itself.
 */

/** Columns before a value breaks into lines. */
export const BREAK_LENGTH = 80;
const COMPACT = 3;
const GROUP_FROM = 6;
const MAX_COLUMNS = 15;
const SEPARATOR = 2;

/** Where and how deep a group of entries stands. */
export interface Frame {
  readonly open: string;
  readonly close: string;
  /** What stands before the bracket on the same line, such as an error's headline; may be empty. */
  readonly base: string;
  /** Columns already taken by what encloses the group. */
  readonly indentation: number;
  /** Levels between this group and the deepest one printed last inside it. */
  readonly height: number;
  /** Numbers align right, everything else left; `undefined` when the entries are not array elements. */
  readonly elements?: "numeric" | "mixed";
  /** The last entry is a note ("… more items") that stays on a line of its own. */
  readonly endsInNote?: boolean;
}

/** Joins printed entries inside brackets, on one line when short, in columns when there are many. */
export function layOut(entries: readonly string[], frame: Frame): string {
  const { open, close, base, indentation } = frame;
  const grouped =
    frame.elements !== undefined && entries.length > GROUP_FROM ? inColumns(entries, frame) : entries;
  const prefix = base === "" ? open : `${base} ${open}`;
  if (frame.height < COMPACT && grouped.length === entries.length) {
    const start = grouped.length + indentation + open.length + base.length + 10;
    const joined = grouped.join(", ");
    if (fits(grouped, start) && !base.includes("\n") && !joined.includes("\n"))
      return `${prefix} ${joined} ${close}`;
  }
  const newLine = `\n${" ".repeat(indentation)}`;
  return `${prefix}${newLine}  ${grouped.join(`,${newLine}  `)}${newLine}${close}`;
}

function fits(entries: readonly string[], start: number): boolean {
  let total = entries.length + start;
  if (total + entries.length > BREAK_LENGTH) return false;
  for (const entry of entries) {
    total += entry.length;
    if (total > BREAK_LENGTH) return false;
  }
  return true;
}

function inColumns(entries: readonly string[], frame: Frame): readonly string[] {
  const count = frame.endsInNote ? entries.length - 1 : entries.length;
  const lengths = entries.slice(0, count).map((entry) => entry.length);
  const total = lengths.reduce((sum, length) => sum + length + SEPARATOR, 0);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const widest = longest + SEPARATOR;
  if (widest * 3 + frame.indentation >= BREAK_LENGTH || !(total / widest > 5 || longest <= 6)) return entries;
  const bias = Math.sqrt(widest - total / entries.length);
  const biased = Math.max(widest - 3 - bias, 1);
  const columns = Math.min(
    Math.round(Math.sqrt(2.5 * biased * count) / biased),
    Math.floor((BREAK_LENGTH - frame.indentation) / widest),
    COMPACT * 4,
    MAX_COLUMNS,
  );
  if (columns <= 1) return entries;
  const widths = Array.from({ length: columns }, (_, column) => {
    let width = 0;
    for (let at = column; at < count; at += columns) width = Math.max(width, lengths[at] ?? 0);
    return width + SEPARATOR;
  });
  const rows: string[] = [];
  for (let from = 0; from < count; from += columns) {
    rows.push(
      row(entries.slice(from, Math.min(from + columns, count)), widths, frame.elements === "numeric"),
    );
  }
  return frame.endsInNote ? [...rows, entries[count] ?? ""] : rows;
}

function row(entries: readonly string[], widths: readonly number[], alignRight: boolean): string {
  return entries
    .map((entry, column) => {
      const width = widths[column] ?? 0;
      const isLast = column === entries.length - 1;
      if (isLast) return alignRight ? entry.padStart(width - SEPARATOR) : entry;
      return alignRight ? `${entry}, `.padStart(width) : `${entry}, `.padEnd(width);
    })
    .join("");
}
