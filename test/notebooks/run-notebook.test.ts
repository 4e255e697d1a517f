/** Running whole notebooks headless, and `dom0 run`: what happens to files, processes and people in a hurry. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  openHeadlessSession,
  type RunOptions,
  type RunReport,
  runNotebook,
} from "../../lib/host/kernel/headless.ts";
import type { CellOutput } from "../../lib/notebook/kernel-protocol.ts";
import { isNotebookError, type Notebook, writeNotebook } from "../../lib/notebook/nbformat.ts";
import { describeWith, partPath } from "../support/optional.ts";

const MAIN = path.resolve(import.meta.dirname, "../../lib/host/cli/main.ts");
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", MAIN];
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "dom0-run-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const notebookOf = (
  ...sources: readonly (string | { readonly source: string; readonly tags: readonly string[] })[]
): Notebook => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: sources.map((each, at) => ({
    cell_type: "code",
    id: `c${at}`,
    metadata: typeof each === "string" ? {} : { tags: each.tags },
    source: typeof each === "string" ? each : each.source,
    execution_count: null,
    outputs: [],
  })),
});

async function run(notebook: Notebook, options: RunOptions = {}): Promise<RunReport> {
  const report = await runNotebook(notebook, { folder, ...options });
  if (isNotebookError(report)) throw new Error(report.message);
  return report;
}

const outputsOf = ({ notebook }: RunReport, at: number) => {
  const cell = notebook.cells[at];
  return cell?.cell_type === "code" ? cell.outputs : [];
};

describe("runNotebook", () => {
  it("counts from 1, leaves empty cells out, and gives the same bytes twice", async () => {
    const notebook = notebookOf(
      "console.log('one');\nconsole.error('two');",
      "",
      "const m = new Map([[1, 'x']]);\nm",
      "throw 5",
    );
    const [first, second] = [
      await run(notebook, { allowErrors: true }),
      await run(notebook, { allowErrors: true }),
    ];
    expect(writeNotebook(first.notebook)).toBe(writeNotebook(second.notebook));
    expect(first.notebook.cells.map((cell) => cell.cell_type === "code" && cell.execution_count)).toEqual([
      1,
      null,
      2,
      3,
    ]);
    expect(outputsOf(first, 0)).toEqual([
      { output_type: "stream", name: "stdout", text: "one\n" },
      { output_type: "stream", name: "stderr", text: "two\n" },
    ]);
    expect(outputsOf(first, 2)).toEqual([
      {
        output_type: "execute_result",
        data: { "text/plain": "Map(1) { 1 => 'x' }" },
        metadata: {},
        execution_count: 2,
      },
    ]);
    expect(outputsOf(first, 3)).toEqual([
      { output_type: "error", ename: "Thrown", evalue: "5", traceback: ["Thrown: 5"] },
    ]);
  });

  it("stops at the first error, names the cell and keeps the outputs up to it", async () => {
    const report = await run(notebookOf("1", "throw new RangeError('too\\nfar')", "console.log('never')"));
    expect(report.failure).toMatchObject({ cell: 2, kind: "error", message: "RangeError: too far" });
    expect(report.passed).toBe(1);
    expect(outputsOf(report, 2)).toEqual([]);
  });

  it("goes on after a cell that is tagged to raise an exception", async () => {
    const report = await run(
      notebookOf({ source: "throw new Error('meant')", tags: ["raises-exception"] }, "2"),
    );
    expect(report.failure).toBeUndefined();
    expect(outputsOf(report, 1)).toHaveLength(1);
  });

  it("ends a cell that never ends, busy or waiting, at its time limit", async () => {
    for (const source of [
      "while (true) {}",
      "await new Promise(() => {});",
      "new Function('for (;;);')();",
    ]) {
      const report = await run(notebookOf("1", source), { cellTimeoutMs: 700 });
      expect(report.failure, source).toEqual({
        cell: 2,
        kind: "timeout",
        message: "the cell did not end within 0.7 s",
      });
    }
  });

  it("says so when a cell calls process.exit, and keeps what was printed before", async () => {
    const report = await run(notebookOf("console.log('last words');\nprocess.exit(3);", "1"));
    expect(report.failure).toMatchObject({
      cell: 1,
      kind: "died",
      message: expect.stringMatching(/process\.exit\(3\).*remove that call/),
    });
    expect(outputsOf(report, 0)[0]).toEqual({ output_type: "stream", name: "stdout", text: "last words\n" });
  });

  it("says so when a cell uses up the memory or kills its process", async () => {
    const hungry = await run(
      notebookOf("const all: unknown[] = [];\nfor (;;) all.push(new Array(1000).fill(all.length));"),
      { memoryMb: 64 },
    );
    expect(hungry.failure).toMatchObject({ cell: 1, kind: "died", message: "the kernel ran out of memory" });
    const killed = await run(
      notebookOf("process.kill(process.pid, 'SIGKILL');\nawait new Promise(() => {});"),
    );
    expect(killed.failure).toMatchObject({ kind: "died", message: "the kernel was killed by SIGKILL" });
  });

  it("survives a cell that writes into the kernel's own channel", async () => {
    for (const text of [
      "no JSON",
      '{"type":"done","cell":1}',
      '{"type":"output","cell":1,"output":{"type":"error"}}',
    ]) {
      const report = await run(
        notebookOf(
          `import { writeSync } from 'node:fs';\nwriteSync(5, ${JSON.stringify(`${text}\n`)});\nawait new Promise(() => {});`,
        ),
      );
      expect(report.failure, text).toMatchObject({
        kind: "died",
        message: expect.stringMatching(/kernel's own channel/),
      });
    }
  });

  it("ends programs that a cell has left running", async () => {
    const marker = `9${process.pid}`;
    const report = await run(
      notebookOf(
        `import { spawn } from 'node:child_process';\nspawn('sleep', ['${marker}'], { stdio: 'inherit' }).unref();\nawait new Promise((resolve) => setTimeout(resolve, 100));`,
      ),
    );
    expect(report.failure).toBeUndefined();
    await until(() => processesWith(`sleep\0${marker}`).length === 0);
  });

  it("gives a cell no input to wait for", async () => {
    const report = await run(
      notebookOf(
        "import { readFileSync } from 'node:fs';\nreadFileSync(0).length + [...process.argv].length * 0",
      ),
    );
    expect(outputsOf(report, 0)).toMatchObject([{ data: { "text/plain": "0" } }]);
  });

  it("captures what programs started by a cell print", async () => {
    const report = await run(
      notebookOf(
        "import { execFileSync } from 'node:child_process';\nexecFileSync('echo', ['from a child'], { stdio: 'inherit' });\nawait new Promise((resolve) => setTimeout(resolve, 100));",
      ),
    );
    expect(outputsOf(report, 0)).toEqual([{ output_type: "stream", name: "stdout", text: "from a child\n" }]);
  });

  it("resolves imports from the notebook's folder, an edited file included", async () => {
    writeFileSync(path.join(folder, "beside.ts"), "export const answer: number = 41;\n");
    const report = await run(
      notebookOf(
        "import { answer } from './beside.ts';\nanswer",
        "import { writeFileSync } from 'node:fs';\nwriteFileSync('beside.ts', 'export const answer = 42; export const more = 1;');",
        "import { answer as edited, more } from './beside.ts';\nedited + more",
        "import { isDeepStrictEqual } from 'node:util';\nimport { show } from 'dom0-kit';\n[isDeepStrictEqual(1, 1), typeof show]",
      ),
    );
    expect(report.failure).toBeUndefined();
    expect([0, 2, 3].map((at) => outputsOf(report, at))).toMatchObject([
      [{ data: { "text/plain": "41" } }],
      [{ data: { "text/plain": "43" } }],
      [{ data: { "text/plain": "[ true, 'function' ]" } }],
    ]);
  });

  it("is stopped by its signal", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 1_500);
    const report = await run(notebookOf("while (true) {}"), { signal: abort.signal });
    expect(report.failure).toMatchObject({ kind: "stopped" });
  });
});

describe("a headless session", () => {
  it("gives up a type check that takes too long, and still knows the earlier cells", async () => {
    const session = openHeadlessSession({ folder, compileTimeoutMs: 4_000 });
    const outputs: CellOutput[] = [];
    const keep = (output: CellOutput) => void outputs.push(output);
    try {
      await session.ready();
      await session.execute("const before = 20;", keep);
      const alternatives = (name: number) =>
        `const all${name} = [${Array.from({ length: 1_000 }, (_, at) => `{ k${name}x${at}: ${at} }`).join(", ")}];`;
      const endless = Array.from({ length: 60 }, (_, name) => alternatives(name)).join("\n");
      const { error } = await session.execute(endless, keep);
      expect(error?.evalue).toMatch(/took more than 4 s, so it was given up/);
      await session.execute("before + 1", keep);
      expect(outputs.at(-1)).toEqual({ type: "execute_result", data: { "text/plain": "21" } });
    } finally {
      await session.close();
    }
  });

  it("completes while a cell runs", async () => {
    const session = openHeadlessSession({ folder });
    try {
      await session.execute("const lantern = 1;", () => {});
      const running = session.execute("await new Promise(() => {});", () => {});
      const { entries } = await session.complete("lant", 4);
      expect(entries[0]?.name).toBe("lantern");
      await new Promise((resolve) => setTimeout(resolve, 300));
      session.interrupt();
      expect((await running).status).toBe("interrupted");
    } finally {
      await session.close();
    }
  });

  it("stops a cell that has not begun to run", async () => {
    const session = openHeadlessSession({ folder });
    try {
      const running = session.execute("console.log('ran');", () => {});
      session.interrupt();
      expect((await running).status).toBe("interrupted");
      expect((await session.execute("1", () => {})).status).toBe("ok");
    } finally {
      await session.close();
    }
  });
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  /** Without the lines of progress, which a slow machine shows. */
  readonly err: string;
  readonly progress: string;
}

