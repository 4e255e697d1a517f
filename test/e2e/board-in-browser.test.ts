import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join, normalize } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assetFile, PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { describeWith, partPath } from "../support/optional.ts";

const KERNEL = assetFile("images/mini-kernel.elf");
const PAGE = `<!doctype html><title>board</title><script type="importmap">
{ "imports": { "@noble/hashes/": "/node_modules/@noble/hashes/" } }</script>`;
const BROWSER_ARGUMENTS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Serves the sources themselves, types stripped: what runs in the page is what runs in Node, without a build between. */
function sourceServer(): Server {
  return createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    try {
      if (path === "/") response.setHeader("content-type", "text/html").end(PAGE);
      else if (path === "/kernel.elf") response.end(readFileSync(KERNEL));
      else {
        const source = readFileSync(join(PROJECT_ROOT, path), "utf8");
        response.setHeader("content-type", "text/javascript");
        response.end(path.endsWith(".ts") ? stripTypeScriptTypes(source) : source);
      }
    } catch {
      response.writeHead(404).end();
    }
  });
}

describeWith(["chromium"], "the board in Chromium", () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = sourceServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    browser = await chromium.launch({ executablePath: partPath("chromium"), args: BROWSER_ARGUMENTS });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("runs the C kernel to the same console and the same trace hash as in Node", async () => {
    const address = server.address();
    if (address === null || typeof address === "string") return expect.unreachable();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${address.port}/`);
    const inPage = await page.evaluate(`(async () => {
      const { buildBoard } = await import("/lib/board/virt.ts");
      const elf = new Uint8Array(await (await fetch("/kernel.elf")).arrayBuffer());
      const board = buildBoard();
      board.loadElf(elf);
      const { reason, retired } = board.run({ instructions: 20_000_000 });
      return { reason, retired, text: board.console.text, hash: board.trace.hash() };
    })()`);
    const board = buildBoard();
    board.loadElf(new Uint8Array(readFileSync(KERNEL)));
    const { reason, retired } = board.run({ instructions: 20_000_000 });
    expect(inPage).toEqual({ reason, retired, text: board.console.text, hash: board.trace.hash() });
    expect(reason).toBe("poweroff");
  });
});
