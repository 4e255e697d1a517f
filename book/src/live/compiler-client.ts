import type { CompilerAnswers, CompilerCall, CompilerReply } from "../../../lib/notebook/kernel-protocol.ts";

/** What the compiler worker is told first: where the declarations are. */
export interface CompilerBoot {
  readonly types: string;
}

/** A call without its kind and number. */
type CallOf<Kind extends CompilerCall["call"]> = Omit<Extract<CompilerCall, { call: Kind }>, "call">;

/** TypeScript in a worker: compiles cells, finds errors, completes names. Starting it fetches about 1 MB. */
export class CompilerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
  #next = 1;
  #failure: Error | undefined;

  constructor(address: string, types: string) {
    this.#worker = new Worker(address, { type: "module", name: "typescript" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<CompilerReply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("fault" in data) waiting?.reject(new Error(data.fault));
      else waiting?.resolve(data.answer as never);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#failure = new Error(event.message || "TypeScript could not be loaded.");
      for (const { reject } of this.#waiting.values()) reject(this.#failure);
      this.#waiting.clear();
    });
    this.#worker.postMessage({ types } satisfies CompilerBoot);
  }

  /** Whether the worker died; a new client may have more luck. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Sends one call and waits for its answer. */
  call<Kind extends keyof CompilerAnswers>(
    kind: Kind,
    details: CallOf<Kind>,
  ): Promise<CompilerAnswers[Kind]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call: kind, ...details });
    });
  }
}
