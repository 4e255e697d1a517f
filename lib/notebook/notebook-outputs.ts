/**
 * From what a cell put out to what its notebook file keeps.
 */
import type { CellOutput } from "./kernel-protocol.ts";
import type { Cell, CodeCell, JsonObject, JsonValue, Notebook, Output } from "./nbformat.ts";

/** Outputs as nbformat keeps them. */
export function toNotebookOutputs(outputs: readonly CellOutput[], executionCount: number): Output[] {
  return outputs.map((output): Output => {
    switch (output.type) {
      case "stream":
        return { output_type: "stream", name: output.name, text: output.text };
      case "display_data":
        return { output_type: "display_data", data: jsonObject(output.data), metadata: {} };
      case "execute_result":
        return {
          output_type: "execute_result",
          data: jsonObject(output.data),
          metadata: {},
          execution_count: executionCount,
        };
      case "error":
        return {
          output_type: "error",
          ename: output.ename,
          evalue: output.evalue,
          traceback: output.traceback,
        };
      default:
        return output satisfies never;
    }
  });
}

function jsonObject(data: { readonly [mime: string]: unknown }): JsonObject {
  return JSON.parse(JSON.stringify(data)) as { [key: string]: JsonValue };
}

/** A code cell with other outputs. */
export function withOutputs(
  cell: CodeCell,
  outputs: readonly CellOutput[],
  executionCount: number,
): CodeCell {
  return { ...cell, execution_count: executionCount, outputs: toNotebookOutputs(outputs, executionCount) };
}

/** A notebook as it was written, never run: no outputs, no counts, no execution times. */
export function withoutOutputs(notebook: Notebook): Notebook {
  const cells = notebook.cells.map((cell): Cell => {
    const { execution: _, ...metadata } = cell.metadata;
    return cell.cell_type === "code"
      ? { ...cell, metadata, execution_count: null, outputs: [] }
      : { ...cell, metadata };
  });
  return { ...notebook, cells };
}
