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

/** The kernel's command to the child: run this cell. */
export interface ChildCommand {
  readonly type: "execute";
  readonly cell: EmittedCell;
}

/** Words of the memory that the child's two threads share. */
export const IS_STOPPING = 0;
/** Set by the main thread once it knows that it was asked to stop. */
export const WAS_SEEN = 1;

/** Watcher thread → main thread: stop the cell; later, see to it that it has ended. */
export type WatcherMessage = "stop" | "verify";

export type ChildEvent =
  | { readonly type: "ready" }
  | { readonly type: "output"; readonly cell: number; readonly output: CellOutput }
  | { readonly type: "done"; readonly cell: number; readonly outcome: RunOutcome }
  /** A cell called `process.exit`. */
  | { readonly type: "exit"; readonly code: number };

/**
 * Reads a line from the events descriptor. A cell can write there too: what is no event is `undefined`, never a throw.
 * An event forged in the right shape changes only what the cell itself shows.
 */
export function parseChildEvent(line: string): ChildEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isChildEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isChildEvent(value: unknown): value is ChildEvent {
  if (!isRecord(value)) return false;
  switch (value["type"]) {
    case "ready":
      return true;
    case "exit":
      return typeof value["code"] === "number";
    case "output":
      return typeof value["cell"] === "number" && isOutput(value["output"]);
    case "done":
      return typeof value["cell"] === "number" && isOutcome(value["outcome"]);
    default:
      return false;
  }
}

function isOutput(value: unknown): value is CellOutput {
  if (!isRecord(value)) return false;
  switch (value["type"]) {
    case "stream":
      return (value["name"] === "stdout" || value["name"] === "stderr") && typeof value["text"] === "string";
    case "display_data":
    case "execute_result":
      return isRecord(value["data"]);
    case "error":
      return isError(value);
    default:
      return false;
  }
}

function isOutcome(value: unknown): value is RunOutcome {
  if (!isRecord(value) || !["ok", "error", "interrupted"].includes(String(value["status"]))) return false;
  const { survivors, error } = value;
  return isTexts(survivors) && (error === undefined || (isRecord(error) && isError(error)));
}

const isError = (value: { readonly [field: string]: unknown }) =>
  typeof value["ename"] === "string" && typeof value["evalue"] === "string" && isTexts(value["traceback"]);

const isTexts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === "string");

const isRecord = (value: unknown): value is { readonly [field: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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
