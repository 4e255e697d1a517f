/** A notebook from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { type ExerciseId, referenceAnswer } from "../../lib/course/help.ts";
import { runNotebook } from "../../lib/host/kernel/headless.ts";
import {
  isNotebookError,
  type Notebook,
  type Output,
  parseNotebook,
  writeNotebook,
} from "../../lib/notebook/nbformat.ts";

/** A notebook, and what is expected of it. */
export interface Trial {
  /** Name in `notebooks/`. */
  readonly file: string;
  readonly exercises: readonly ExerciseId[];
  /** Sentences of the prose, and what must stand in the output they speak of. */
  readonly truths: readonly (readonly [cell: string, sentence: string, output: RegExp])[];
}

const MINUTES = 60_000;
const SEEDS = process.env["DOM0_TEST_FULL"] === "1" ? [1, 2, 3, 7, 99, 4_000_000_000] : [7];

const FOLDER = path.resolve(import.meta.dirname, "../../notebooks");

function sourceOf(file: string): Notebook {
  const notebook = parseNotebook(readFileSync(path.join(FOLDER, file), "utf8"));
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
const solved = ({ file, exercises }: Trial, seed: number): Notebook =>
  edited(sourceOf(file), (text, tags) => {
    const id = exercises.find((candidate) => tags.includes(`exercise:${candidate}`));
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

/** What every notebook must do, and what this one's prose says of its outputs. */
export function tryNotebook(trial: Trial): void {
  const { exercises, truths } = trial;
  const source = (): Notebook => sourceOf(trial.file);

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
    for (const id of exercises)
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
      expect(passedIds(await run(solved(trial, seed)))).toEqual(exercises);
    },
  );
  it.each(truths)("%s: %s", (cell, _sentence, output) => {
    expect(cells.get(cell)?.text).toMatch(output);
  });
}
