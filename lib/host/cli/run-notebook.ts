/**
 * `dom0 run NOTEBOOK`: executes a notebook without Jupyter and writes its outputs.
 */
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { isNotebookError } from "../../notebook/nbformat.ts";
import { type RunReport, readNotebookFile, runNotebook, writeNotebookFile } from "../kernel/headless.ts";
import type { Command } from "./main.ts";

const USAGE = `Usage: dom0 run NOTEBOOK [--output PATH | --inplace] [--timeout SECONDS] [--allow-errors]

Executes the code cells in order in a fresh process, without Jupyter, and writes the notebook with its outputs.

  --output PATH      where to write (default: NAME.executed.ipynb beside the notebook)
  --inplace          write over the notebook itself
  --timeout SECONDS  longest run of one cell (default: 120)
  --allow-errors     go on after a cell that throws

Exit code 0 when every cell ran, 1 when one failed (its number and error are the last line), 2 for wrong arguments.
A failed run writes nothing, unless --allow-errors.`;

const QUIET_MS = 2_000;
const INTERRUPTED_CODE = 130;

interface Arguments {
  readonly notebook: string;
  readonly output: string;
  readonly timeoutMs: number;
  readonly allowErrors: boolean;
}

/** The command `dom0 run`. */
export const command: Command = {
  summary: "execute a notebook headless and write its outputs",
  usage: USAGE,
  run,
};

async function run(args: string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === "string") return complain(given, 2);
  const notebook = await readNotebookFile(given.notebook);
  if (isNotebookError(notebook)) return complain(withName(given.notebook, notebook.message), 1);
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const progress = new Progress();
  try {
    const report = await runNotebook(notebook, {
      folder: path.dirname(path.resolve(given.notebook)),
      cellTimeoutMs: given.timeoutMs,
      allowErrors: given.allowErrors,
      signal: abort.signal,
      onCell: (count, total) => progress.cell(count, total),
    });
    if (isNotebookError(report)) return complain(withName(given.notebook, report.message), 1);
    return await finish(given, report);
  } finally {
    progress.end();
    process.removeListener("SIGINT", stop);
    process.removeListener("SIGTERM", stop);
  }
}

async function finish(given: Arguments, report: RunReport): Promise<number> {
  const { failure } = report;
  if (failure?.kind === "stopped") return complain("stopped; nothing was written", INTERRUPTED_CODE);
  if (failure !== undefined)
    return complain(`${given.notebook}: cell ${failure.cell}: ${failure.message}`, 1);
  const failed = await writeNotebookFile(given.output, report.notebook);
  if (failed !== undefined) return complain(failed.message, 1);
  process.stdout.write(`${given.output}: ${report.passed} cells ran\n`);
  return 0;
}

function readArguments(args: string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        output: { type: "string" },
        inplace: { type: "boolean" },
        timeout: { type: "string", default: "120" },
        "allow-errors": { type: "boolean", default: false },
      },
    });
    const [notebook, ...more] = positionals;
    if (notebook === undefined) return "name a notebook: dom0 run NOTEBOOK";
    if (more.length > 0) return `one notebook at a time; got ${positionals.length}`;
    const seconds = Number(values.timeout);
    if (!(seconds > 0 && seconds <= 86_400))
      return `--timeout wants seconds between 0 and 86400, not "${values.timeout}"`;
    if (values.inplace && values.output !== undefined) return "use either --inplace or --output";
    const output = values.inplace
      ? notebook
      : (values.output ?? notebook.replace(/(\.ipynb)?$/, ".executed.ipynb"));
    return { notebook, output, timeoutMs: seconds * 1000, allowErrors: values["allow-errors"] };
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

/** A line on stderr for each cell, once the run has taken longer than a moment. */
class Progress {
  #line = "";
  #isShown = false;
  readonly #timer = setInterval(() => {
    this.#isShown = true;
    if (this.#line !== "") process.stderr.write(this.#line);
    this.#line = "";
  }, QUIET_MS);

  cell(count: number, total: number): void {
    const line = `running cell ${count} of ${total}\n`;
    if (this.#isShown) process.stderr.write(line);
    else this.#line = line;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

const withName = (file: string, message: string) =>
  message.startsWith(file) ? message : `${file}: ${message}`;

function complain(message: string, code: number): number {
  process.stderr.write(`dom0 run: ${message}\n`);
  return code;
}
