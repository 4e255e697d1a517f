/** Notebook 02 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type ExerciseId, referenceAnswer } from "../../lib/course/help.ts";
import { runNotebook } from "../../lib/host/kernel/headless.ts";
import {
  isNotebookError,
  type Notebook,
  type Output,
  parseNotebook,
  writeNotebook,
} from "../../lib/notebook/nbformat.ts";

const FILE = path.resolve(import.meta.dirname, "../../notebooks/02-walls.ipynb");
const FOLDER = path.dirname(FILE);
const IDS: ExerciseId[] = ["02.1", "02.2", "02.3", "02.4", "02.5", "02.6"];
const MINUTES = 60_000;
const SEEDS = process.env["DOM0_TEST_FULL"] === "1" ? [1, 2, 3, 7, 99, 4_000_000_000] : [7];

function source(): Notebook {
  const notebook = parseNotebook(readFileSync(FILE, "utf8"));
  if (isNotebookError(notebook)) throw new Error(notebook.message);
  return notebook;
}

/** The notebook with other cells; `edit` returns a cell's new source. */
const edited = (notebook: Notebook, edit: (source: string, tags: readonly string[]) => string): Notebook => ({
  ...notebook,
  cells: notebook.cells.map((cell) => {
    const { tags } = cell.metadata;
    return { ...cell, source: edit(cell.source, Array.isArray(tags) ? tags.map(String) : []) };
  }),
});

