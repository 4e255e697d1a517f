/**
 * What crosses between the kernel and the child process that runs cells: one JSON object a line.
 *
 * Descriptors of the child: 3 commands in, 4 control in (read by the watcher thread even while a cell is busy;
 * its end means that the parent is gone), 5 events out (written synchronously, so nothing is lost in a crash).
 */
import type { CellOutput, EmittedCell, RunOutcome } from "../../notebook/kernel-protocol.ts";
import type { OutputLimits } from "../../notebook/outputs.ts";

export const COMMANDS_FD = 3;
export const CONTROL_FD = 4;
export const EVENTS_FD = 5;

/** What the child is started with, as JSON in its first argument. */
export interface ChildSettings {
  /** Folder that relative imports start from. */
  readonly folder: string;
  /** Second place to look for a bare import. */
  readonly fallbackFolder: string;
  readonly limits: OutputLimits;
}

export type ChildCommand =
  | { readonly type: "execute"; readonly cell: EmittedCell }
  | { readonly type: "interrupt" };

export type ChildEvent =
  | { readonly type: "ready" }
  | { readonly type: "output"; readonly cell: number; readonly output: CellOutput }
  | { readonly type: "done"; readonly cell: number; readonly outcome: RunOutcome }
  /** A cell called `process.exit`. */
  | { readonly type: "exit"; readonly code: number };

/** One byte on the control descriptor. */
export const INTERRUPT_BYTE = "i";

/** Splits a byte stream into lines and hands each over as text. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  const parts: Buffer[] = [];
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      onLine(Buffer.concat(parts).toString("utf8"));
      parts.length = 0;
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  };
}
