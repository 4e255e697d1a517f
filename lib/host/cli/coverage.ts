/** `dom0 coverage`: which rules of the manual the code implements, and which of them a test would miss. */
import process from "node:process";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../node-assets.ts";
import { CHAPTERS } from "../spec-coverage/chapters.ts";
import { writeLedger } from "../spec-coverage/ledger.ts";
import { readCoverage } from "../spec-coverage/report.ts";
import { chapterTable, ruleTable } from "../spec-coverage/terminal.ts";
import { type Updated, updated } from "../spec-coverage/update.ts";
import type { Command } from "./main.ts";

const OPTIONS = {
  chapter: { type: "string", multiple: true },
  missing: { type: "boolean", default: false },
  verbose: { type: "boolean", default: false },
  update: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

const USAGE = `Usage: dom0 coverage [--chapter NAME] [--missing] [--verbose] [--json]
       dom0 coverage --update [--all]

Shows the normative rules of the RISC-V manual: tested, cited, not applicable, missing.

A rule is tested when every piece of code that cites it has been changed in small ways, and a test that cites it said no
to a change of each; changes of an instruction's bits count for rules about encodings alone. --update runs what has changed since the last run (--all: everything) and writes the ledger.

  --chapter   ${CHAPTERS.map(({ id }) => id).join(", ")}; may be given several times
  --missing   only the rules that are neither tested nor not applicable
  --verbose   with places in the code, tests, and how many changes were noticed`;

function progress(done: number, all: number, mutants: number): void {
  const line = `${done} of ${all} places, ${mutants} changes tried`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}${done === all ? "\n" : ""}`);
  else if (done % 25 === 0 || done === all) process.stderr.write(`${line}\n`);
}

/** Says what stood in the way of a verdict. */
function sayProblems({ results, tasks }: Updated): void {
  for (const [at, { failing, unanswered }] of results.entries()) {
    const place = tasks[at]?.place;
    for (const change of unanswered)
      process.stderr.write(
        `${place?.file}:${place?.line} ${place?.name}: the tests do not end when ${change}\n`,
      );
    for (const test of failing)
      process.stderr.write(`${place?.file}:${place?.line} ${place?.name}: not usable: ${test}\n`);
  }
}

async function update(all: boolean): Promise<void> {
  const run = await updated({ root: PROJECT_ROOT, all, onProgress: progress });
  sayProblems(run);
  await writeLedger(PROJECT_ROOT, run.ledger);
}

async function show(values: ReturnType<typeof parse>): Promise<number> {
  const { chapters, problems } = await readCoverage(PROJECT_ROOT);
  const names = values.chapter ?? [];
  const wanted = chapters.filter(({ id }) => names.length === 0 || names.includes(id));
  if (values.json) {
    process.stdout.write(`${JSON.stringify(wanted, undefined, 1)}\n`);
    return 0;
  }
  process.stdout.write(`${chapterTable(wanted)}\n`);
  if (names.length > 0 || values.missing || values.verbose)
    process.stdout.write(`${ruleTable(wanted, { onlyOpen: values.missing, isVerbose: values.verbose })}\n`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

const parse = (args: string[]) => parseArgs({ args, options: OPTIONS }).values;

export const command: Command = {
  summary: "the manual's rules: tested, cited, missing",
  usage: USAGE,
  async run(args) {
    let values: ReturnType<typeof parse>;
    try {
      values = parse(args);
    } catch (error) {
      process.stderr.write(`dom0 coverage: ${error instanceof Error ? error.message : error}\n`);
      return 2;
    }
    const unknown = (values.chapter ?? []).find((name) => !CHAPTERS.some(({ id }) => id === name));
    if (unknown !== undefined) {
      process.stderr.write(`dom0 coverage: no chapter is called "${unknown}"; --help lists them.\n`);
      return 2;
    }
    if (values.update || values.all) await update(values.all);
    return show(values);
  },
};
