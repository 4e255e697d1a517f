/**
 * A compiler process with a deadline: a cell whose types never end costs that cell, not the run.
 *
 * The process is warm, so declarations are read once for many submissions; it holds no secret and runs no cell.
 */
import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import type { CellDiagnostic } from "../../notebook/kernel-protocol.ts";
import type { CompileReply } from "../oracle/protocol.ts";
import { FrameReader, frame } from "../wire.ts";
import { workedMs } from "../work-time.ts";
import type { CompilerAnswer, CompilerRequest } from "./protocol.ts";

/** How a compiler is set up. */
export interface CompilerSettings {
  /** Starts the process, confined. */
  start(): ChildProcess;
  /** Milliseconds of work on one cell. Time that the process spent waiting for a processor does not count. */
  readonly deadlineMs: number;
}

/** `late`: ended at the deadline. `lost`: the process ended by itself. */
type Reply = CompilerAnswer | "late" | "lost";

interface Waiting {
  readonly resolve: (answer: Reply) => void;
  timer: NodeJS.Timeout | undefined;
}

/** A cell that was compiled and run, kept so that a new process can take over. */
interface Committed {
  readonly source: string;
  readonly survivors: readonly string[];
}

/** Compiles the cells of one notebook at a time. */
export class Compiler {
  readonly #settings: CompilerSettings;
  #process: ChildProcess | undefined;
  #isClosed = false;
  readonly #late = new WeakSet<ChildProcess>();
  #waiting: Waiting[] = [];
  #history: Committed[] = [];
  #sources = new Map<number, string>();

  constructor(settings: CompilerSettings) {
    this.#settings = settings;
  }

  /** Forgets the notebook before. */
  async reset(): Promise<void> {
    this.#history = [];
    this.#sources = new Map();
    await this.#ask({ type: "reset" });
  }

  /** Compiles the next cell, or says "late" and gives the cell up. */
  async compile(source: string): Promise<CompileReply> {
    let answer = await this.#ask({ type: "compile", source }, this.#settings.deadlineMs);
    if (answer === "lost") {
      await this.#takeOver();
      answer = await this.#ask({ type: "compile", source }, this.#settings.deadlineMs);
    }
    if (answer === "late" || answer === "lost" || answer === null) {
      await this.#takeOver();
      return answer === "late" ? { ok: "late" } : { ok: false, diagnostics: [COMPILER_LOST] };
    }
    if (answer.ok) this.#sources.set(answer.cell.id, source);
    return answer;
  }

  /** Makes a cell's names visible to the next ones. */
  async commit(cell: number, survivors: readonly string[]): Promise<void> {
    const source = this.#sources.get(cell);
    if (source === undefined) return;
    this.#history.push({ source, survivors });
    await this.#ask({ type: "commit", cell: cell, survivors });
  }

  /** Ends the process; nothing starts here any more. */
  close(): void {
    this.#isClosed = true;
    this.#kill();
  }

  #kill(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }

  /** A new process in place of a killed one, brought to the same state. Cell numbers stay as they were given. */
  async #takeOver(): Promise<void> {
    this.#kill();
    await this.#ask({ type: "reset" });
    for (const { source, survivors } of this.#history) {
      const answer = await this.#ask({ type: "compile", source });
      if (typeof answer === "object" && answer?.ok === true) {
        await this.#ask({ type: "commit", cell: answer.cell.id, survivors });
      }
    }
  }

  #ask(request: CompilerRequest, deadlineMs?: number): Promise<Reply> {
    if (this.#isClosed) return Promise.resolve("lost");
    const child = this.#process ?? this.#start();
    return new Promise((resolve) => {
      const waiting: Waiting = { resolve, timer: undefined };
      if (deadlineMs !== undefined) this.#watch(waiting, child, deadlineMs, workedMs(child.pid), 0);
      this.#send(child, request, waiting);
    });
  }

  #send(child: ChildProcess, request: CompilerRequest, waiting: Waiting): void {
    this.#waiting.push(waiting);
    channelOf(child).write(frame(Buffer.from(JSON.stringify(request))));
  }

  #watch(
    waiting: Waiting,
    child: ChildProcess,
    deadlineMs: number,
    before: number | undefined,
    waited: number,
  ): void {
    waiting.timer = setTimeout(() => {
      const worked = workedMs(child.pid);
      const spent = worked === undefined || before === undefined ? waited + deadlineMs : worked - before;
      // A busy machine is not the student's fault: up to eight deadlines of waiting are granted.
      if (spent < deadlineMs * 0.9 && waited < deadlineMs * 8)
        this.#watch(waiting, child, deadlineMs, before, waited + deadlineMs);
      else {
        this.#late.add(child);
        child.kill("SIGKILL");
      }
    }, deadlineMs);
  }

  #start(): ChildProcess {
    const child = this.#settings.start();
    child.stdout?.resume();
    child.stderr?.resume();
    child.on("error", () => {});
    const reader = new FrameReader((payload) => {
      this.#answered(JSON.parse(Buffer.from(payload).toString("utf8")) as CompilerAnswer);
    }, Number.MAX_SAFE_INTEGER);
    const channel = channelOf(child);
    channel.on("data", (chunk: Buffer) => reader.feed(chunk));
    channel.on("error", () => {});
    child.on("exit", () => {
      if (this.#process === child) this.#process = undefined;
      const lost = this.#waiting;
      this.#waiting = [];
      for (const waiting of lost) this.#finish(waiting, this.#late.has(child) ? "late" : "lost");
    });
    this.#process = child;
    // The first text pays for reading the declarations; no student's deadline should.
    for (const request of WARM_UP) this.#send(child, request, { resolve: () => {}, timer: undefined });
    return child;
  }

  #answered(answer: CompilerAnswer): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) this.#finish(waiting, answer);
  }

  #finish(waiting: Waiting, answer: Reply): void {
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }
}

const COMPILER_LOST: CellDiagnostic = {
  code: 0,
  message: "the compiler fails on this cell",
  line: 1,
  column: 1,
  start: 0,
  length: 1,
};

const WARM_UP: readonly CompilerRequest[] = [
  { type: "compile", source: 'import * as kit from "dom0-kit";\nconst ready = kit;' },
  { type: "reset" },
];

const channelOf = (child: ChildProcess): Duplex => child.stdio[3] as Duplex;
