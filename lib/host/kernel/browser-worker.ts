/**
 * The browser kernel's runtime: a session inside a Web Worker that speaks the messages of `kernel-protocol.ts`.
 *
 * A page's worker entry is one call of {@link serveSession} with the modules that its cells may import. Output goes to
 * the run that caused it, timers included, within the same limits as everywhere.
 */
import { createCellConsole } from "../../notebook/console.ts";
import { setDisplaySink } from "../../notebook/display.ts";
import type {
  CellOutput,
  ModuleRequest,
  SessionEvent,
  SessionRequest,
} from "../../notebook/kernel-protocol.ts";
import { CellOutputs } from "../../notebook/outputs.ts";
import { type CellSession, createCellSession } from "../../notebook/session.ts";
import { tslabModule } from "../../notebook/tslab-display.ts";

/** Modules that cells may import, by specifier; a function loads one at its first import. */
export type WorkerModules = Readonly<Record<string, object | (() => Promise<object>)>>;

/** What a session needs from a worker's global scope. */
export interface WorkerScope {
  postMessage(event: SessionEvent): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
}

/** Answers a page's messages from now on; the page's first message is `boot`. */
export function serveSession(scope: WorkerScope, modules: WorkerModules): void {
  const runs = new RunOutputs((event) => scope.postMessage(event));
  const loader = moduleLoader(modules);
  let session: CellSession | undefined;
  scope.addEventListener("message", (event) => {
    const request = (event as MessageEvent<SessionRequest>).data;
    if (request.type === "boot") {
      session = bootSession(runs, loader, request.interrupt);
      reportStrays(scope, runs, session);
      scope.postMessage({ type: "ready" });
    } else if (request.type === "interrupt") session?.interrupt();
    else if (session !== undefined) {
      const { run, cell } = request;
      runs.start(run, cell.id);
      void session.execute(cell).then((outcome) => scope.postMessage({ type: "done", run, outcome }));
    }
  });
}

/** Outputs by run, limited; `current` is the run whose code is on the stack, else the latest. */
class RunOutputs {
  readonly #send: (event: SessionEvent) => void;
  readonly #runOfCell = new Map<number, number>();
  readonly #outputs = new Map<number, CellOutputs>();
  #latest = 0;
  #onStack: number | undefined;

  constructor(send: (event: SessionEvent) => void) {
    this.#send = send;
  }

  start(run: number, cell: number): void {
    this.#latest = run;
    this.#runOfCell.set(cell, run);
  }

  get current(): number {
    return this.#onStack ?? this.#latest;
  }

  add(run: number, output: CellOutput): void {
    const outputs = this.#outputs.get(run) ?? new CellOutputs();
    this.#outputs.set(run, outputs);
    const added = outputs.add(output);
    if (added !== undefined) this.#send({ type: "output", run, output: added });
  }

  addOfCell(cell: number, output: CellOutput): void {
    this.add(this.#runOfCell.get(cell) ?? this.#latest, output);
  }

  during<T>(run: number, body: () => T): T {
    const before = this.#onStack;
    this.#onStack = run;
    try {
      return body();
    } finally {
      this.#onStack = before;
    }
  }

  /** A callback that counts as the run in which it was made. */
  bound<A extends unknown[]>(callback: (...values: A) => unknown): (...values: A) => unknown {
    const run = this.current;
    return (...values) => this.during(run, () => callback(...values));
  }
}

function bootSession(
  runs: RunOutputs,
  load: (request: ModuleRequest) => Promise<object>,
  interrupt: SharedArrayBuffer | undefined,
): CellSession {
  const { setTimeout: later, setInterval: repeatedly } = globalThis;
  const bind = (callback: unknown): (() => unknown) =>
    runs.bound(typeof callback === "function" ? (callback as () => unknown) : () => {});
  const print = (name: "stdout" | "stderr", text: string) =>
    runs.add(runs.current, { type: "stream", name, text });
  Object.assign(globalThis, {
    console: createCellConsole(print, () => performance.now()),
    setTimeout: (callback: unknown, delayMs?: number, ...values: unknown[]) =>
      later(bind(callback), delayMs, ...values),
    setInterval: (callback: unknown, delayMs?: number, ...values: unknown[]) =>
      repeatedly(bind(callback), delayMs, ...values),
  });
  setDisplaySink((data, options) => runs.add(runs.current, { type: "display_data", data, ...options }));
  // An indirect call evaluates in the global scope; built at run time, a bundler leaves it alone.
  const evaluate = new Function("code", "return (0, eval)(code)");
  return createCellSession({
    evaluate: (code, fileName): unknown => evaluate(`${code}\n//# sourceURL=${fileName}`),
    load,
    meta: { url: new URL("cell.ts", location.href).href },
    emit: (cell, output) => runs.addOfCell(cell, output),
    turn: () => new Promise((resolve) => later(resolve)),
    ...(interrupt !== undefined && { interruptFlag: new Int32Array(interrupt) }),
  });
}

function moduleLoader(modules: WorkerModules): (request: ModuleRequest) => Promise<object> {
  const known: WorkerModules = { tslab: tslabModule(), ...modules };
  return async ({ specifier }) => {
    const found = Object.hasOwn(known, specifier) ? known[specifier] : undefined;
    if (found === undefined) throw new Error(`Cannot find module '${specifier}' in the browser`);
    return typeof found === "function" ? await (found as () => Promise<object>)() : found;
  };
}

function reportStrays(scope: WorkerScope, runs: RunOutputs, session: CellSession): void {
  const report = (prefix: string, thrown: unknown) => {
    const text = `${prefix} ${session.describe(thrown).traceback.join("\n")}\n`;
    runs.add(runs.current, { type: "stream", name: "stderr", text });
  };
  scope.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report("Uncaught (in promise)", (event as PromiseRejectionEvent).reason);
  });
  scope.addEventListener("error", (event) => {
    event.preventDefault();
    report("Uncaught", (event as ErrorEvent).error);
  });
}
