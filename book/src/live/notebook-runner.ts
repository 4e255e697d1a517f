import type {
  CellDiagnostic,
  CellOutput,
  CompileResult,
  EmittedCell,
} from "../../../lib/notebook/kernel-protocol.ts";
import type { CellView } from "./cell-view.ts";
import type { CompilerClient } from "./compiler-client.ts";
import { type RunEnd, SessionClient } from "./session-client.ts";

/** Cells as the build compiled them: what runs while a cell is as the book has it. */
export type BuiltCells = Readonly<Record<string, CompileResult>>;

/** What a runner needs from the page. */
export interface RunnerHost {
  readonly cells: readonly CellView[];
  readonly sessionAddress: string;
  builtCells(): Promise<BuiltCells>;
  compiler(): CompilerClient;
  /** Says what is going on, for eyes and screen readers. */
  announce(text: string, isBusy: boolean): void;
  /** A cell has run to its end, well or not. */
  onRan(cell: CellView): void;
}

/** One cell that the session has run; its place in the log is its number there. */
interface LogEntry {
  readonly cell: string;
  readonly emitted: EmittedCell;
  survivors: readonly string[];
}

const stopPatienceMs = 1500;
/** TypeScript's "Cannot find name". */
const cannotFindName = 2304;

/** Runs the cells of one page in one session: one at a time, in the order asked. */
export class NotebookRunner {
  readonly #host: RunnerHost;
  #session: SessionClient | undefined;
  #log: LogEntry[] = [];
  #compiledEntries = 0;
  #isCompilerStale = false;
  #built: BuiltCells | undefined;
  #queue: CellView[] = [];
  #current: CellView | undefined;
  #isStopping = false;
  #isExecuting = false;
  #retried: CellView | undefined;

