/**
 * Runs a whole notebook without Jupyter: `dom0 run`, `nbconvert-cli --execute`, the book and the tests.
 *
 * The same notebook run twice gives the same bytes, as far as its cells are deterministic: counts go 1…n, no time of
 * day is recorded, and late output goes to the cell that caused it.
 */
import { open, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import type { CellError } from "../../notebook/kernel-protocol.ts";
import {
  type Cell,
  type CodeCell,
  isNotebookError,
  NOTEBOOK_LIMITS,
  type Notebook,
  type NotebookError,
  notebookError,
  parseNotebookBytes,
  refuseSize,
  writeNotebook,
} from "../../notebook/nbformat.ts";
import { withOutputs, withoutOutputs } from "../../notebook/notebook-outputs.ts";
import { CellOutputs, OUTPUT_LIMITS, type OutputLimits } from "../../notebook/outputs.ts";
import { type HeadlessSession, openHeadlessSession } from "./headless-session.ts";

export { HeadlessSession, openHeadlessSession, type SessionOptions } from "./headless-session.ts";

/** How a notebook is run. */
export interface RunOptions {
  /** Folder that relative imports start from; the notebook's own when left out. */
  readonly folder?: string;
  /** Longest run of one cell, ms. Default 120,000. */
  readonly cellTimeoutMs?: number;
  /** Longest run of all cells, ms. Default 1,800,000. */
  readonly totalTimeoutMs?: number;
  /** Go on after a cell that throws; a cell tagged `raises-exception` is always allowed to. */
  readonly allowErrors?: boolean;
  readonly limits?: OutputLimits;
  /** JavaScript heap in MiB. */
  readonly memoryMb?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Stops the run: the child is killed, the result says "stopped". */
  readonly signal?: AbortSignal;
  /** Called when a code cell starts. `count` is its number from 1, `total` the number of code cells. */
  onCell?(count: number, total: number): void;
}

/** Why a run ended early. */
export interface RunFailure {
  /** Number of the code cell, from 1. */
  readonly cell: number;
  readonly kind: "error" | "timeout" | "died" | "stopped";
  /** One line, without the cell's number. */
  readonly message: string;
  readonly error?: CellError;
}

/** A notebook with the outputs of its run; after a failure, with those up to it. */
export interface RunReport {
  readonly notebook: Notebook;
  /** Code cells that ended as they should. */
  readonly passed: number;
  readonly failure?: RunFailure;
}

const CELL_TIMEOUT_MS = 120_000;
const TOTAL_TIMEOUT_MS = 1_800_000;

/**
 * Runs the cells of a notebook in order, in a fresh child process.
 *
 * @param source  Path of a notebook file, or a notebook.
 * @returns The report, or why the file is no usable notebook. Throws only for a bug of ours.
 */
export async function runNotebook(
  source: string | Notebook,
  options: RunOptions = {},
): Promise<RunReport | NotebookError> {
  const notebook = typeof source === "string" ? await readNotebookFile(source) : source;
  if (isNotebookError(notebook)) return notebook;
  const folder =
    options.folder ?? (typeof source === "string" ? path.dirname(path.resolve(source)) : process.cwd());
  const session = openHeadlessSession({
    folder,
    limits: options.limits ?? OUTPUT_LIMITS,
    ...(options.memoryMb !== undefined && { memoryMb: options.memoryMb }),
    ...(options.env !== undefined && { env: options.env }),
  });
  const stop = () => void session.kill("the run was stopped");
  options.signal?.addEventListener("abort", stop);
  try {
    return await runCells(session, withoutOutputs(notebook), options);
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await session.close();
  }
}

async function runCells(
  session: HeadlessSession,
  notebook: Notebook,
  options: RunOptions,
): Promise<RunReport> {
  const runnable = notebook.cells.filter((cell) => cell.cell_type === "code" && cell.source.trim() !== "");
  await session.ready();
  const endsAt = performance.now() + (options.totalTimeoutMs ?? TOTAL_TIMEOUT_MS);
  const outputs = new Map<string, { count: number; outputs: CellOutputs }>();
  const report = (passed: number, failure?: RunFailure): RunReport => ({
    notebook: withCellOutputs(notebook, outputs),
    passed,
    ...(failure !== undefined && { failure }),
  });
  let passed = 0;
  for (const [at, cell] of runnable.entries()) {
    const count = at + 1;
    if (options.signal?.aborted)
      return report(passed, { cell: count, kind: "stopped", message: "the run was stopped" });
    options.onCell?.(count, runnable.length);
    const collected = new CellOutputs(options.limits);
    outputs.set(cell.id, { count, outputs: collected });
    const limitMs = Math.min(options.cellTimeoutMs ?? CELL_TIMEOUT_MS, endsAt - performance.now());
    const failure = await runCell(session, cell.source, collected, { count, limitMs, options });
    if (failure === undefined) passed += 1;
    else if (failure.kind !== "error" || !mayRaise(cell, options)) return report(passed, failure);
  }
  return report(passed);
}

/** Runs one cell; `undefined` when it ended well. */
async function runCell(
  session: HeadlessSession,
  source: string,
  collected: CellOutputs,
  { count, limitMs, options }: { count: number; limitMs: number; options: RunOptions },
): Promise<RunFailure | undefined> {
  let isLate = false;
  const seconds = Math.max(0, Math.round(limitMs / 100) / 10);
  const timeoutMessage = `the cell did not end within ${seconds} s`;
  const timer = setTimeout(
    () => {
      isLate = true;
      void session.kill(timeoutMessage);
    },
    Math.max(0, limitMs),
  );
  try {
    const outcome = await session.execute(source, (output) => collected.add(output));
    if (isLate) return { cell: count, kind: "timeout", message: timeoutMessage };
    if (options.signal?.aborted) return { cell: count, kind: "stopped", message: "the run was stopped" };
    if (outcome.error === undefined) return undefined;
    const { ename, evalue } = outcome.error;
    if (session.death !== undefined)
      return { cell: count, kind: "died", message: evalue, error: outcome.error };
    return { cell: count, kind: "error", message: oneLine(`${ename}: ${evalue}`), error: outcome.error };
  } finally {
    clearTimeout(timer);
  }
}

function mayRaise(cell: Cell, options: RunOptions): boolean {
  const { tags } = cell.metadata;
  return options.allowErrors === true || (Array.isArray(tags) && tags.includes("raises-exception"));
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ").slice(0, 300);

function withCellOutputs(
  notebook: Notebook,
  outputs: ReadonlyMap<string, { count: number; outputs: CellOutputs }>,
): Notebook {
  const cells = notebook.cells.map((cell) => {
    const run = outputs.get(cell.id);
    return cell.cell_type === "code" && run !== undefined
      ? withOutputs(cell satisfies CodeCell, run.outputs.all, run.count)
      : cell;
  });
  return { ...notebook, cells };
}

/** Reads a notebook file; its size is looked at before its bytes. */
export async function readNotebookFile(file: string): Promise<Notebook | NotebookError> {
  try {
    const { size } = await stat(file);
    const refused = refuseSize(size);
    if (refused !== undefined) return refused;
    const handle = await open(file);
    try {
      const bytes = new Uint8Array(Math.min(size, NOTEBOOK_LIMITS.bytes) + 1);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return parseNotebookBytes(bytes.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return notebookError(fileMistake(error, file));
  }
}

/** Writes a notebook file whole or not at all; `undefined` when it is written. */
export async function writeNotebookFile(
  file: string,
  notebook: Notebook,
): Promise<NotebookError | undefined> {
  const half = `${file}.${process.pid}.part`;
  try {
    await writeFile(half, writeNotebook(notebook));
    await rename(half, file);
    return undefined;
  } catch (error) {
    await rm(half, { force: true });
    return notebookError(fileMistake(error, file));
  }
}

const MISTAKES: { readonly [code: string]: string } = {
  ENOENT: "no such file or folder: check the path",
  EISDIR: "it is a folder: name a notebook file",
  ENOTDIR: "a part of the path is no folder: check the path",
  EACCES: "permission denied: change its permissions, or use another path",
  EPERM: "permission denied: change its permissions, or use another path",
  EROFS: "the disk is read-only: use another path",
  ENOSPC: "the disk is full: free some space and run again; nothing was written",
  EDQUOT: "the disk quota is used up: free some space and run again; nothing was written",
};

function fileMistake(error: unknown, file: string): string {
  if (!(error instanceof Error)) throw error;
  const code = "code" in error ? String(error.code) : "";
  return `${file}: ${MISTAKES[code] ?? error.message}`;
}
