import { readFile } from "node:fs/promises";
import type { NotebookContent } from "../../lib/notebook/export/document.ts";

/** A notebook with the outputs of a fresh run. */
export async function executedNotebook(file: string): Promise<NotebookContent> {
  return JSON.parse(await readFile(file, "utf8")) as NotebookContent;
}
