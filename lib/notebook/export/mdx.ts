/**
 * Notebook → MDX, the form that the book is built from.
 *
 * What comes out, and what a consumer provides as components:
 * - front matter `title` (the notebook's first heading, which the text then lacks) plus what the caller adds;
 * - text cells as Markdown, made safe for MDX, display math on lines of its own;
 * - `<Cell id index tags={[…]}>` with the source as a fenced block, then one `<Output …/>` for each output, whose
 *   properties are those of `ExportOutput` (`type`, then `name`/`text`, `data`, or `name`/`message`/`traceback`);
 * - `<Folded kind="solution" id>` around cells tagged `solution`, for a reader who has not tried yet.
 * In `data`, a Plotly figure is `{ chart: "<folder>/<cell>-<n>.plotly.json" }`; a bitmap is a Markdown picture after
 * the cell's outputs; both are files of the result. SVG stays in `data`: it takes the page's colors only inline.
 */
import { type ExportCell, type ExportDocument, type ExportOutput, joined } from "./document.ts";
import type { Figure } from "./figures.ts";
import { type Amend, fenced, mdxPicture, mdxText, type Relink } from "./mdx-text.ts";
import { alternativeText, bytesFromBase64, type ExportFile, PLOTLY_MIME, pictureOf } from "./outputs.ts";

export interface MdxChoices {
  /** Lines of front matter besides the title; values become JSON, which is YAML. */
  readonly frontMatter?: { readonly [name: string]: unknown };
  /** MDX `import` lines for the components, if the consumer does not inject them. */
  readonly imports?: readonly string[];
  /** Address of the folder of files, as the text refers to it. */
  readonly filesFolder: string;
  /** Changes addresses of links and pictures (another notebook becomes another chapter). */
  readonly relink?: Relink;
  /** Changes the tree of each text cell and of each caption. */
  readonly amend?: Amend;
  /** Numbered drawings: their `<Output>` says `number` and `anchor`, and holds the caption. */
  readonly figures?: readonly Figure[];
}

export interface MdxResult {
  readonly text: string;
  readonly files: readonly ExportFile[];
}

/** Converts a document to MDX and the files that it refers to. */
export function mdxFromDocument(document: ExportDocument, choices: MdxChoices): MdxResult {
  const files: ExportFile[] = [];
  const front = Object.entries({ title: document.title, ...choices.frontMatter });
  const parts = [`---\n${front.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n")}\n---`];
  if (choices.imports !== undefined && choices.imports.length > 0) parts.push(choices.imports.join("\n"));
  let titleTaken = false;
  for (const cell of document.cells) {
    if (cell.kind === "raw") continue;
    if (cell.kind === "code") {
      parts.push(codeCell(cell, document.language, choices, files));
      continue;
    }
    const source: string = titleTaken ? cell.source : withoutTitle(cell.source);
    titleTaken ||= source !== cell.source;
    const text = textCell(cell, source, choices, files).trim();
    if (text !== "") parts.push(inRole(cell, text));
  }
  return { text: `${parts.join("\n\n")}\n`, files };
}

function withoutTitle(source: string): string {
  return source.replace(/^#[ \t]+.+\n*/m, "");
}

function textCell(cell: ExportCell, source: string, choices: MdxChoices, files: ExportFile[]): string {
  const relink = (address: string): string => {
    const name = /^attachment:(.+)$/.exec(address)?.[1];
    const attached = name === undefined ? undefined : cell.attachments.get(name);
    if (name === undefined || attached === undefined) return choices.relink?.(address) ?? address;
    const file = `${cell.id}-${name}`;
    files.push({ name: file, content: bytesFromBase64(attached.base64) });
    return `${choices.filesFolder}/${file}`;
  };
  return mdxText(source, relink, choices.amend);
}

function codeCell(cell: ExportCell, language: string, choices: MdxChoices, files: ExportFile[]): string {
  const attributes = [
    `id=${JSON.stringify(cell.id)}`,
    `index={${cell.index}}`,
    ...(cell.tags.length === 0 ? [] : [`tags={${JSON.stringify(cell.tags)}}`]),
  ];
  const pictures: string[] = [];
  const outputs = cell.outputs.map((output, place) => {
    const name = `${cell.id}-${place + 1}`;
    const figure = choices.figures?.find((one) => one.cell === cell.id && one.output === place);
    return outputElement(movedToFiles(output, name, choices.filesFolder, files, pictures), figure, choices);
  });
  const body = [
    ...(cell.source === "" ? [] : [fenced(cell.source, language)]),
    ...outputs.filter((output) => output !== ""),
    ...pictures,
  ];
  return inRole(cell, [`<Cell ${attributes.join(" ")}>`, ...body, "</Cell>"].join("\n\n"));
}

function inRole(cell: ExportCell, text: string): string {
  if (!cell.tags.includes("solution")) return text;
  return `<Folded kind="solution" id=${JSON.stringify(cell.id)}>\n\n${text}\n\n</Folded>`;
}

/** Moves what is big and not text out of an output. An output that became a picture alone is `undefined`. */
function movedToFiles(
  output: ExportOutput,
  name: string,
  folder: string,
  files: ExportFile[],
  pictures: string[],
): ExportOutput | undefined {
  if (!("data" in output)) return output;
  const data: Record<string, unknown> = { ...output.data };
  const figure = data[PLOTLY_MIME];
  if (figure !== undefined) {
    files.push({ name: `${name}.plotly.json`, content: `${JSON.stringify(figure)}\n` });
    data[PLOTLY_MIME] = { chart: `${folder}/${name}.plotly.json` };
  }
  const picture = pictureOf(data);
  if (picture === undefined || picture.extension === "svg" || figure !== undefined)
    return { ...output, data };
  files.push({ name: `${name}.${picture.extension}`, content: picture.content });
  pictures.push(mdxPicture(alternativeText(data), `${folder}/${name}.${picture.extension}`));
  return joined(data["text/html"]) === ""
    ? undefined
    : { ...output, data: { "text/html": data["text/html"] } };
}

/** `<Output …/>` with JSON in braces: JSON is JavaScript, so nothing in it needs another escape. */
function outputElement(
  output: ExportOutput | undefined,
  figure: Figure | undefined,
  choices: MdxChoices,
): string {
  if (output === undefined) return "";
  const { caption, ...label } =
    figure === undefined
      ? { caption: undefined }
      : { number: figure.number, anchor: figure.anchor, caption: figure.caption };
  const attributes = Object.entries({ ...output, ...label }).map(([name, value]) =>
    typeof value === "string" && /^[\w -]*$/.test(value)
      ? `${name}="${value}"`
      : `${name}={${javaScript(value)}}`,
  );
  if (caption === undefined) return `<Output ${attributes.join(" ")} />`;
  const text = mdxText(caption, choices.relink, choices.amend).trim();
  return `<Output ${attributes.join(" ")}>\n\n${text}\n\n</Output>`;
}

/** JSON that is also safe in JavaScript source of any age. */
function javaScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
