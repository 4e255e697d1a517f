/** `dom0 conform DIR`: runs every RISC-V program of a folder that says by itself whether it passed. */
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ENGINE_NAMES, type EngineName, isEngineName } from "../../board/engine-choice.ts";
import {
  differences,
  type ExpectedFailures,
  type FolderOptions,
  parseExpectedFailures,
  runFolder,
  surprises,
  textIf,
} from "../conformance/run-folder.ts";
import { type Conformance, DEFAULT_BUDGET, type Outcome } from "../conformance/run-program.ts";
import { ENGINE_OPTION, ENGINE_WORDS } from "./engine-option.ts";
import type { Command } from "./main.ts";

const WORDS: Readonly<Record<Outcome, string>> = {
  passed: "pass",
  failed: "FAIL",
  "timed-out": "TIME",
  "not-runnable": "BAD",
};
const NAME_COLUMN = 40;
/** As an engine's name: the programs run on each, and the results must be the same. */
const BOTH = "both";

interface Options {
  readonly folder: string;
  readonly filter: string;
  readonly json: boolean;
  readonly budget: number;
  /** One, or both to be compared. */
  readonly engines: readonly [EngineName, ...EngineName[]];
  /** Undefined: `expected-failures.json` of the folder, if there is one. */
  readonly expectedFile: string | undefined;
}

/** The command line, or one line about what is wrong with it. */
function parseOptions(args: string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: args.filter((argument) => argument !== "--"),
      allowPositionals: true,
      options: {
        filter: { type: "string", default: "" },
        expected: { type: "string" },
        budget: { type: "string", default: String(DEFAULT_BUDGET) },
        json: { type: "boolean", default: false },
        ...ENGINE_OPTION,
      },
    });
    const [folder, ...rest] = positionals;
    if (folder === undefined || rest.length > 0) return "name one folder; --help tells more.";
    const budget = Number(values.budget.replaceAll("_", ""));
    if (!(Number.isSafeInteger(budget) && budget > 0)) return "--budget needs a number of instructions.";
    const engines = enginesOf(values.engine);
    if (engines === undefined)
      return `--engine is ${ENGINE_NAMES.join(" or ")} or ${BOTH}, not "${values.engine}".`;
    const { filter, json, expected: expectedFile } = values;
    return { folder, filter, json, budget, engines, expectedFile };
  } catch (error) {
    return `${(error as Error).message.split(". ")[0]}; --help tells more.`;
  }
}

function enginesOf(text: string | undefined): Options["engines"] | undefined {
  if (text === undefined) return ["translator"];
  if (text === BOTH) return ENGINE_NAMES;
  return isEngineName(text) ? [text] : undefined;
}

/** The list that the options name, or one line about what is wrong with it. */
async function readExpected({ folder, expectedFile }: Options): Promise<ExpectedFailures | string> {
  const file = expectedFile ?? path.join(folder, "expected-failures.json");
  const text = await textIf(file);
  if (text === undefined) return expectedFile === undefined ? {} : `${file} cannot be read.`;
  return parseExpectedFailures(text) ?? `${file} must be an object of names and reasons.`;
}

function row({ name, outcome, detail }: Conformance, expected: ExpectedFailures): string {
  const isListed = outcome !== "passed" && Object.hasOwn(expected, name);
  const reason = isListed ? ` (expected: ${expected[name]})` : "";
  return `${WORDS[outcome].padEnd(6)}${name.padEnd(NAME_COLUMN)} ${detail}${reason}`.trimEnd();
}

/** A line on the terminal that says what runs now; nothing where standard error is not a terminal. */
const progress = {
  isShown: process.stderr.isTTY === true,
  show(name: string, index: number, count: number): void {
    if (this.isShown) process.stderr.write(`\r\u001b[K${index + 1} of ${count}: ${name}`);
  },
  clear(): void {
    if (this.isShown) process.stderr.write("\r\u001b[K");
  },
};

