/**
 * From TypeScript's diagnostics to positions and sentences that fit a cell.
 *
 * What concerns only our appended lines is dropped; what names a cell's file is put as a reader would say it.
 */
import ts from "typescript";
import type { CellDiagnostic, CellError } from "../kernel-protocol.ts";
import type { CellModule } from "./cell-module.ts";

const ASSIGNED_IMPORT = 2632;
/** Our own rules are numbered apart from TypeScript's. */
const OWN_EXPORT = 90_001;
const OWN_NAME = 90_003;
/** Names in emitted code. */
const OUR_NAMES = /\$(?:dom0|tick|value|cell\d+|mod\d+)(?![\p{ID_Continue}$])/u;
const SHOWN = 20;

/** Diagnostics of one cell, first things first. */
export function cellDiagnostics(
  module: CellModule,
  found: readonly ts.Diagnostic[],
): readonly CellDiagnostic[] {
  const { source } = module;
  const result: CellDiagnostic[] = [];
  for (const diagnostic of found) {
    if (diagnostic.category !== ts.DiagnosticCategory.Error || diagnostic.start === undefined) continue;
    if (diagnostic.start > source.length || (diagnostic.start === source.length && source.length > 0))
      continue;
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
    result.push(
      place(
        source,
        diagnostic.start,
        diagnostic.length ?? 1,
        diagnostic.code,
        asReaderSays(message, diagnostic, module),
      ),
    );
  }
  return result.sort((a, b) => a.start - b.start).filter(isNew);
}

/** Errors that need no checker: broken syntax, and exports that a cell cannot have. */
export function syntaxDiagnostics(module: CellModule): readonly CellDiagnostic[] {
  const { source, parsed } = module;
  const broken = parsed.syntaxErrors.map((error) =>
    place(
      source,
      Math.min(error.start, source.length),
      error.length,
      error.code,
      ts.flattenDiagnosticMessageText(error.messageText, "\n"),
    ),
  );
  const exports = parsed.exportStatements.map(({ start, length }) =>
    place(
      source,
      start,
      length,
      OWN_EXPORT,
      "A cell exports nothing: later cells see every name of its top level.",
    ),
  );
  const ours = OUR_NAMES.exec(source);
  const taken =
    ours !== null && parsed.mentioned.has(ours[0])
      ? [
          place(
            source,
            ours.index,
            ours[0].length,
            OWN_NAME,
            `The kernel uses the name '${ours[0]}' itself: choose another.`,
          ),
        ]
      : [];
  return [...broken, ...exports, ...taken].sort((a, b) => a.start - b.start);
}

/** The error record of a cell that was not run because of its diagnostics. */
export function typeErrorRecord(source: string, diagnostics: readonly CellDiagnostic[]): CellError {
  const first = diagnostics[0];
  const traceback = diagnostics
    .slice(0, SHOWN)
    .flatMap((each) => [headline(each), "", ...excerpt(source, each), ""]);
  const hidden = diagnostics.length - SHOWN;
  return {
    ename: "TypeScriptError",
    evalue:
      first === undefined ? "the cell does not compile" : `${first.line}:${first.column} - ${first.message}`,
    traceback: hidden > 0 ? [...traceback, `… and ${hidden} more`] : traceback.slice(0, -1),
  };
}

const headline = (each: CellDiagnostic) =>
  `${each.line}:${each.column} - error TS${each.code}: ${each.message}`;

/** The line with the mistake, and marks under it. */
function excerpt(source: string, at: { line: number; column: number; length: number }): string[] {
  const line = source.split("\n")[at.line - 1] ?? "";
  const gutter = String(at.line);
  const width = Math.max(1, Math.min(at.length, line.length - at.column + 1));
  return [`${gutter} | ${line}`, `${" ".repeat(gutter.length + 2 + at.column)}${"~".repeat(width)}`];
}

function place(source: string, start: number, length: number, code: number, message: string): CellDiagnostic {
  const before = source.slice(0, start);
  const line = before.split("\n").length;
  const column = start - (before.lastIndexOf("\n") + 1) + 1;
  return { code, message, line, column, start, length: Math.max(1, Math.min(length, source.length - start)) };
}

function isNew(each: CellDiagnostic, index: number, all: readonly CellDiagnostic[]): boolean {
  const before = all[index - 1];
  return before === undefined || before.start !== each.start || before.message !== each.message;
}

function asReaderSays(message: string, diagnostic: ts.Diagnostic, module: CellModule): string {
  if (diagnostic.code === ASSIGNED_IMPORT) {
    const name = module.source.slice(diagnostic.start, (diagnostic.start ?? 0) + (diagnostic.length ?? 0));
    const earlier = module.imported.find((each) => each.name === name);
    if (earlier !== undefined)
      return `Cannot assign to '${name}' because it is declared in cell ${earlier.cell} without 'let'.`;
  }
  return message.replace(/(?:typeof )?import\("[^"]*?(?:cell|doc)-(?:\d+|in-question)"\)\.?/g, "");
}