/** What a reader has after pasting every answer: the lines above the check are replaced. */
const solved = (seed: number): Notebook =>
  edited(source(), (text, tags) => {
    const id = IDS.find((candidate) => tags.includes(`exercise:${candidate}`));
    const seeded = text.replace("const SEED = 1;", `const SEED = ${seed};`);
    return id === undefined
      ? seeded
      : `${referenceAnswer(id, seed)}\n${seeded.slice(seeded.indexOf(`check("${id}"`))}`;
  });

async function run(notebook: Notebook): Promise<Notebook> {
  const report = await runNotebook(notebook, { folder: FOLDER });
  if (isNotebookError(report)) throw new Error(report.message);
  expect(report.failure).toBeUndefined();
  return report.notebook;
}

interface Shown {
  readonly id: string;
  readonly outputs: readonly Output[];
  /** All text of the outputs. */
  readonly text: string;
}

const bundleOf = (output: Output): Readonly<Record<string, unknown>> =>
  output.output_type === "display_data" || output.output_type === "execute_result" ? output.data : {};

const textOf = (output: Output): string =>
  output.output_type === "stream" ? output.text : String(bundleOf(output)["text/plain"] ?? "");

const shown = (notebook: Notebook): Shown[] =>
  notebook.cells.flatMap((cell) =>
    cell.cell_type === "code"
      ? [{ id: cell.id, outputs: cell.outputs, text: cell.outputs.map(textOf).join("\n") }]
      : [],
  );

const passedIds = (notebook: Notebook): string[] =>
  shown(notebook).flatMap(({ outputs }) =>
    outputs.flatMap((output) =>
      [
        ...String(bundleOf(output)["text/html"] ?? "").matchAll(/data-check="([\d.]+)" data-passed="true"/g),
      ].map(([, id = ""]) => id),
    ),
  );

describe("notebook 02", () => {
  let executed: Notebook;
  let cells: ReadonlyMap<string, Shown>;

  beforeAll(async () => {
    executed = await run(source());
    cells = new Map(shown(executed).map((cell) => [cell.id, cell]));
  }, 3 * MINUTES);

  it("runs from top to bottom, counts its cells, and writes nothing to stderr", () => {
    const counts = executed.cells.flatMap((cell) =>
      cell.cell_type === "code" ? [cell.execution_count] : [],
    );
    expect(counts).toEqual(counts.map((_, index) => index + 1));
    expect(counts.length).toBeGreaterThanOrEqual(20);
    const outputs = [...cells.values()].flatMap((cell) => cell.outputs);
    expect(outputs.filter((output) => output.output_type === "error")).toEqual([]);
    expect(outputs.filter((output) => output.output_type === "stream" && output.name === "stderr")).toEqual(
      [],
    );
  });

  it("gives the same bytes when it runs again", { timeout: 3 * MINUTES }, async () => {
    expect(writeNotebook(await run(source()))).toBe(writeNotebook(executed));
  });

  it("tells every output in text too, in at most thirty lines, and every chart as a picture", () => {
    for (const { id, outputs } of cells.values()) {
      for (const output of outputs) {
        const bundle = bundleOf(output);
        expect(textOf(output).trim(), id).not.toBe("");
        expect(textOf(output).trimEnd().split("\n").length, id).toBeLessThanOrEqual(30);
        if ("application/vnd.plotly.v1+json" in bundle)
          expect(String(bundle["image/svg+xml"]), id).toMatch(/^<svg /);
      }
    }
  });

  it("prints no value that nobody asked to see", () => {
    expect(
      [...cells.values()]
        .flatMap((cell) => cell.outputs)
        .filter((output) => output.output_type === "execute_result"),
    ).toEqual([]);
  });

  it("passes no check before the reader has done anything", () => {
    expect(passedIds(executed)).toEqual([]);
    for (const id of IDS)
      expect(
        [...cells.values()].filter((cell) =>
          cell.outputs.some((output) =>
            String(bundleOf(output)["text/html"]).includes(`data-check="${id}" data-passed="false"`),
          ),
        ),
      ).toHaveLength(1);
  });

  it.each(SEEDS)(
    "passes every check with the answers that it shows, under seed %i",
    { timeout: 3 * MINUTES },
    async (seed) => {
      expect(passedIds(await run(solved(seed)))).toEqual(IDS);
    },
  );

  /** Sentences of the prose, and what must stand in the output they speak of. */
  const truths: [cell: string, sentence: string, output: RegExp][] = [
    ["boot", "satp begins with 8 and ends with the page number of the root", /0x800000000008001d/],
    ["tree", "nine tables, the root at that page", /level 2 {2}table 0x8001_d000[\s\S]*the machine: +9\n/],
    [
      "tree",
      "entry 1, then 0, then 0 is the program's first page",
      /\[1\].*\n +level 0 \[0\].*\n +U RX {2}0x4000_0000/,
    ],
    ["scatter", "three squares share their row with a circle", /3 physical pages are seen at two addresses/],
    ["quilt", "no page is both writable and executable", / 0 both writable and executable/],
    [
      "run-on",
      "who calls comes back, who meets a fault does not",
      /scribbler .*page fault .*jumper\njumper .*call.*the same\njumper .*page fault .*waiter/,
    ],
    ["scribble-walk", "two pointers, one leaf, W is 0", /points to[\s\S]*points to[\s\S]*DA-UX-RV.*W=0/],
    [
      "break-w",
      "one bit: one page with W and X, and scribbler exits",
      /RWX[\s\S]* 1 both writable[\s\S]*the machine: +exited/,
    ],
    ["break-u", "the fetch meets U = 0", /DA--X-RV.*U=0[\s\S]*page fault/],
    ["break-x", "nobody stopped jumper", /jumper: nobody stopped me\nkernel: jumper exited/],
    [
      "remap",
      "a1 is 29, the old frame",
      /the machine: +29\n[\s\S]*remembers: .*0x8001_0000 {2}<- the hart uses this/,
    ],
    ["remap", "the board names the missing fence", /Missing: sfence\.vma 0x4000_0000/],
    [
      "fenced",
      "with the fence the second frame is read",
      /a1 = 0x4e3\n[\s\S]*Both say 0x8001_1000[\s\S]*No translation was used/,
    ],
    ["ledger", "flips of one bit that open a page", /single flipped bits .*: 141 of 560/],
  ];

  it.each(truths)("%s: %s", (cell, _sentence, output) => {
    expect(cells.get(cell)?.text).toMatch(output);
  });
});
