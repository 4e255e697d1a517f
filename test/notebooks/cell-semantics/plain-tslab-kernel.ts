/**
 * Plain tslab as a driver: its own converter and executor in a child process, without its Jupyter server.
 *
 * tslab prints the last value and errors as text; the driver reads them back out of it, which is where its kernel-wide
 * differences end (`differences.ts` says so).
 */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { NOTEBOOK_FOLDER } from "./headless-kernel.ts";
import { addOutput, type CellKernel, emptyOutcome, type Outcome } from "./kernel.ts";

type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "done"; readonly run: number; readonly ok: boolean }
  | { readonly type: "output"; readonly run: number; readonly output: { readonly type: string } };

/** A cell that goes on this long after it was told to stop does not stop: the kernel is killed and started again. */
const PATIENCE_MS = 3_000;

export async function startPlainTslabKernel(): Promise<CellKernel> {
  const kernel = new PlainTslabKernel();
  await kernel.start();
  return kernel;
}

class PlainTslabKernel implements CellKernel {
  readonly #outcomes = new Map<number, Outcome>();
  #child: ChildProcess | undefined;
  #run = 0;
  #onOutput: (() => void) | undefined;
  #end: ((result: "ok" | "failed" | "hung") => void) | undefined;

  async start(): Promise<void> {
    const child = fork(path.join(import.meta.dirname, "plain-tslab-child.cjs"), { cwd: NOTEBOOK_FOLDER });
    this.#child = child;
    await new Promise<void>((resolve) => {
      child.on("message", (message: FromChild) => {
        if (message.type === "ready") resolve();
        else if (message.type === "done") this.#end?.(message.ok ? "ok" : "failed");
        else {
          const outcome = this.#outcomes.get(message.run);
          if (outcome !== undefined) addOutput(outcome, message.output);
          this.#onOutput?.();
        }
      });
    });
  }

  async execute(source: string, onOutput?: () => void): Promise<Outcome> {
    this.#onOutput = onOutput;
    this.#run += 1;
    const outcome = emptyOutcome();
    this.#outcomes.set(this.#run, outcome);
    const end = await new Promise<"ok" | "failed" | "hung">((resolve) => {
      this.#end = resolve;
      this.#child?.send({ run: this.#run, source });
    });
    this.#end = undefined;
    if (end === "failed") readError(outcome);
    if (end === "hung") {
      outcome.status = "hung";
      await this.close();
      await this.start();
    }
    return outcome;
  }

  /** Signals more than once: the first may come before the cell's code has begun. */
  interrupt(): void {
    const waiting = this.#end;
    const isWaiting = () => waiting !== undefined && waiting === this.#end;
    for (const delayMs of [0, 700, 1_400]) {
      setTimeout(() => isWaiting() && this.#child?.kill("SIGINT"), delayMs).unref();
    }
    setTimeout(() => isWaiting() && waiting?.("hung"), PATIENCE_MS).unref();
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
}

function readError(outcome: Outcome): void {
  const text = outcome.err;
  outcome.err = "";
  outcome.status = /Script execution was interrupted|Interrupted asynchronously/.test(text)
    ? "interrupted"
    : "error";
  const typeError = /^\d+:\d+ - [\s\S]*/.exec(text);
  if (typeError !== null) {
    outcome.error = { ename: "TypeScriptError", evalue: text.trimEnd(), traceback: text.split("\n") };
    return;
  }
  const thrown = /^(?:evalmachine[\s\S]*?\n\n)?(?:Uncaught )?([A-Z]\w*): ([^\n]*)/.exec(text);
  const [, ename = "Thrown", evalue = text.trimEnd()] = thrown ?? [];
  outcome.error = { ename, evalue, traceback: text.split("\n") };
}
