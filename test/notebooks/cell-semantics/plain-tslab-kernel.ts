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

export async function startPlainTslabKernel(): Promise<CellKernel> {
  const child = fork(path.join(import.meta.dirname, "plain-tslab-child.cjs"), { cwd: NOTEBOOK_FOLDER });
  const outcomes = new Map<number, Outcome>();
  const waiting = new Map<number, (ok: boolean) => void>();
  const ready = new Promise<void>((resolve) => {
    child.on("message", (message: FromChild) => {
      if (message.type === "ready") resolve();
      else if (message.type === "done") waiting.get(message.run)?.(message.ok);
      else {
        const outcome = outcomes.get(message.run);
        if (outcome !== undefined) addOutput(outcome, message.output);
      }
    });
  });
  await ready;
  let run = 0;
  return {
    async execute(source) {
      run += 1;
      const outcome = emptyOutcome();
      outcomes.set(run, outcome);
      const ok = await new Promise<boolean>((resolve) => {
        waiting.set(run, resolve);
        child.send({ run, source });
      });
      if (!ok) readError(outcome);
      return outcome;
    },
    interrupt: () => void child.kill("SIGINT"),
    close: () => ended(child),
  };
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

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
