/** A browser on the built book, for the tests of this folder. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { ensureBook } from "../../lib/host/bootstrap/book.mjs";
import { type BookServer, type ServeOptions, serveBook } from "../../lib/host/cli/serve.ts";
import { partPath } from "../support/optional.ts";

const require = createRequire(import.meta.url);

export const chapterPath = "chapters/01-landing-on-the-island/";
/** Every notebook is a chapter. */
export const chapterPaths = readdirSync("notebooks")
  .filter((name) => /^\d\d-[^.]*\.ipynb$/.test(name))
  .sort()
  .map((name) => `chapters/${name.slice(0, -".ipynb".length)}/`);
export const bookRoot = path.resolve(import.meta.dirname, "../../book/dist");

export const browserArguments =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
    " ",
  );

/** A server of the built book and a browser; close both. */
export interface BookVisit {
  readonly server: BookServer;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Builds the book unless it is built; for a `beforeAll` hook. */
export async function buildBook(): Promise<void> {
  await ensureBook();
}

/** Longest test and longest wait in a browser on a busy machine. */
export const browserTimeoutMs = 180_000;

/** Longest build on a busy machine. */
export const buildTimeoutMs = 300_000;

/** Serves the built book on a free port and starts a browser. */
export async function visitBook(options: Partial<ServeOptions> = {}): Promise<BookVisit> {
  const server = await serveBook({ root: bookRoot, port: 0, ...options });
  const browser = await chromium.launch({
    timeout: browserTimeoutMs,
    executablePath: partPath("chromium"),
    args: browserArguments,
  });
  return {
    server,
    browser,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Errors that a page reported: exceptions, failed requests, console errors. */
export function pageErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  return errors;
}

/** Opens a page in a context without a service worker, for tests that do not speak of it. */
export async function openPlain(
  visit: BookVisit,
  address: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await visit.browser.newContext({
    serviceWorkers: "block",
    viewport: { width: 1440, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(browserTimeoutMs / 2);
  const page = await context.newPage();
  await page.goto(visit.server.url + address, { waitUntil: "networkidle" });
  return { page, context };
}

/** The cell with this number on the page, from 1. */
export const cellAt = (page: Page, index: number) => page.locator(`.cell[data-index="${index}"]`);

/** What each cell shows below its source, as text without its spacing, by the cell's name. */
export const shownTexts = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(() => {
    const textOf = (cell: Element): string =>
      [...cell.querySelectorAll(".output")].map((output) => output.textContent.replace(/\s+/g, "")).join("|");
    const cells = [...document.querySelectorAll<HTMLElement>(".cell")];
    return Object.fromEntries(cells.map((cell) => [cell.dataset["cell"] ?? "", textOf(cell)]));
  });

/** Waits until a cell's run has ended and returns how. */
export async function endOfRun(page: Page, index: number, timeoutMs = browserTimeoutMs / 2): Promise<string> {
  const ended = (at: number): string | undefined => {
    const state = document.querySelector<HTMLElement>(`.cell[data-index="${at}"]`)?.dataset["state"] ?? "";
    return ["done", "failed", "stopped"].includes(state) ? state : undefined;
  };
  const handle = await page.waitForFunction(ended, index, { timeout: timeoutMs });
  return String(await handle.jsonValue());
}

/** Replaces a cell's text by typing it, as a reader would. */
export async function typeInto(page: Page, index: number, text: string): Promise<void> {
  const cell = cellAt(page, index);
  if ((await cell.locator(".cm-content").count()) === 0) await cell.locator("pre").first().click();
  else await cell.locator(".cm-content").click();
  await cell.locator(".cm-content").waitFor();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

/** What axe finds on a page as it is now: rule and elements, one line each. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: await readFile(require.resolve("axe-core/axe.min.js"), "utf8") });
  return page.evaluate(async () => {
    type Found = { violations: { id: string; nodes: { html: string }[] }[] };
    const { axe } = window as unknown as { axe: { run(root: Document, options: object): Promise<Found> } };
    const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run(document, { runOnly: rules });
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`,
    );
  });
}
