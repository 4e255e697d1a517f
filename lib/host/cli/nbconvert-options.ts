/** The command line of `nbconvert-cli`: the flags of `jupyter nbconvert`, as far as they mean the same here. */
import type { ExportChoices } from "../../notebook/export/document.ts";

/** The formats that need no Python. */
export const OWN_FORMATS = ["html", "markdown", "mdx", "notebook", "script"] as const;
export type OwnFormat = (typeof OWN_FORMATS)[number];

/** What the command line asked for. */
export interface ConvertOptions {
  readonly notebooks: readonly string[];
  readonly to: string;
  /** Path of the result; without an ending it gets the format's. */
  readonly output: string | undefined;
  readonly outputDir: string | undefined;
  readonly execute: boolean;
  readonly allowErrors: boolean;
  /** Longest run of one cell, ms. */
  readonly cellTimeoutMs: number | undefined;
  readonly stdout: boolean;
  readonly inplace: boolean;
  readonly choices: ExportChoices;
  /** Everything as it was typed, for the formats that Jupyter makes. */
  readonly typed: readonly string[];
}

/** A command line that cannot be followed, as one line. */
export interface UsageError {
  readonly kind: "usage-error";
  readonly message: string;
}

const usageError = (message: string): UsageError => ({ kind: "usage-error", message });

const TIMEOUT = "--ExecutePreprocessor.timeout";
const VALUES = new Set(["--to", "--output", "--output-dir", TIMEOUT]);
const SWITCHES = new Set([
  "--execute",
  "--clear-output",
  "--no-input",
  "--allow-errors",
  "--stdout",
  "--inplace",
]);
const TAG_LISTS: Readonly<Record<string, "removeCellTags" | "removeInputTags" | "removeAllOutputsTags">> = {
  "--TagRemovePreprocessor.remove_cell_tags": "removeCellTags",
  "--TagRemovePreprocessor.remove_input_tags": "removeInputTags",
  "--TagRemovePreprocessor.remove_all_outputs_tags": "removeAllOutputsTags",
};
/** Switches of Jupyter that say what we do anyway. */
const GRANTED = new Set(["--TagRemovePreprocessor.enabled", "--embed-images"]);

/** Whether a format is one of ours. */
export function isOwnFormat(format: string): format is OwnFormat {
  return OWN_FORMATS.some((own) => own === format);
}

/** Reads the command line. Flags that only Jupyter knows are an error for our own formats. */
export function readOptions(args: readonly string[]): ConvertOptions | UsageError {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const tags: Record<string, string[]> = {};
  const notebooks: string[] = [];
  const unknown: string[] = [];
  for (let place = 0; place < args.length; place++) {
    const argument = args[place] ?? "";
    if (!argument.startsWith("-")) {
      notebooks.push(argument);
      continue;
    }
    const [name = "", inline] = splitOnce(argument);
    const list = TAG_LISTS[name];
    if (VALUES.has(name) || list !== undefined) {
      const value = inline ?? args[++place];
      if (value === undefined) return usageError(`${name} needs a value.`);
      if (list === undefined) values.set(name, value);
      else tags[list] = [...(tags[list] ?? []), ...tagList(value)];
    } else if (SWITCHES.has(name) && inline === undefined) switches.add(name);
    else if (!GRANTED.has(name)) unknown.push(argument);
  }
  const inplace = switches.has("--inplace");
  const to = values.get("--to") ?? (inplace ? "notebook" : undefined);
  const problem = problemWith(notebooks, to, values, inplace, unknown);
  if (problem !== undefined) return usageError(problem);
  return {
    notebooks,
    to: to ?? "",
    output: values.get("--output"),
    outputDir: values.get("--output-dir"),
    execute: switches.has("--execute"),
    allowErrors: switches.has("--allow-errors"),
    cellTimeoutMs: values.has(TIMEOUT) ? Number(values.get(TIMEOUT)) * 1000 : undefined,
    stdout: switches.has("--stdout"),
    inplace,
    choices: { ...tags, clearOutput: switches.has("--clear-output"), noInput: switches.has("--no-input") },
    typed: args,
  };
}

function problemWith(
  notebooks: readonly string[],
  to: string | undefined,
  values: ReadonlyMap<string, string>,
  inplace: boolean,
  unknown: readonly string[],
): string | undefined {
  if (notebooks.length === 0) return "name the notebook to convert.";
  if (to === undefined)
    return `say what to make: --to ${OWN_FORMATS.join("|")} (or a format of jupyter nbconvert).`;
  if (inplace && to !== "notebook") return "--inplace goes with --to notebook.";
  if (values.has("--output") && notebooks.length > 1)
    return "--output names one file, and there are several notebooks.";
  if (!(Number(values.get(TIMEOUT) ?? 1) > 0)) return `${TIMEOUT} is a number of seconds.`;
  const [first] = unknown;
  if (first !== undefined && isOwnFormat(to))
    return `there is no flag ${splitOnce(first)[0]} for --to ${to}.`;
  return undefined;
}

function splitOnce(argument: string): [name: string, value: string | undefined] {
  const place = argument.indexOf("=");
  return place < 0 ? [argument, undefined] : [argument.slice(0, place), argument.slice(place + 1)];
}

/** A list of tags as Jupyter takes it: `a`, `['a', 'b']`, `{"a"}`. */
function tagList(value: string): string[] {
  return value
    .replaceAll(/^\s*[[{(]|[\])}]\s*$/g, "")
    .split(",")
    .map((tag) => tag.trim().replaceAll(/^["']|["']$/g, ""))
    .filter((tag) => tag !== "");
}
