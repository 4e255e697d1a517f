/**
 * Typed loader of the kit's data sets; the same in Node and in the browser.
 *
 * A row is parsed by the column table and a cell that does not fit is our bug, because the files are ours and a test
 * reads each of them. Unconfirmed claims come only as text, so no plot can be made of them.
 */
import { csvParseRows } from "d3-dsv";
import { readAsset } from "./asset-source.ts";
import {
  type Column,
  DATASETS,
  type DatasetName,
  type DatasetRow,
  type PlottableDataset,
} from "./dataset-schema.ts";

/** Why a table does not fit its column table: a value, so that a test or a tool can list them all. */
export interface DatasetError {
  readonly line: number;
  readonly column: string;
  readonly message: string;
}

type Cell = string | number | boolean | null;

const fail = (line: number, column: string, message: string): DatasetError => ({ line, column, message });

function parseCell(raw: string, column: Column): Cell | { readonly wrong: string } {
  if (raw === "") return column.optional === true ? null : { wrong: "is empty" };
  if (column.type === "flag")
    return raw === "yes" ? true : raw === "no" ? false : { wrong: `is "${raw}", not yes or no` };
  if (column.type === "text") {
    return column.oneOf === undefined || column.oneOf.includes(raw)
      ? raw
      : { wrong: `has the unlisted value "${raw}"` };
  }
  const value = Number(raw);
  if (!Number.isFinite(value)) return { wrong: `is "${raw}", not a number` };
  return column.type === "integer" && !Number.isInteger(value)
    ? { wrong: `is ${raw}, not a whole number` }
    : value;
}

/** Parses a table by its columns. Every misfit is reported with its line, counted from 1 for the header. */
export function parseDataset<N extends DatasetName>(
  name: N,
  csv: string,
): { readonly rows: readonly DatasetRow<N>[]; readonly errors: readonly DatasetError[] } {
  const columns: [string, Column][] = Object.entries(DATASETS[name].columns);
  const [header = [], ...lines] = csvParseRows(csv);
  const wanted = columns.map(([column]) => column);
  if (header.join() !== wanted.join()) {
    return {
      rows: [],
      errors: [fail(1, "", `the header is "${header.join()}", expected "${wanted.join()}"`)],
    };
  }
  const errors: DatasetError[] = [];
  const rows = lines.map((cells, index) => {
    const line = index + 2;
    if (cells.length !== wanted.length)
      errors.push(fail(line, "", `has ${cells.length} cells, expected ${wanted.length}`));
    const row: Record<string, Cell> = {};
    columns.forEach(([column, description], position) => {
      const cell = parseCell(cells[position] ?? "", description);
      if (cell !== null && typeof cell === "object") errors.push(fail(line, column, cell.wrong));
      else row[column] = cell;
    });
    return row as DatasetRow<N>;
  });
  return { rows, errors };
}

async function load<N extends DatasetName>(name: N): Promise<readonly DatasetRow<N>[]> {
  const { file } = DATASETS[name];
  const bytes = await readAsset(`datasets/${name}/${file}`);
  const { rows, errors } = parseDataset(name, new TextDecoder().decode(bytes));
  const [first] = errors;
  if (first !== undefined)
    throw new Error(`datasets/${name}/${file}:${first.line} ${first.column} ${first.message}`);
  return rows;
}

/**
 * Rows of one data set, in file order.
 *
 * `unverified` is refused by the type and, for callers without types, by a `RangeError`.
 */
export async function loadDataset<N extends PlottableDataset>(name: N): Promise<readonly DatasetRow<N>[]> {
  if (!Object.hasOwn(DATASETS, name) || !DATASETS[name].plottable) {
    throw new RangeError(
      `"${name}" is not a data set that may be plotted; unconfirmed claims come from loadUnverifiedClaims()`,
    );
  }
  return load(name);
}

/** The claims that nobody has confirmed, as text to read and never as numbers to plot. */
export async function loadUnverifiedClaims(): Promise<readonly DatasetRow<"unverified">[]> {
  return load("unverified");
}
