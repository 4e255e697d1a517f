/** `npm run lab` as a reader meets it: JupyterLab in a browser, a cell run, a chart drawn, a name completed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { describeWith, partPath } from "../support/optional.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ROOT = path.resolve(import.meta.dirname, "../..");
const TOKEN = "a-test";
const ERROR =
  ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']";
const CELLS = [
  'import { show } from "dom0-kit";\nconst n: number = 5;',
  "show({ 'application/vnd.plotly.v1+json': { data: [{ type: 'scatter', x: [1, 2], y: [2, 1] }], layout: {} }, 'text/plain': 'chart' });",
  "const s: string = n;",
  "n.toFix",
];

describeWith(["jupyter", "chromium"], "npm run lab", () => {
  let lab: ChildProcess;
  let folder: string;
  let browser: Browser;
  let page: Page;
  let log = "";

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "dom0-lab-"));
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const cells = CELLS.map((source, place) => ({
      cell_type: "code",
      id: `cell-${place + 1}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    }));
    const metadata = {
      kernelspec: { name: "dom0", display_name: "TypeScript (dom0)", language: "typescript" },
    };
    writeFileSync(
      path.join(folder, "t.ipynb"),
      JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }),
    );
    const flags = [
      "--no-browser",
      "--ServerApp.port=0",
      `--ServerApp.root_dir=${folder}`,
      `--IdentityProvider.token=${TOKEN}`,
    ];
    lab = spawn(process.execPath, [path.join(ROOT, "lib/host/bootstrap/lab.mjs"), ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const address = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        log += String(chunk);
        const found = /http:\/\/127\.0\.0\.1:\d+\/lab/.exec(log);
        if (found !== null) resolve(found[0]);
      };
      lab.stdout?.on("data", read);
      lab.stderr?.on("data", read);
      lab.once("exit", (code) => reject(new Error(`npm run lab ended with code ${code}: ${log}`)));
    });
    const quiet =
      "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
    browser = await chromium.launch({ executablePath: partPath("chromium"), args: quiet.split(" ") });
    page = await browser.newPage({ viewport: { width: 1200, height: 1200 } });
    page.setDefaultTimeout(240_000);
    await page.goto(`${address}/tree/t.ipynb?token=${TOKEN}`);
    await page.waitForSelector(".jp-Notebook .jp-CodeCell");
    await page.getByText("TypeScript (dom0) | Idle").waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    if (lab !== undefined && lab.exitCode === null) {
      const gone = new Promise((resolve) => lab.once("exit", resolve));
      lab.kill("SIGINT");
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs the notebook, draws its chart, marks a type error and does not run what stood after it", async () => {
    await page.locator(".lm-MenuBar-itemLabel", { hasText: /^Run$/ }).click();
    await page.locator('[data-command="runmenu:run-all"]').click();
    await page.locator(ERROR).waitFor();
    await page.locator(".js-plotly-plot .main-svg").first().waitFor();
    const said = await page.locator(ERROR).innerText();
    expect(said).toContain("Type 'number' is not assignable to type 'string'");
    const prompts = await page.locator(".jp-CodeCell .jp-InputPrompt").allInnerTexts();
    expect(prompts.slice(0, 3)).toEqual(["[1]:", "[2]:", "[3]:"]);
    expect(prompts[3]).toBe("[ ]:");
  });

  it("completes a name of an earlier cell by its type", async () => {
    const last = page.locator(".jp-CodeCell").nth(3).locator(".cm-content");
    await last.click();
    await page.keyboard.press("End");
    await page.keyboard.press("Tab");
    await page.waitForFunction(
      () =>
        document.querySelectorAll(".jp-CodeCell .cm-content")[3]?.textContent?.includes("toFixed") ||
        document.querySelector(".jp-Completer-item") !== null,
    );
    const text =
      (await last.innerText()) + (await page.locator(".jp-Completer-item").allInnerTexts()).join(" ");
    expect(text).toContain("toFixed");
  });
});
