/** Cells of the published chapters, used as a reader uses them. */
import { stripTypeScriptTypes } from "node:module";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as kit from "../../lib/index.ts";
import { describeWith } from "../support/optional.ts";
import {
  type BookVisit,
  browserTimeoutMs,
  buildBook,
  buildTimeoutMs,
  cellAt,
  chapterPath,
  chapterPaths,
  endOfRun,
  openPlain,
  pageErrors,
  shownTexts,
  typeInto,
  visitBook,
} from "./book-browser.ts";

// A browser on a busy machine is slow; time decides nothing here.
vi.setConfig({ testTimeout: browserTimeoutMs });

describeWith(["chromium"], "cells in a browser", () => {
  let visit: BookVisit;
  beforeAll(async () => {
    await buildBook();
    visit = await visitBook();
  }, buildTimeoutMs);
  afterAll(() => visit?.close());

  test("the first cell runs from code of the build, without fetching TypeScript", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const errors = pageErrors(page);
    const fetched: string[] = [];
    page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    await cellAt(page, 1).locator("[data-action=run]").click();
    expect(await endOfRun(page, 1)).toBe("done");
    expect(fetched.filter((address) => address.includes("compiler"))).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  });

  test("typing after a dot on a value of the kit lists its members", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    await typeInto(
      page,
      1,
      'import { buildBoard } from "dom0-kit";\nconst board = buildBoard({ seed: 1 });\nboard',
    );
    await page.keyboard.type(".");
    await page.locator(".cm-tooltip-autocomplete").waitFor();
    const offered = await page.locator(".cm-tooltip-autocomplete .cm-completionLabel").allInnerTexts();
    expect(offered).toEqual(expect.arrayContaining(["hart", "load", "run", "snapshot"]));
    await context.close();
  });

  test("a type error is underlined with TypeScript's message, and the cell does not run", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    await typeInto(page, 1, 'const five: number = "five";');
    await page.locator(".cm-lintRange-error").waitFor();
    await page.locator(".cm-lintRange-error").hover();
    expect(await page.locator(".cm-tooltip-lint").innerText()).toContain(
      "Type 'string' is not assignable to type 'number'",
    );
    await page.keyboard.press("Shift+Enter");
    expect(await endOfRun(page, 1)).toBe("failed");
    expect(await cellAt(page, 1).locator(".output-error").innerText()).toContain("TS2322");
    await context.close();
  });

  test("an endless cell stops at once and the names of earlier cells keep their values", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    await typeInto(page, 1, "let kept = 41;");
    await page.keyboard.press("Shift+Enter");
    expect(await endOfRun(page, 1)).toBe("done");
    await typeInto(page, 2, "kept += 1;\nwhile (true) {}");
    await page.keyboard.press("Shift+Enter");
    await page.locator('.cell[data-index="2"][data-state="running"]').waitFor();
    await page.waitForTimeout(300);
    await cellAt(page, 2).locator("[data-action=run]").click();
    expect(await endOfRun(page, 2)).toBe("stopped");
    await typeInto(page, 2, "kept");
    await page.keyboard.press("Shift+Enter");
    await page.waitForFunction(
      () => document.querySelector('.cell[data-index="2"] .output-result')?.textContent?.trim() === "42",
    );
    await context.close();
  });

  test("Escape leaves the editor for the cell's button, and Tab then moves on", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    await typeInto(page, 1, "1");
    await page.keyboard.press("Escape");
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute("data-action") ?? document.activeElement?.className ?? "",
      );
    expect(await focused()).toBe("run");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("run-above");
    await context.close();
  });

  test("edits survive a reload and can be undone", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const before = await cellAt(page, 1).locator("pre code").first().textContent();
    await typeInto(page, 1, "const mine = 1;");
    await page.keyboard.press("Shift+Enter");
    await endOfRun(page, 1);
    await page.reload({ waitUntil: "networkidle" });
    expect(await cellAt(page, 1).locator("pre code").first().textContent()).toBe("const mine = 1;");
    await cellAt(page, 1).hover();
    await cellAt(page, 1).locator("[data-action=reset]").click();
    await page.reload({ waitUntil: "networkidle" });
    expect(await cellAt(page, 1).locator("pre code").first().textContent()).toBe(before);
    await context.close();
  });

  test.each([1, 2, 3, 4, 5] as const)(
    "the right answer to exercise 01.%i gets the verdict that Node gives, and the page keeps the mark",
    async (number) => {
      const { page, context } = await openPlain(visit, chapterPath);
      const exercise = page.locator(`.cell[data-cell="ex${number}-answer"]`);
      const index = Number(await exercise.getAttribute("data-index"));
      const solved = solvedExercise(
        `01.${number}`,
        (await exercise.locator("pre code").first().textContent()) ?? "",
      );
      await typeInto(page, index, solved.source);
      await page.keyboard.press("Shift+Enter");
      expect(await endOfRun(page, index)).toBe("done");
      const shown = exercise.locator(".dom0-verdict");
      expect(await shown.getAttribute("data-passed")).toBe("true");
      expect(plainText(await shown.innerHTML())).toBe(plainText(solved.verdictHtml));
      const progress = page.locator("a[data-page][aria-current]");
      expect(await progress.getAttribute("data-progress")).toBe("1/5");
      await page.reload({ waitUntil: "networkidle" });
      expect(await progress.getAttribute("data-progress")).toBe("1/5");
      expect(await exercise.locator(".dom0-verdict[data-earlier]").count()).toBe(1);
      await context.close();
    },
  );

  test("progress and edits leave one browser as a file and arrive in another", async () => {
    const { page, context } = await openPlain(visit, chapterPath, { acceptDownloads: true });
    await typeInto(page, 1, "const carried = 1;");
    await page.keyboard.press("Shift+Enter");
    await endOfRun(page, 1);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#progress-export").click(),
    ]);
    const file = await download.path();
    const other = await openPlain(visit, chapterPath);
    await other.page.locator("#progress-import").setInputFiles(file);
    await other.page.waitForFunction(
      () => document.querySelector('.cell[data-index="1"] code')?.textContent === "const carried = 1;",
    );
    await context.close();
    await other.context.close();
  });

  test("a figure becomes an interactive chart on demand, and a drawing again", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const figure = page.locator(".output-figure:visible:has([data-explore])").first();
    await figure.locator("[data-explore]").click();
    await figure.locator(".figure-chart .main-svg").first().waitFor();
    expect(await figure.locator(".figure-drawing").isVisible()).toBe(false);
    await figure.locator("[data-explore]").click();
    await figure.locator(".figure-drawing").waitFor({ state: "visible" });
    await context.close();
  });

  test.each(chapterPaths)(
    "%s runs in the page, unedited, from top to bottom, and shows what the build shows",
    async (chapter) => {
      const { page, context } = await openPlain(visit, chapter);
      const errors = pageErrors(page);
      const built = await shownTexts(page);
      await page.locator("[data-action=run-all]").click();
      await page.waitForFunction(() => {
        const states = [...document.querySelectorAll<HTMLElement>(".cell")].map(
          (cell) => cell.dataset["state"],
        );
        return states.includes("failed") || states.every((state) => state === "done");
      });
      expect(await page.locator('.cell[data-state="failed"]').count()).toBe(0);
      expect(await page.locator(".output-built").count()).toBe(0);
      const live = await shownTexts(page);
      expect(Object.values(live).join("").length).toBeGreaterThan(5_000);
      const isAboutLinux = (cell: string): boolean => cell === "linux-run";
      expect(Object.keys(live).filter((cell) => !isAboutLinux(cell) && live[cell] !== built[cell])).toEqual(
        [],
      );
      // A page has no kernel to boot: the cell asks for it, and shows the recorded boot.
      const isKernel = (error: string): boolean => /linux\/vmlinux|status of 404/.test(error);
      expect(errors.filter((error) => !("linux-run" in live && isKernel(error)))).toEqual([]);
      expect(live["linux-run"] ?? "recorded").toMatch(/recorded/);
      await context.close();
    },
  );

  test("a cell in the middle of a fresh page first runs the cells that it needs", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const cell = page.locator('.cell[data-cell="run-sum"]');
    await cell.locator("[data-action=run]").click();
    expect(await endOfRun(page, Number(await cell.getAttribute("data-index")))).toBe("done");
    expect(await page.locator('.cell[data-cell="triangle"]').getAttribute("data-state")).toBe("done");
    expect(await page.locator('.cell[data-cell="quiz"]').getAttribute("data-state")).toBe(null);
    await context.close();
  });

  test("an edited cell on a fresh page first runs the cells that declare the names it newly uses", async () => {
    const { page, context } = await openPlain(visit, chapterPath);
    const cell = page.locator('.cell[data-cell="ex1-answer"]');
    const index = Number(await cell.getAttribute("data-index"));
    await typeInto(page, index, 'console.log(board.hart.read("a0"));');
    await page.keyboard.press("Shift+Enter");
    expect(await endOfRun(page, index)).toBe("done");
    expect((await cell.locator(".output-text").innerText()).trim()).toBe("15n");
    await typeInto(page, index, "board.hart.pc === nowhere");
    await page.keyboard.press("Shift+Enter");
    await page.waitForFunction(
      (at) =>
        document.querySelector(`.cell[data-index="${at}"] .output-error`)?.textContent?.includes("nowhere"),
      index,
    );
    await context.close();
  });

  test("the notebook with the reader's edits is the source notebook with one cell changed", async () => {
    const { page, context } = await openPlain(visit, chapterPath, { acceptDownloads: true });
    await typeInto(page, 1, "const mine = 1;\nmine");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("[data-action=download-edited]").click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const mine = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      cells: { cell_type: string; source: string | string[] }[];
    };
    const source = (await (
      await fetch(`${visit.server.url}notebooks/01-landing-on-the-island.ipynb`)
    ).json()) as typeof mine;
    const differing = mine.cells.filter(
      (cell, at) => text(cell.source) !== text(source.cells[at]?.source ?? ""),
    );
    expect(differing.map((cell) => text(cell.source))).toEqual(["const mine = 1;\nmine"]);
    await context.close();
  });
});

/** An exercise with the course's own answer in place of its stub, and the verdict that Node shows for it. */
function solvedExercise(id: kit.ExerciseId, stub: string): { source: string; verdictHtml: string } {
  const checkCall = stub.split("\n").find((line) => line.startsWith("check(")) ?? "";
  const source = `${id === "01.2" ? 'const wanted = instance("01.2", SEED);\n' : ""}${kit.referenceAnswer(id, 1)}\n${checkCall}`;
  let verdictHtml = "";
  const before = kit.setDisplaySink((bundle) => {
    verdictHtml = String(bundle["text/html"]);
  });
  const names = { ...kit, SEED: 1, RAM: 0x8000_0000n };
  new Function(...Object.keys(names), stripTypeScriptTypes(source))(...Object.values(names));
  kit.setDisplaySink(before);
  return { source, verdictHtml };
}

/** Text of markup, with single spaces. */
const plainText = (html: string): string =>
  html
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&#34;", '"')
    .replace(/\s+/g, " ")
    .trim();

const text = (source: string | string[]): string => (Array.isArray(source) ? source.join("") : source);