const PROGRESS = /^running cell \d+ of \d+\n/gm;

/** Starts `dom0 run …`; the promise resolves when it has ended. */
function dom0Run(args: readonly string[], wrapper: readonly string[] = []) {
  const [program = "", ...rest] = [...wrapper, process.execPath, ...NODE_FLAGS, "run", ...args];
  const child = spawn(program, rest, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
  });
  const ended = once(child, "close").then(
    ([code, signal]): Ended => ({
      code,
      signal,
      out,
      err: err.replace(PROGRESS, ""),
      progress: err.match(PROGRESS)?.join("") ?? "",
    }),
  );
  return { child, ended };
}

function write(name: string, notebook: Notebook): string {
  const file = path.join(folder, name);
  writeFileSync(file, writeNotebook(notebook));
  return file;
}

/** The processes that still run with this text in their command line. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("dom0 run", () => {
  it("writes the executed notebook beside the notebook, and twice the same", async () => {
    const file = write("good.ipynb", notebookOf("console.log(1 + 1)"));
    const first = await dom0Run([file]).ended;
    expect(first).toMatchObject({
      code: 0,
      out: `${path.join(folder, "good.executed.ipynb")}: 1 cells ran\n`,
    });
    const bytes = readFileSync(path.join(folder, "good.executed.ipynb"), "utf8");
    expect(bytes).toContain('"2\\n"');
    await dom0Run([file, "--inplace"]).ended;
    expect(readFileSync(file, "utf8")).toBe(bytes);
  });

  it("writes nothing when a cell fails, and says which", async () => {
    const file = write("bad.ipynb", notebookOf("1", "const n: number = 'x';"));
    const { code, err } = await dom0Run([file]).ended;
    expect(code).toBe(1);
    expect(err).toBe(
      `dom0 run: ${file}: cell 2: TypeScriptError: 1:7 - Type 'string' is not assignable to type 'number'.\n`,
    );
    expect(existsSync(path.join(folder, "bad.executed.ipynb"))).toBe(false);
  });

  it("tells the time limit, with progress when it takes long", async () => {
    const file = write("endless.ipynb", notebookOf("while (true) {}"));
    const { code, err, progress } = await dom0Run([file, "--timeout", "3"]).ended;
    expect(code).toBe(1);
    expect(progress).toBe("running cell 1 of 1\n");
    expect(err).toBe(`dom0 run: ${file}: cell 1: the cell did not end within 3 s\n`);
  });

  it("refuses a file of 200 MB before it reads it", async () => {
    const file = path.join(folder, "huge.ipynb");
    writeFileSync(file, "{");
    truncateSync(file, 200_000_000);
    const { code, err } = await dom0Run([file]).ended;
    rmSync(file);
    expect(code).toBe(1);
    expect(err).toBe(
      `dom0 run: ${file}: the file has 200 MB, more than the 20 MB a notebook may have: clear its outputs and save it again\n`,
    );
  });

  it.each([
    ["a malformed notebook", ["broken.ipynb"], 1, /ends in the middle.*get it again/],
    ["a missing notebook", ["missing.ipynb"], 1, /no such file or folder: check the path/],
    ["a folder", ["."], 1, /it is a folder: name a notebook file/],
    ["no notebook", [], 2, /name a notebook/],
    ["two notebooks", ["a.ipynb", "b.ipynb"], 2, /one notebook at a time/],
    ["an unknown flag", ["a.ipynb", "--fast"], 2, /--fast/],
    ["a time limit that is no number", ["a.ipynb", "--timeout", "soon"], 2, /--timeout wants seconds/],
    [
      "both --inplace and --output",
      ["a.ipynb", "--inplace", "--output", "b"],
      2,
      /either --inplace or --output/,
    ],
    [
      "an output folder that does not exist",
      ["fine.ipynb", "--output", "no/such/out.ipynb"],
      1,
      /no such file or folder/,
    ],
  ] as const)("answers %s with one line and an exit code", async (_, args, code, message) => {
    writeFileSync(path.join(folder, "broken.ipynb"), '{"cells": [');
    write("fine.ipynb", notebookOf("1"));
    const ended = await dom0Run(args).ended;
    expect(ended.err).toMatch(message);
    expect(ended.err.trimEnd().split("\n")).toHaveLength(1);
    expect(ended.code).toBe(code);
  });

  it("ends on Ctrl-C without a trace: no file, no process", async () => {
    const file = write("stopped.ipynb", notebookOf("console.log('begun');\nwhile (true) {}"));
    const { child, ended } = dom0Run([file, "--output", "stopped-marker-out.ipynb"]);
    await until(() => processesWith("headless-child").some((pid) => parentOf(pid) === child.pid));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const kernels = processesWith("headless-child").filter((pid) => parentOf(pid) === child.pid);
    child.kill("SIGINT");
    expect(await ended).toMatchObject({
      code: 130,
      err: expect.stringMatching(/stopped; nothing was written\n$/),
    });
    await until(() => kernels.every((pid) => !isAlive(pid)));
    expect(readdirSync(folder).filter((name) => /stopped-marker|part$/.test(name))).toEqual([]);
  });

  it("takes its kernel with it when it is killed, even in the middle of a busy cell", async () => {
    const file = write("orphan.ipynb", notebookOf("new Function('for (;;);')();"));
    const { child, ended } = dom0Run([file]);
    await until(() => processesWith("headless-child").some((pid) => parentOf(pid) === child.pid));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const kernels = processesWith("headless-child").filter((pid) => parentOf(pid) === child.pid);
    expect(kernels).toHaveLength(1);
    child.kill("SIGKILL");
    await ended;
    await until(() => kernels.every((pid) => !isAlive(pid)));
  });
});

function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}

/** A zombie has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describeWith(["bwrap"], "dom0 run on a full disk", () => {
  it("says so in one line and leaves the old file as it was", async () => {
    const file = write("large-output.ipynb", notebookOf("console.log('x'.repeat(300_000))"));
    const tiny = path.join(folder, "tiny");
    const wrapper = [partPath("bwrap"), "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", tiny, "--"];
    const script = `echo old > ${tiny}/out.ipynb; "$@"; echo "code $?"; cat ${tiny}/out.ipynb; ls ${tiny}`;
    const { out, err } = await dom0Run(
      [file, "--output", `${tiny}/out.ipynb`],
      [...wrapper, "sh", "-c", script, "sh"],
    ).ended;
    expect(err).toBe(
      `dom0 run: ${tiny}/out.ipynb: the disk is full: free some space and run again; nothing was written\n`,
    );
    expect(out).toBe("code 1\nold\nout.ipynb\n");
    expect(statSync(folder).isDirectory()).toBe(true);
  });
});
