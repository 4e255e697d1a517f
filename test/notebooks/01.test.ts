/** Notebook 01 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
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

const FILE = path.resolve(import.meta.dirname, "../../notebooks/01-landing-on-the-island.ipynb");
const FOLDER = path.dirname(FILE);
const IDS: ExerciseId[] = ["01.1", "01.2", "01.3", "01.4", "01.5"];
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

describe("notebook 01", () => {
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
    ["run-sum", "Only a0 and the pc differ; a0 is 15", /pc .*\na0 +0 +15\n/],
    [
      "trace",
      "three of four steps change a register, the branch none",
      /add a0, a0, a1 .*5\n.*\n.*bne a1, zero, \S+\n.*add a0/,
    ],
    [
      "snapshot",
      "damage is done, and undone",
      /After the sabotage\nregister[\s\S]*After the rewind: no register differs/,
    ],
    ["run-ladder", "one instruction retires in U-mode", /the machine: +1\n/],
    ["run-ladder", "arrow 2 is the call", / 2 {2}U → M .*environment call from U-mode/],
    ["mstatus", "MPP is 0", /12:11 {2}MPP {4}0/],
    ["no-rule", "PMP refuses the first instruction", /instruction access fault\. No PMP entry matches/],
    ["island", "the vault is writable, readable and not for U", /vault 0 .*--WR/],
    ["theft", "cause 13, from U to S", /U → S .*load page fault[\s\S]*the machine: +13/],
    ["walk", "two pointers, then a leaf with U = 0", /points to[\s\S]*points to[\s\S]*DA---WRV.*U=0/],
    ["one-bit", "cause 8, and a secret in a0", /scause +8 [\s\S]*a0 holds 0x[1-9a-f][0-9a-f]{8,}/],
    [
      "heat",
      "M first, then print and allocate_page",
      /^M .*machine_start[\s\S]*^S .*print [\s\S]*^S .*allocate_page/m,
    ],
    [
      "prober",
      "a call, a fault, and down to another program",
      / 1 {2}U → S .*environment call[\s\S]* 3 {2}U → S .*load page fault\n 4 {2}S → U/,
    ],
    [
      "prober",
      "three programs are killed",
      /prober was killed, cause 13[\s\S]*scribbler was killed[\s\S]*jumper was killed/,
    ],
    ["replay", "two equal hashes", /([0-9a-f]{64})\n\1\n/],
    ["claim", "every page of twenty islands stays shut", /kernel pages that stayed shut: 320 of 320/],
  ];

  it.each(truths)("%s: %s", (cell, _sentence, output) => {
    expect(cells.get(cell)?.text).toMatch(output);
  });
});
