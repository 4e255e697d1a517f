/**
 * `nbconvert-cli NOTEBOOK --to FORMAT`: converts notebooks without Python, with the flags of `jupyter nbconvert`.
 *
 * A result appears whole or not at all. Formats that are not ours go to Jupyter's nbconvert in `.venv`, if it is there.
 */
import path from "node:path";
import process from "node:process";
import { exportDocument } from "../../notebook/export/document.ts";
import { htmlFromDocument } from "../../notebook/export/html.ts";
import { markdownFromDocument } from "../../notebook/export/markdown.ts";
import { mdxFromDocument } from "../../notebook/export/mdx.ts";
import type { ExportFile } from "../../notebook/export/outputs.ts";
import { scriptFromDocument } from "../../notebook/export/script.ts";
import { isNotebookError, type Notebook, writeNotebook } from "../../notebook/nbformat.ts";
import { withoutOutputs } from "../../notebook/notebook-outputs.ts";
import { readNotebookFile, runNotebook } from "../kernel/headless.ts";
import type { Command } from "./main.ts";
import { nodeHtmlAssets, pictureReader } from "./nbconvert-assets.ts";
import { handToJupyter } from "./nbconvert-jupyter.ts";
import {
  type ConvertOptions,
  isOwnFormat,
  OWN_FORMATS,
  type OwnFormat,
  readOptions,
} from "./nbconvert-options.ts";
import { writeWhole } from "./nbconvert-write.ts";

const ENDINGS: Readonly<Record<OwnFormat, string>> = {
  html: ".html",
  markdown: ".md",
  mdx: ".mdx",
  notebook: ".nbconvert.ipynb",
  script: ".ts",
};

/** A mistake of the user's or of a notebook, as one line. */
interface Refusal {
  readonly kind: "refusal";
  readonly message: string;
}

const refusal = (message: string): Refusal => ({ kind: "refusal", message });
const isRefusal = (value: object): value is Refusal => "kind" in value && value.kind === "refusal";

/** What a conversion made: the text and the files that it refers to. */
interface Converted {
  readonly text: string;
  readonly files: readonly ExportFile[];
}

export const command: Command = {
  summary: "convert notebooks to HTML, Markdown, MDX or a script",
  usage: `Usage: nbconvert-cli NOTEBOOK… --to ${OWN_FORMATS.join("|")} [OPTIONS]

  --execute          run the notebook first, in a fresh session
  --allow-errors     go on after a cell that fails
  --ExecutePreprocessor.timeout=SECONDS   longest run of one cell (default 120)
  --output PATH      where the result goes (default: beside the notebook, with the format's ending)
  --output-dir DIR   folder for results
  --stdout           print the result instead
  --inplace          with --to notebook: replace the notebook itself
  --clear-output     without outputs
  --no-input         without code
  --TagRemovePreprocessor.remove_cell_tags=TAGS
  --TagRemovePreprocessor.remove_input_tags=TAGS
  --TagRemovePreprocessor.remove_all_outputs_tags=TAGS

Needs no Python. HTML is one file that opens offline, charts included. Other formats (pdf, slides, latex, …) are made by
jupyter nbconvert, if npm run lab has put it into .venv.`,
  async run(args) {
    const options = readOptions(args);
    if ("kind" in options) return failed(options.message, 2);
    if (!isOwnFormat(options.to)) return handToJupyter(options);
    for (const notebook of options.notebooks) {
      const problem = await convert(notebook, options.to, options);
      if (problem !== undefined) return failed(problem.message, 1);
    }
    return 0;
  },
};

function failed(message: string, code: number): number {
  process.stderr.write(`nbconvert-cli: ${message}\n`);
  return code;
}

async function convert(
  file: string,
  format: OwnFormat,
  options: ConvertOptions,
): Promise<Refusal | undefined> {
  const read = await readNotebookFile(file);
  if (isNotebookError(read)) return refusal(naming(file, read.message));
  const notebook = options.execute ? await executed(file, read, options) : read;
  if (isRefusal(notebook)) return notebook;
  const target = targetOf(file, format, options);
  const folder = `${path.basename(target).replace(/\.[^.]*$/, "")}_files`;
  const converted = await conversions[format](notebook, file, folder, options);
  if (options.stdout) {
    process.stdout.write(converted.text);
    return undefined;
  }
  const problem = writeWhole(
    target,
    converted.text,
    path.join(path.dirname(target), folder),
    converted.files,
  );
  if (problem !== undefined) return refusal(problem);
  process.stderr.write(
    `Wrote ${path.relative(process.cwd(), target) || target} (${kilobytes(converted.text)})\n`,
  );
  return undefined;
}

const kilobytes = (text: string): string => `${Math.ceil(Buffer.byteLength(text) / 1000)} kB`;

/** The notebook with the outputs of a run in a fresh session, or the cell that stopped it. */
async function executed(
  file: string,
  notebook: Notebook,
  options: ConvertOptions,
): Promise<Notebook | Refusal> {
  const { allowErrors, cellTimeoutMs } = options;
  const folder = path.dirname(path.resolve(file));
  const report = await runNotebook(notebook, {
    folder,
    allowErrors,
    ...(cellTimeoutMs !== undefined && { cellTimeoutMs }),
  });
  if ("kind" in report) return refusal(naming(file, report.message));
  const { failure } = report;
  if (failure === undefined) return report.notebook;
  const advice =
    failure.kind === "error" ? "; nothing was written (--allow-errors goes on)" : "; nothing was written";
  return refusal(`${file}: code cell ${failure.cell}: ${failure.message}${advice}`);
}

/** A message that names its file once. */
function naming(file: string, message: string): string {
  return message.startsWith(`${file}: `) ? message : `${file}: ${message}`;
}

function targetOf(file: string, format: OwnFormat, options: ConvertOptions): string {
  if (options.inplace) return path.resolve(file);
  const stem = path.basename(file).replace(/\.ipynb$/, "");
  const ending = ENDINGS[format];
  const folder = options.outputDir;
  if (options.output === undefined) return path.resolve(folder ?? path.dirname(file), stem + ending);
  const named = path.resolve(folder ?? ".", options.output);
  const wanted = format === "notebook" ? ".ipynb" : ending;
  return path.extname(named) === wanted ? named : named + wanted;
}

type Conversion = (
  notebook: Notebook,
  file: string,
  filesFolder: string,
  options: ConvertOptions,
) => Promise<Converted>;

const documentOf = (notebook: Notebook, file: string, { choices }: ConvertOptions) =>
  exportDocument(notebook, { ...choices, fallbackTitle: path.basename(file).replace(/\.ipynb$/, "") });

const conversions: Readonly<Record<OwnFormat, Conversion>> = {
  async html(notebook, file, _, options) {
    const footer = `Made from ${path.basename(file)}; works offline.`;
    const text = await htmlFromDocument(documentOf(notebook, file, options), await nodeHtmlAssets(), {
      footer,
      picture: pictureReader(path.dirname(path.resolve(file))),
    });
    return { text, files: [] };
  },
  async markdown(notebook, file, folder, options) {
    return markdownFromDocument(documentOf(notebook, file, options), folder);
  },
  async mdx(notebook, file, folder, options) {
    return mdxFromDocument(documentOf(notebook, file, options), { filesFolder: `./${folder}` });
  },
  async notebook(notebook, _file, _folder, { choices }) {
    return {
      text: writeNotebook(choices.clearOutput === true ? withoutOutputs(notebook) : notebook),
      files: [],
    };
  },
  async script(notebook, file, _, options) {
    return { text: scriptFromDocument(documentOf(notebook, file, options)), files: [] };
  },
};
