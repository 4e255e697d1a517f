/**
 * Runs compiled cells and keeps their names: the same code in a forked Node process, a browser worker and the tests.
 *
 * The host gives evaluation, modules and one turn of its event loop; everything a cell prints or shows goes to
 * `emit`. A cell's mistake, an interrupt and a value that cannot be printed are outcomes, never exceptions.
 */
import { bundleOf } from "./display.ts";
import { inspect } from "./inspect/inspect.ts";
import type { CellError, CellOutput, EmittedCell, ModuleRequest, RunOutcome } from "./kernel-protocol.ts";
import { cellFileName, errorRecord } from "./traceback.ts";

/** What a session needs from the place where it runs. */
export interface SessionHost {
  /** Evaluates one expression as a script of that file name and returns its value. */
  evaluate(code: string, fileName: string): unknown;
  /** Loads a module as `import()` written in the notebook's folder would. */
  load(request: ModuleRequest): Promise<object>;
  /** The `import.meta` of cells. */
  readonly meta: object;
  /** Receives an output of a cell. */
  emit(cell: number, output: CellOutput): void;
  /** Runs a cell's body; hosts that can tell whose timer fires bind the cell's number here. */
  during?<T>(cell: number, body: () => T): T;
  /** Resolves after one turn of the event loop, so that what a cell left for "right after" is still its own. */
  turn(): Promise<void>;
  /** One word of shared memory: non-zero asks the running cell to stop. */
  readonly interruptFlag?: Int32Array;
}

/** Runs cells, one at a time. */
export interface CellSession {
  /** Runs a compiled cell to its end; outputs go to the host's `emit`. */
  execute(cell: EmittedCell): Promise<RunOutcome>;
  /** Stops a cell that awaits; a busy loop is stopped by the host's flag. Names and values stay. */
  interrupt(): void;
  /**
   * Ends the running cell as interrupted when a host's termination has cut off the session's own code.
   *
   * @returns Its outcome, or `undefined` when no cell runs. The promise of its `execute` may never settle.
   */
  abandon(): RunOutcome | undefined;
  /** Error record of a value thrown outside a cell's own run, such as by a timer. */
  describe(thrown: unknown): CellError;
}

/** What an emitted cell sees as `$dom0`. */
export interface CellHooks {
  /** Called by the cell's first statement with accessors of its names. */
  define(names: PropertyDescriptorMap): void;
  /** The cell's names; reading one that was not reached yet throws, as the language says. */
  scope: { readonly [name: string]: unknown };
  /** Set by a last statement that is an expression. */
  result: unknown;
  readonly meta: object;
  load(specifier: unknown, options?: { with?: { readonly [name: string]: string } }): Promise<object>;
  /** Called by loops every few iterations; returns how many may pass before the next call. */
  tick(): number;
}

/** Iterations of a loop between two looks at the interrupt flag. */
const TICK_INTERVAL = 16;

/** The error record of a stopped cell. */
export const INTERRUPTED: CellError = {
  ename: "Interrupted",
  evalue: "the cell was stopped; names and values are kept",
  traceback: ["Interrupted: the cell was stopped; names and values are kept"],
};

class Interruption extends Error {
  override readonly name = "Interrupted";
}

/** Makes a session without cells. */
export function createCellSession(host: SessionHost): CellSession {
  return new Session(host);
}

/** One run of a cell; its loops look here. */
interface Run {
  isStopped: boolean;
}

type CellBody = (hooks: CellHooks, ...rest: unknown[]) => Promise<void>;

