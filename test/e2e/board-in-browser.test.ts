import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assetFile } from "../../lib/host/node-assets.ts";
import { describeWith } from "../support/optional.ts";
import { openSourcePages, type SourcePages } from "../support/source-pages.ts";

/** Runs the kernel on the translating engine inside a worker, to its end. */
const WORKER = `onmessage = async () => {
  try {
    const { buildBoard } = await import("/lib/board/virt.ts");
    const elf = new Uint8Array(await (await fetch("/kernel.elf")).arrayBuffer());
    const board = buildBoard({ engine: "translator" });
    board.loadElf(elf);
    const { reason, retired } = board.run({ instructions: 20_000_000 });
    const { regions, compileFailures, steps, regionSteps } = board.counters;
    const found = { reason, retired, text: board.console.text, hash: board.trace.hash() };
    postMessage({ found, regions, compileFailures, share: regionSteps / steps, isolated: crossOriginIsolated });
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) });
  }
}`;

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));

describeWith(["chromium"], "the board in Chromium", () => {
  let pages: SourcePages;

  beforeAll(async () => {
    pages = await openSourcePages(
      new Map([
        ["/kernel.elf", KERNEL],
        ["/worker.js", new TextEncoder().encode(WORKER)],
      ]),
    );
  });
  afterAll(() => pages?.close());

  it("runs the C kernel to the same console and the same trace hash as in Node", async () => {
    const page = await pages.newPage();
    const inPage = await page.evaluate(`(async () => {
      const { buildBoard } = await import("/lib/board/virt.ts");
      const elf = new Uint8Array(await (await fetch("/kernel.elf")).arrayBuffer());
      const board = buildBoard();
      board.loadElf(elf);
      const { reason, retired } = board.run({ instructions: 20_000_000 });
      return { reason, retired, text: board.console.text, hash: board.trace.hash() };
    })()`);
    const board = buildBoard();
    board.loadElf(KERNEL);
    const { reason, retired } = board.run({ instructions: 20_000_000 });
    expect(inPage).toEqual({ reason, retired, text: board.console.text, hash: board.trace.hash() });
    expect(reason).toBe("poweroff");
  });

  it.each([false, true])(
    "runs it on the translating engine in a worker, with the reference engine's trace hash (isolated: %s)",
    async (isolated) => {
      const page = await pages.newPage({ isolated });
      const answer = await page.evaluate(`new Promise((resolve) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => resolve({ error: message });
        worker.postMessage("go");
      })`);
      const board = buildBoard({ engine: "reference" });
      board.loadElf(KERNEL);
      const { reason, retired } = board.run({ instructions: 20_000_000 });
      const found = { reason, retired, text: board.console.text, hash: board.trace.hash() };
      expect(answer).toMatchObject({ found, isolated, compileFailures: 0 });
      const { regions, share } = answer as { regions: number; share: number };
      expect(regions).toBeGreaterThan(0);
      expect(share, "share of steps in regions").toBeGreaterThan(0.7);
    },
  );
});
