/**
 * Notebook → one TypeScript file in the "percent" form that editors and jupytext read: `// %%` starts a cell, text
 * is a comment.
 */
import type { ExportDocument } from "./document.ts";

/** Converts a document to a script. Outputs are left out. */
export function scriptFromDocument(document: ExportDocument): string {
  const cells = document.cells.map((cell) => {
    const tags = cell.tags.length === 0 ? "" : ` tags=${JSON.stringify(cell.tags)}`;
    if (cell.kind === "code") return `// %% id=${JSON.stringify(cell.id)}${tags}\n${cell.source.trimEnd()}`;
    return `// %% [${cell.kind}] id=${JSON.stringify(cell.id)}${tags}\n${commented(cell.source.trimEnd())}`;
  });
  return `${cells.join("\n\n")}\n`;
}

function commented(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "//" : `// ${line}`))
    .join("\n");
}
