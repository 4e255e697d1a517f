/** The notebook linter goes red for each planted violation, and only for that. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countWords, lintNotebooks } from "../../../lib/host/cli/lint-notebooks.ts";

interface PlantedCell {
  cell_type: "code" | "markdown";
  id: string;
  metadata: { tags?: string[]; execution?: object };
  source: string;
  outputs?: object[];
  execution_count?: number | null;
}

const words = (count: number): string =>
  Array.from({ length: count }, (_, index) => `word${index}`).join(" ");

const text = (id: string, source: string): PlantedCell => ({
  cell_type: "markdown",
  id,
  metadata: {},
  source,
});
const code = (id: string, source: string, tags: string[] = []): PlantedCell => ({
  cell_type: "code",
  id,
  metadata: tags.length > 0 ? { tags } : {},
  source,
  outputs: [],
  execution_count: null,
});

/** A chapter that breaks no rule: 34 cells, 1 500 words or so, three exercises. */
function goodChapter(): PlantedCell[] {
  const body = Array.from({ length: 14 }, (_, index) => [
    text(`text-${index}`, words(100)),
    code(`code-${index}`, `const value${index} = ${index};\nshow(value${index});`),
  ]).flat();
  const exercises = (["read", "build", "measure"] as const).map((rung, index) =>
    code(
      `exercise-${index}`,
      `const mine = 0;\ncheck("01.${index + 1}", mine);\n// show(answer("01.${index + 1}"));`,
      ["exercise", `exercise:01.${index + 1}`, `rung:${rung}`],
    ),
  );
  const spaced = exercises.flatMap((cell, index) => [text(`ask-${index}`, words(20)), cell]);
  return [
    text("title", "# Landing\n\nWho is in command?"),
    code("seed", 'import { show } from "dom0-kit";\nconst SEED = 1;'),
    ...body,
    ...spaced,
    text("end", "## What you can now do\n\nThree things. norm:mstatus_xpp_enc"),
  ];
}

let folder = "";

async function lint(cells: PlantedCell[], name = "notebooks/01-planted.ipynb", minor = 5): Promise<string[]> {
  const file = path.join(folder, name);
  const notebook = {
    cells,
    metadata: { language_info: { name: "typescript" } },
    nbformat: 4,
    nbformat_minor: minor,
  };
  await writeFile(file, JSON.stringify(notebook));
  return (await lintNotebooks([file])).map((finding) => finding.rule);
}

