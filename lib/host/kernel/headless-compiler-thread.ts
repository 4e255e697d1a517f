/**
 * The kernel's side of the compiler thread: calls as promises, a time limit, and a fresh thread after one ran over.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import type {
  CellDiagnostic,
  CompileResult,
  CompilerAnswers,
  CompilerCall,
  CompilerReply,
} from "../../notebook/kernel-protocol.ts";
import { siblingModule } from "./headless-sibling.ts";

const OWN_TIMEOUT = 90_002;
const OWN_FAULT = 90_004;

type Waiting = { resolve(answer: unknown): void; reject(error: Error): void };

/** One compiler, in a thread that can be given up. */
export class CompilerThread {
  readonly #folder: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  /** What a fresh thread must be told: the cells that ran, with the names that survived. */
  readonly #history: { source: string; cell: number; survivors: readonly string[] }[] = [];
  readonly #pending = new Map<number, string>();
  #worker: Worker;
  #nextId = 1;

  constructor(folder: string, timeoutMs: number) {
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
    this.#worker = this.#start();
  }

  /** Compiles the next cell; a type checker that does not come to an end is a diagnostic. */
  async compile(source: string): Promise<CompileResult> {
    const answer = await this.#limited({ call: "compile", source }).catch(
      (error: Error): CompileResult => ({ ok: false, diagnostics: [failed(error)] }),
    );
    if (answer === undefined) return { ok: false, diagnostics: [tookTooLong(this.#timeoutMs)] };
    if (answer.ok) this.#pending.set(answer.cell.id, source);
    return answer;
  }

  /** Makes a cell's surviving names visible. */
  async commit(cell: number, survivors: readonly string[]): Promise<void> {
    const source = this.#pending.get(cell);
    this.#pending.delete(cell);
    if (source !== undefined) this.#history.push({ source, cell, survivors });
    await this.#call({ call: "commit", cell, survivors });
  }

  /** Any question that changes nothing; `undefined` when it took too long. */
  ask<C extends "check" | "complete" | "quickInfo" | "completeness">(
    call: Extract<CompilerCall, { call: C }>,
  ): Promise<CompilerAnswers[C] | undefined> {
    return this.#limited(call);
  }

  /** Resolves when the declarations are read, however long that takes on a busy machine. */
  async warmUp(): Promise<void> {
    await this.#call({ call: "check", source: "" });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(siblingModule(import.meta.url, "headless-compiler"), {
      workerData: { folder: this.#folder },
      env: process.env,
    });
    worker.unref();
    worker.on("message", (reply: CompilerReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) worker.unref();
      if ("fault" in reply) waiting?.reject(new Error(reply.fault));
      else waiting?.resolve(reply.answer);
    });
    worker.on("error", (error) => this.#failAll(error instanceof Error ? error : new Error(String(error))));
    return worker;
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #call<C extends CompilerCall["call"]>(
    call: Extract<CompilerCall, { call: C }>,
  ): Promise<CompilerAnswers[C]> {
    const id = this.#nextId++;
    this.#worker.ref();
    this.#worker.postMessage({ ...call, id });
    return new Promise((resolve, reject) => {
      // The protocol pairs each call with its answer by name.
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
    });
  }

  async #limited<C extends CompilerCall["call"]>(
    call: Extract<CompilerCall, { call: C }>,
  ): Promise<CompilerAnswers[C] | undefined> {
    const given = this.#call(call);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#timeoutMs);
    });
    try {
      const answer = await Promise.race([given.then((value) => ({ value })), late]);
      if (answer !== undefined) return answer.value;
    } finally {
      clearTimeout(timer);
    }
    given.catch(() => {});
    await this.#restart();
    return undefined;
  }

  /** A fresh thread learns the cells that ran; their numbers stay, because a cell's number is its place. */
  async #restart(): Promise<void> {
    this.#waiting.clear();
    await this.#worker.terminate();
    this.#worker = this.#start();
    for (const { source, cell, survivors } of this.#history) {
      await this.#call({ call: "compile", source, number: cell });
      await this.#call({ call: "commit", cell, survivors });
    }
  }
}

const atStart = (code: number, message: string): CellDiagnostic => ({
  code,
  message,
  line: 1,
  column: 1,
  start: 0,
  length: 1,
});

const tookTooLong = (timeoutMs: number) =>
  atStart(
    OWN_TIMEOUT,
    `Checking the types of this cell took more than ${timeoutMs / 1000} s, so it was given up.`,
  );

/** A bug of the compiler, ours or TypeScript's, costs one cell and not the session. */
const failed = (error: Error) =>
  atStart(
    OWN_FAULT,
    `The compiler itself failed on this cell, please report it: ${error.message.split("\n")[0]}`,
  );
