/**
 * Completion and quick info: what an editor asks while a cell is written.
 */
import ts from "typescript";
import type { CompletionEntry, CompletionList, QuickInfo } from "../kernel-protocol.ts";

const SHOWN = 200;

/** Names that fit at an offset, those that start with what is typed first. */
export function completionsAt(
  service: ts.LanguageService,
  path: string,
  source: string,
  offset: number,
): CompletionList {
  const word = /[\p{ID_Continue}$]*$/u.exec(source.slice(0, offset))?.[0] ?? "";
  const rest = /^[\p{ID_Continue}$]*/u.exec(source.slice(offset))?.[0] ?? "";
  const found = service.getCompletionsAtPosition(path, offset, { includeCompletionsWithInsertText: false });
  const ranked = (found?.entries ?? [])
    .map((entry) => ({ entry, rank: rankOf(entry.name, word) }))
    .filter(({ rank }) => rank < MISFIT)
    .sort(
      (a, b) =>
        a.rank - b.rank || compare(a.entry.sortText, b.entry.sortText) || compare(a.entry.name, b.entry.name),
    );
  const entries: CompletionEntry[] = ranked
    .slice(0, SHOWN)
    .map(({ entry }) => ({ name: entry.name, kind: entry.kind }));
  return { from: offset - word.length, to: offset + rest.length, entries };
}

const MISFIT = 3;

function rankOf(name: string, word: string): number {
  if (name.startsWith(word)) return 0;
  if (name.toLowerCase().startsWith(word.toLowerCase())) return 1;
  return name.toLowerCase().includes(word.toLowerCase()) ? 2 : MISFIT;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Signature and documentation of what stands at an offset. */
export function quickInfoAt(
  service: ts.LanguageService,
  path: string,
  source: string,
  offset: number,
): QuickInfo | undefined {
  const info = service.getQuickInfoAtPosition(path, offset);
  if (info === undefined || info.textSpan.start >= Math.max(1, source.length)) return undefined;
  const tags = (info.tags ?? []).map((tag) => `@${tag.name} ${ts.displayPartsToString(tag.text)}`.trim());
  const signature = ts
    .displayPartsToString(info.displayParts)
    .replace(/^\(alias\) /, "")
    .replace(/\nimport [\s\S]*$/, "");
  return {
    start: info.textSpan.start,
    length: info.textSpan.length,
    signature,
    documentation: [ts.displayPartsToString(info.documentation), ...tags]
      .filter((part) => part !== "")
      .join("\n"),
  };
}