function change(id: string, edit: (cell: PlantedCell) => void): PlantedCell[] {
  const cells = goodChapter();
  const found = cells.find((cell) => cell.id === id);
  if (found === undefined) throw new Error(`no cell ${id}`);
  edit(found);
  return cells;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "lint-"));
  await mkdir(path.join(folder, "notebooks"));
  await mkdir(path.join(folder, "source"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the notebook linter", () => {
  it("finds nothing in a chapter that keeps every rule", async () => {
    expect(await lint(goodChapter())).toEqual([]);
  });

  const planted: [rule: string, what: string, cells: () => PlantedCell[]][] = [
    [
      "cell-lines",
      "a cell of 60 lines",
      () => change("code-1", (cell) => (cell.source = "show(1);\n".repeat(60))),
    ],
    [
      "code-width",
      "a line of 77 characters",
      () =>
        change("code-1", (cell) => {
          cell.source = `show("${"x".repeat(69)}");`;
        }),
    ],
    ["cell-lines", "an empty code cell", () => change("code-1", (cell) => (cell.source = "\n"))],
    ["cell-words", "a text of 121 words", () => change("text-1", (cell) => (cell.source = words(121)))],
    [
      "cells-in-row",
      "three code cells in a row",
      () =>
        goodChapter().flatMap((cell) =>
          cell.id === "code-1" ? [cell, code("b", "1"), code("c", "2")] : [cell],
        ),
    ],
    [
      "cells",
      "51 cells",
      () =>
        [
          text("title", "# A\n?"),
          ...goodChapter().slice(1),
          ...Array.from({ length: 14 }, (_, i) => text(`more-${i}`, "word")),
        ].toSorted((a, b) => Number(a.id === "end") - Number(b.id === "end")),
    ],
    [
      "words",
      "too few words",
      () => goodChapter().map((cell) => (cell.id.startsWith("text-") ? { ...cell, source: "short" } : cell)),
    ],
    [
      "code-lines",
      "more than 150 lines of code",
      () =>
        goodChapter().map((cell) =>
          cell.id.startsWith("code-") ? { ...cell, source: "show(1);\n".repeat(15) } : cell,
        ),
    ],
    [
      "front-door",
      "an import of a file inside lib",
      () => change("code-2", (cell) => (cell.source = 'import { ladder } from "../lib/course/ladder.ts";')),
    ],
    [
      "front-door",
      "a dynamic import of a built-in",
      () => change("code-2", (cell) => (cell.source = 'const fs = await import("node:fs");')),
    ],
    ["seed", "no seed", () => change("seed", (cell) => (cell.source = 'import { show } from "dom0-kit";'))],
    [
      "norm-tag",
      "a rule that the manual does not have",
      () => change("text-2", (cell) => (cell.source = `${words(99)} ${"norm"}:mstatus_island`)),
    ],
    [
      "clean",
      "an output",
      () =>
        change("code-3", (cell) => (cell.outputs = [{ output_type: "stream", name: "stdout", text: "1" }])),
    ],
    ["clean", "an execution count", () => change("code-3", (cell) => (cell.execution_count = 3))],
    ["clean", "execution times", () => change("code-3", (cell) => (cell.metadata.execution = {}))],
    ["cell-id", "an id used twice", () => change("code-3", (cell) => (cell.id = "code-4"))],
    ["question", "a title without a question", () => change("title", (cell) => (cell.source = "# Landing"))],
    ["ending", "no ending", () => change("end", (cell) => (cell.source = "Bye."))],
    [
      "plain-tslab",
      "a top-level export",
      () => change("code-3", (cell) => (cell.source = "export const a = 1;")),
    ],
    [
      "top-level-loop",
      "a top-level loop",
      () => change("code-3", (cell) => (cell.source = "let n = 0;\nfor (let i = 0; i < 9; i++) n += i;")),
    ],
    [
      "deterministic",
      "the time of day",
      () => change("code-3", (cell) => (cell.source = "show(Date.now());")),
    ],
    [
      "exercises",
      "a single exercise",
      () =>
        goodChapter().map((cell) =>
          cell.id === "exercise-1" || cell.id === "exercise-2" ? { ...cell, metadata: {} } : cell,
        ),
    ],
    [
      "exercise-tags",
      "an exercise without its rung",
      () => change("exercise-1", (cell) => (cell.metadata.tags = ["exercise", "exercise:01.2"])),
    ],
    [
      "exercise-path",
      "an exercise without a check",
      () => change("exercise-1", (cell) => (cell.source = '// show(answer("01.2"));')),
    ],
    [
      "exercise-order",
      "a ladder that goes down",
      () =>
        change("exercise-2", (cell) => (cell.metadata.tags = ["exercise", "exercise:01.3", "rung:change"])),
    ],
  ];

  it.each(planted)("reports %s for %s, and nothing else", async (rule, _what, cells) => {
    expect([...new Set(await lint(cells()))]).toEqual([rule]);
  });

  it("refuses the format before cells had ids", async () => {
    expect(await lint(goodChapter(), "notebooks/01-old.ipynb", 4)).toEqual(["format"]);
  });

  it("holds an assignment to cleanness and the front door, but not to the sizes of a chapter", async () => {
    const cells = [code("long", "show(1);\n".repeat(60)), code("inside", 'import x from "../lib/index.ts";')];
    expect(await lint(cells, "source/01-assignment.ipynb")).toEqual(["front-door"]);
  });

  it("reports a file that is not JSON, not a notebook, or not there", async () => {
    const broken = path.join(folder, "notebooks/broken.ipynb");
    const other = path.join(folder, "notebooks/other.ipynb");
    await writeFile(broken, "{");
    await writeFile(other, "[]");
    const findings = await lintNotebooks([broken, other, path.join(folder, "none.ipynb")]);
    expect(findings.map((finding) => finding.rule)).toEqual(["readable", "readable", "readable"]);
  });

  it("counts the words that are read, not links, markup or fenced code", () => {
    expect(
      countWords(
        "# One *two*\n\n[three](https://example.org/a/b) `four`\n\n```ts\nlet five = 5;\n```\n<b>six</b>",
      ),
    ).toBe(5);
  });
});
