/** `nbconvert-cli` as a student types it: what is written, what is refused, and that nothing is half-written. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { command } from "../../lib/host/cli/nbconvert.ts";
import { describeWith, partPath } from "../support/optional.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "dom0-nbconvert-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in this process, in the test's folder, and keeps what it prints. */
async function nbconvert(...args: string[]): Promise<{ code: number; stdout: string; lines: string[] }> {
  const printed = { stdout: "", stderr: "" };
  const keep = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      printed[name] += String(chunk);
      return true;
    });
  const spies = [keep("stdout"), keep("stderr")];
  const home = process.cwd();
  process.chdir(folder);
  try {
    const code = await command.run(args);
    return { code, stdout: printed.stdout, lines: printed.stderr.split("\n").filter((line) => line !== "") };
  } finally {
    process.chdir(home);
    for (const spy of spies) spy.mockRestore();
  }
}

const code = (source: string, more: object = {}) => ({
  cell_type: "code",
  id: `cell-${source.length}`,
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
  ...more,
});

function notebook(name: string, ...cells: object[]): string {
  const metadata = { language_info: { name: "typescript", file_extension: ".ts" } };
  writeFileSync(path.join(folder, name), JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
  return name;
}

const printed = { output_type: "stream", name: "stdout", text: "printed\n" };
const written = (name: string): string => readFileSync(path.join(folder, name), "utf8");

describe("nbconvert-cli", () => {
  it("executes and writes HTML beside the notebook, byte for byte the same the second time", async () => {
    notebook("a.ipynb", code("const x: number = 6 * 7;\nx"), code("console.log('x is', x)"));
    expect(await nbconvert("a.ipynb", "--to", "html", "--execute")).toMatchObject({ code: 0 });
    const first = written("a.html");
    expect(first).toMatch(/<pre class="text result"[^>]*>42<\/pre>/);
    expect(first).toContain("x is 42");
    expect(await nbconvert("a.ipynb", "--to=html", "--execute", "--output=b")).toMatchObject({ code: 0 });
    expect(written("b.html")).toBe(first);
    expect(written("a.ipynb")).not.toContain("42");
  });

  it.each([
    ["markdown", ".md", "```typescript\n1 + 1\n```\n\n```text\nprinted\n```\n"],
    ["script", ".ts", '// %% id="cell-5"\n1 + 1\n'],
    [
      "mdx",
      ".mdx",
      '---\ntitle: "a"\n---\n\n<Cell id="cell-5" index={1}>\n\n```typescript\n1 + 1\n```\n\n<Output type="stream" name="stdout" text={"printed\\n"} />\n\n</Cell>\n',
    ],
  ])("writes %s without running anything", async (format, ending, text) => {
    notebook("a.ipynb", code("1 + 1", { outputs: [printed] }));
    expect(await nbconvert("a.ipynb", "--to", format)).toMatchObject({ code: 0 });
    expect(written(`a${ending}`)).toBe(text);
  });

  it("takes tags, outputs and code away when asked, in Jupyter's way of writing lists", async () => {
    const tagged = (tag: string) => ({ metadata: { tags: [tag] }, outputs: [printed] });
    notebook(
      "a.ipynb",
      code("a1", tagged("gone")),
      code("b22", tagged("bare")),
      code("c333", tagged("quiet")),
      code("d4444"),
    );
    const { stdout } = await nbconvert(
      ...["a.ipynb", "--to", "markdown", "--stdout", "--TagRemovePreprocessor.enabled=True"],
      "--TagRemovePreprocessor.remove_cell_tags=['gone', \"other\"]",
      "--TagRemovePreprocessor.remove_input_tags={'bare'}",
      "--TagRemovePreprocessor.remove_all_outputs_tags=quiet",
    );
    expect(stdout).toBe("```text\nprinted\n```\n\n```typescript\nc333\n```\n\n```typescript\nd4444\n```\n");
    const cleared = await nbconvert("a.ipynb", "--to", "markdown", "--stdout", "--clear-output");
    expect(cleared.stdout).not.toContain("printed");
    expect(readdirSync(folder)).toEqual(["a.ipynb"]);
  });

  it("puts pictures into a folder beside the result and replaces that folder whole", async () => {
    const png = {
      output_type: "display_data",
      metadata: {},
      data: { "image/png": "iVBORw==", "text/plain": "dot" },
    };
    notebook("a.ipynb", code("p", { outputs: [png] }));
    mkdirSync(path.join(folder, "out/a_files"), { recursive: true });
    writeFileSync(path.join(folder, "out/a_files/old.png"), "old");
    expect(await nbconvert("a.ipynb", "--to", "markdown", "--output-dir", "out")).toMatchObject({ code: 0 });
    expect(readdirSync(path.join(folder, "out/a_files"))).toEqual(["cell-1-1.png"]);
    expect(written("out/a.md")).toContain("![dot](a_files/cell-1-1.png)");
  });

  it("executes a notebook in place", async () => {
    notebook("a.ipynb", code("'done'"));
    expect(await nbconvert("a.ipynb", "--to", "notebook", "--execute", "--inplace")).toMatchObject({
      code: 0,
    });
    const { cells } = JSON.parse(written("a.ipynb")) as {
      cells: { outputs: unknown[]; execution_count: number }[];
    };
    expect(cells[0]).toMatchObject({ execution_count: 1, outputs: [{ output_type: "execute_result" }] });
  });

  it("stops at a failing cell, names it and writes nothing, unless errors are allowed or expected", async () => {
    notebook("a.ipynb", code("1"), code("throw new RangeError('too far')"), code("'after'"));
    const failed = await nbconvert("a.ipynb", "--to", "html", "--execute");
    expect(failed).toMatchObject({
      code: 1,
      lines: [expect.stringMatching(/a\.ipynb: code cell 2: RangeError: too far/)],
    });
    expect(readdirSync(folder)).toEqual(["a.ipynb"]);
    const allowed = await nbconvert("a.ipynb", "--to", "markdown", "--execute", "--allow-errors", "--stdout");
    expect(allowed.stdout).toContain("RangeError: too far");
    expect(allowed.stdout).toContain("'after'");
    notebook("b.ipynb", code("throw 1", { metadata: { tags: ["raises-exception"] } }));
    expect(await nbconvert("b.ipynb", "--to", "html", "--execute")).toMatchObject({ code: 0 });
  });

  it.each([
    ["a file that is not there", ["nothing.ipynb", "--to", "html"], 1, /nothing\.ipynb: no such file/],
    ["a folder", [".", "--to", "html"], 1, /folder/],
    ["text that is no notebook", ["bad.ipynb", "--to", "html"], 1, /bad\.ipynb: .*(cut off|not JSON)/],
    ["JSON that is no notebook", ["list.ipynb", "--to", "html"], 1, /list\.ipynb: /],
    ["no format", ["a.ipynb"], 2, /--to html\|markdown/],
    ["no notebook", ["--to", "html"], 2, /name the notebook/],
    ["a flag that does not exist", ["a.ipynb", "--to", "html", "--speed=3"], 2, /no flag --speed/],
    [
      "one output for two notebooks",
      ["a.ipynb", "a.ipynb", "--to", "html", "--output", "x"],
      2,
      /several notebooks/,
    ],
    [
      "a result where a folder stands",
      ["a.ipynb", "--to", "html", "--output", "taken.html"],
      1,
      /taken\.html/,
    ],
  ] as const)("refuses %s in one line and writes nothing", async (_, args, exitCode, message) => {
    notebook("a.ipynb", code("1"));
    writeFileSync(path.join(folder, "bad.ipynb"), '{"cells": [');
    writeFileSync(path.join(folder, "list.ipynb"), "[1]");
    mkdirSync(path.join(folder, "taken.html"));
    const before = readdirSync(folder);
    const { code: status, lines } = await nbconvert(...args);
    expect(status).toBe(exitCode);
    expect(lines).toEqual([expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("refuses a notebook of 200 MB before reading it", async () => {
    const file = path.join(folder, "big.ipynb");
    writeFileSync(file, "");
    const { status } = spawnSync("truncate", ["-s", "200M", file]);
    expect(status).toBe(0);
    const { code: exitCode, lines } = await nbconvert("big.ipynb", "--to", "html");
    expect(exitCode).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/big\.ipynb: .*2\d\d MB.*20 MB/)]);
  });
});

describeWith(["jupyter"], "Formats that Jupyter makes", () => {
  it("hands slides over with a template that carries plotly.js inside", async () => {
    expect(existsSync(partPath("jupyter"))).toBe(true);
    const chart = { data: [{ type: "bar", x: [1], y: [2] }], layout: { title: { text: "</script>" } } };
    const output = {
      output_type: "display_data",
      metadata: {},
      data: { "application/vnd.plotly.v1+json": chart },
    };
    notebook("a.ipynb", code("p", { outputs: [output], execution_count: 1 }));
    expect(await nbconvert("a.ipynb", "--to", "slides")).toMatchObject({ code: 0 });
    const html = written("a.slides.html");
    expect(html).toContain('<div class="dom0-plot"><script type="application/json">');
    expect(html).toContain("\\u003c/script\\u003e");
    expect(html.length).toBeGreaterThan(1_400_000);
  });
});
