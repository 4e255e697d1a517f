/** `dom0 exercises`: what every kind of answer to every exercise earns, from the tests that judge them. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type ExerciseRow, isAsExpected, tableText } from "../exercise-rows.ts";
import { PROJECT_ROOT } from "../node-assets.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";

/** Where the tests of exercises are, and how their files are named. */
const PLACES: readonly (readonly [folder: string, name: RegExp])[] = [
  ["test/unit/course", /(?:^|-)exercises\.test\.ts$/],
  ["test/grading", /^assignment-\d+\.test\.ts$/],
];

export const command: Command = {
  summary: "what each kind of answer to each exercise earns",
  usage: `Usage: dom0 exercises [PREFIX…] [--differences]

Runs the tests that judge answers (test/unit/course/*exercises.test.ts, test/grading/assignment-NN.test.ts) and prints their
table: the reference answer, the untouched stub and each wrong answer of every exercise, the points that it should earn, those
that it earned, and what the student is told. A line that begins with ! differs.

  PREFIX         only exercises that begin so: 02 for notebook 02, A2 for assignment 02, 02.3 for one exercise
  --differences  print only lines that differ

Exit code 0 when every answer earned what it should and every test passed; else 1. Takes a minute or two.`,
  run: (args) => refusing("exercises", () => exercises(args)),
};

async function exercises(args: string[]): Promise<number> {
  const { values, positionals: prefixes } = parsed(() =>
    parseArgs({
      args,
      allowPositionals: true,
      options: { differences: { type: "boolean", default: false } },
    }),
  );
  const files = PLACES.flatMap(([folder, name]) =>
    readdirSync(path.join(PROJECT_ROOT, folder))
      .filter((file) => name.test(file))
      .map((file) => `${folder}/${file}`),
  );
  const { code, output, rowsOf } = await judged(files);
  const all = files.flatMap((file) => rowsOf.get(path.basename(file)) ?? []);
  const isAsked = ({ exercise }: ExerciseRow): boolean =>
    prefixes.length === 0 || prefixes.some((prefix) => exercise.startsWith(prefix));
  const asked = all.filter(isAsked);
  if (all.length === 0) throw new Refusal(`no test left a row\n${output}`);
  if (asked.length === 0) throw new Refusal(`no exercise begins with ${prefixes.join(" or ")}`, 2);
  process.stdout.write(`${tableText(asked, values.differences)}\n`);
  const silent = files.filter((file) => !rowsOf.has(path.basename(file)));
  for (const file of silent) process.stderr.write(`dom0 exercises: ${file} left no rows\n`);
  if (code !== 0) process.stderr.write(`dom0 exercises: tests failed\n${output}\n`);
  return asked.every(isAsExpected) && silent.length === 0 && code === 0 ? 0 : 1;
}

interface Judged {
  readonly code: number;
  /** What Vitest said. */
  readonly output: string;
  /** Rows by the name of their test file. */
  readonly rowsOf: ReadonlyMap<string, readonly ExerciseRow[]>;
}

/** Runs the test files and reads the rows that they leave. */
async function judged(files: readonly string[]): Promise<Judged> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-exercises-"));
  try {
    process.stderr.write(`judging answers: ${files.length} test files\n`);
    const vitest = path.join(PROJECT_ROOT, "node_modules/vitest/vitest.mjs");
    const child = spawn(process.execPath, [vitest, "run", "--reporter=dot", "--silent=true", ...files], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, DOM0_EXERCISE_ROWS: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (piece: Buffer) => {
        output += piece.toString("utf8");
      });
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (ended) => resolve(ended ?? 1));
    });
    const rowsOf = new Map(
      readdirSync(folder).map((name) => [
        name.replace(/\.json$/, ""),
        JSON.parse(readFileSync(path.join(folder, name), "utf8")) as ExerciseRow[],
      ]),
    );
    return { code, output, rowsOf };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
