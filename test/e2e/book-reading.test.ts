/** What the book gives a reader beside the text: evidence, definitions, numbered figures, progress, help. */
import { readFile } from "node:fs/promises";
import type { BrowserContext, Page } from "playwright-core";
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
  typeInto,
  visitBook,
} from "./book-browser.ts";

// A browser on a busy machine is slow; time decides nothing here.
vi.setConfig({ testTimeout: browserTimeoutMs });

describeWith(["chromium"], "the book's help for reading", () => {
  let visit: BookVisit;
  beforeAll(async () => {
    await buildBook();
    visit = await visitBook();
  }, buildTimeoutMs);
  afterAll(() => visit?.close());

  test("the ledger, without JavaScript, has every number that the chapters' ledgers show, with the way to its cell", async () => {
    const { page, context } = await openPlain(visit, "claims/", { javaScriptEnabled: false });
    expect(await page.locator(".ledger-claim").count()).toBe(8);
    const entries = page.locator(".ledger-entries > li");
    const found: string[] = [];
    for (const entry of await entries.all()) {
      const id = (await entry.locator("xpath=ancestor::section//h2").getAttribute("id"))?.toUpperCase();
      const address = (await entry.locator(".ledger-head a").getAttribute("href")) ?? "";
      const verdict = await entry.locator(".ledger-verdict").innerText();
      for (const line of await entry.locator("ul > li").all()) {
        const metric = await line.locator(".ledger-metric").innerText();
        const count = (await line.locator(".ledger-count").innerText()).replaceAll(",", "");
        found.push(`${address.split("#")[0]} ${id} ${verdict} ${metric}: ${count}`);
      }
      const [file = "", cell] = address.split("#");
      expect(await (await fetch(visit.server.url + file.slice(1))).text()).toContain(`id="${cell}"`);
    }
    await context.close();
    const shown = [];
    for (const path of chapterPaths) shown.push(...(await ledgersOf(path)));
    expect(shown.length).toBeGreaterThanOrEqual(chapterPaths.length);
    expect(found.sort()).toEqual(shown.sort());
  });

  /** What the tables of a chapter's ledger say, read off its page. */
  async function ledgersOf(path: string): Promise<string[]> {
    const { page, context } = await openPlain(visit, path, { javaScriptEnabled: false });
    const rows = await page
      .locator("table:has(> caption:text-is('The claims ledger')) > tbody > tr")
      .evaluateAll((all) => all.map((row) => [...row.children].map((field) => field.textContent ?? "")));
    await context.close();
    return rows.flatMap(([claim = "", verdict = "", evidence = ""]) =>
      evidence
        .split("; ")
        .map((item) => `/${path} ${claim.slice(0, 2)} ${verdict} ${item.replace(/ \(seed \d+\)$/, "")}`),
    );
  }

  test("a term shows its definition on pointing, keeps it under the pointer, and lets it go with Escape", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const { term, note } = await firstTerm(page);
    await term.hover();
    await note.waitFor();
    expect(await note.innerText()).toContain(await definitionOf(page));
    await note.hover();
    await page.waitForTimeout(600);
    expect(await note.isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await note.isVisible()).toBe(false);
    await page.mouse.move(2, 2);
    await term.hover();
    await note.waitFor();
    await page.mouse.move(2, 2);
    await note.waitFor({ state: "hidden" });
    await context.close();
  });

  test("a term is reached by the keyboard, says its definition, and its note goes when the focus goes", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const { term, note } = await firstTerm(page);
    const isFocused = (): Promise<boolean> => term.evaluate((element) => element === document.activeElement);
    await page.locator(".chapter-tools button").last().focus();
    for (let step = 0; step < 5 && !(await isFocused()); step += 1) await page.keyboard.press("Tab");
    expect(await isFocused()).toBe(true);
    await note.waitFor();
    const described = await term.getAttribute("aria-describedby");
    expect(await page.locator(`[id="${described}"]`).textContent()).toBe(await definitionOf(page));
    await page.keyboard.press("Shift+Tab");
    await note.waitFor({ state: "hidden" });
    await term.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/glossary\/#/);
    expect(await page.locator(".glossary > div:target dt").count()).toBe(1);
    await context.close();
  });

  test("a tap on a term shows the note, a second takes it away, its link leads to the glossary", async () => {
    const { page, context } = await openPlain(visit, chapterPath, {
      hasTouch: true,
      viewport: { width: 360, height: 740 },
    });
    const { term, note } = await firstTerm(page);
    await term.tap();
    await note.waitFor();
    const box = await note.boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(360);
    await term.tap();
    await note.waitFor({ state: "hidden" });
    await term.tap();
    await note.locator("a").tap();
    await page.waitForURL(/\/glossary\/#/);
    await context.close();
  });

  test("without JavaScript a term is a link to its entry in the glossary", async () => {
    const { page, context } = await openPlain(visit, chapterPath, { javaScriptEnabled: false });
    await page.locator("a.term").first().click();
    await page.waitForURL(/\/glossary\/#/);
    await context.close();
  });

  test("every drawing of every chapter has a number, in order, and references name numbers that are there", async () => {
    for (const path of chapterPaths) {
      const chapter = Number(/\d\d/.exec(path)?.[0]);
      const { page, context } = await openPlain(visit, path, { javaScriptEnabled: false });
      const numbers = await page
        .locator("figure.output-figure")
        .evaluateAll((all) => all.map((figure) => figure.querySelector(".figure-number")?.textContent ?? ""));
      expect(numbers.length, path).toBeGreaterThan(0);
      expect(numbers, path).toEqual(numbers.map((_, index) => `Figure ${chapter}.${index + 1}`));
      const references = await page
        .locator('.prose a[href^="#fig-"]')
        .evaluateAll((all) => all.map((link) => [link.getAttribute("href") ?? "", link.textContent ?? ""]));
      for (const [href = "", words = ""] of references) {
        const number = await page.locator(`figure[id="${href.slice(1)}"]`).getAttribute("data-number");
        expect(words.replaceAll("\u00a0", " ")).toContain(`Figure ${number}`);
      }
      await context.close();
    }
  });

  test("a figure keeps number and place when its cell runs again", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const figure = page.locator("figure.output-figure").first();
    const label = await figure.locator("figcaption").textContent();
    const id = await figure.getAttribute("id");
    const cell = page.locator(".cell").filter({ has: figure }).first();
    const index = Number(await cell.getAttribute("data-index"));
    await page.locator(`.cell[data-index="${index}"] [data-action=run]`).click();
    expect(await endOfRun(page, index)).toBe("done");
    const again = page.locator(`.cell[data-index="${index}"] .cell-outputs figure.output-figure`).first();
    expect(await again.locator("figcaption").textContent()).toBe(label);
    expect(await again.getAttribute("id")).toBe(id);
    await context.close();
  });

  test("progress goes into a file and out of it, leads to the next unsolved exercise, and is shown for each", async () => {
    const { page, context } = await openPlain(visit, "progress/");
    const all = await page
      .locator("[data-progress-check]")
      .evaluateAll((links) =>
        links.map((link) => [
          (link as HTMLElement).dataset["progressCheck"] ?? "",
          link.getAttribute("href") ?? "",
        ]),
      );
    const [first, second] = all;
    expect(await page.locator("#progress-next a").getAttribute("href")).toBe(first?.[1]);
    await remember(page, {
      checks: { [first?.[0] ?? ""]: true },
      tries: { [second?.[0] ?? ""]: { count: 2, hints: 1, hintAt: 1 } },
    });
    await page.reload({ waitUntil: "networkidle" });
    expect(await states(page)).toEqual(["passed", "2 attempts", ...all.slice(2).map(() => "open")]);
    expect(await page.locator("#progress-next a").getAttribute("href")).toBe(second?.[1]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#progress-export").click(),
    ]);
    const kept = await readFile(await download.path());
    await context.close();

    const other = await openPlain(visit, "progress/");
    expect(await states(other.page)).toEqual(all.map(() => "open"));
    await importFile(other.page, Buffer.from('{"format":"another"}'));
    await other.page.locator("#progress-line", { hasText: "not an export" }).waitFor();
    await importFile(other.page, kept);
    await other.page.locator(".exercise-state[data-passed]").first().waitFor();
    expect(await states(other.page)).toEqual(["passed", "2 attempts", ...all.slice(2).map(() => "open")]);
    other.page.on("dialog", (dialog) => dialog.accept());
    await other.page.locator("#progress-forget").click();
    expect(await states(other.page)).toEqual(all.map(() => "open"));
    await other.context.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`a hint comes after an attempt and the answer after another; axe finds nothing meanwhile, ${colorScheme}`, async () => {
      const { page, context } = await openPlain(visit, chapterPath, { colorScheme });
      await tryExercise(page, context);
      const { term, note } = await firstTerm(page);
      await term.hover();
      await note.waitFor();
      expect(await axeViolations(page)).toEqual([]);
      await context.close();
    });
  }

  async function tryExercise(page: Page, context: BrowserContext): Promise<void> {
    const cell = page.locator('.cell[data-cell="ex1-answer"]');
    const index = Number(await cell.getAttribute("data-index"));
    const help = cell.locator(".exercise-help");
    const run = async (): Promise<void> => {
      await cell.evaluate((element) => element.removeAttribute("data-state"));
      await cell.locator("[data-action=run]").click();
      expect(await endOfRun(page, index)).toBe("done");
    };
    await run();
    // The untouched stub is no attempt.
    await page.waitForTimeout(300);
    expect(await help.isVisible()).toBe(false);
    await typeInto(page, index, 'const mine = { seed: SEED, a0: 1n, taken: 1 };\ncheck("01.1", mine);');
    await run();
    await help.locator("[data-help=hint]").waitFor();
    expect(await help.locator("[data-help=answer]").count()).toBe(0);
    await help.locator("[data-help=hint]").click();
    await help.locator(".dom0-hint li").waitFor();
    expect(await help.locator("[data-help=answer]").count()).toBe(0);
    await run();
    await help.locator("[data-help=answer]").click();
    const answer = await help.locator(".dom0-answer").innerText();
    expect(await axeViolations(page)).toEqual([]);
    await typeInto(page, index, `${answer}\ncheck("01.1", mine);`);
    await run();
    expect(await cell.locator('.dom0-verdict[data-passed="true"]').count()).toBe(1);
    const stored = await context.storageState();
    expect(JSON.stringify(stored)).toContain('\\"01.1\\":true');
  }
});

const firstTerm = async (page: Page) => ({
  term: page.locator("a.term").first(),
  note: page.locator(".term-note"),
});

/** The definition that belongs to the page's first term. */
async function definitionOf(page: Page): Promise<string> {
  const id = await page.locator("a.term").first().getAttribute("data-term");
  return (await page.locator(`[id="term-${id}"]`).textContent()) ?? "";
}

const states = (page: Page): Promise<string[]> => page.locator(".exercise-state").allInnerTexts();

const remember = (page: Page, progress: object): Promise<void> =>
  page.evaluate((text) => localStorage.setItem("dom0.progress", text), JSON.stringify(progress));

const importFile = (page: Page, buffer: Buffer): Promise<void> =>
  page.locator("#progress-import").setInputFiles({ name: "mine.json", mimeType: "application/json", buffer });
