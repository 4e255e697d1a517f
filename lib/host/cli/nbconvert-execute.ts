/** Runs a notebook before it is converted, without Jupyter. */
import type { CellError } from "../../notebook/kernel-protocol.ts";
import type { Cell, Notebook } from "../../notebook/nbformat.ts";
import { withOutputs } from "../../notebook/notebook-outputs.ts";
import { CellOutputs } from "../../notebook/outputs.ts";
import { openHeadlessSession } from "../kernel/headless-session.ts";

/** The notebook with its outputs, or why it stopped, as one line. */
export type ExecutedNotebook = { readonly notebook: Notebook } | { readonly message: string };

/**
 * Runs every code cell in a fresh session.
 *
 * @param folder       Where the notebook lies: its imports start there.
 * @param allowErrors  Go on after a failing cell; cells tagged `raises-exception` may always fail.
 */
export async function executeNotebook(
  notebook: Notebook,
  folder: string,
  allowErrors: boolean,
): Promise<ExecutedNotebook> {
  const session = openHeadlessSession({ folder });
  try {
    const cells: Cell[] = [];
    let count = 0;
    for (const cell of notebook.cells) {
      if (cell.cell_type !== "code" || cell.source.trim() === "") {
        cells.push(cell);
        continue;
      }
      count++;
      const outputs = new CellOutputs();
      const { error } = await session.execute(cell.source, (output) => outputs.add(output));
      if (error !== undefined && !allowErrors && !mayFail(cell))
        return { message: failure(cell.id, count, error) };
      cells.push(withOutputs(cell, outputs.all, count));
    }
    return { notebook: { ...notebook, cells } };
  } finally {
    await session.close();
  }
}

function mayFail(cell: Cell): boolean {
  const tags = cell.metadata["tags"];
  return Array.isArray(tags) && tags.includes("raises-exception");
}

function failure(id: string, count: number, { ename, evalue }: CellError): string {
  const line = evalue.split("\n")[0] ?? "";
  return `code cell ${count} (${id}) stopped with ${ename}: ${line}; nothing was written (--allow-errors goes on)`;
}
