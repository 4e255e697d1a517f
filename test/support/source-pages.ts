/** The kit's sources in Chromium, without a build between: what runs in the page is what runs in Node, types stripped. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { partPath } from "./optional.ts";

const PAGE = `<!doctype html><title>board</title><script type="importmap">
{ "imports": { "@noble/hashes/": "/node_modules/@noble/hashes/", "fflate": "/node_modules/fflate/esm/browser.js" } }</script>`;
const BROWSER_ARGUMENTS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** A browser whose pages can import the kit's sources by their path. */
export interface SourcePages {
  /** With `isolated`, the page asks for cross-origin isolation. */
  newPage(options?: { readonly isolated?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

/** Opens one. `files` are served besides, by path: what a test wants to hand to the page. */
export async function openSourcePages(files: ReadonlyMap<string, Uint8Array>): Promise<SourcePages> {
  const server = sourceServer(files);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const browser: Browser = await chromium.launch({
    executablePath: partPath("chromium"),
    args: BROWSER_ARGUMENTS,
  });
  return {
    async newPage({ isolated = false } = {}) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${address.port}/${isolated ? "isolated" : ""}`);
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Workers have no import map: packages are named by their path. */
const withPaths = (source: string): string =>
  source
    .replaceAll('"@noble/hashes/', '"/node_modules/@noble/hashes/')
    .replaceAll('"fflate"', '"/node_modules/fflate/esm/browser.js"');

function sourceServer(files: ReadonlyMap<string, Uint8Array>): Server {
  return createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = files.get(path);
    try {
      // What a page that is isolated loads must allow it, whoever loads it.
      if (path !== "/") response.setHeader("cross-origin-embedder-policy", "require-corp");
      if (path === "/isolated") response.setHeader("cross-origin-opener-policy", "same-origin");
      if (path === "/" || path === "/isolated") response.setHeader("content-type", "text/html").end(PAGE);
      else if (file !== undefined) {
        if (path.endsWith(".js")) response.setHeader("content-type", "text/javascript");
        response.end(file);
      } else {
        const source = readFileSync(join(PROJECT_ROOT, path), "utf8");
        response.setHeader("content-type", "text/javascript");
        response.end(path.endsWith(".ts") ? withPaths(stripTypeScriptTypes(source)) : source);
      }
    } catch {
      response.writeHead(404).end();
    }
  });
}
