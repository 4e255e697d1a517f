/**
 * Notebook files: nbformat 4 in memory, read with limits, written byte for byte the same each time.
 *
 * Multi-line strings are joined while in memory. Fields that this version does not know are kept. A file that cannot
 * be used is a {@link NotebookError} value whose message is one line and says what to do.
 */
import { scanJson } from "./json-scan.ts";

/** Anything that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** A notebook, nbformat 4.5. */
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: JsonObject;
  readonly nbformat: 4;
  readonly nbformat_minor: number;
}

interface CellBase {
  /** 1–64 of letters, digits, `-` and `_`; unique in its notebook. */
  readonly id: string;
  readonly metadata: JsonObject;
  readonly source: string;
}

/** A cell that runs. */
export interface CodeCell extends CellBase {
  readonly cell_type: "code";
  readonly execution_count: number | null;
  readonly outputs: readonly Output[];
}

/** A cell of text. */
export interface MarkdownCell extends CellBase {
  readonly cell_type: "markdown";
  readonly attachments?: JsonObject;
}

/** A cell that is kept as it is. */
export interface RawCell extends CellBase {
  readonly cell_type: "raw";
  readonly attachments?: JsonObject;
}

/** Any cell. */
export type Cell = CodeCell | MarkdownCell | RawCell;

/** Output of a code cell; text of a MIME type that is no JSON is one joined string. */
export type Output =
  | { readonly output_type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly output_type: "display_data"; readonly data: JsonObject; readonly metadata: JsonObject }
  | {
      readonly output_type: "execute_result";
      readonly data: JsonObject;
      readonly metadata: JsonObject;
      readonly execution_count: number | null;
    }
  | {
      readonly output_type: "error";
      readonly ename: string;
      readonly evalue: string;
      readonly traceback: readonly string[];
    };

/** A file that is no usable notebook. */
export interface NotebookError {
  readonly kind: "notebook-error";
  /** One line: what is wrong and what to do. */
  readonly message: string;
}

/** What a notebook file may weigh. */
export interface NotebookLimits {
  /** Size of the file. */
  readonly bytes: number;
  /** Nested brackets of the JSON. */
  readonly depth: number;
  readonly cells: number;
  /** UTF-16 units of one cell's source. */
  readonly sourceLength: number;
}

/** Limits that no honest notebook meets. */
export const NOTEBOOK_LIMITS: NotebookLimits = {
  bytes: 20_000_000,
  depth: 100,
  cells: 5_000,
  sourceLength: 1_000_000,
};

/** Whether a parse gave an error. */
export function isNotebookError(value: object): value is NotebookError {
  return "kind" in value && value.kind === "notebook-error";
}

/** Makes an error value. */
export function notebookError(message: string): NotebookError {
  return { kind: "notebook-error", message };
}

/** Refuses a size before anything is read; `undefined` when it may be read. */
export function refuseSize(
  bytes: number,
  limits: NotebookLimits = NOTEBOOK_LIMITS,
): NotebookError | undefined {
  if (bytes <= limits.bytes) return undefined;
  const size = `${(bytes / 1e6).toFixed(0)} MB`;
  return notebookError(
    `the file has ${size}, more than the ${(limits.bytes / 1e6).toFixed(0)} MB a notebook may have: clear its outputs and save it again`,
  );
}

/** Reads a notebook from the bytes of a file; the size is looked at first. */
export function parseNotebookBytes(
  bytes: Uint8Array,
  limits: NotebookLimits = NOTEBOOK_LIMITS,
): Notebook | NotebookError {
  const refused = refuseSize(bytes.byteLength, limits);
  if (refused !== undefined) return refused;
  try {
    return parseNotebook(new TextDecoder("utf-8", { fatal: true }).decode(bytes), limits);
  } catch {
    return notebookError("the file is not UTF-8 text: it is no notebook, or it was damaged; get it again");
  }
}

/** Reads a notebook from text. */
export function parseNotebook(
  text: string,
  limits: NotebookLimits = NOTEBOOK_LIMITS,
): Notebook | NotebookError {
  const refused = text.length > limits.bytes ? refuseSize(text.length, limits) : undefined;
  if (refused !== undefined) return refused;
  if (text.trim() === "") return notebookError("the file is empty: save the notebook again, or get it again");
  const scanned = scanJson(text, limits);
  if (scanned !== undefined) return notebookError(`the notebook is not usable: ${scanned}; get it again`);
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return notebookError(brokenJson(text, error));
  }
  return readNotebook(json, limits);
}

function brokenJson(text: string, error: unknown): string {
  if (!text.trimEnd().endsWith("}") && text.trimStart().startsWith("{")) {
    return "the file ends in the middle of the notebook: it was cut off when saved or copied; get it again";
  }
  if (/^(<<<<<<<|=======|>>>>>>>)/m.test(text)) {
    return "the file has merge conflict marks (<<<<<<<): resolve the conflict, or get the file again";
  }
  const message = error instanceof Error ? error.message : String(error);
  return `the file is not JSON (${message.replace(/\s+/g, " ").slice(0, 120)}): it is no notebook, or it was damaged; get it again`;
}

class Refusal extends Error {}

function readNotebook(json: JsonValue, limits: NotebookLimits): Notebook | NotebookError {
  try {
    if (!isObject(json))
      return notebookError("the file is JSON but no notebook: its top is no object; check the path");
    refuseVersion(json);
    const { cells, metadata, nbformat, nbformat_minor, ...rest } = json;
    if (!isList(cells)) throw new Refusal('it has no list "cells"; check the path, or get the file again');
    if (cells.length > limits.cells) {
      throw new Refusal(`it has ${cells.length} cells, more than the limit of ${limits.cells}; split it`);
    }
    return {
      ...rest,
      cells: withUniqueIds(cells.map((cell, at) => readCell(cell, at + 1, limits))),
      metadata: readObject(metadata ?? {}, "metadata"),
      nbformat: 4,
      nbformat_minor: Math.max(5, typeof nbformat_minor === "number" ? nbformat_minor : 5),
    };
  } catch (error) {
    if (error instanceof Refusal) return notebookError(`the notebook is not usable: ${error.message}`);
    throw error;
  }
}

