/**
 * One oracle process and the cages it asks, seen from the orchestrator.
 *
 * The orchestrator passes frames between the two without reading a student's bytes, keeps every limit, and ends the
 * cage with the job. The oracle stays for the next submission; a cage never does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import type { Duplex, Readable } from "node:stream";
import type { CageLimits, Sandbox } from "../cage/confined.ts";
import type { Compiler } from "../compile/compiler.ts";
import { FrameReader, frame } from "../wire.ts";
import { workedMs } from "../work-time.ts";
import {
  type CompileReply,
  KIND,
  type OracleJob,
  type OracleMessage,
  type OracleReport,
  type Work,
} from "./protocol.ts";

const MAIN = path.join(import.meta.dirname, `main${path.extname(import.meta.filename)}`);

/** How a cage ended. `done`: the job was over first. */
export type CageEnd = "done" | "timeout" | "silent" | "output" | "memory" | "protocol" | "exit" | "crash";

/** Result of one job; `fault` is a failure of ours and never a score. */
export type JobResult =
  | { readonly ok: true; readonly report: OracleReport; readonly end: CageEnd; readonly stderr: string }
  | {
      readonly ok: false;
      readonly fault: string;
      /** What the oracle worked on, when an answer may be to blame. */
      readonly at?: Work | undefined;
      /** `worked`: it used up its processor time, which no other program can bring about. */
      readonly cause?: "worked" | "waited" | "lost";
    };

/** Milliseconds without a message while the oracle works on nothing of an answer's. */
const ORACLE_MS = 120_000;
/** Milliseconds between two looks at what the oracle has worked. */
const LOOK_MS = 250;
/** Milliseconds that a property may take by the clock: the last resort, since a busy machine is nobody's fault. */
const WAIT_MS = 180_000;
/** Megabytes of objects in the oracle. */
const ORACLE_HEAP = 2_048;

/** A warm oracle. Jobs run one at a time. */
export class Oracle {
  readonly #frontDoor: string;
  #process: ChildProcess | undefined;
  #isClosed = false;

  constructor(frontDoor: string) {
    this.#frontDoor = frontDoor;
  }