class Session implements CellSession {
  readonly #host: SessionHost;
  readonly #cells = new Map<number, EmittedCell>();
  readonly #scopes = new Map<number, object>();
  #current: { cell: EmittedCell; hooks: CellHooks; run: Run } | undefined;
  #interruptRun: ((reason: Interruption) => void) | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  async execute(cell: EmittedCell): Promise<RunOutcome> {
    const { interruptFlag } = this.#host;
    if (interruptFlag) Atomics.store(interruptFlag, 0, 0);
    this.#cells.set(cell.id, cell);
    const run: Run = { isStopped: false };
    const hooks = this.#hooks(run);
    this.#current = { cell, hooks, run };
    const interrupted = new Promise<never>((_, reject) => {
      this.#interruptRun = reject;
    });
    try {
      const body = this.#within(cell.id, () => this.#start(cell, hooks));
      await Promise.race([body, interrupted]);
      await this.#sendResult(cell.id, hooks.result);
      await Promise.race([this.#host.turn(), interrupted]);
      return { status: "ok", survivors: [...cell.values] };
    } catch (thrown) {
      const outcome = this.#failed(cell, hooks, thrown);
      run.isStopped = outcome.status === "interrupted";
      return outcome;
    } finally {
      this.#end(cell.id, hooks);
    }
  }

  abandon(): RunOutcome | undefined {
    if (this.#current === undefined) return undefined;
    const { cell, hooks, run } = this.#current;
    run.isStopped = true;
    const outcome = this.#failed(cell, hooks, new Interruption(INTERRUPTED.evalue));
    this.#end(cell.id, hooks);
    return outcome;
  }

  #end(cell: number, hooks: CellHooks): void {
    this.#scopes.set(cell, hooks.scope);
    // An abandoned run may come to its end after the next one has begun.
    if (this.#current?.cell.id !== cell) return;
    this.#current = undefined;
    this.#interruptRun = undefined;
    if (this.#host.interruptFlag) Atomics.store(this.#host.interruptFlag, 0, 0);
  }

  interrupt(): void {
    this.#interruptRun?.(new Interruption(INTERRUPTED.evalue));
  }

  describe(thrown: unknown): CellError {
    return errorRecord(thrown, (id) => this.#cells.get(id));
  }

  async #start(cell: EmittedCell, hooks: CellHooks): Promise<void> {
    // The body starts on a stack of its own: a host may terminate it, and `execute` must live on to say so.
    await undefined;
    const body = this.#host.evaluate(cell.code, cellFileName(cell.id)) as CellBody;
    const scopes = cell.reads.map((id) => this.#scopes.get(id) ?? {});
    if (cell.modules.length === 0) return body(hooks, ...scopes);
    const modules: object[] = [];
    for (const request of cell.modules) modules.push(await this.#host.load(request));
    return body(hooks, ...scopes, ...modules);
  }

  #failed(cell: EmittedCell, hooks: CellHooks, thrown: unknown): RunOutcome {
    const survivors = cell.values.filter((name) => holdsValue(hooks.scope, name));
    const isInterruption = thrown instanceof Interruption || this.#isFlagged();
    const error = isInterruption ? INTERRUPTED : this.describe(thrown);
    this.#host.emit(cell.id, { type: "error", ...error });
    return { status: isInterruption ? "interrupted" : "error", survivors, error };
  }

  #isFlagged(): boolean {
    const { interruptFlag } = this.#host;
    return interruptFlag !== undefined && Atomics.load(interruptFlag, 0) !== 0;
  }

  #hooks(run: Run): CellHooks {
    const hooks: CellHooks = {
      define: (names) => {
        hooks.scope = Object.defineProperties({}, names);
      },
      scope: {},
      result: undefined,
      meta: this.#host.meta,
      load: (specifier, options) =>
        this.#host.load({
          specifier: String(specifier),
          ...(options?.with && { attributes: options.with }),
        }),
      // A stopped cell may still hold a loop that wakes up later: it stops at its next iteration.
      tick: () => {
        if (run.isStopped || this.#isFlagged()) throw new Interruption(INTERRUPTED.evalue);
        return TICK_INTERVAL;
      },
    };
    return hooks;
  }

  #within<T>(cell: number, body: () => T): T {
    return this.#host.during === undefined ? body() : this.#host.during(cell, body);
  }

  async #sendResult(cell: number, result: unknown): Promise<void> {
    if (result === undefined) return;
    const data =
      result instanceof Promise ? { "text/plain": await promiseForm(result) } : resultBundle(result);
    this.#host.emit(cell, { type: "execute_result", data });
  }
}

function resultBundle(result: unknown): { readonly [mime: string]: unknown } {
  try {
    const bundle = bundleOf(result);
    if (bundle !== undefined) return bundle;
  } catch {
    // A value whose own bundle fails is printed like any other.
  }
  return { "text/plain": inspect(result) };
}

/** A promise that the cell did not await: what it holds by now, or that it is pending. */
async function promiseForm(promise: Promise<unknown>): Promise<string> {
  const pending = Symbol("pending");
  const state = await Promise.race([promise, pending]).then(
    (value) => (value === pending ? "<pending>" : inspect(value)),
    (error: unknown) => `<rejected> ${inspect(error)}`,
  );
  return `Promise { ${state} }`;
}

/** Whether a name was reached before the cell stopped: reading a `let` that was not throws. */
function holdsValue(scope: { readonly [name: string]: unknown }, name: string): boolean {
  try {
    void scope[name];
    return Object.hasOwn(scope, name);
  } catch {
    return false;
  }
}
