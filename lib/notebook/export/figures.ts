/**
 * Figures of a document: numbers, captions, and the references that prose makes to them.
 *
 * Every drawing that a cell shows is a figure and gets a number, `2.3`, in reading order. What a notebook writes is
 * Markdown that Jupyter also reads well:
 * - a paragraph that begins with `**Figure.**`, at the head of the text cell that follows the code cell, is the
 *   caption of its drawing (a second such paragraph is the caption of the cell's second drawing);
 * - a link to `#cell-id=<id>`, or to `NN-name.ipynb#cell-id=<id>`, is a reference: `[Figure](#cell-id=tree)` becomes
 *   "Figure 2.1", and any other link text gets the number behind it. JupyterLab goes to the cell.
 */
import type { Link, PhrasingContent, Root } from "mdast";
import type { ExportCell, ExportDocument } from "./document.ts";
import { parseMarkdown, walkMarkdown } from "./markdown-tree.ts";
import { PLOTLY_MIME } from "./outputs.ts";

/** One numbered drawing. */
export interface Figure {
  /** Cell whose output it is. */
  readonly cell: string;
  /** Place among the cell's outputs, from 0. */
  readonly output: number;
  /** `2.3`: chapter, then place in the chapter. */
  readonly number: string;
  /** Id of its element in a page. */
  readonly anchor: string;
  /** Markdown of the caption, without its mark. */
  readonly caption?: string;
}

/** A document without the captions that have become its figures'. */
export interface NumberedDocument {
  readonly document: ExportDocument;
  readonly figures: readonly Figure[];
  /** What an author has to repair, one sentence each. */
  readonly problems: readonly string[];
}

const CAPTION = /^\*\*Figure\.\*\*\s+/;

const isDrawing = (output: ExportCell["outputs"][number]): boolean =>
  "data" in output && ("image/svg+xml" in output.data || PLOTLY_MIME in output.data);

/** Numbers the drawings of a document and takes their captions out of the text. */
export function numberFigures(document: ExportDocument, chapter: number): NumberedDocument {
  const figures: Figure[] = [];
  const problems: string[] = [];
  const cells: ExportCell[] = [];
  let waiting: { readonly cell: string; readonly outputs: readonly number[] } | undefined;
  for (const cell of document.cells) {
    if (cell.kind !== "markdown") {
      waiting = drawingsOf(cell);
      for (const [place, output] of waiting.outputs.entries())
        figures.push({
          cell: cell.id,
          output,
          number: `${chapter}.${figures.length + 1}`,
          anchor: `fig-${cell.id}${place === 0 ? "" : `-${place + 1}`}`,
        });
      cells.push(cell);
      continue;
    }
    const { captions, rest } = splitCaptions(cell.source);
    const first = figures.length - (waiting?.outputs.length ?? 0);
    for (const [place, caption] of captions.entries()) {
      const figure = waiting === undefined ? undefined : figures[first + place];
      if (figure === undefined)
        problems.push(
          `cell "${cell.id}": no drawing before this cell has the caption "${beginning(caption)}"`,
        );
      else figures[first + place] = { ...figure, caption };
    }
    if (hasCaption(rest))
      problems.push(`cell "${cell.id}": a caption stands at the head of the cell that follows its drawing`);
    cells.push({ ...cell, source: rest });
    waiting = undefined;
  }
  return { document: { ...document, cells }, figures, problems };
}

function drawingsOf(cell: ExportCell): { readonly cell: string; readonly outputs: readonly number[] } {
  const outputs = cell.outputs.flatMap((output, place) => (isDrawing(output) ? [place] : []));
  return { cell: cell.id, outputs };
}

/** Takes the caption paragraphs off the head of a text cell. */
function splitCaptions(source: string): { readonly captions: readonly string[]; readonly rest: string } {
  const captions: string[] = [];
  let rest = source;
  for (let mark = CAPTION.exec(rest); mark !== null; mark = CAPTION.exec(rest)) {
    const end = /\n[ \t]*(?:\n|$)/.exec(rest)?.index ?? rest.length;
    captions.push(rest.slice(mark[0].length, end).trim());
    rest = rest.slice(end).replace(/^\s*\n/, "");
  }
  return { captions, rest };
}

const hasCaption = (source: string): boolean =>
  parseMarkdown(source).children.some(
    (child) => child.type === "paragraph" && CAPTION.test(source.slice(child.position?.start.offset ?? 0)),
  );

const beginning = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** What a reference may lead to, by notebook name without ending; `""` is the document itself. */
export interface ReferenceTargets {
  readonly figures: (notebook: string, cell: string) => Figure | undefined;
  readonly hasCell: (notebook: string, cell: string) => boolean;
  /** Address of a notebook's page. */
  readonly page: (notebook: string) => string;
}

const REFERENCE = /^(?:\.\/)?(?:(\d\d-[\w-]+)\.ipynb)?#cell-id=(.*)$/;

/** Turns links to cells into numbered references; returns what leads nowhere. */
export function resolveReferences(tree: Root, targets: ReferenceTargets): readonly string[] {
  const problems: string[] = [];
  walkMarkdown(tree, (node) => {
    if (node.type === "text" && /\bFigures? \d+\.\d+/.test(node.value))
      problems.push(
        `"${/\bFigures? \d+\.\d+/.exec(node.value)?.[0]}" is written by hand: [Figure](#cell-id=…) counts by itself`,
      );
    if (node.type !== "link") return;
    const [, notebook = "", cell = ""] = REFERENCE.exec(node.url) ?? [];
    if (cell === "") return;
    const problem = resolve(node, notebook, cell, targets);
    if (problem !== undefined) problems.push(problem);
  });
  return problems;
}

function resolve(node: Link, notebook: string, cell: string, targets: ReferenceTargets): string | undefined {
  const where = notebook === "" ? `a cell "${cell}"` : `a cell "${cell}" of ${notebook}`;
  const figure = targets.figures(notebook, cell);
  const page = notebook === "" ? "" : targets.page(notebook);
  const isPlain = textOf(node.children) === "Figure";
  if (figure === undefined) {
    if (!targets.hasCell(notebook, cell)) return `a reference leads to ${where}, which there is not`;
    if (isPlain) return `a reference to a figure leads to ${where}, which draws nothing`;
    node.url = `${page}#cell-${cell}`;
    return undefined;
  }
  node.url = `${page}#${figure.anchor}`;
  // A space that does not break keeps the number with its word.
  if (isPlain) node.children = [{ type: "text", value: `Figure\u00a0${figure.number}` }];
  else node.children.push({ type: "text", value: ` (Figure\u00a0${figure.number})` });
  return undefined;
}

const textOf = (children: readonly PhrasingContent[]): string =>
  children
    .map((child) => ("value" in child ? child.value : "children" in child ? textOf(child.children) : ""))
    .join("");
