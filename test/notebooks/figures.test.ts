/** `dom0 figures`: every figure in every theme as a file, what is wrong with one in words, and what is said without Chromium. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { describeWith } from "../support/optional.ts";

// A browser is started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "dom0-figures-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function dom0(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const script = path.join(PROJECT_ROOT, "lib/host/bootstrap/dom0.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    env,
  });
  return { status, stdout, stderr };
}

const svg = (label: string, width: number, marks: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 80" width="${width}" height="80" role="img"${label === "" ? "" : ` aria-label="${label}"`}><rect width="${width}" height="80" fill="var(--dom0-paper, #fffdf7)"/>${marks}</svg>`;

const shows = (data: object) => ({ output_type: "display_data", metadata: {}, data });
const text = (x: number, y: number, words: string): string => `<text x="${x}" y="${y}">${words}</text>`;

function notebook(name: string, cells: Readonly<Record<string, object[]>>): string {
  const list = Object.entries(cells).map(([id, outputs]) => ({
    ...{ cell_type: "code", id, metadata: {}, source: `// ${id}`, execution_count: 1, outputs },
  }));
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify({ cells: list, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
  return file;
}

const sound = shows({
  "image/svg+xml": svg("Two words side by side", 300, text(10, 20, "one") + text(150, 20, "two")),
});
const chart = shows({
  "application/vnd.plotly.v1+json": {
    data: [{ type: "scatter", x: [1, 2], y: [3, 4] }],
    layout: { title: { text: "A chart" } },
  },
  "image/svg+xml": svg("The same, standing still", 300, text(10, 20, "still")),
  "text/plain": "A chart of two points",
});
const table = shows({
  "text/html": "<table><caption>Two rows</caption><tr><td>1</td></tr><tr><td>2</td></tr></table>",
});

/** Width and height of a PNG, from its header. */
const sizeOf = (file: string): number[] => {
  const bytes = readFileSync(file);
  expect(bytes.toString("latin1", 1, 4)).toBe("PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
};

describeWith(["chromium"], "dom0 figures", () => {
  it("writes each figure in light, dark and print, an index and the printed pages", () => {
    const file = notebook("sound.ipynb", { drawing: [sound, table], plot: [chart], words: [] });
    const output = path.join(folder, "sound");
    const { status, stdout } = dom0(["figures", file, "--as-is", "--output", output]);
    expect(stdout).toBe(`${path.join(output, "index.html")}: 3 figures, 0 with faults\n`);
    expect(status).toBe(0);
    const index = readFileSync(path.join(output, "index.html"), "utf8");
    for (const theme of ["light", "dark", "print"])
      for (const name of ["drawing", "drawing-2", "plot"]) {
        const [width = 0, height = 0] = sizeOf(path.join(output, theme, `${name}.png`));
        expect(Math.min(width, height)).toBeGreaterThan(40);
        expect(index).toContain(`src="${theme}/${name}.png"`);
      }
    expect(index).toContain("Two words side by side");
    expect(readFileSync(path.join(output, "print.pdf"), "latin1")).toMatch(/^%PDF-/);
    const [light, dark] = ["light", "dark"].map((theme) =>
      readFileSync(path.join(output, theme, "drawing.png"), "base64"),
    );
    expect(light).not.toBe(dark);
    sizeOf(path.join(output, "sheet-print-1.png"));
  });

  it("says of each faulty figure what is wrong, and fails", () => {
    const over = svg("Words on words", 300, text(10, 20, "under") + text(14, 22, "over"));
    const out = svg("Words beyond the edge", 100, text(80, 20, "farther than the paper"));
    const mute = svg("", 100, "");
    const wide = `<table><caption>Wide</caption><tr>${"<td>column</td>".repeat(40)}</tr></table>`;
    const file = notebook("faulty.ipynb", {
      overlapping: [shows({ "image/svg+xml": over })],
      leaving: [shows({ "image/svg+xml": out })],
      mute: [shows({ "image/svg+xml": mute })],
      wide: [shows({ "text/html": wide })],
    });
    const given = ["figures", file, "--as-is", "--themes", "light", "--output", path.join(folder, "faulty")];
    const { status, stdout } = dom0(given);
    expect(stdout).toMatch(/^overlapping: light: "under" and "over" overlap$/m);
    expect(stdout).toMatch(/^leaving: light: "farther than the paper" leaves the paper$/m);
    expect(stdout).toMatch(/^mute: light: has no text alternative$/m);
    expect(stdout).toMatch(/^wide: light: is \d+ px wider than its place on the page$/m);
    expect(stdout).toMatch(/4 figures, 4 with faults\n$/);
    expect(status).toBe(1);
  });
});

describe("dom0 figures", () => {
  it.each([
    [[], 2, /name a notebook/],
    [["99"], 2, /none with the number 99/],
    [["nosuch.ipynb"], 1, /nosuch\.ipynb/],
    [["01", "02"], 2, /one notebook at a time/],
    [["01", "--themes", "light,sepia"], 2, /not "sepia"/],
  ])("refuses %j in one line", (args, code, says) => {
    const { status, stderr } = dom0(["figures", ...args]);
    expect(stderr.trim().split("\n").at(-1)).toMatch(says);
    expect(status).toBe(code);
  });

  it("says how to get Chromium where there is none, and writes nothing", () => {
    const file = notebook("plain.ipynb", { drawing: [sound] });
    const output = path.join(folder, "never");
    const { CHROMIUM: _, ...rest } = process.env;
    const { status, stderr } = dom0(["figures", file, "--as-is", "--output", output], { ...rest, PATH: "" });
    expect(stderr).toMatch(/Chromium is missing: apt-get install chromium/);
    expect(status).toBe(1);
    expect(existsSync(output)).toBe(false);
  });
});
