import path from "node:path";
import { runNotebook } from "../../lib/host/kernel/headless.ts";
import type { NotebookContent } from "../../lib/notebook/export/document.ts";
import { isNotebookError } from "../../lib/notebook/nbformat.ts";

/** A notebook with the outputs of a fresh run. A cell that fails stops the build: the book shows no broken chapter. */
export async function executedNotebook(file: string): Promise<NotebookContent> {
  const name = path.basename(file);
  const report = await runNotebook(file);
  if (isNotebookError(report)) throw new Error(`${name}: ${report.message}`);
  if (report.failure) throw new Error(`${name}, code cell ${report.failure.cell}: ${report.failure.message}`);
  return report.notebook;
}
