/**
 * Notebook → Markdown, as `jupyter nbconvert --to markdown` lays it out: text as it is, code in fences, printed text
 * in fences of its own, pictures as files.
 */
import type { ExportCell, ExportDocument, ExportOutput } from "./document.ts";
import { joined } from "./document.ts";
import { fenced } from "./mdx-text.ts";
import {
  alternativeText,
  bytesFromBase64,
  type ExportFile,
  PLOTLY_MIME,
  pictureOf,
  plainTextOf,
  withoutTerminalCodes,
} from "./outputs.ts";

/** Converts a document to Markdown and the files that it refers to, in the folder of that name. */
export function markdownFromDocument(
  document: ExportDocument,
  filesFolder: string,
): { readonly text: string; readonly files: readonly ExportFile[] } {
  const files: ExportFile[] = [];
  const parts = document.cells.flatMap((cell) =>
    cell.kind === "code"
      ? codeCell(cell, document.language, filesFolder, files)
      : [textCell(cell, filesFolder, files)],
  );
  return { text: `${parts.filter((part) => part !== "").join("\n\n")}\n`, files };
}

function textCell(cell: ExportCell, folder: string, files: ExportFile[]): string {
  let text = cell.source.trim();
  for (const [name, { base64 }] of cell.attachments) {
    const file = `${cell.id}-${name}`;
    files.push({ name: file, content: bytesFromBase64(base64) });
    text = text.replaceAll(`attachment:${name}`, `${folder}/${file}`);
  }
  return text;
}

function codeCell(cell: ExportCell, language: string, folder: string, files: ExportFile[]): string[] {
  const code = cell.source === "" ? [] : [fenced(cell.source, language)];
  return [
    ...code,
    ...cell.outputs.map((output, place) => outputText(output, `${cell.id}-${place + 1}`, folder, files)),
  ];
}

function outputText(output: ExportOutput, name: string, folder: string, files: ExportFile[]): string {
  if (output.type === "stream") return fenced(withoutTerminalCodes(output.text), "text");
  if (output.type === "error") {
    const trace =
      output.traceback.length > 0 ? output.traceback.join("\n") : `${output.name}: ${output.message}`;
    return fenced(withoutTerminalCodes(trace), "text");
  }
  const { data } = output;
  if (data[PLOTLY_MIME] !== undefined) {
    files.push({ name: `${name}.plotly.json`, content: `${JSON.stringify(data[PLOTLY_MIME])}\n` });
  }
  const picture = pictureOf(data);
  if (picture !== undefined) {
    files.push({ name: `${name}.${picture.extension}`, content: picture.content });
    return `![${alternativeText(data).replaceAll(/[[\]\\]/g, "\\$&")}](${folder}/${name}.${picture.extension})`;
  }
  const markdown = joined(data["text/markdown"]);
  if (markdown !== "") return markdown.trim();
  const html = joined(data["text/html"]);
  const text = plainTextOf(data);
  if (text !== undefined) return fenced(text, "text");
  return html === "" ? fenced(JSON.stringify(data, undefined, 2), "json") : html.trim();
}
