/** After the first visit the course needs no server: pages, cells and TypeScript come from the service worker. */
import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { describeWith } from "../support/optional.ts";
import {
  browserTimeoutMs,
  buildBook,
  buildTimeoutMs,
  cellAt,
  chapterPath,
  endOfRun,
  typeInto,
  visitBook,
} from "./book-browser.ts";

// A browser on a busy machine is slow; time decides nothing here.
vi.setConfig({ testTimeout: browserTimeoutMs });

describeWith(["chromium"], "the book offline", () => {
  beforeAll(buildBook, buildTimeoutMs);

  test("after one visit and a stopped server, the chapter reloads, runs, completes, and stops an endless cell", async () => {
    const visit = await visitBook();
    const page = await (await visit.browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    page.setDefaultTimeout(browserTimeoutMs / 2);
    await page.goto(visit.server.url + chapterPath);
    await keptForOffline(page);
    await visit.server.close();

    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await cellAt(page, 1).locator("[data-action=run]").click();
    expect(await endOfRun(page, 1)).toBe("done");
    await typeInto(page, 1, "let kept = 1;\nkept");
    await page.keyboard.type(".");
    await page.locator(".cm-tooltip-autocomplete").waitFor();
    await page.keyboard.press("Escape");
    await typeInto(page, 1, "while (true) {}");
    await page.keyboard.press("Shift+Enter");
    await page.locator('.cell[data-index="1"][data-state="running"]').waitFor();
    await cellAt(page, 1).locator("[data-action=run]").click();
    expect(await endOfRun(page, 1)).toBe("stopped");
    await page.goto(new URL("/", page.url()).href);
    expect(await page.locator("h1").innerText()).toContain("Escape");
    await visit.browser.close();
  });

  test("a chapter that has only just loaded can be read without the server", async () => {
    const visit = await visitBook();
    const page = await (await visit.browser.newContext()).newPage();
    page.setDefaultTimeout(browserTimeoutMs / 2);
    await page.goto(visit.server.url + chapterPath);
    const isKept = () => page.evaluate(async () => (await caches.match(location.pathname)) !== undefined);
    await expect.poll(isKept, { timeout: browserTimeoutMs / 2 }).toBe(true);
    await visit.server.close();
    await page.reload();
    expect(await page.locator("h1").innerText()).toBe("Landing on the island");
    expect(await page.evaluate(() => document.fonts.check('18px "Book Serif"'))).toBe(true);
    await visit.browser.close();
  });

  test("a plain static host without isolation headers is isolated by the service worker on the second page", async () => {
    const visit = await visitBook({ isolated: false });
    const page = await (await visit.browser.newContext()).newPage();
    page.setDefaultTimeout(browserTimeoutMs / 2);
    await page.goto(visit.server.url + chapterPath);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await visit.close();
  });

  test("without isolation an endless cell is ended and the earlier cells are run again", async () => {
    const visit = await visitBook({ isolated: false });
    const page = await (
      await visit.browser.newContext({ serviceWorkers: "block", viewport: { width: 1440, height: 900 } })
    ).newPage();
    page.setDefaultTimeout(browserTimeoutMs / 2);
    await page.goto(visit.server.url + chapterPath, { waitUntil: "networkidle" });
    await typeInto(page, 1, "let kept = 41;");
    await page.keyboard.press("Shift+Enter");
    expect(await endOfRun(page, 1)).toBe("done");
    await typeInto(page, 2, "while (true) {}");
    await page.keyboard.press("Shift+Enter");
    await page.locator('.cell[data-index="2"][data-state="running"]').waitFor();
    await cellAt(page, 2).locator("[data-action=run]").click();
    expect(await endOfRun(page, 2)).toBe("stopped");
    await typeInto(page, 2, "kept + 1");
    await page.keyboard.press("Shift+Enter");
    await page.waitForFunction(
      () => document.querySelector('.cell[data-index="2"] .output-result')?.textContent?.trim() === "42",
    );
    await visit.close();
  });
});

/** Waits until the page says that everything it needs is kept. */
async function keptForOffline(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.dataset["offline"] === "ready", undefined, {
    timeout: 60_000,
  });
}
