/** What the published pages are before anything is touched: complete, light, reachable, readable. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { describeWith } from "../support/optional.ts";
import {
  axeViolations,
  type BookVisit,
  browserTimeoutMs,
  buildBook,
  buildTimeoutMs,
  chapterPath,
  chapterPaths,
  endOfRun,
  openPlain,
  pageErrors,
  typeInto,
  visitBook,
} from "./book-browser.ts";

const chapters = chapterPaths;
const own = ["syllabus/", "claims/", "progress/", "glossary/", "coverage/"];
const pages = ["", ...chapters, ...own, "rules/hypervisor/"];

// A browser on a busy machine is slow; time decides nothing here.
vi.setConfig({ testTimeout: browserTimeoutMs });

describeWith(["chromium"], "pages of the book in a browser", () => {
  let visit: BookVisit;
  beforeAll(async () => {
    await buildBook();
    visit = await visitBook();
  }, buildTimeoutMs);
  afterAll(() => visit?.close());

  for (const address of pages) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`axe finds nothing on /${address} in ${colorScheme} mode`, async () => {
        const { page, context } = await openPlain(visit, address, { colorScheme });
        expect(await axeViolations(page)).toEqual([]);
        await context.close();
      });
    }

    test(`/${address} weighs at most 150 kB gzipped before it is touched`, async () => {
      const context = await visit.browser.newContext({
        serviceWorkers: "block",
        viewport: { width: 1440, height: 900 },
      });
      const page = await context.newPage();
      const bodies: Promise<number>[] = [];
      page.on("response", (response) =>
        bodies.push(response.body().then((body) => gzipSync(body, { level: 9 }).length)),
      );
      await page.goto(visit.server.url + address, { waitUntil: "networkidle" });
      const weight = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
      expect(weight).toBeLessThanOrEqual(150_000);
      await context.close();
    });

    test(`/${address} loads without an error and without leaving its server`, async () => {
      const context = await visit.browser.newContext({ serviceWorkers: "block" });
      const page = await context.newPage();
      const errors = pageErrors(page);
      const elsewhere: string[] = [];
      page.on("request", (request) => {
        if (!request.url().startsWith(visit.server.url) && !/^(data|blob):/.test(request.url()))
          elsewhere.push(request.url());
      });
      await page.goto(visit.server.url + address, { waitUntil: "networkidle" });
      expect(errors.filter((error) => !error.includes("Service Worker registration blocked"))).toEqual([]);
      expect(elsewhere).toEqual([]);
      await context.close();
    });

    test(`/${address} does not scroll sideways on a phone`, async () => {
      const { page, context } = await openPlain(visit, address, { viewport: { width: 360, height: 740 } });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      await context.close();
    });
  }

  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing in ${colorScheme} mode while an editor, an error, a verdict, a chart and the search are shown`, async () => {
      const { page, context } = await openPlain(visit, chapterPath, { colorScheme });
      const exercise = page.locator('.cell[data-cell="ex1-answer"]');
      const index = Number(await exercise.getAttribute("data-index"));
      await exercise.locator("[data-action=run]").click();
      expect(await endOfRun(page, index)).toBe("done");
      await page.locator("[data-explore]:visible").first().click();
      await page.locator(".figure-chart .main-svg").first().waitFor();
      await typeInto(page, 2, "const five: number = asm");
      await page.locator('.cell[data-index="2"] .cm-lintRange-error').first().waitFor();
      await page.keyboard.type(".");
      await page.locator(".cm-tooltip-autocomplete").waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Shift+Enter");
      expect(await endOfRun(page, 2)).toBe("failed");
      expect(await axeViolations(page)).toEqual([]);
      await page.keyboard.press("Control+k");
      await page.locator("#search-input").fill("trap");
      await page.locator("#search-results a").first().waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await context.close();
    });
  }

  test("the contents list exactly the chapters that exist and the book's own pages, and every link leads somewhere", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const links = await page
      .locator(".contents a[data-page]")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    expect(chapters).toContain(chapterPath);
    expect(links).toEqual([...chapters, ...own].map((path) => `/${path}`));
    const targets = await page
      .locator("a[href^='/'], a[href^='#']")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
    for (const target of new Set(targets)) {
      if (target.startsWith("#"))
        expect(await page.locator(`[id="${target.slice(1)}"]`).count(), target).toBe(1);
      else expect((await fetch(new URL(target, visit.server.url))).status, target).toBe(200);
    }
    await context.close();
  });

  test("the syllabus lists fifteen notebooks and marks those that are here", async () => {
    const { page, context } = await openPlain(visit, "syllabus/");
    expect(await page.locator(".syllabus > li").count()).toBe(15);
    expect(await page.locator(".syllabus-state.is-here").count()).toBe(chapters.length);
    await context.close();
  });

  test("a chapter's rules are filtered by status and by words, and lead to the lines that they name", async () => {
    const { page, context } = await openPlain(visit, "rules/hypervisor/");
    const shown = () => page.locator(".rules > li:visible").count();
    const all = await shown();
    expect(all).toBe(234);
    await page.locator('.rule-filter input[value="not-applicable"]').uncheck();
    const applicable = await shown();
    expect(applicable).toBeLessThan(all);
    await page.locator(".rule-filter input[type=search]").fill("norm:hedeleg_op");
    expect(await shown()).toBe(1);
    expect(await page.locator(".rule-filter output").textContent()).toBe("1 rule");
    await page.locator("#hedeleg_op dd a").first().click();
    const target = page.locator(".source span:target");
    await target.waitFor();
    expect(await target.textContent()).toContain("const toGuest");
    await context.close();
  });

  test("search finds a word of the chapter and leads to its section", async () => {
    const { page, context } = await openPlain(visit, "");
    await page.keyboard.press("Control+k");
    await page.locator("#search-input").fill("ladder");
    await page.locator("#search-results a").first().waitFor();
    expect(await page.locator("#search-results a").first().getAttribute("href")).toContain("/chapters/01-");
    await context.close();
  });

  test("the theme button goes from the system's theme to light and to dark, and is remembered", async () => {
    const { page, context } = await openPlain(visit, "", { colorScheme: "dark" });
    const theme = () => page.locator("html").getAttribute("data-theme");
    expect(await theme()).toBe("dark");
    await page.locator("#theme-toggle").click();
    expect(await theme()).toBe("light");
    await page.reload();
    expect(await theme()).toBe("light");
    await context.close();
  });

  test("a page that does not exist answers 404 with a way back", async () => {
    const response = await fetch(`${visit.server.url}no/such/page`, { headers: { accept: "text/html" } });
    expect(response.status).toBe(404);
    const page = await response.text();
    expect(page).toContain("There is nothing at this address");
    expect(page).toContain('href="/"');
  });
});
