/**
 * A notebook session without Jupyter: a compiler thread and a child process behind one interface.
 *
 * The launcher kernel, the headless runner, the grader's cage and the semantics suite all drive this.
 */
import path from "node:path";
import { typeErrorRecord } from "../../notebook/compiler/diagnostics.ts";
import type {
  CellDiagnostic,
  CellError,
  CellOutput,
  Completeness,
  CompletionList,
  QuickInfo,
  RunOutcome,
} from "../../notebook/kernel-protocol.ts";
import { OUTPUT_LIMITS, type OutputLimits } from "../../notebook/outputs.ts";
import { INTERRUPTED } from "../../notebook/session.ts";
import { CompilerThread } from "./headless-compiler-thread.ts";
import { type Death, Executor } from "./headless-executor.ts";
import type { KernelSession } from "./kernel-session.ts";

/** How a session is started. */
export interface SessionOptions {
  /** Folder of the notebook: relative imports and file names start here. */
  readonly folder: string;
  readonly limits?: OutputLimits;
  /** JavaScript heap of the child in MiB. */
  readonly memoryMb?: number;
  /** Longest type check of one cell, ms. */
  readonly compileTimeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const COMPILE_TIMEOUT_MS = 60_000;

/** Opens a session; its first cell waits for the compiler to have read its declarations. */
export function openHeadlessSession(options: SessionOptions): HeadlessSession {
  return new HeadlessSession(options);
}

/** The session. Cells run one at a time. */
export class HeadlessSession implements KernelSession {
  readonly #options: SessionOptions;
  readonly #compiler: CompilerThread;
  readonly #listeners = new Map<number, (output: CellOutput) => void>();
  #executor: Executor | undefined;
  #death: Death | undefined;
  /** Asked to stop since the last cell began, perhaps before it ran. */
  #isStopped = false;

  constructor(options: SessionOptions) {
    this.#options = { ...options, folder: path.resolve(options.folder) };
    this.#compiler = new CompilerThread(this.#options.folder, options.compileTimeoutMs ?? COMPILE_TIMEOUT_MS);
    this.#executor = this.#startExecutor();
  }

  /** Why the child is gone; `undefined` while it lives. */
  get death(): Death | undefined {
    return this.#death;
  }

  /** Resolves when the compiler has read its declarations: the next cell is timed alone. */
  async ready(): Promise<void> {
    await this.#compiler.warmUp();
  }

  async execute(source: string, onOutput: (output: CellOutput) => void): Promise<RunOutcome> {
    this.#isStopped = false;
    const compiled = await this.#compiler.compile(source);
    if (this.#isStopped) {
      onOutput({ type: "error", ...INTERRUPTED });
      return { status: "interrupted", survivors: [], error: INTERRUPTED };
    }
    if (!compiled.ok) return refuse(typeErrorRecord(source, compiled.diagnostics), onOutput);
    const { cell } = compiled;
    if (this.#executor === undefined) {
      const reason = `the kernel has ended (${this.#death?.reason ?? "not started"}): restart it`;
      return refuse(deathRecord({ reason }), onOutput);
    }
    this.#listeners.set(cell.id, onOutput);
    const result = await this.#executor.execute(cell);
    if ("reason" in result) {
      this.#death = result;
      this.#executor = undefined;
      return refuse(deathRecord(result), onOutput);
    }
    await this.#compiler.commit(cell.id, result.survivors);
    return result;
  }

  async check(source: string): Promise<readonly CellDiagnostic[]> {
    return (await this.#compiler.ask({ call: "check", source })) ?? [];
  }

  async complete(source: string, offset: number): Promise<CompletionList> {
    const found = await this.#compiler.ask({ call: "complete", source, offset });
    return found ?? { from: offset, to: offset, entries: [] };
  }

  quickInfo(source: string, offset: number): Promise<QuickInfo | undefined> {
    return this.#compiler.ask({ call: "quickInfo", source, offset });
  }

  async completeness(source: string): Promise<Completeness> {
    return (await this.#compiler.ask({ call: "completeness", source })) ?? "unknown";
  }

  interrupt(): void {
    this.#isStopped = true;
    this.#executor?.interrupt();
  }

  /** Kills the child at once, busy or not; the running cell ends with an error that says `reason`. */
  async kill(reason: string): Promise<void> {
    this.#death ??= { reason };
    await this.#executor?.kill(reason);
  }

  async close(): Promise<void> {
    await Promise.all([this.kill("the session was closed"), this.#compiler.close()]);
  }

  #startExecutor(): Executor {
    const { folder, limits = OUTPUT_LIMITS, memoryMb, env } = this.#options;
    const options = {
      folder,
      limits,
      ...(memoryMb !== undefined && { memoryMb }),
      ...(env !== undefined && { env }),
    };
    return new Executor(options, (cell, output) => this.#listeners.get(cell)?.(output));
  }
}

function refuse(error: CellError, onOutput: (output: CellOutput) => void): RunOutcome {
  onOutput({ type: "error", ...error });
  return { status: "error", survivors: [], error };
}

function deathRecord({ reason: evalue }: Death): CellError {
  return { ename: "KernelDied", evalue, traceback: [`KernelDied: ${evalue}`] };
}