  /** Runs one job in a cage of its own. */
  run(job: OracleJob, compiler: Compiler, sandbox: Sandbox, limits: CageLimits): Promise<JobResult> {
    if (this.#isClosed) return Promise.resolve({ ok: false, fault: "stopped" });
    const oracle = this.#process ?? this.#start();
    return new Promise((resolve) => {
      new RunningJob(oracle, compiler, sandbox, limits, (result) => {
        // What a faulty oracle holds is not known: the next job gets a new one.
        if (!result.ok) this.#kill();
        resolve(result);
      }).begin(job);
    });
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

  #start(): ChildProcess {
    const child = spawn(
      process.execPath,
      ["--no-warnings", `--max-old-space-size=${ORACLE_HEAP}`, MAIN, this.#frontDoor],
      {
        stdio: ["ignore", "ignore", "pipe", "pipe"],
      },
    );
    child.on("exit", () => {
      if (this.#process === child) this.#process = undefined;
    });
    channelOf(child).on("error", () => {});
    this.#process = child;
    return child;
  }
}

const channelOf = (child: ChildProcess): Duplex => child.stdio[3] as Duplex;

/** One job between its first frame and its result. */
class RunningJob {
  readonly #oracle: ChildProcess;
  readonly #compiler: Compiler;
  readonly #cage: Cage;
  readonly #finish: (result: JobResult) => void;
  readonly #watchdog: NodeJS.Timeout;
  readonly #judgeMs: number;
  #stderr = "";
  #isOver = false;
  #at: Work | undefined;
  /** When the work began, and what the oracle had worked by then. */
  #began = { at: performance.now(), worked: undefined as number | undefined };

  constructor(
    oracle: ChildProcess,
    compiler: Compiler,
    sandbox: Sandbox,
    limits: CageLimits,
    finish: (result: JobResult) => void,
  ) {
    this.#oracle = oracle;
    this.#compiler = compiler;
    this.#finish = finish;
    this.#cage = new Cage(
      sandbox.startCage(limits),
      limits,
      (reply) => this.#toOracle(KIND.cage, reply),
      () => this.#toOracle(KIND.cageGone),
    );
    const reader = new FrameReader((payload) => void this.#take(payload), Number.MAX_SAFE_INTEGER);
    channelOf(oracle).on("data", (chunk: Buffer) => reader.feed(chunk));
    oracle.stderr?.on("data", (chunk: Buffer) => {
      if (this.#stderr.length < 20_000) this.#stderr += chunk.toString("utf8");
    });
    oracle.once("exit", this.#lost);
    this.#judgeMs = limits.judgeMs;
    this.#watchdog = setInterval(() => this.#look(), LOOK_MS);
  }

  begin(job: OracleJob): void {
    this.#toOracle(KIND.json, Buffer.from(JSON.stringify(job)));
  }

  readonly #lost = (): void =>
    this.#end({
      ok: false,
      fault: `the oracle ended: ${this.#stderr.trim().slice(-600)}`,
      at: this.#at,
      cause: "lost",
    });

  /** Starts the clocks anew. */
  #begin(work: Work | null): void {
    this.#at = work ?? undefined;
    this.#began = { at: performance.now(), worked: workedMs(this.#oracle.pid) };
  }

  #look(): void {
    const waited = performance.now() - this.#began.at;
    const worked = (workedMs(this.#oracle.pid) ?? 0) - (this.#began.worked ?? 0);
    const hasWorked = this.#at !== undefined && worked >= this.#judgeMs;
    if (!hasWorked && waited < (this.#at === undefined ? ORACLE_MS : WAIT_MS)) return;
    this.#end({
      ok: false,
      fault: "the instructor's checks did not finish in time",
      at: this.#at,
      cause: hasWorked ? "worked" : "waited",
    });
  }

  async #take(payload: Uint8Array): Promise<void> {
    if (this.#at === undefined) this.#began.at = performance.now();
    if (payload[0] === KIND.cage) {
      this.#cage.ask(payload.subarray(1));
      return;
    }
    const message = JSON.parse(Buffer.from(payload.subarray(1)).toString("utf8")) as OracleMessage;
    if (message.type === "compile") this.#reply(await this.#compiler.compile(message.source));
    else if (message.type === "commit") await this.#compiler.commit(message.cell, message.survivors);
    else if (message.type === "begin") this.#begin(message.work);
    else if (message.type === "fault") this.#end({ ok: false, fault: message.message });
    else this.#end({ ok: true, report: message.report, end: this.#cage.close(), stderr: this.#cage.stderr });
  }

  #reply(reply: CompileReply): void {
    this.#toOracle(KIND.json, Buffer.from(JSON.stringify(reply)));
  }

  #toOracle(kind: number, payload: Uint8Array = new Uint8Array(0)): void {
    if (this.#isOver) return;
    channelOf(this.#oracle).write(frame(Buffer.concat([Uint8Array.of(kind), payload])));
  }

  #end(result: JobResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#watchdog);
    this.#cage.close();
    this.#oracle.off("exit", this.#lost);
    channelOf(this.#oracle).removeAllListeners("data");
    this.#oracle.stderr?.removeAllListeners("data");
    this.#oracle.stderr?.resume();
    this.#finish(result);
  }
}

const SIGNALS: Readonly<Record<string, CageEnd>> = {
  SIGXCPU: "timeout",
  SIGKILL: "timeout",
  SIGABRT: "memory",
  SIGTRAP: "memory",
};
const SHELL_SIGNAL = 128;
const SIGNAL_NUMBERS: Readonly<Record<number, CageEnd>> = {
  24: "timeout",
  9: "timeout",
  6: "memory",
  5: "memory",
  4: "memory",
};

/** One cage: asked one thing at a time, ended at a limit. */
class Cage {
  readonly #child: ChildProcess;
  readonly #limits: CageLimits;
  readonly #onReply: (reply: Uint8Array) => void;
  readonly #onGone: () => void;
  #end: CageEnd | undefined;
  #silence: NodeJS.Timeout | undefined;
  #isAsked = false;
  #printed = 0;
  /** First bytes of standard error, for the instructor. */
  stderr = "";

  constructor(
    child: ChildProcess,
    limits: CageLimits,
    onReply: (reply: Uint8Array) => void,
    onGone: () => void,
  ) {
    this.#child = child;
    this.#limits = limits;
    this.#onReply = onReply;
    this.#onGone = onGone;
    const reader = new FrameReader((payload) => this.#replied(payload));
    channelOf(child).on("data", (chunk: Buffer) => {
      if (reader.feed(chunk) === "refused") this.#stop("protocol");
    });
    channelOf(child).on("error", () => {});
    this.#count(child.stdout, false);
    this.#count(child.stderr, true);
    child.on("error", (error) => {
      this.stderr += error.message;
      this.#gone("crash");
    });
    child.on("exit", (code, signal) => this.#gone(endOf(code, signal)));
  }

  /** Sends a request. When the cage is gone, says so. */
  ask(request: Uint8Array): void {
    if (this.#end !== undefined) {
      this.#onGone();
      return;
    }
    this.#isAsked = true;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#stop("silent"), this.#limits.silenceMs);
    channelOf(this.#child).write(frame(request));
  }

  /** Ends the cage and everything in it; answers how it had ended before. */
  close(): CageEnd {
    clearTimeout(this.#silence);
    this.#end ??= "done";
    this.#isAsked = false;
    this.#child.kill("SIGKILL");
    return this.#end;
  }

  #replied(payload: Uint8Array): void {
    // A reply that nobody asked for is a protocol breach: it could stand in for the next answer.
    if (!this.#isAsked) {
      this.#stop("protocol");
      return;
    }
    this.#isAsked = false;
    clearTimeout(this.#silence);
    this.#onReply(payload);
  }

  #count(stream: Readable | null, isError: boolean): void {
    stream?.on("data", (chunk: Buffer) => {
      this.#printed += chunk.length;
      if (isError && this.stderr.length < 8_192) this.stderr += chunk.toString("utf8").slice(0, 8_192);
      if (this.#printed > this.#limits.outputBytes) this.#stop("output");
    });
  }

  #stop(end: CageEnd): void {
    if (this.#end !== undefined) return;
    this.#gone(end);
    this.#child.kill("SIGKILL");
  }

  #gone(end: CageEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#silence);
    if (this.#isAsked) this.#onGone();
    this.#isAsked = false;
  }
}

/** bubblewrap passes a signal of the process inside on as 128 + number. */
function endOf(code: number | null, signal: NodeJS.Signals | null): CageEnd {
  if (signal !== null) return SIGNALS[signal] ?? "crash";
  if (code !== null && code > SHELL_SIGNAL) return SIGNAL_NUMBERS[code - SHELL_SIGNAL] ?? "crash";
  return code === 0 ? "exit" : "crash";
}
