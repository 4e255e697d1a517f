/** Stop at every moment of a run: while TypeScript compiles the cell, while the session starts, while the cell spins. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CellView } from "../../../book/src/live/cell-view.ts";
import type { CompilerClient } from "../../../book/src/live/compiler-client.ts";
import { NotebookRunner } from "../../../book/src/live/notebook-runner.ts";
import type { SessionEvent, SessionRequest } from "../../../lib/notebook/kernel-protocol.ts";

/** A session's worker that is ready when it is told, and runs a cell until it is interrupted or `spins` is false. */
class SlowWorker {
  static isReadyAtOnce = true;
  static spins = false;
  static started = 0;
  static terminated = 0;
  static readonly executed: number[] = [];
  #listener: (event: { data: SessionEvent }) => void = () => undefined;
  #isTerminated = false;

  addEventListener(type: string, listener: (event: { data: SessionEvent }) => void): void {
    if (type === "message") this.#listener = listener;
  }

  postMessage(request: SessionRequest): void {
    if (this.#isTerminated) return;
    if (request.type === "boot") {
      SlowWorker.started += 1;
      if (SlowWorker.isReadyAtOnce) queueMicrotask(() => this.#listener({ data: { type: "ready" } }));
      return;
    }
    if (request.type !== "execute") return;
    SlowWorker.executed.push(request.cell.id);
    if (SlowWorker.spins) return;
    const outcome = { status: "ok" as const, survivors: [] };
    queueMicrotask(() => this.#listener({ data: { type: "done", run: request.run, outcome } }));
  }

  terminate(): void {
    this.#isTerminated = true;
    SlowWorker.terminated += 1;
  }
}

class PaperCell {
  readonly index = 1;
  readonly isEdited = true;
  readonly source = "1";
  readonly states: string[] = [];
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
  setState(state: string): void {
    this.states.push(state);
  }
  clearOutputs(): void {}
  settleOutputs(): void {}
  addOutput(): void {}
  showDiagnostics(): void {}
}

/** A page with two cells, and a compiler that answers a compilation when `release` is called. */
function scene() {
  const cells = [new PaperCell("a"), new PaperCell("b")] as const;
  const waiting: (() => void)[] = [];
  const calls: string[] = [];
  const call = (what: string, { number }: { number?: number }): Promise<unknown> => {
    calls.push(what);
    if (what !== "compile") return Promise.resolve(undefined);
    const cell = { id: number, source: "1", reads: [], values: [], code: "" };
    return new Promise((resolve) => waiting.push(() => resolve({ ok: true, cell })));
  };
  const runner = new NotebookRunner({
    cells: cells as unknown as readonly CellView[],
    sessionAddress: "nowhere",
    builtCells: () => Promise.resolve({}),
    compiler: () => ({ call }) as unknown as CompilerClient,
    announce: () => undefined,
    onRan: () => undefined,
  });
  const run = (at: 0 | 1): Promise<void> => runner.run(cells[at] as unknown as CellView);
  const release = async (): Promise<void> => {
    await vi.waitUntil(() => waiting.length > 0);
    waiting.shift()?.();
  };
  return { cells, runner, run, release, calls };
}

beforeEach(() => {
  vi.stubGlobal("Worker", SlowWorker);
  vi.stubGlobal("crossOriginIsolated", true);
  Object.assign(SlowWorker, { isReadyAtOnce: true, spins: false, started: 0, terminated: 0 });
  SlowWorker.executed.length = 0;
});
afterEach(() => vi.unstubAllGlobals());

it("a cell that is stopped while it is compiled never begins, and the session goes on", async () => {
  const { cells, runner, run, release, calls } = scene();
  const first = run(0);
  await release();
  await first;
  const second = run(1);
  await vi.waitUntil(() => calls.filter((what) => what === "compile").length === 2);
  await runner.stop();
  await release();
  await second;
  expect(cells[1].states).toEqual(["queued", "running", "stopped"]);
  expect([SlowWorker.executed, SlowWorker.terminated]).toEqual([[1], 0]);

  const again = run(1);
  await release(); // the compiler hears of the first cell once more
  await release();
  await again;
  expect(cells[1].states.at(-1)).toBe("done");
  expect([SlowWorker.executed, SlowWorker.started]).toEqual([[1, 2], 1]);
});

it("a first cell that is stopped while it is compiled starts no session", async () => {
  const { cells, runner, run, release, calls } = scene();
  const only = run(0);
  await vi.waitUntil(() => calls.includes("compile"));
  await runner.stop();
  await release();
  await only;
  expect(cells[0].states.at(-1)).toBe("stopped");
  expect(SlowWorker.started).toBe(0);
});

it("a cell that is stopped while its session starts ends with that session", async () => {
  SlowWorker.isReadyAtOnce = false;
  const { cells, runner, run, release } = scene();
  const only = run(0);
  await release();
  await vi.waitUntil(() => SlowWorker.started === 1);
  await runner.stop();
  await only;
  expect(cells[0].states.at(-1)).toBe("stopped");
  expect(SlowWorker.terminated).toBe(1);

  SlowWorker.isReadyAtOnce = true;
  const again = run(0);
  await release();
  await again;
  expect(cells[0].states.at(-1)).toBe("done");
});

it("a cell that spins and does not hear is ended with its session", async () => {
  SlowWorker.spins = true;
  const { cells, runner, run, release } = scene();
  const only = run(0);
  await release();
  await vi.waitUntil(() => SlowWorker.executed.length === 1);
  await runner.stop();
  await only;
  expect(cells[0].states.at(-1)).toBe("stopped");
  expect(SlowWorker.terminated).toBe(1);
});
