/**
 * The `console` that cells see: same text in every kernel, no clock, no colors.
 */
import { inspect, printForConsole } from "./inspect/inspect.ts";

/** Receives what is printed; `text` ends in a line feed. */
export type WriteText = (name: "stdout" | "stderr", text: string) => void;

/** The methods that a cell may call. */
export type CellConsole = Pick<
  Console,
  | "log"
  | "info"
  | "debug"
  | "warn"
  | "error"
  | "trace"
  | "dir"
  | "table"
  | "assert"
  | "count"
  | "countReset"
  | "group"
  | "groupCollapsed"
  | "groupEnd"
  | "clear"
  | "time"
  | "timeLog"
  | "timeEnd"
>;

/**
 * Makes a console that prints through `write`.
 *
 * @param now  Milliseconds of some clock, for `console.time` alone; without it those calls print no duration.
 */
export function createCellConsole(write: WriteText, now?: () => number): CellConsole {
  let indentation = "";
  const counts = new Map<string, number>();
  const timers = new Map<string, number>();
  const print = (name: "stdout" | "stderr", text: string) =>
    write(name, `${indentation === "" ? text : indentation + text.replaceAll("\n", `\n${indentation}`)}\n`);
  const out = (...values: unknown[]) => print("stdout", formatLog(values));
  const err = (...values: unknown[]) => print("stderr", formatLog(values));
  const elapsed = (label: string) => {
    const start = timers.get(label);
    return start === undefined || now === undefined ? label : `${label}: ${(now() - start).toFixed(3)}ms`;
  };
  const group = (...values: unknown[]) => {
    if (values.length > 0) out(...values);
    indentation += "  ";
  };
  return {
    log: out,
    info: out,
    debug: out,
    warn: err,
    error: err,
    trace: (...values) => err("Trace:", ...values),
    dir: (value) => out(inspect(value)),
    table: (rows) => out(tableOf(rows)),
    assert: (holds, ...values) => {
      const [first, ...rest] = values;
      if (holds) return;
      if (typeof first === "string") err(`Assertion failed: ${first}`, ...rest);
      else err(...(values.length === 0 ? ["Assertion failed"] : ["Assertion failed:", ...values]));
    },
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      out(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indentation = indentation.slice(2);
    },
    clear: () => {},
    time: (label = "default") => void timers.set(label, now?.() ?? 0),
    timeLog: (label = "default", ...values) => out(elapsed(label), ...values),
    timeEnd: (label = "default") => {
      out(elapsed(label));
      timers.delete(label);
    },
  };
}

/** Joins the arguments of one `console.log`, with `%s %d %i %f %j %o %O %c %%` in a first string. */
export function formatLog(values: readonly unknown[]): string {
  const [first, ...rest] = values;
  if (typeof first !== "string" || rest.length === 0) return values.map(printForConsole).join(" ");
  let used = 0;
  const head = first.replace(/%[sdifjoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (used >= rest.length) return mark;
    const value = rest[used++];
    return substitute(mark, value);
  });
  return [head, ...rest.slice(used).map(printForConsole)].join(" ");
}

function substitute(mark: string, value: unknown): string {
  switch (mark) {
    case "%s":
      return typeof value === "bigint"
        ? `${value}n`
        : typeof value === "object" && value !== null
          ? inspect(value)
          : String(value);
    case "%d":
      return typeof value === "bigint"
        ? `${value}n`
        : String(typeof value === "symbol" ? Number.NaN : Number(value));
    case "%i":
      return typeof value === "bigint" ? `${value}n` : String(Number.parseInt(String(value), 10));
    case "%f":
      return String(Number.parseFloat(String(value)));
    case "%j":
      return jsonOf(value);
    case "%c":
      return "";
    default:
      return inspect(value);
  }
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch {
    return "[Circular]";
  }
}

/** Rows as a box-drawn table; anything that has no rows prints as itself. */
function tableOf(rows: unknown): string {
  if (typeof rows !== "object" || rows === null) return printForConsole(rows);
  const entries = Object.entries(rows);
  const columns: string[] = [];
  let hasValues = false;
  for (const [, row] of entries) {
    if (typeof row !== "object" || row === null) hasValues = true;
    else for (const key of Object.keys(row)) if (!columns.includes(key)) columns.push(key);
  }
  const head = ["(index)", ...columns, ...(hasValues ? ["Values"] : [])];
  const body = entries.map(([index, row]) => {
    const cells =
      typeof row === "object" && row !== null ? new Map(Object.entries(row)) : new Map<string, unknown>();
    const value = typeof row === "object" && row !== null ? "" : inspect(row);
    return [
      index,
      ...columns.map((key) => (cells.has(key) ? inspect(cells.get(key)) : "")),
      ...(hasValues ? [value] : []),
    ];
  });
  const widths = head.map(
    (name, at) => Math.max(name.length, ...body.map((line) => line[at]?.length ?? 0)) + 2,
  );
  const rule = (left: string, middle: string, right: string) =>
    left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const line = (cells: readonly string[]) =>
    `│${cells.map((cell, at) => ` ${cell}`.padEnd(widths[at] ?? 0)).join("│")}│`;
  return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...body.map(line), rule("└", "┴", "┘")].join(
    "\n",
  );
}
