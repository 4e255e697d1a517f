/**
 * From a thrown value to the error record of a cell: only frames inside cells, at the lines the reader wrote.
 *
 * Frames of the kernel and of libraries are left out: they differ between hosts and say nothing to a student.
 */
import { MappingTable } from "./compiler/source-map.ts";
import { inspect } from "./inspect/inspect.ts";
import type { CellError, EmittedCell } from "./kernel-protocol.ts";

/** Cells by number, for the frames that name them. */
export type CellLookup = (id: number) => EmittedCell | undefined;

/** Lines that stand before a cell's own code in what is evaluated; see `emit.ts`. */
const HEADER_LINES = 1;
const DEEPEST_CAUSE = 4;
const SHOWN_FRAMES = 12;

/** The file name under which a cell's code is evaluated. */
export const cellFileName = (id: number): string => `cell-${id}.js`;

/** The error record of a value thrown by a cell. */
export function errorRecord(thrown: unknown, lookup: CellLookup): CellError {
  const { ename, evalue } = nameOf(thrown);
  return { ename, evalue, traceback: tracebackOf(thrown, lookup, 0) };
}

function nameOf(thrown: unknown): { ename: string; evalue: string } {
  try {
    if (
      thrown instanceof Error ||
      (typeof thrown === "object" && thrown !== null && "stack" in thrown && "message" in thrown)
    ) {
      const error = thrown as Error;
      return { ename: String(error.name || "Error"), evalue: withoutOurNames(String(error.message)) };
    }
  } catch {
    return { ename: "Error", evalue: "<unprintable>" };
  }
  return { ename: "Thrown", evalue: typeof thrown === "string" ? thrown : inspect(thrown) };
}

/** Names of ours that an engine puts in its messages, as in "$cell1.f is not a function". */
const withoutOurNames = (message: string): string =>
  message
    .replace(/\(0\s*,\s*\$(?:cell|mod)\d+\.([\p{ID_Continue}$]+)\)/gu, "$1")
    .replace(/\$(?:cell|mod)\d+\./g, "");

function tracebackOf(thrown: unknown, lookup: CellLookup, depth: number): string[] {
  const { ename, evalue } = nameOf(thrown);
  const lines = (evalue === "" ? ename : `${ename}: ${evalue}`).split("\n");
  const frames = framesOf(thrown, lookup);
  for (const { frame, repeats } of collapse(frames).slice(0, SHOWN_FRAMES)) {
    lines.push(`    at ${describe(frame)}${repeats > 1 ? ` (${repeats} times)` : ""}`);
  }
  const top = frames[0];
  if (top !== undefined) lines.push("", ...excerpt(top, lookup));
  const cause = causeOf(thrown);
  if (cause !== undefined && depth < DEEPEST_CAUSE) {
    const [first, ...rest] = tracebackOf(cause, lookup, depth + 1);
    lines.push("", `Caused by: ${first ?? ""}`, ...rest);
  }
  return lines;
}

function causeOf(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown.cause : undefined;
  } catch {
    return undefined;
  }
}

interface CellFrame {
  readonly cell: number;
  readonly line: number;
  readonly column: number;
  /** Function in the cell; empty at the top level. */
  readonly name: string;
}

function framesOf(thrown: unknown, lookup: CellLookup): CellFrame[] {
  const stack = stackOf(thrown);
  const frames: CellFrame[] = [];
  for (const text of stack.split("\n")) {
    const found = /(?:^|[\s(@/])cell-(\d+)\.js:(\d+):(\d+)/.exec(text);
    if (found === null) continue;
    const [, id = "", line = "", column = ""] = found;
    const cell = lookup(Number(id));
    if (cell === undefined) continue;
    const at = MappingTable.of(cell).original(Number(line) - 1 - HEADER_LINES, Number(column) - 1);
    if (at !== undefined)
      frames.push({ cell: cell.id, line: at.line + 1, column: at.column + 1, name: functionName(text) });
  }
  return frames;
}

function stackOf(thrown: unknown): string {
  try {
    return thrown instanceof Error || (typeof thrown === "object" && thrown !== null && "stack" in thrown)
      ? String((thrown as Error).stack ?? "")
      : "";
  } catch {
    return "";
  }
}

/** V8 writes `at name (place)`, other engines `name@place`. */
function functionName(frame: string): string {
  const v8 = /^\s*at (?:async )?(.+?) \(/.exec(frame)?.[1];
  const other = /^([^@\s]*)@/.exec(frame)?.[1];
  const name = (v8 ?? other ?? "").replace(/^Object\./, "").replace(/ \[as .*\]$/, "");
  return name === "eval" || name.includes("<anonymous>") || name === "anonymous" ? "" : name;
}

function collapse(frames: readonly CellFrame[]): { frame: CellFrame; repeats: number }[] {
  const runs: { frame: CellFrame; repeats: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && describe(last.frame) === describe(frame)) last.repeats += 1;
    else runs.push({ frame, repeats: 1 });
  }
  return runs;
}

function describe({ cell, line, column, name }: CellFrame): string {
  const place = `cell ${cell}, line ${line}, column ${column}`;
  return name === "" ? place : `${name} (${place})`;
}

function excerpt(frame: CellFrame, lookup: CellLookup): string[] {
  const line = lookup(frame.cell)?.source.split("\n")[frame.line - 1] ?? "";
  const gutter = String(frame.line);
  return [`${gutter} | ${line}`, `${" ".repeat(gutter.length + 2 + frame.column)}^`];
}
