/**
 * The process that runs cells. It holds no compiler: it gets emitted code and sends back outputs and outcomes.
 *
 * It never outlives its parent, never reads a terminal, and a cell that ends the process says so first.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import process from "node:process";
import { StringDecoder } from "node:string_decoder";
import vm from "node:vm";
import { MessageChannel, Worker } from "node:worker_threads";
import { createCellConsole } from "../../notebook/console.ts";
import { setDisplaySink } from "../../notebook/display.ts";
import type { CellOutput, EmittedCell, RunOutcome } from "../../notebook/kernel-protocol.ts";
import { CellOutputs } from "../../notebook/outputs.ts";
import { createCellSession, INTERRUPTED } from "../../notebook/session.ts";
import { ModuleLoader, moduleGlobals } from "./headless-modules.ts";
import {
  type ChildCommand,
  type ChildEvent,
  type ChildSettings,
  COMMANDS_FD,
  EVENTS_FD,
  lineSplitter,
  WAS_SEEN,
  type WatcherMessage,
} from "./headless-protocol.ts";
import { siblingModule } from "./headless-sibling.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as ChildSettings;
const interruptFlag = new Int32Array(new SharedArrayBuffer(8));
const watcher = new Worker(siblingModule(import.meta.url, "headless-watcher"), { workerData: interruptFlag });
watcher.unref();
Error.stackTraceLimit = 50;

/** Written at once and whole: what was printed before a crash has arrived. */
function send(event: ChildEvent): void {
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(EVENTS_FD, bytes, at);
}

const outputsOf = new Map<number, CellOutputs>();
const printing = new AsyncLocalStorage<number>();
let latestCell = 0;

function emit(cell: number, output: CellOutput): void {
  const outputs = outputsOf.get(cell) ?? new CellOutputs(settings.limits);
  outputsOf.set(cell, outputs);
  const added = outputs.add(output);
  if (added !== undefined) send({ type: "output", cell, output: added });
}

/** The cell whose code runs now; a timer of an earlier cell still counts as that cell. */
const currentCell = () => printing.getStore() ?? latestCell;

function print(name: "stdout" | "stderr", text: string): void {
  emit(currentCell(), { type: "stream", name, text });
}

function capture(name: "stdout" | "stderr"): void {
  const decoder = new StringDecoder("utf8");
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    print(name, typeof chunk === "string" ? chunk : decoder.write(Buffer.from(chunk)));
    const callback = rest.find((each) => typeof each === "function");
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  };
}

capture("stdout");
capture("stderr");
const { require, meta } = moduleGlobals(settings.folder);
Object.assign(globalThis, { console: createCellConsole(print, () => performance.now()), require });
setDisplaySink((data, options) => emit(currentCell(), { type: "display_data", data, ...options }));

const loader = new ModuleLoader(settings.folder, settings.fallbackFolder);
const session = createCellSession({
  evaluate: (code, filename) => new vm.Script(code, { filename }).runInThisContext(),
  load: (request) => loader.load(request),
  meta,
  emit,
  during: (cell, body) => printing.run(cell, body),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  interruptFlag,
});

function reportStray(thrown: unknown, prefix: string): void {
  print("stderr", `${prefix} ${session.describe(thrown).traceback.join("\n")}\n`);
}

process.on("unhandledRejection", (reason) => reportStray(reason, "Uncaught (in promise)"));
process.on("uncaughtException", (error) => reportStray(error, "Uncaught"));
// Ctrl-C reaches the whole foreground group; the parent decides what it means.
process.on("SIGINT", () => {});

const exitNow = process.exit.bind(process);
process.exit = (code) => {
  send({ type: "exit", code: Number(code ?? process.exitCode ?? 0) });
  return exitNow(code);
};

let running: number | undefined;

function finish(cell: number, outcome: RunOutcome): void {
  if (running !== cell) return;
  running = undefined;
  send({ type: "done", cell, outcome });
}

// A cell starts in a message's own callback: terminating it must not cut through the middle of a stream's code.
const { port1: startingEnd, port2: runningEnd } = new MessageChannel();
runningEnd.on("message", (cell: EmittedCell) => {
  void session.execute(cell).then((outcome) => finish(cell.id, outcome));
});
runningEnd.unref();

watcher.on("message", (message: WatcherMessage) => {
  Atomics.store(interruptFlag, WAS_SEEN, 1);
  session.interrupt();
  if (message === "stop" || running === undefined) return;
  // The termination hit the session's own code: the cell has ended, though nobody said so.
  finish(running, session.abandon() ?? { status: "interrupted", survivors: [], error: INTERRUPTED });
});

function obey({ cell }: ChildCommand): void {
  latestCell = cell.id;
  running = cell.id;
  startingEnd.postMessage(cell);
}

const commands = new Socket({ fd: COMMANDS_FD, readable: true, writable: false });
commands.on(
  "data",
  lineSplitter((line) => obey(JSON.parse(line) as ChildCommand)),
);
commands.on("close", () => exitNow(0));
send({ type: "ready" });
