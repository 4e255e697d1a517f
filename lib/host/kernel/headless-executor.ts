/**
 * The kernel's side of the child process that runs cells: starts it, hands it cells, stops it, explains its death.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { Readable, type Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { CellOutput, EmittedCell, RunOutcome } from "../../notebook/kernel-protocol.ts";
import type { OutputLimits } from "../../notebook/outputs.ts";
import { kitFolder } from "./headless-files.ts";
import {
  type ChildCommand,
  type ChildEvent,
  type ChildSettings,
  COMMANDS_FD,
  CONTROL_FD,
  EVENTS_FD,
  INTERRUPT_BYTE,
  lineSplitter,
  parseChildEvent,
} from "./headless-protocol.ts";
import { siblingModule } from "./headless-sibling.ts";

/** How the child is started. */
export interface ExecutorOptions {
  readonly folder: string;
  readonly limits: OutputLimits;
  /** JavaScript heap of the child in MiB; Node's default when left out. */
  readonly memoryMb?: number;
  /** Environment of the child; the kernel's own when left out. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Why no more cells can run. */
export interface Death {
  /** One line. */
  readonly reason: string;
}

const STDERR_KEPT = 20_000;
/** A cell that goes on this long after it was asked to stop costs its kernel. */
const PATIENCE_MS = 10_000;

/** One child process. */
export class Executor {
  readonly #child: ChildProcess;
  readonly #onOutput: (cell: number, output: CellOutput) => void;
  #running: { cell: number; resolve(result: RunOutcome | Death): void } | undefined;
  #death: Death | undefined;
  #exitCode: number | undefined;
  #stderr = "";
  #latestCell = 0;

  constructor(options: ExecutorOptions, onOutput: (cell: number, output: CellOutput) => void) {
    this.#onOutput = onOutput;
    const settings: ChildSettings = {
      folder: options.folder,
      fallbackFolder: kitFolder(),
      limits: options.limits,
    };
    const flags = options.memoryMb === undefined ? [] : [`--max-old-space-size=${options.memoryMb}`];
    const entry = fileURLToPath(siblingModule(import.meta.url, "headless-child"));
    this.#child = spawn(
      process.execPath,
      [...flags, "--disable-warning=ExperimentalWarning", entry, JSON.stringify(settings)],
      {
        cwd: options.folder,
        env: options.env ?? process.env,
        // A process group of its own: Ctrl-C is the kernel's to answer, and programs that cells start end with it.
        detached: true,
        stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      },
    );
    this.#listen();
  }

  /** Runs a cell; resolves with its outcome, or with the reason why the child died under it. */
  execute(cell: EmittedCell): Promise<RunOutcome | Death> {
    if (this.#death !== undefined) return Promise.resolve(this.#death);
    this.#latestCell = cell.id;
    return new Promise((resolve) => {
      this.#running = { cell: cell.id, resolve };
      this.#send({ type: "execute", cell });
    });
  }

  /** Asks the running cell to stop, busy or waiting; its names and values stay. */
  interrupt(): void {
    const cell = this.#running;
    if (cell === undefined) return;
    this.#stream(CONTROL_FD)?.write(INTERRUPT_BYTE);
    setTimeout(() => {
      if (this.#running === cell) void this.kill("the cell could not be stopped, so the kernel was ended");
    }, PATIENCE_MS).unref();
  }

  /** Kills the child, whatever it does. A running cell's promise resolves with `reason`. */
  async kill(reason = "the session was closed"): Promise<void> {
    this.#death ??= { reason };
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined)
      return;
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#killGroup();
    await gone;
  }

  /** Ends the child and every program that its cells have started. */
  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
    } catch {
      // Nobody is left in the group.
    }
  }

  /** Lets the kernel's process end although the child lives. */
  unref(): void {
    this.#child.unref();
    for (const stream of this.#child.stdio) {
      if (stream !== null && stream !== undefined && "unref" in stream && typeof stream.unref === "function")
        stream.unref();
    }
  }

  #listen(): void {
    const streams: readonly unknown[] = this.#child.stdio;
    const events = streams[EVENTS_FD];
    if (!(events instanceof Readable)) throw new Error("the kernel process has no events descriptor");
    events.on(
      "data",
      lineSplitter((line) => {
        const event = parseChildEvent(line);
        if (event === undefined) void this.kill("the cell wrote into the kernel's own channel, descriptor 5");
        else this.#receive(event);
      }),
    );
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#raw("stdout", chunk));
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#raw("stderr", chunk));
    for (const stream of this.#child.stdio) stream?.on("error", () => {});
    this.#child.on("error", (error) =>
      this.#die({ reason: `the kernel process could not be started: ${error.message}` }),
    );
    this.#child.on("exit", () => this.#killGroup());
    this.#child.on("close", (code, signal) => this.#die({ reason: this.#explain(code, signal) }));
  }

  #receive(event: ChildEvent): void {
    if (event.type === "output") this.#onOutput(event.cell, event.output);
    else if (event.type === "exit") this.#exitCode = event.code;
    else if (event.type === "done" && this.#running?.cell === event.cell) {
      const { resolve } = this.#running;
      this.#running = undefined;
      resolve(event.outcome);
    }
  }

  /** What programs started by a cell print to the inherited descriptors; Node's own last words are kept back. */
  #raw(name: "stdout" | "stderr", chunk: Buffer): void {
    const text = chunk.toString("utf8");
    if (name === "stderr") this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    if (/<--- Last few GCs|FATAL ERROR|----- Native stack trace/.test(this.#stderr)) return;
    this.#onOutput(this.#latestCell, { type: "stream", name, text });
  }

  #explain(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#exitCode !== undefined) {
      return `the cell called process.exit(${this.#exitCode}), which ends the kernel: remove that call`;
    }
    if (/heap out of memory|Allocation failed/.test(this.#stderr)) return "the kernel ran out of memory";
    return signal === null ? `the kernel ended with exit code ${code}` : `the kernel was killed by ${signal}`;
  }

  #die(death: Death): void {
    this.#death ??= death;
    this.#running?.resolve(this.#death);
    this.#running = undefined;
  }

  #send(command: ChildCommand): void {
    this.#stream(COMMANDS_FD)?.write(`${JSON.stringify(command)}\n`);
  }

  #stream(fd: number): Writable | undefined {
    const stream = this.#child.stdio[fd];
    return stream !== null && stream !== undefined && "write" in stream && stream.writable
      ? stream
      : undefined;
  }
}
