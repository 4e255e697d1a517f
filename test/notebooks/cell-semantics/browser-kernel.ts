/** The browser kernel as a driver: the book's own workers in Chromium, on a page that is cross-origin isolated. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { type LiveBundles, writeLiveBundles } from "../../../book/build/live-bundles.ts";
import { packTypes } from "../../../book/build/type-pack.ts";
import { WORKER_GLOBALS } from "../../../lib/notebook/compiler/cell-globals.ts";
import { typeErrorRecord } from "../../../lib/notebook/compiler/diagnostics.ts";
import type { CellOutput, CompileResult, RunOutcome } from "../../../lib/notebook/kernel-protocol.ts";
import { partPath } from "../../support/optional.ts";
import { addOutput, type CellKernel, emptyOutcome, type Outcome } from "./kernel.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const ARGUMENTS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
/** A busy cell that goes on this long after it was told to stop does not look at the flag. */
const PATIENCE_MS = 1_500;

/** What the page's script offers; it runs in Chromium. */
interface PageKernel {
  compile(source: string): Promise<CompileResult>;
  commit(cell: number, survivors: readonly string[]): Promise<void>;
  execute(run: number, cell: unknown): Promise<RunOutcome | "hung">;
  interrupt(patienceMs: number): void;
}

const PAGE = (
  bundles: LiveBundles,
) => `<!doctype html><meta charset="utf-8"><title>kernel</title><script type="module">
let compiler, session, flag, ended, next = 0;
const waiting = new Map();
function startCompiler() {
  compiler = new Worker(${JSON.stringify(bundles.compiler)}, { type: "module" });
  compiler.onmessage = ({ data }) => waiting.get(data.id)(data);
  compiler.postMessage({ types: "/types.json" });
}
function startSession() {
  const shared = new SharedArrayBuffer(4);
  flag = new Int32Array(shared);
  session = new Worker(${JSON.stringify(bundles.session)}, { type: "module" });
  session.postMessage({ type: "boot", interrupt: shared });
  session.onmessage = ({ data }) => {
    if (data.type === "output") reportOutput(data.run, data.output);
    else if (data.type === "done") ended(data.outcome);
  };
}
const ask = (call) => new Promise((resolve, reject) => {
  const id = ++next;
  waiting.set(id, (reply) => ("fault" in reply ? reject(new Error(reply.fault)) : resolve(reply.answer)));
  compiler.postMessage({ id, ...call });
});
startCompiler();
startSession();
window.kernel = {
  compile: (source) => ask({ call: "compile", source }),
  commit: (cell, survivors) => ask({ call: "commit", cell, survivors }),
  execute: (run, cell) => new Promise((resolve) => {
    ended = resolve;
    session.postMessage({ type: "execute", run, cell });
  }),
  interrupt(patienceMs) {
    const waitingFor = ended;
    Atomics.store(flag, 0, 1);
    session.postMessage({ type: "interrupt" });
    setTimeout(() => {
      if (waitingFor !== ended || Atomics.load(flag, 0) === 0) return;
      session.terminate();
      startSession();
      void ask({ call: "reset" });
      ended("hung");
    }, patienceMs);
  },
};
</script>`;

export async function startBrowserKernel(): Promise<CellKernel> {
  const folder = mkdtempSync(path.join(tmpdir(), "dom0-browser-"));
  const bundles = await writeLiveBundles(folder);
  const types = JSON.stringify(Object.fromEntries(packTypes(ROOT, WORKER_GLOBALS)));
  const server = await serve(folder, PAGE(bundles), types);
  const browser = await chromium.launch({ executablePath: partPath("chromium"), args: ARGUMENTS.split(" ") });
  const page = await browser.newPage();
  const outcomes = new Map<number, Outcome>();
  const listeners = new Map<number, () => void>();
  await page.exposeFunction("reportOutput", (run: number, output: CellOutput) => {
    const outcome = outcomes.get(run);
    if (outcome !== undefined) addOutput(outcome, output);
    listeners.get(run)?.();
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await call(page, (kernel) => kernel.compile(""));
  return new BrowserKernel(page, outcomes, listeners, () => closeAll(browser, server, folder));
}

class BrowserKernel implements CellKernel {
  readonly #page: Page;
  readonly #outcomes: Map<number, Outcome>;
  readonly #listeners: Map<number, () => void>;
  readonly close: () => Promise<void>;
  #run = 0;

  constructor(
    page: Page,
    outcomes: Map<number, Outcome>,
    listeners: Map<number, () => void>,
    close: () => Promise<void>,
  ) {
    this.#page = page;
    this.#listeners = listeners;
    this.#outcomes = outcomes;
    this.close = close;
  }

  async execute(source: string, onOutput?: () => void): Promise<Outcome> {
    const outcome = emptyOutcome();
    const run = ++this.#run;
    if (onOutput !== undefined) this.#listeners.set(run, onOutput);
    this.#outcomes.set(run, outcome);
    const compiled = await call(this.#page, (kernel, text) => kernel.compile(text), source);
    if (!compiled.ok) {
      addOutput(outcome, { type: "error", ...typeErrorRecord(source, compiled.diagnostics) });
      outcome.status = "error";
      return outcome;
    }
    const { cell } = compiled;
    const end = await call(this.#page, (kernel, given) => kernel.execute(given.run, given.cell), {
      run,
      cell,
    });
    if (end === "hung") {
      outcome.status = "hung";
      return outcome;
    }
    outcome.status = end.status;
    await call(this.#page, (kernel, given) => kernel.commit(given.id, given.survivors), {
      id: cell.id,
      survivors: end.survivors,
    });
    return outcome;
  }

  interrupt(): void {
    void call(this.#page, async (kernel, patienceMs) => kernel.interrupt(patienceMs), PATIENCE_MS);
  }
}

/** Calls the page's kernel; `body` is sent to the browser as text. */
function call<A, R>(
  page: Page,
  body: (kernel: PageKernel, argument: A) => Promise<R>,
  argument?: A,
): Promise<R> {
  return page.evaluate(`(${String(body)})(window.kernel, ${JSON.stringify(argument ?? null)})`) as Promise<R>;
}

async function serve(folder: string, html: string, types: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const name = path.basename(request.url ?? "/");
    const isScript = name.endsWith(".js");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    response.setHeader(
      "Content-Type",
      isScript ? "text/javascript" : name.endsWith(".json") ? "application/json" : "text/html",
    );
    response.end(isScript ? await readFile(path.join(folder, name)) : name === "types.json" ? types : html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function closeAll(browser: Browser, server: Server, folder: string): Promise<void> {
  await browser.close();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
}