function refuseVersion(json: JsonObject): void {
  const version = json["nbformat"];
  if (version === 4) return;
  if (version === undefined)
    throw new Refusal('it has no "nbformat" number, so it is no notebook; check the path');
  throw new Refusal(
    typeof version === "number" && version < 4
      ? `it is in the old format ${version}; open it in JupyterLab and save it, which makes it format 4`
      : `its format is ${JSON.stringify(version)}, and this kit reads format 4; save it as nbformat 4`,
  );
}

function readCell(json: JsonValue, number: number, limits: NotebookLimits): Cell {
  const where = `cell ${number}`;
  if (!isObject(json)) throw new Refusal(`${where} is no object; get the file again`);
  const { cell_type, id, metadata, source, outputs, execution_count, ...rest } = json;
  const text = joined(source ?? "", `${where}: source`);
  if (text.length > limits.sourceLength) {
    throw new Refusal(
      `${where} has ${text.length} characters, more than the limit of ${limits.sourceLength}; split it`,
    );
  }
  const base = {
    ...rest,
    id: typeof id === "string" && /^[\w-]{1,64}$/.test(id) ? id : `cell-${number}`,
    metadata: readObject(metadata ?? {}, `${where}: metadata`),
    source: text,
  };
  if (cell_type === "code") {
    return {
      ...base,
      cell_type,
      execution_count: typeof execution_count === "number" ? execution_count : null,
      outputs: (isList(outputs) ? outputs : []).map((output) => readOutput(output, where)),
    };
  }
  if (cell_type === "markdown" || cell_type === "raw") return { ...base, cell_type };
  throw new Refusal(
    `${where} is of type ${JSON.stringify(cell_type)}, which is none of code, markdown, raw; get the file again`,
  );
}

function readOutput(json: JsonValue, where: string): Output {
  const output = readObject(json, `${where}: output`);
  switch (output["output_type"]) {
    case "stream": {
      const name = output["name"] === "stderr" ? "stderr" : "stdout";
      return { output_type: "stream", name, text: joined(output["text"] ?? "", `${where}: text`) };
    }
    case "display_data":
      return { output_type: "display_data", ...readBundle(output, where) };
    case "execute_result": {
      const count = output["execution_count"];
      const execution_count = typeof count === "number" ? count : null;
      return { output_type: "execute_result", ...readBundle(output, where), execution_count };
    }
    case "error": {
      const traceback = output["traceback"] ?? [];
      return {
        output_type: "error",
        ename: String(output["ename"] ?? ""),
        evalue: String(output["evalue"] ?? ""),
        traceback: isList(traceback) ? traceback.map(String) : [],
      };
    }
    default:
      throw new Refusal(`${where} has an output of unknown type; clear its outputs and save it again`);
  }
}

function readBundle(output: JsonObject, where: string): { data: JsonObject; metadata: JsonObject } {
  const data = readObject(output["data"] ?? {}, `${where}: output data`);
  const entries = Object.entries(data).map(([mime, value]): [string, JsonValue] => [
    mime,
    !isJsonMime(mime) && isList(value) ? joined(value, `${where}: ${mime}`) : value,
  ]);
  return {
    data: Object.fromEntries(entries),
    metadata: readObject(output["metadata"] ?? {}, `${where}: metadata`),
  };
}

/** MIME types whose content is JSON data, not text. */
export function isJsonMime(mime: string): boolean {
  return mime === "application/json" || (mime.startsWith("application/") && mime.endsWith("+json"));
}

function joined(value: JsonValue, where: string): string {
  if (typeof value === "string") return value;
  if (isList(value) && value.every((line) => typeof line === "string")) return value.join("");
  throw new Refusal(`${where} is no text; get the file again`);
}

function readObject(value: JsonValue, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new Refusal(`${where} is no object; get the file again`);
}

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Copied cells may share an id: later ones get a number. */
function withUniqueIds(cells: readonly Cell[]): Cell[] {
  const taken = new Set<string>();
  return cells.map((cell) => {
    let id = cell.id;
    for (let copy = 2; taken.has(id); copy++) id = `${cell.id.slice(0, 58)}-${copy}`;
    taken.add(id);
    return id === cell.id ? cell : { ...cell, id };
  });
}

/** The file of a notebook as Jupyter writes it: sorted keys, one space of indentation, a final line feed. */
export function writeNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => {
    const source = lines(cell.source);
    return cell.cell_type === "code"
      ? { ...cell, source, outputs: cell.outputs.map(writtenOutput) }
      : { ...cell, source };
  });
  return `${JSON.stringify(sorted({ ...notebook, cells }), null, 1)}\n`;
}

function writtenOutput(output: Output): object {
  if (output.output_type === "stream") return { ...output, text: lines(output.text) };
  if (output.output_type === "error") return output;
  const entries = Object.entries(output.data).map(([mime, value]) => [
    mime,
    !isJsonMime(mime) && typeof value === "string" ? lines(value) : value,
  ]);
  return { ...output, data: Object.fromEntries(entries) };
}

const lines = (text: string): string[] => (text === "" ? [] : text.split(/(?<=\n)/));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, held]) => [key, sorted(held)]),
  );
}
