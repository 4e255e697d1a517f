/** The exported page, judged by a browser with the network off and by the standard's own rules for what may run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { MODE_INK } from "../../lib/course/palette.ts";
import { nodeHtmlAssets } from "../../lib/host/cli/nbconvert-assets.ts";
import { exportDocument, type NotebookContent } from "../../lib/notebook/export/document.ts";
import { htmlFromDocument } from "../../lib/notebook/export/html.ts";
import { cleanHtml } from "../../lib/notebook/export/html-text.ts";
import { describeWith, partPath } from "../support/optional.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const markdown = (source: string) => ({
  cell_type: "markdown",
  id: `text-${source.length}`,
  metadata: {},
  source,
});
const code = (
  id: string,
  source: string,
  outputs: readonly Record<string, unknown>[] = [],
  tags: readonly string[] = [],
) => ({
  cell_type: "code",
  id,
  metadata: { tags },
  source,
  outputs,
});
const shown = (data: Record<string, unknown>) => ({ output_type: "display_data", metadata: {}, data });

const DRAWING =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60" role="img" aria-label="doors"><defs><linearGradient id="sky"><stop offset="0" stop-color="#123456"/></linearGradient></defs><rect id="door" width="200" height="60" fill="url(#sky)" style="stroke: var(--dom0-ink)"/><text x="9" y="30" text-anchor="start">M</text></svg>';
const CHART = {
  data: [{ type: "scatter", mode: "lines", line: { color: MODE_INK.S.light }, x: [1, 2, 3], y: [3, 1, 2] }],
  layout: { xaxis: { title: { text: "retired instructions" } }, yaxis: { title: { text: "mode" } } },
};
const HOSTILE = `<img src=x alt=x onerror="document.title='owned'"><svg onload="document.title='owned'"><script>document.title='owned'</script></svg><a href="javascript:document.title='owned'">go</a><iframe src="https://example.org"></iframe><p style="background:url(https://example.org/x)">styled</p><table><tr><td>kept</td></tr></table>`;

const NOTEBOOK: NotebookContent = {
  metadata: {},
  cells: [
    markdown(
      "# Landing\n\nA hart leaves M-mode with `mret`; $2^{12}$ bytes a page.\n\n$$\\sum_{i=0}^{2} v_i$$",
    ),
    markdown(
      "## One\n\n| mode | level |\n|---|---|\n| M | 3 |\n\n</script><script>document.title='owned'</script>",
    ),
    code("print", "console.log('a < b && </script>');", [
      { output_type: "stream", name: "stdout", text: "a < b && </script>\u001b[31m red\u001b[0m\n" },
    ]),
    markdown("## Two\n\n```asm\naddi a0, zero, 5\n```"),
    code("chart", "show(ladder);", [
      shown({
        "application/vnd.plotly.v1+json": CHART,
        "image/svg+xml": DRAWING,
        "text/plain": "ladder: M, S, U",
      }),
    ]),
    code(
      "drawing",
      "show(drawing);",
      [shown({ "image/svg+xml": DRAWING, "text/plain": "doors" })],
      ["hide-input"],
    ),
    markdown("## Three"),
    code("hostile", "show(html);", [shown({ "text/html": HOSTILE, "text/plain": "html" })]),
    code(
      "fails",
      "throw 1",
      [
        {
          output_type: "error",
          ename: "RangeError",
          evalue: "too <far>",
          traceback: ["RangeError: too <far>", "    at cell 5"],
        },
      ],
      ["exercise:01.2", "rung:build"],
    ),
    code("answer", "const secret = 42;", [], ["solution"]),
  ],
};

describe("Cleaning what a notebook brings", () => {
  it("keeps text, tables and drawings with their names, and references inside the page", () => {
    const clean = cleanHtml(DRAWING);
    for (const kept of [
      'viewBox="0 0 200 60"',
      "<linearGradient",
      'id="sky"',
      'fill="url(#sky)"',
      'style="stroke: var(--dom0-ink)"',
      'text-anchor="start"',
    ]) {
      expect(clean).toContain(kept);
    }
  });

  it.each([
    ["<script>alert(1)</script>x", "x"],
    ['<b onclick="x()">t</b>', "<b>t</b>"],
    ['<a href="javascript:x()">t</a>', "<a>t</a>"],
    ['<img src="https://example.org/p.png" alt="p">', '<img alt="p">'],
    ['<svg><rect fill="url(https://example.org/#a)"/></svg>', "<svg><rect></rect></svg>"],
    ["<svg><foreignObject><p>t</p></foreignObject></svg>", "<svg></svg>"],
    [
      '<svg><use href="https://example.org/#a"/><use href="#b"/></svg>',
      '<svg><use></use><use href="#b"></use></svg>',
    ],
    ['<p style="background:url(//e.org)">t</p>', "<p>t</p>"],
    ['<p style="color:red">t</p>', '<p style="color:red">t</p>'],
    ["<style>p{}</style><iframe src=x>t</iframe><form>u</form>", ""],
    ['<meta http-equiv="refresh" content="0;url=x"><base href="//e.org">t', "t"],
  ])("%s becomes %s", (dirty, clean) => {
    expect(cleanHtml(dirty)).toBe(clean);
  });
});

describeWith(["chromium"], "An exported page in a browser without a network", () => {
  let browser: Browser;
  let folder: string;
  let file: string;
  const requests: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "dom0-html-"));
    file = path.join(folder, "page.html");
    writeFileSync(file, await htmlFromDocument(exportDocument(NOTEBOOK), await nodeHtmlAssets()));
    const quiet =
      "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
    browser = await chromium.launch({ executablePath: partPath("chromium"), args: quiet.split(" ") });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ offline: true, ...options });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url());
    });
    await page.goto(`file://${file}`);
    if (options.javaScriptEnabled !== false)
      await page.waitForSelector('html[data-charts="done"]', { state: "attached" });
    return page;
  }

  it.each(["light", "dark"] as const)("draws the chart in the inks of %s paper", async (colorScheme) => {
    const page = await open({ colorScheme });
    const stroke = page.locator("#cell-chart .plot .scatterlayer path.js-line");
    const [red, green, blue] = [1, 3, 5].map((at) =>
      Number.parseInt(MODE_INK.S[colorScheme].slice(at, at + 2), 16),
    );
    expect(await stroke.evaluate((line) => getComputedStyle(line).stroke)).toBe(
      `rgb(${red}, ${green}, ${blue})`,
    );
    await page.context().close();
  });

  it("draws the chart, keeps its still picture out of the way, and asks the network for nothing", async () => {
    const page = await open();
    const chart = page.locator("#cell-chart figure.chart");
    expect(await chart.getAttribute("data-state")).toBe("drawn");
    expect(await chart.locator(".plot .scatterlayer path.js-line").count()).toBe(1);
    expect(await chart.locator(".plot").innerText()).toContain("retired instructions");
    expect(await chart.locator(".still").isVisible()).toBe(false);
    const [plot, column] = await Promise.all([
      chart.locator(".plot .main-svg").first().boundingBox(),
      page.locator("main > h1").boundingBox(),
    ]);
    expect(plot?.width).toBeLessThanOrEqual((column?.width ?? 0) + 1);
    expect(requests).toEqual([]);
    await page.context().close();
  });

  it("shows the still picture when JavaScript is off", async () => {
    const page = await open({ javaScriptEnabled: false });
    const still = await page.locator("#cell-chart .still svg").boundingBox();
    expect(still?.height).toBeGreaterThan(20);
    await page.context().close();
  });

  it("runs nothing that the notebook brought along", async () => {
    const page = await open();
    await page.locator("#cell-hostile a").click();
    expect(await page.title()).toBe("Landing");
    expect(await page.locator("#cell-hostile td").innerText()).toBe("kept");
    expect(await page.locator("iframe").count()).toBe(0);
    const blocked = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
      return document.title;
    });
    expect(blocked).toBe("Landing");
    await page.context().close();
  });

  it("sets formulas in KaTeX's own faces, code in colors, text in a serif of about 68 characters a line", async () => {
    const page = await open({ viewport: { width: 1400, height: 900 } });
    const faces = await page.evaluate(async () => {
      await document.fonts.ready;
      return [...document.fonts]
        .filter((face) => face.status === "loaded")
        .map((face) => face.family.replaceAll('"', ""));
    });
    expect(new Set(faces)).toEqual(
      new Set(["Page Serif", "Page Mono", "KaTeX_Main", "KaTeX_Math", "KaTeX_Size2"]),
    );
    expect(await page.locator(".katex").count()).toBe(2);
    expect(await page.locator("#cell-print pre.shiki span[style]").count()).toBeGreaterThan(3);
    expect(await page.locator("#cell-print pre.output").innerText()).toBe("a < b && </script> red\n");
    const width = (await page.locator("main > h1").boundingBox())?.width ?? 0;
    const zero = await page.evaluate(() => {
      const probe = document.createElement("span");
      probe.textContent = "0".repeat(68);
      document.querySelector("main")?.append(probe);
      return probe.getBoundingClientRect().width;
    });
    expect(Math.abs(width - zero)).toBeLessThan(2);
    await page.context().close();
  });

  it("folds what the tags fold and labels what they label", async () => {
    const page = await open();
    expect(await page.locator("#cell-drawing pre.shiki").isVisible()).toBe(false);
    expect(await page.locator("#cell-drawing figure svg").isVisible()).toBe(true);
    expect(await page.getByText("const secret").isVisible()).toBe(false);
    await page.getByText("Solution", { exact: true }).click();
    expect(await page.locator("#cell-answer pre.shiki").isVisible()).toBe(true);
    expect(await page.locator("#cell-fails .label").innerText()).toMatch(/^exercise 01.2$/i);
    expect(await page.locator("nav.contents a").allInnerTexts()).toEqual(["One", "Two", "Three"]);
    await page.context().close();
  });

  it.each(["light", "dark"] as const)("breaks no rule of axe in the %s theme", async (colorScheme) => {
    const page = await open({ colorScheme });
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    // The page's policy lets no script in; the tool is not a script of the page.
    const session = await page.context().newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: readFileSync(axe, "utf8") });
    const { result } = await session.send("Runtime.evaluate", {
      expression:
        "axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 120))])))",
      awaitPromise: true,
    });
    expect(JSON.parse(String(result.value))).toEqual([]);
    await page.context().close();
  });
});
