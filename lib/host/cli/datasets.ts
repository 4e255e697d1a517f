/** `dom0 datasets check|describe`: reads every table against its columns; writes the columns as `datapackage.json`. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import {
  type Column,
  DATASETS,
  type DatasetDescription,
  type DatasetName,
} from "../../assets/dataset-schema.ts";
import { parseDataset } from "../../assets/datasets.ts";
import { PROJECT_ROOT } from "../node-assets.ts";
import type { Command } from "./main.ts";

const NAMES = Object.keys(DATASETS) as DatasetName[];
const folderOf = (name: DatasetName): string => path.join(PROJECT_ROOT, "datasets", name);

const FRICTIONLESS_TYPE = { text: "string", integer: "integer", number: "number", flag: "boolean" } as const;

function field([name, column]: [string, Column]): object {
  const constraints = {
    required: column.optional !== true,
    ...(column.oneOf === undefined ? {} : { enum: column.oneOf }),
  };
  const flag = column.type === "flag" ? { trueValues: ["yes"], falseValues: ["no"] } : {};
  return { name, type: FRICTIONLESS_TYPE[column.type], description: column.about, ...flag, constraints };
}

/** Text of a set's `datapackage.json` (Frictionless Data Package), made from the loader's column table. */
export function describeDataset(name: DatasetName): string {
  const set: DatasetDescription = DATASETS[name];
  const resource = {
    name,
    path: set.file,
    format: "csv",
    encoding: "utf-8",
    schema: { fields: Object.entries(set.columns).map(field), missingValues: [""] },
  };
  return `${JSON.stringify({ name, title: set.title, description: `One row is ${set.row}.`, plottable: set.plottable, resources: [resource] }, null, 2)}\n`;
}

/** Every way in which the files of a set do not fit its columns, one line each; empty when all is well. */
export async function datasetProblems(name: DatasetName): Promise<string[]> {
  const file = path.join(folderOf(name), DATASETS[name].file);
  const { rows, errors } = parseDataset(name, await readFile(file, "utf8"));
  const problems = errors.map(({ line, column, message }) => `${name}:${line} ${column} ${message}`);
  if (rows.length === 0) problems.push(`${name}: no rows`);
  const described = await readFile(path.join(folderOf(name), "datapackage.json"), "utf8").catch(() => "");
  if (described !== describeDataset(name))
    problems.push(`${name}: datapackage.json is stale; run "npx dom0 datasets describe"`);
  return problems;
}

export const command: Command = {
  summary: "check the data sets, or write their descriptions",
  usage: `Usage: dom0 datasets check      read every table against its columns
       dom0 datasets describe   write each datapackage.json from the loader's column table`,
  async run([action]) {
    if (action === "describe") {
      for (const name of NAMES)
        await writeFile(path.join(folderOf(name), "datapackage.json"), describeDataset(name));
      return 0;
    }
    if (action !== "check") {
      process.stderr.write(`dom0 datasets: say "check" or "describe".\n`);
      return 2;
    }
    const problems = (await Promise.all(NAMES.map(datasetProblems))).flat();
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    process.stdout.write(`${NAMES.length} data sets, ${problems.length} problems\n`);
    return problems.length === 0 ? 0 : 1;
  },
};
