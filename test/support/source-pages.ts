/** The kit's sources in Chromium, without a build between: what runs in the page is what runs in Node, types stripped. */
import { type Browser, chromium, type Page } from "playwright-core";
import { listenHere, sourceServer } from "../../lib/host/source-server.ts";
import { partPath } from "./optional.ts";

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
  const port = await listenHere(server);
  const browser: Browser = await chromium.launch({
    executablePath: partPath("chromium"),
    args: BROWSER_ARGUMENTS,
  });
  return {
    async newPage({ isolated = false } = {}) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/${isolated ? "isolated" : ""}`);
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
