import type {
  CellOutput,
  EmittedCell,
  RunOutcome,
  SessionEvent,
  SessionRequest,
} from "../../../lib/notebook/kernel-protocol.ts";

/** How a run ended: by itself, or with the whole session because it could not be stopped otherwise. */
export type RunEnd = RunOutcome | "terminated";

/** A session in a worker: runs emitted cells one at a time, and can be stopped. */
export class SessionClient {
  readonly #worker: Worker;
  readonly #flag: Int32Array | undefined;
  readonly #outputs = new Map<number, (output: CellOutput) => void>();
  readonly ready: Promise<void>;
  #runs = 0;
  #ended: ((end: RunEnd) => void) | undefined;
  #isTerminated = false;
  /** Lets a run go that waits for a worker which will never be ready. */
  #leave: () => void = () => undefined;
  readonly #left = new Promise<void>((resolve) => {
    this.#leave = resolve;
  });

  constructor(address: string) {
    this.#worker = new Worker(address, { type: "module", name: "session" });
    const shared = crossOriginIsolated ? new SharedArrayBuffer(4) : undefined;
    this.#flag = shared && new Int32Array(shared);
    this.ready = new Promise((resolve, reject) => {
      this.#worker.addEventListener("message", ({ data }: MessageEvent<SessionEvent>) => {
        if (data.type === "ready") resolve();
        else this.#receive(data);
      });
      this.#worker.addEventListener("error", (event) => {
        reject(new Error(event.message || "The session could not start."));
        this.#ended?.("terminated");
      });
    });
    this.#send({ type: "boot", ...(shared ? { interrupt: shared } : {}) });
  }

  /** Whether a busy cell can be stopped with the session's state kept. */
  get keepsStateOnStop(): boolean {
    return this.#flag !== undefined;
  }

  /** Runs one cell; outputs may still arrive after it ended. In a session that was ended, before or meanwhile, nothing runs. */
  async execute(cell: EmittedCell, onOutput: (output: CellOutput) => void): Promise<RunEnd> {
    await Promise.race([this.ready, this.#left]);
    if (this.#isTerminated) return "terminated";
    this.#runs += 1;
    const run = this.#runs;
    this.#outputs.set(run, onOutput);
    if (this.#flag) Atomics.store(this.#flag, 0, 0);
    const end = new Promise<RunEnd>((resolve) => {
      this.#ended = resolve;
    });
    this.#send({ type: "execute", run, cell });
    return end;
  }

  /** Asks the running cell to stop. */
  interrupt(): void {
    if (this.#flag) {
      Atomics.store(this.#flag, 0, 1);
      Atomics.notify(this.#flag, 0);
    }
    this.#send({ type: "interrupt" });
  }

  /** Ends the session and whatever runs in it. */
  terminate(): void {
    this.#isTerminated = true;
    this.#worker.terminate();
    this.#leave();
    this.#ended?.("terminated");
  }

  #send(request: SessionRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(event: Exclude<SessionEvent, { type: "ready" }>): void {
    if (event.type === "output") this.#outputs.get(event.run)?.(event.output);
    else this.#ended?.(event.outcome);
  }
}
