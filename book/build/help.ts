/** Hints and answers of a chapter's exercises, as a file that the page fetches when a reader asks for the first of them. */
import { helpOf } from "../../lib/course/help.ts";
import type { ExportDocument } from "../../lib/notebook/export/document.ts";
import type { ExerciseHelp } from "../src/live/exercise-help.ts";
import { checksOf } from "./course.ts";
import { writeNamed } from "./named-files.ts";

/** Writes the file; returns the notebook's name and the file's address. */
export async function writeHelp(
  notebook: string,
  document: ExportDocument,
  folder: string,
): Promise<readonly [string, string]> {
  const seed = seedOf(document);
  const help = Object.fromEntries(
    checksOf(document).flatMap(({ id }): [string, ExerciseHelp][] => {
      const found = helpOf(id);
      if (found === undefined) return [];
      return [[id, { hints: found.hints, answer: found.source(seed), because: found.because, seed }]];
    }),
  );
  const stem = `help-${notebook.replace(/\.ipynb$/, "")}`;
  return [notebook, `/live/${await writeNamed(folder, stem, "json", JSON.stringify(help))}`];
}

/** The seed that the notebook's exercises are drawn from. */
function seedOf(document: ExportDocument): number {
  const seed = document.cells
    .map(({ source }) => /^const SEED = (\d+);/m.exec(source)?.[1])
    .find((digits) => digits);
  return Number(seed ?? 1);
}
