/** The parts of the book's build that need no browser: clean markup, formulas, colors of machine parts, tables, equal bytes. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanMarkup } from "../../book/build/clean-markup.ts";
import { rehypeMath } from "../../book/build/math.ts";
import { chartTable } from "../../book/src/live/chart-table.ts";
import { codeWords, machinePart } from "../../book/src/live/machine-words.ts";
import { outputMarkup } from "../../book/src/live/output-markup.ts";
import { buildBook, buildTimeoutMs } from "./book-browser.ts";

const bookFolder = path.resolve(import.meta.dirname, "../../book");

describe("markup of an output", () => {
  it.each([
    ["<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"],
    ['<img src=x onerror="alert(1)">', ""],
    ['<a href="javascript:alert(1)">x</a>', "<a>x</a>"],
    ['<a href="https://elsewhere.example/">x</a>', "<a>x</a>"],
    ['<a href="#part">x</a>', '<a href="#part">x</a>'],
    ['<p onclick="alert(1)" class="q">x</p>', '<p class="q">x</p>'],
    ["<style>body{display:none}</style><p>x</p>", "<p>x</p>"],
    ['<p style="position:fixed;inset:0">x</p>', "<p>x</p>"],
    ['<p style="background:url(//elsewhere.example/)">x</p>', "<p>x</p>"],
    ['<p style="color:red">x</p>', '<p style="color:red">x</p>'],
    ["<iframe src=/></iframe><form><input></form><b>x</b>", "<b>x</b>"],
    [
      '<svg><foreignObject><p>x</p></foreignObject><script>1</script><circle r="2"/></svg>',
      '<svg><circle r="2"></circle></svg>',
    ],
    ['<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>', "<svg><a><text>x</text></a></svg>"],
    ['<svg><use href="/other.svg#x"/></svg>', "<svg><use></use></svg>"],
  ])("of %s keeps only what is harmless", (markup, clean) => {
    expect(cleanMarkup(markup)).toBe(clean);
  });

  it("escapes what a cell prints", () => {
    const html = outputMarkup(
      { type: "stream", name: "stdout", text: '<b>&"\u001b[31mred\u001b[0m' },
      cleanMarkup,
    );
    expect(html).toContain("&lt;b&gt;&amp;&quot;red");
  });

  it("colors a register, a CSR and an address in a table by the part they name", () => {
    const html =
      "<table><tr><td><code>a0</code></td><td><code>mstatus</code></td><td><code>0x8000_0000</code></td></tr></table>";
    const shown = outputMarkup({ type: "display_data", data: { "text/html": html } }, cleanMarkup);
    for (const part of ["register", "csr", "memory"]) expect(shown).toContain(`class="part-${part}"`);
  });
});

describe("words of the machine", () => {
  it.each([
    ["a0", "register"],
    ["x31", "register"],
    ["pc", "register"],
    ["mstatus", "csr"],
    ["scause", "csr"],
    ["pmpcfg0", "csr"],
    ["0x8000_0000", "memory"],
    ["M", "mode-m"],
    ["S-mode", "mode-s"],
    ["x32", undefined],
    ["a8", undefined],
    ["status", undefined],
    ["0x1f", undefined],
    ["const", undefined],
  ])("%s names %s", (word, part) => {
    expect(machinePart(word)).toBe(part);
  });

  it("finds quoted names and long addresses in code, and nothing else", () => {
    const code = 'asm.li("t0", 0x8001_0000n); const a0 = "hello"; csr("mepc"); // a0';
    expect([...code.matchAll(codeWords)].map(([word]) => word)).toEqual(['"t0"', "0x8001_0000n", '"mepc"']);
  });
});

describe("formulas", () => {
  it("become HTML and MathML of one KaTeX, the one whose style sheet the pages load", () => {
    const code = {
      type: "element" as const,
      tagName: "code",
      properties: { className: ["language-math", "math-inline"] },
      children: [{ type: "text" as const, value: "x_2" }],
    };
    const paragraph = { type: "element" as const, tagName: "p", properties: {}, children: [code] };
    rehypeMath()({ type: "root", children: [paragraph] });
    const text = JSON.stringify(paragraph);
    expect(text).toContain('"tagName":"math"');
    expect(text).toContain("katex-html");
    const fromBook = createRequire(path.join(bookFolder, "build/math.ts"));
    expect(path.dirname(fromBook.resolve("katex"))).toBe(
      path.dirname(fromBook.resolve("katex/dist/katex.min.css")),
    );
  });
});

describe("the table under a chart", () => {
  it("names series, axes and values, and leaves out a heat map's empty fields", () => {
    const table = chartTable({
      data: [{ type: "heatmap", x: [10, 20], y: ["main"], z: [[0, 7]] }],
      layout: { title: { text: "Heat" }, xaxis: { title: { text: "time" } }, yaxis: { title: "function" } },
    });
    expect(table).toContain("<caption>Heat</caption>");
    expect(table).toContain(
      '<th scope="col">time</th><th scope="col">function</th><th scope="col">value</th>',
    );
    expect(table).toContain("<tbody><tr><td>20</td><td>main</td><td>7</td></tr></tbody>");
  });

  it("is absent for a chart without points", () => {
    expect(chartTable({ data: [] })).toBeUndefined();
  });
});

describe("two builds of the book", () => {
  let folder: string;
  beforeAll(async () => {
    await buildBook();
    folder = await mkdtemp(path.join(tmpdir(), "dom0-book-"));
  }, buildTimeoutMs);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are equal, byte for byte", { timeout: buildTimeoutMs }, async () => {
    const again = path.join(folder, "dist");
    const { status, stderr } = spawnSync(process.execPath, [path.join(bookFolder, "build/main.ts"), again], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    expect(await digests(again)).toEqual(await digests(path.join(bookFolder, "dist")));
  });
});

/** Digest of every file below a folder, by path. */
async function digests(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const pairs = files.sort().map(
    async (file): Promise<[string, string]> => [
      file,
      createHash("sha256")
        .update(await readFile(path.join(folder, file)))
        .digest("hex"),
    ],
  );
  return Object.fromEntries(await Promise.all(pairs));
}