/** `345 programs: 344 passed, 1 timed out`. */
function summary(results: readonly Conformance[]): string {
  const outcomes = Object.keys(WORDS) as Outcome[];
  const counts = outcomes.map((outcome) => {
    const count = results.filter((result) => result.outcome === outcome).length;
    return count === 0 && outcome !== "passed" ? "" : `${count} ${outcome.replace("-", " ")}`;
  });
  return `${results.length} programs: ${counts.filter((text) => text !== "").join(", ")}`;
}

function refuse(message: string): number {
  process.stderr.write(`dom0 conform: ${message}\n`);
  return 2;
}

/** Runs the programs on the first engine, then on the others; what the others found otherwise. */
async function runOnEngines(
  { folder, filter, budget, engines }: Options,
  onResult: (result: Conformance) => void,
): Promise<{ results: Conformance[]; different: string[] }> {
  const options: FolderOptions = {
    filter,
    budget,
    onStart: (name, index, count) => progress.show(name, index, count),
    onResult: () => progress.clear(),
  };
  const [engine, ...others] = engines;
  const results = await runFolder(folder, {
    ...options,
    engine,
    onResult: (result) => {
      progress.clear();
      onResult(result);
    },
  });
  const different: string[] = [];
  for (const other of others)
    different.push(
      ...differences(
        { engine, results },
        { engine: other, results: await runFolder(folder, { ...options, engine: other }) },
      ),
    );
  return { results, different };
}

async function run(options: Options, expected: ExpectedFailures): Promise<number> {
  const { folder, filter, json, engines } = options;
  const print = (line: string): void => {
    if (!json) process.stdout.write(`${line}\n`);
  };
  const { results, different } = await runOnEngines(options, (result) => print(row(result, expected)));
  if (results.length === 0)
    return refuse(
      `there is no ELF file below ${folder}${filter === "" ? "" : ` with "${filter}" in its name`}.`,
    );
  const wrong = surprises(results, expected, filter);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ programs: results, surprises: wrong, differences: different }, null, 2)}\n`,
    );
  for (const line of wrong) print(`surprise  ${line}`);
  for (const line of different) print(`differs  ${line}`);
  const same = engines.length < 2 ? "" : `; ${different.length} of them differ between the engines`;
  print(`${summary(results)}${same}; ${wrong.length === 0 ? "no surprises" : `${wrong.length} surprises`}`);
  return wrong.length === 0 && different.length === 0 ? 0 : 1;
}

export const command: Command = {
  summary: "run a folder of self-checking RISC-V programs",
  usage: `Usage: npm run conform -- DIR [--filter TEXT] [--expected FILE] [--budget N] [--engine NAME] [--json]

Runs every ELF file below DIR that follows the tohost convention of riscv-tests, or the signature convention of
riscv-arch-test (NAME.reference_output or NAME.signature beside the program). Other files are passed over.

  --filter TEXT    only programs with TEXT in their name
  --expected FILE  programs that fail, each with a reason: { "name": "reason" }.
                   Without it: expected-failures.json in DIR, if there is one
  --budget N       instructions after which a program has timed out (${DEFAULT_BUDGET.toLocaleString("en")})
  --engine NAME    ${ENGINE_WORDS};
                   ${BOTH}: run them on each; the table is the first one's, and every result, its words and its number of
                   instructions must be the same on the other
  --json           one JSON object on standard output instead of the table

Each program is "pass", "FAIL" with the number of the case, "TIME" (timed out) or "BAD" (cannot be run); the run goes on
in every case. Exit code 0: everything passed that is not on the list. 1: a failure that is not listed, a listed program
that passes, one that is not there, or a difference between the engines. 2: nothing was run.`,
  async run(args) {
    const options = parseOptions(args);
    if (typeof options === "string") return refuse(options);
    const expected = await readExpected(options);
    if (typeof expected === "string") return refuse(expected);
    try {
      return await run(options, expected);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return refuse(`${options.folder} cannot be read (${code}: ${message}).`);
    }
  },
};
