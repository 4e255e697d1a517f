/** `dom0 figures NOTEBOOK`: every figure of a notebook in light, dark and print, to be looked at. */
import { readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { exportDocument } from "../../notebook/export/document.ts";
import { htmlFromDocument } from "../../notebook/export/html.ts";
import { isNotebookError, type Notebook } from "../../notebook/nbformat.ts";
import { OPTIONAL_PARTS } from "../bootstrap-modules.ts";
import { contactSheet, SHOWINGS, type Theme } from "../figures/contact-sheet.ts";
import { readNotebookFile, runNotebook } from "../kernel/headless.ts";
import { PROJECT_ROOT } from "../node-assets.ts";
import type { Command } from "./main.ts";
import { nodeHtmlAssets, pictureReader } from "./nbconvert-assets.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";

const THEMES = Object.keys(SHOWINGS) as Theme[];
const DEFAULT_THEMES: readonly Theme[] = ["light", "dark", "print"];

export const command: Command = {
  summary: "photograph every figure of a notebook in light, dark and print",
  usage: `Usage: dom0 figures NOTEBOOK [--output FOLDER] [--themes LIST] [--as-is]

Runs a notebook without Jupyter, then shows it to Chromium and writes each figure (chart, picture, table) as a PNG for each
theme, all of them side by side as index.html, and the printed pages as print.pdf. NOTEBOOK is a file, or a number of the
course: 02 is notebooks/02-walls.ipynb.

  --output FOLDER  where to write (default: .cache/figures/NAME)
  --themes LIST    of ${THEMES.join(", ")}, with commas (default: ${DEFAULT_THEMES.join(",")})
  --as-is          do not run the notebook; show the outputs that it has

What a program can see is reported too: labels that overlap or leave the paper, figures wider than the page, without a text
alternative, or never drawn. Exit code 0 when there is no such fault, 1 when there is one or the notebook failed, 2 for wrong
arguments. Needs Chromium: ${OPTIONAL_PARTS.chromium.get}.`,
  run: (args) => refusing("figures", () => figures(args)),
};

async function figures(args: string[]): Promise<number> {
  const given = readArguments(args);
  const program = OPTIONAL_PARTS.chromium.find();
  if (program === undefined) throw new Refusal(`Chromium is missing: ${OPTIONAL_PARTS.chromium.get}.`);
  const read = await readNotebookFile(given.notebook);
  if (isNotebookError(read)) throw new Refusal(read.message);
  const shown = given.asIs ? read : await executed(given.notebook, read);
  const fallbackTitle = path.basename(given.notebook, ".ipynb");
  const html = await htmlFromDocument(exportDocument(shown, { fallbackTitle }), await nodeHtmlAssets(), {
    picture: pictureReader(path.dirname(path.resolve(given.notebook))),
  });
  const rows = await contactSheet(html, given.output, given.themes, program, (theme) =>
    process.stderr.write(`looking at it in ${theme}\n`),
  );
  for (const { name, faults } of rows)
    for (const fault of faults) process.stdout.write(`${name}: ${fault}\n`);
  const faulty = rows.filter(({ faults }) => faults.length > 0).length;
  const where = path.join(given.output, "index.html");
  process.stdout.write(`${where}: ${rows.length} figures, ${faulty} with faults\n`);
  return faulty === 0 ? 0 : 1;
}

async function executed(file: string, notebook: Notebook): Promise<Notebook> {
  const report = await runNotebook(notebook, {
    folder: path.dirname(path.resolve(file)),
    onCell: (count, total) => {
      if (count === 1 || count % 10 === 0) process.stderr.write(`running cell ${count} of ${total}\n`);
    },
  });
  if (isNotebookError(report)) throw new Refusal(report.message);
  const { failure } = report;
  if (failure !== undefined) throw new Refusal(`${file}: cell ${failure.cell}: ${failure.message}`);
  return report.notebook;
}

interface Arguments {
  readonly notebook: string;
  readonly output: string;
  readonly themes: readonly Theme[];
  readonly asIs: boolean;
}

function readArguments(args: string[]): Arguments {
  const { values, positionals } = parsed(() =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        output: { type: "string" },
        themes: { type: "string", default: DEFAULT_THEMES.join(",") },
        "as-is": { type: "boolean", default: false },
      },
    }),
  );
  const [given, ...more] = positionals;
  if (given === undefined) throw new Refusal("name a notebook: dom0 figures NOTEBOOK", 2);
  if (more.length > 0) throw new Refusal(`one notebook at a time; got ${positionals.length}`, 2);
  const notebook = /^\d+$/.test(given) ? numbered(given) : given;
  const output =
    values.output ?? path.join(PROJECT_ROOT, ".cache/figures", path.basename(notebook, ".ipynb"));
  return { notebook, output, themes: themesOf(values.themes), asIs: values["as-is"] };
}

function themesOf(list: string): Theme[] {
  return list.split(",").map((name) => {
    const theme = THEMES.find((known) => known === name.trim());
    if (theme === undefined)
      throw new Refusal(`--themes takes ${THEMES.join(", ")} with commas, not "${name}"`, 2);
    return theme;
  });
}

/** The notebook of the course with this number. */
function numbered(number: string): string {
  const folder = path.join(PROJECT_ROOT, "notebooks");
  const wanted = `${number.padStart(2, "0")}-`;
  const found = readdirSync(folder).find((name) => name.startsWith(wanted) && /^[^.]*\.ipynb$/.test(name));
  if (found === undefined) throw new Refusal(`notebooks/ has none with the number ${number}`, 2);
  return path.join(folder, found);
}