  constructor(host: RunnerHost) {
    this.#host = host;
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Whether a cell runs or waits. */
  isRunning(cell: CellView): boolean {
    return this.#current === cell || this.#queue.includes(cell);
  }

  /** Runs one cell, and before it the unedited cells that it needs and that have not run yet. */
  async run(cell: CellView): Promise<void> {
    this.#retried = undefined;
    const built = await this.#builtCells();
    await this.#enqueue([...this.#missingBefore(cell, built), cell]);
  }

  /** Runs cells in page order, whether they ran before or not. */
  async runAll(cells: readonly CellView[]): Promise<void> {
    await this.#builtCells();
    await this.#enqueue(cells);
  }

  /** Stops the running cell and forgets the waiting ones. State is kept: by a flag, else by running the log again. */
  async stop(): Promise<void> {
    for (const cell of this.#queue) cell.setState("idle");
    this.#queue = [];
    const stopping = this.#current;
    if (!stopping || this.#isStopping) return;
    this.#isStopping = true;
    this.#host.announce(`Stopping cell ${stopping.index}`, true);
    const session = this.#session;
    // A cell that is still being compiled never begins: whoever compiles it looks.
    if (!session || !this.#isExecuting) return;
    session.interrupt();
    const patienceMs = session.keepsStateOnStop ? stopPatienceMs : 60;
    // Asked again and again: a run that had only just been sent clears the flag when it starts.
    for (let waitedMs = 0; waitedMs < patienceMs && this.#isStopping; waitedMs += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (this.#isStopping) session.interrupt();
    }
    if (this.#current === stopping && this.#isStopping) session.terminate();
  }

  /** Ends the session: the next run starts from nothing. */
  restart(): void {
    for (const cell of this.#queue) cell.setState("idle");
    this.#queue = [];
    this.#session?.terminate();
    this.#session = undefined;
    this.#forgetLog();
    for (const cell of this.#host.cells) cell.setState("idle");
    this.#host.announce("Restarted. Nothing has run yet.", false);
  }

  async #builtCells(): Promise<BuiltCells> {
    this.#built ??= await this.#host.builtCells();
    return this.#built;
  }

  /** Cells that an unedited cell reads from, directly or not, and that this session has not run. */
  #missingBefore(cell: CellView, built: BuiltCells): CellView[] {
    const byNumber = new Map<number, string>();
    for (const [id, result] of Object.entries(built)) if (result.ok) byNumber.set(result.cell.id, id);
    const ran = new Set(this.#log.map((entry) => entry.cell));
    const wanted = new Set<string>();
    const visit = (id: string): void => {
      const result = built[id];
      if (!result?.ok) return;
      for (const number of result.cell.reads) {
        const needed = byNumber.get(number);
        if (needed === undefined || ran.has(needed) || wanted.has(needed)) continue;
        wanted.add(needed);
        visit(needed);
      }
    };
    visit(cell.id);
    return this.#host.cells.filter((candidate) => wanted.has(candidate.id) && !this.isRunning(candidate));
  }

  async #enqueue(cells: readonly CellView[]): Promise<void> {
    const fresh = cells.filter((cell) => !this.isRunning(cell));
    for (const cell of fresh) cell.setState("queued");
    this.#queue.push(...fresh);
    if (this.#current) return;
    for (let cell = this.#queue.shift(); cell; cell = this.#queue.shift()) {
      this.#current = cell;
      const isWell = await this.#runOne(cell).catch((error: unknown) => this.#fail(cell, error));
      this.#current = undefined;
      if (!isWell) await this.stop();
    }
  }

  #fail(cell: CellView, error: unknown): false {
    this.#isStopping = false;
    cell.clearOutputs();
    const message = error instanceof Error ? error.message : String(error);
    cell.addOutput({ type: "error", ename: "The book", evalue: message, traceback: [] });
    cell.settleOutputs();
    cell.setState("failed");
    this.#host.announce(`Cell ${cell.index} could not run: ${message}`, false);
    return false;
  }

  async #runOne(cell: CellView): Promise<boolean> {
    cell.setState("running");
    this.#host.announce(`Running cell ${cell.index}`, true);
    const compiled = await this.#compile(cell);
    if (this.#isStopping) return this.#endBeforeItRuns(cell);
    cell.clearOutputs();
    if (!compiled.ok && this.#runFirst(cell, compiled.diagnostics)) return true;
    if (!compiled.ok) {
      cell.showDiagnostics(compiled.diagnostics);
      cell.settleOutputs();
      cell.setState("failed", "type error");
      const count = compiled.diagnostics.length;
      this.#host.announce(
        `Cell ${cell.index} did not run: ${count} ${count === 1 ? "error" : "errors"}`,
        false,
      );
      return false;
    }
    return this.#execute(cell, compiled.cell);
  }

  /** A cell was stopped while it was compiled. The compiler may know it as one that runs: it begins again from the log. */
  #endBeforeItRuns(cell: CellView): false {
    this.#isStopping = false;
    this.#isCompilerStale = true;
    this.#compiledEntries = 0;
    cell.setState("stopped", "stopped before it ran");
    this.#host.announce(`Cell ${cell.index} stopped before it ran`, false);
    return false;
  }

  /** Puts the cells that declare a missing name before an edited cell; false when no cell does, or it was tried. */
  #runFirst(cell: CellView, diagnostics: readonly CellDiagnostic[]): boolean {
    const built = this.#built ?? {};
    const names = diagnostics.flatMap(({ code, message }) =>
      code === cannotFindName ? (/'(.+?)'/.exec(message)?.[1] ?? []) : [],
    );
    const ran = new Set(this.#log.map((entry) => entry.cell));
    const lacking = this.#host.cells.filter((other) => {
      const result = built[other.id];
      return (
        other !== cell &&
        !ran.has(other.id) &&
        result?.ok === true &&
        result.cell.values.some((name) => names.includes(name))
      );
    });
    if (lacking.length === 0 || this.#retried === cell) return false;
    this.#retried = cell;
    const first = new Set(lacking.flatMap((other) => [...this.#missingBefore(other, built), other]));
    const wanted = [...this.#host.cells.filter((other) => first.has(other)), cell];
    for (const other of wanted) other.setState("queued");
    this.#queue.unshift(...wanted);
    return true;
  }

  async #execute(cell: CellView, emitted: EmittedCell): Promise<boolean> {
    const started = performance.now();
    const entry: LogEntry = { cell: cell.id, emitted, survivors: [] };
    this.#log.push(entry);
    this.#session ??= this.#startSession();
    const end = await this.#carryOut(this.#session, emitted, (output) => cell.addOutput(output));
    cell.settleOutputs();
    if (end === "terminated") return this.#afterTermination(cell);
    entry.survivors = end.survivors;
    if (this.#compiledEntries === this.#log.length) {
      await this.#host.compiler().call("commit", { cell: emitted.id, survivors: end.survivors });
    }
    const words = {
      ok: `ran in ${durationText(performance.now() - started)}`,
      error: "failed",
      interrupted: "stopped, state kept",
    }[end.status];
    cell.setState(({ ok: "done", error: "failed", interrupted: "stopped" } as const)[end.status], words);
    this.#host.announce(`Cell ${cell.index} ${words}`, false);
    this.#host.onRan(cell);
    return end.status === "ok";
  }

  /** One run in a session. Only while it lasts can a session be asked to stop. */
  async #carryOut(
    session: SessionClient,
    emitted: EmittedCell,
    onOutput: (output: CellOutput) => void,
  ): Promise<RunEnd> {
    this.#isExecuting = true;
    try {
      return await session.execute(emitted, onOutput);
    } finally {
      this.#isExecuting = false;
      this.#isStopping = false;
    }
  }

  #startSession(): SessionClient {
    return new SessionClient(this.#host.sessionAddress);
  }

  /**
   * After a session had to be ended: runs what had run before, quietly, so that its state is back. The cell counts as
   * running until then, because a run asked for in between would be lost.
   */
  async #afterTermination(cell: CellView): Promise<false> {
    this.#session = undefined;
    const before = this.#log.slice(0, -1);
    this.#forgetLog();
    if (before.length > 0)
      this.#host.announce(`Cell ${cell.index} stopped; running the earlier cells again`, true);
    const isBack = await this.#runAgain(before);
    cell.setState("stopped", "stopped");
    const outcome = isBack && before.length > 0 ? "; the state of the earlier cells is back" : "";
    this.#host.announce(`Cell ${cell.index} stopped${outcome}`, false);
    return false;
  }

  /** Runs a log in a new session; false when that had to be ended too. */
  async #runAgain(log: readonly LogEntry[]): Promise<boolean> {
    if (log.length === 0) return true;
    const session = this.#startSession();
    this.#session = session;
    const renumbered = new Map<number, number>();
    for (const entry of log) {
      const id = this.#log.length + 1;
      const emitted = {
        ...entry.emitted,
        id,
        reads: entry.emitted.reads.map((read) => renumbered.get(read) ?? read),
      };
      renumbered.set(entry.emitted.id, id);
      const end = await this.#carryOut(session, emitted, () => undefined);
      if (end === "terminated") {
        this.#session = undefined;
        this.#forgetLog();
        return false;
      }
      this.#log.push({ cell: entry.cell, emitted, survivors: end.survivors });
    }
    return true;
  }

  /** Compiles a cell: from the build while nothing that it depends on was edited, else by TypeScript. */
  async #compile(cell: CellView): Promise<CompileResult> {
    const built = await this.#builtCells();
    const ready = this.#fromBuild(cell, built);
    if (ready) return ready;
    await this.#bringCompilerUp();
    const compiled = await this.#host
      .compiler()
      .call("compile", { source: cell.source, number: this.#log.length + 1 });
    if (compiled.ok) this.#compiledEntries += 1;
    return compiled;
  }

  #fromBuild(cell: CellView, built: BuiltCells): CompileResult | undefined {
    const result = built[cell.id];
    if (!result || cell.isEdited) return undefined;
    if (!result.ok) return this.#log.every((entry) => isBuilt(entry, built)) ? result : undefined;
    if (result.cell.source !== cell.source) return undefined;
    const owner = new Map<number, string>();
    for (const [id, other] of Object.entries(built)) if (other.ok) owner.set(other.cell.id, id);
    const reads: number[] = [];
    for (const read of result.cell.reads) {
      const number = this.#latest(owner.get(read), built);
      if (number === undefined) return undefined;
      reads.push(number);
    }
    return { ok: true, cell: { ...result.cell, id: this.#log.length + 1, reads } };
  }

  /** Number in the session of an unedited cell whose names nothing later took over. */
  #latest(id: string | undefined, built: BuiltCells): number | undefined {
    const at = this.#log.findLastIndex((entry) => entry.cell === id);
    const entry = this.#log[at];
    if (!entry || !isBuilt(entry, built) || entry.survivors.length < entry.emitted.values.length)
      return undefined;
    const names = new Set(entry.emitted.values);
    const isShadowed = this.#log
      .slice(at + 1)
      .some((later) => later.emitted.values.some((name) => names.has(name)));
    return isShadowed ? undefined : at + 1;
  }

  /** Tells the compiler about every cell that ran without it, so that its numbers are the session's. */
  async #bringCompilerUp(): Promise<void> {
    const compiler = this.#host.compiler();
    if (this.#isCompilerStale) await compiler.call("reset", {});
    this.#isCompilerStale = false;
    for (const { emitted, survivors } of this.#log.slice(this.#compiledEntries)) {
      const known = await compiler.call("compile", { source: emitted.source, number: emitted.id });
      if (!known.ok) {
        this.#isCompilerStale = true;
        this.#compiledEntries = 0;
        throw new Error("The compiler lost track of the cells that ran. Restart, then run again.");
      }
      await compiler.call("commit", { cell: emitted.id, survivors });
      this.#compiledEntries += 1;
    }
  }

  #forgetLog(): void {
    this.#log = [];
    this.#compiledEntries = 0;
    this.#isCompilerStale = true;
  }
}

function durationText(durationMs: number): string {
  if (durationMs < 1000) return `${Math.max(1, Math.round(durationMs))} ms`;
  return `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 1 : 0)} s`;
}

function isBuilt(entry: LogEntry, built: BuiltCells): boolean {
  const result = built[entry.cell];
  return result?.ok === true && result.cell.source === entry.emitted.source;
}
