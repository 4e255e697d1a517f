/**
 * A notebook as the exporters see it: cells in reading order, strings joined, tags applied.
 *
 * The only file of this folder that knows nbformat's shapes. Tags: `hide-input`, `hide-output`, `remove-input`,
 * `remove-output`, `remove-cell` (the three last take the thing away; the two first fold it), `exercise`, `solution`
 * and `check` tell the reader's role.
 */

/** What is read of an nbformat notebook; the parser of `../nbformat.ts` gives more. */
export interface NotebookContent {
  readonly metadata: { readonly [name: string]: unknown };
  readonly cells: readonly CellContent[];
}

/** What is read of an nbformat cell. */
export interface CellContent {
  readonly cell_type: string;
  readonly id?: string | undefined;
  readonly source: string | readonly string[];
  readonly metadata: { readonly [name: string]: unknown };
  readonly execution_count?: number | null | undefined;
  readonly outputs?: readonly { readonly [name: string]: unknown }[] | undefined;
  /** Files embedded in a Markdown cell: name → MIME type → base64. */
  readonly attachments?: { readonly [name: string]: unknown } | undefined;
}

/** One output; the same names as in the page and in the kernels. */
export type ExportOutput =
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "display_data" | "execute_result"; readonly data: { readonly [mime: string]: unknown } }
  | {
      readonly type: "error";
      readonly name: string;
      readonly message: string;
      readonly traceback: readonly string[];
    };

/** One cell of the document. */
export interface ExportCell {
  readonly id: string;
  readonly kind: "markdown" | "code" | "raw";
  readonly source: string;
  readonly tags: readonly string[];
  /** Number among the code cells that are shown, from 1; 0 for text. */
  readonly index: number;
  readonly outputs: readonly ExportOutput[];
  /** Pictures that the text refers to as `attachment:name`. */
  readonly attachments: ReadonlyMap<string, { readonly mime: string; readonly base64: string }>;
}

/** A notebook ready for export. */
export interface ExportDocument {
  /** Text of the first level-one heading, else the title in the metadata, else the name given. */
  readonly title: string;
  readonly cells: readonly ExportCell[];
  /** Language of the code, for highlighting. */
  readonly language: string;
}

/** What to leave out; the names are those of `jupyter nbconvert`. */
export interface ExportChoices {
  readonly removeCellTags?: readonly string[];
  readonly removeInputTags?: readonly string[];
  readonly removeAllOutputsTags?: readonly string[];
  readonly clearOutput?: boolean;
  readonly noInput?: boolean;
  /** Title when the notebook has none. */
  readonly fallbackTitle?: string;
}

/** Reads a notebook for export. Never throws: what is not understood is left out. */
export function exportDocument(notebook: NotebookContent, choices: ExportChoices = {}): ExportDocument {
  const removed = new Set([...(choices.removeCellTags ?? []), "remove-cell"]);
  const cells: ExportCell[] = [];
  let index = 0;
  for (const [place, cell] of notebook.cells.entries()) {
    const tags = tagsOf(cell);
    if (tags.some((tag) => removed.has(tag))) continue;
    const kind = cell.cell_type === "code" || cell.cell_type === "raw" ? cell.cell_type : "markdown";
    if (kind === "code") index++;
    cells.push({
      id: cell.id ?? `cell-${place + 1}`,
      kind,
      source: withoutInput(tags, choices) ? "" : joined(cell.source),
      tags,
      index: kind === "code" ? index : 0,
      outputs: withoutOutput(tags, choices) ? [] : (cell.outputs ?? []).flatMap(outputOf),
      attachments: attachmentsOf(cell),
    });
  }
  return {
    title: titleOf(notebook, cells) ?? choices.fallbackTitle ?? "Notebook",
    cells,
    language: languageOf(notebook),
  };
}

function withoutInput(
  tags: readonly string[],
  { removeInputTags = [], noInput = false }: ExportChoices,
): boolean {
  return noInput || tags.some((tag) => tag === "remove-input" || removeInputTags.includes(tag));
}

function withoutOutput(
  tags: readonly string[],
  { removeAllOutputsTags = [], clearOutput = false }: ExportChoices,
): boolean {
  return clearOutput || tags.some((tag) => tag === "remove-output" || removeAllOutputsTags.includes(tag));
}

/** Joins nbformat's "string or list of lines". */
export function joined(text: unknown): string {
  if (typeof text === "string") return text;
  return Array.isArray(text) ? text.filter((line) => typeof line === "string").join("") : "";
}

function tagsOf(cell: CellContent): readonly string[] {
  const tags = cell.metadata["tags"];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [];
}

function outputOf(output: { readonly [name: string]: unknown }): ExportOutput[] {
  const kind = output["output_type"];
  if (kind === "stream") {
    const name = output["name"] === "stderr" ? "stderr" : "stdout";
    return [{ type: "stream", name, text: joined(output["text"]) }];
  }
  if (kind === "error") {
    const trace = output["traceback"];
    return [
      {
        type: "error",
        name: joined(output["ename"]),
        message: joined(output["evalue"]),
        traceback: Array.isArray(trace) ? trace.map(joined) : [],
      },
    ];
  }
  if (kind !== "display_data" && kind !== "execute_result") return [];
  const data = output["data"];
  if (typeof data !== "object" || data === null) return [];
  const entries = Object.entries(data).map(
    ([mime, value]) => [mime, isJsonMime(mime) ? value : joined(value)] as const,
  );
  return [{ type: kind, data: Object.fromEntries(entries) }];
}

const isJsonMime = (mime: string): boolean => mime === "application/json" || mime.endsWith("+json");

function attachmentsOf(cell: CellContent): ExportCell["attachments"] {
  const found = new Map<string, { mime: string; base64: string }>();
  for (const [name, bundle] of Object.entries(cell.attachments ?? {})) {
    if (typeof bundle !== "object" || bundle === null) continue;
    const [mime, base64] = Object.entries(bundle)[0] ?? [];
    if (mime !== undefined) found.set(name, { mime, base64: joined(base64).replaceAll("\n", "") });
  }
  return found;
}

function titleOf(notebook: NotebookContent, cells: readonly ExportCell[]): string | undefined {
  for (const cell of cells) {
    const heading = cell.kind === "markdown" ? /^#[ \t]+(.+?)[ \t]*#*$/m.exec(cell.source) : null;
    if (heading?.[1] !== undefined) return heading[1].replaceAll(/[*_`]/g, "");
  }
  const title = notebook.metadata["title"];
  return typeof title === "string" ? title : undefined;
}

function languageOf(notebook: NotebookContent): string {
  const info = notebook.metadata["language_info"];
  if (typeof info === "object" && info !== null && "name" in info && typeof info.name === "string")
    return info.name;
  return "typescript";
}
