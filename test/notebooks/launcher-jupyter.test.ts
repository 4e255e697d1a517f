/** The launcher kernel and plain tslab under Jupyter itself, on the same notebooks. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { describeWith, partPath } from "../support/optional.ts";
import { LAUNCHER } from "./launcher-client.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const ROOT = path.resolve(import.meta.dirname, "../..");
const BUILT = existsSync(path.join(ROOT, "lib/dist/index.js"));

interface Ran {
  readonly execution_count: number | null;
  readonly outputs: readonly Readonly<Record<string, unknown>>[];
}

describeWith(["jupyter"], "Notebooks under Jupyter", () => {
  let home: string;
  let folder: string;

  beforeAll(() => {
    home = mkdtempSync(path.join(tmpdir(), "dom0-jupyter-"));
    folder = path.join(home, "work");
    mkdirSync(folder);
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const tslab = [
      process.execPath,
      path.join(ROOT, "node_modules/tslab/bin/tslab"),
      "kernel",
      "--config-path",
    ];
    writeSpec("ours", LAUNCHER, "message");
    writeSpec("plain-tslab", tslab, "signal");
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** A kernelspec for this test alone, found through JUPYTER_PATH. */
  function writeSpec(name: string, command: readonly string[], interruptMode: string): void {
    const kernel = path.join(home, "kernels", name);
    mkdirSync(kernel, { recursive: true });
    const spec = {
      argv: [...command, "{connection_file}"],
      display_name: name,
      language: "typescript",
      interrupt_mode: interruptMode,
    };
    writeFileSync(path.join(kernel, "kernel.json"), JSON.stringify(spec));
  }

  function execute(
    file: string,
    kernel: string,
    ...more: string[]
  ): { code: number | null; said: string; cells: readonly Ran[] } {
    const out = path.join(folder, `ran-${kernel}.ipynb`);
    rmSync(out, { force: true });
    const { status, stderr } = spawnSync(
      partPath("jupyter"),
      [
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        `--ExecutePreprocessor.kernel_name=${kernel}`,
        ...more,
        file,
        "--output",
        out,
      ],
      {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, JUPYTER_PATH: home, JUPYTER_PREFER_ENV_PATH: "0" },
      },
    );
    const read = existsSync(out)
      ? (JSON.parse(readFileSync(out, "utf8")) as { cells: (Ran & { cell_type: string })[] })
      : { cells: [] };
    return { code: status, said: stderr, cells: read.cells.filter((cell) => cell.cell_type === "code") };
  }

  function notebook(...sources: string[]): string {
    const cells = sources.map((source, place) => ({
      cell_type: "code",
      id: `cell-${place + 1}`,
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    }));
    const metadata = {
      kernelspec: { name: "dom0", display_name: "x" },
      language_info: { name: "typescript" },
    };
    const file = path.join(folder, "notebook.ipynb");
    writeFileSync(file, JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
    return file;
  }

  it("gives outputs for every cell of a notebook with two throwing cells, three times out of three", () => {
    const file = notebook(
      "1 + 1",
      "throw new RangeError('one')",
      "console.log('after')",
      "throw new TypeError('two')",
      "const x: number = 5; x",
      "x * 2",
    );
    for (let round = 0; round < 3; round++) {
      const { code, cells } = execute(file, "ours", "--allow-errors");
      expect(code).toBe(0);
      expect(cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(
        cells.map((cell) => cell.outputs.map((output) => output["ename"] ?? output["output_type"])),
      ).toEqual([
        ["execute_result"],
        ["RangeError"],
        ["stream"],
        ["TypeError"],
        ["execute_result"],
        ["execute_result"],
      ]);
    }
  });

  it("stops at an error with the reason in what nbconvert says", () => {
    const { code, said } = execute(notebook("const n: number = 'text';"), "ours");
    expect(code).not.toBe(0);
    expect(said).toContain("Type 'string' is not assignable to type 'number'");
  });

  it.runIf(BUILT)("shows a figure of the kit as one bundle under both kernels", () => {
    const file = notebook(
      'import { show } from "dom0-kit";',
      "show({ 'application/vnd.plotly.v1+json': { data: [], layout: {} }, 'image/svg+xml': '<svg></svg>', 'text/plain': 'a figure' });",
    );
    for (const kernel of ["ours", "plain-tslab"]) {
      const { code, cells, said } = execute(file, kernel);
      expect(code, said).toBe(0);
      expect(cells[1]?.outputs, kernel).toEqual([
        {
          output_type: "display_data",
          metadata: {},
          data: {
            "application/vnd.plotly.v1+json": { data: [], layout: {} },
            "image/svg+xml": ["<svg></svg>"],
            "text/plain": ["a figure"],
          },
        },
      ]);
    }
  });

  describe.runIf(BUILT)("The course's notebooks", () => {
    const notebooks = readdirSync(path.join(ROOT, "notebooks")).filter((name) =>
      /^\d\d-[^.]*\.ipynb$/.test(name),
    );
    for (const name of notebooks) {
      for (const kernel of ["ours", "plain-tslab"]) {
        it(`${name} runs under ${kernel}, and every cell that shows something shows it`, () => {
          const file = path.join(folder, name);
          writeFileSync(file, readFileSync(path.join(ROOT, "notebooks", name)));
          const { code, said, cells } = execute(file, kernel);
          expect(code, said.slice(-2000)).toBe(0);
          const errors = cells
            .flatMap((cell) => cell.outputs)
            .filter(({ output_type }) => output_type === "error");
          expect(errors).toEqual([]);
          const figures = cells
            .flatMap((cell) => cell.outputs)
            .filter(({ output_type }) => output_type === "display_data");
          expect(figures.length).toBeGreaterThan(0);
        });
      }
    }
  });
});

describeWith(["jupyter"], "npm run lab", () => {
  it("prepared again, changes nothing and registers the kernel inside .venv with absolute paths that exist", () => {
    const kernel = path.join(ROOT, ".venv/share/jupyter/kernels/dom0/kernel.json");
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(ROOT, "lib/host/bootstrap/lab.mjs"), "--prepare"],
      { encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("JupyterLab is ready");
    const { argv, interrupt_mode } = JSON.parse(readFileSync(kernel, "utf8")) as {
      argv: string[];
      interrupt_mode: string;
    };
    expect(interrupt_mode).toBe("message");
    for (const part of argv.slice(0, 3))
      if (!part.startsWith("--")) expect(existsSync(part), part).toBe(true);
    expect(argv.at(-1)).toBe("{connection_file}");
  });

  it("says in one line that Python is missing or too old", () => {
    const home = mkdtempSync(path.join(tmpdir(), "dom0-python-"));
    try {
      const old = path.join(home, "python3");
      writeFileSync(old, "#!/bin/sh\necho '3 8 1 /usr/bin/python3.8'\n", { mode: 0o755 });
      const lab = (pathVariable: string) =>
        spawnSync(process.execPath, [path.join(ROOT, "lib/host/bootstrap/lab.mjs"), "--find-python"], {
          encoding: "utf8",
          env: { PATH: pathVariable, HOME: home },
        });
      const tooOld = lab(home);
      expect(tooOld.status).toBe(1);
      expect(tooOld.stderr.trim()).toMatch(
        /^JupyterLab needs Python 3\.9 or newer: python3 is Python 3\.8\.1\. .*npm start\.$/,
      );
      rmSync(old);
      expect(lab(home).stderr.trim()).toMatch(/none was found/);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
