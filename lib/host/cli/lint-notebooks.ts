/**
 * `dom0 lint`: the measurable rules of style for notebooks.
 *
 * Every notebook must be clean (no outputs, counts or duplicate ids), import a front door alone and run under plain
 * tslab. Chapters of the course keep, besides, to sizes measured on notebooks that people like to read.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { PROJECT_ROOT } from "../node-assets.ts";
import type { CheckResult } from "./check-layers.ts";
import { knownTags } from "./check-norm-tags.ts";
import type { Command } from "./main.ts";

/** Sizes of a chapter. Lines and words are counted without blank lines, comments included. */
export const CHAPTER_LIMITS = {
  cells: [25, 50],
  words: [1_200, 1_800],
  codeLines: [20, 150],
  codeLinesPerCell: 20,
  /** Characters: what a column of text shows without scrolling. */
  codeLineWidth: 76,
  wordsPerCell: 120,
  codeCellsInRow: 2,
  exercises: [3, 6],
} as const;

/** Rungs of the exercise ladder; a chapter climbs them in this order. */
export const RUNGS = ["read", "change", "build", "break", "measure"] as const;

/** One broken rule. */
export interface LintFinding {
  readonly file: string;
  /** Position of the cell from 0; absent for rules about the whole notebook. */
  readonly cell?: number;
  readonly rule: string;
  readonly message: string;
}

interface LintCell {
  readonly index: number;
  readonly kind: "code" | "markdown" | "raw";
  readonly id: string;
  readonly source: string;
  readonly tags: readonly string[];
  readonly outputs: number;
  readonly executionCount: unknown;
  readonly hasExecutionTimes: boolean;
}

interface LintNotebook {
  readonly file: string;
  readonly isChapter: boolean;
  readonly minor: number;
  readonly language: unknown;
  readonly cells: readonly LintCell[];
}

type Report = (rule: string, message: string, cell?: LintCell) => void;
type JsonRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const recordOf = (value: unknown): JsonRecord => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === "string" ? value : listOf(value).join(""));

function cellOf(raw: unknown, index: number): LintCell {
  const cell = recordOf(raw);
  const metadata = recordOf(cell["metadata"]);
  const kind = cell["cell_type"];
  return {
    index,
    kind: kind === "code" || kind === "markdown" ? kind : "raw",
    id: typeof cell["id"] === "string" ? cell["id"] : "",
    source: textOf(cell["source"]),
    tags: listOf(metadata["tags"]).map(String),
    outputs: listOf(cell["outputs"]).length,
    executionCount: cell["execution_count"],
    hasExecutionTimes: "execution" in metadata,
  };
}

function readNotebook(file: string, text: string): LintNotebook | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  const root = recordOf(parsed);
  if (root["nbformat"] !== 4 || !Array.isArray(root["cells"])) return "is not a notebook of format 4";
  return {
    file,
    isChapter: path.basename(path.dirname(path.resolve(file))) === "notebooks",
    minor: Number(root["nbformat_minor"]),
    language: recordOf(recordOf(root["metadata"])["language_info"])["name"],
    cells: root["cells"].map(cellOf),
  };
}

/** Lines of code, blank ones left out. */
export const countCodeLines = (source: string): number =>
  source.split("\n").filter((line) => line.trim() !== "").length;

/** Words that a reader reads: no fenced code, markup, link targets or formulas' commands. */
export function countWords(markdown: string): number {
  const prose = markdown
    .replace(/```[\s\S]*?```/g, " ")
    .replace(/<[^>]+>/g, " ")
    .replace(/\]\([^)]*\)/g, "] ")
    .replace(/[#*_>|`$~[\]-]+/g, " ");
  return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

const isWithin = (value: number, [low, high]: readonly [number, number]): boolean =>
  value >= low && value <= high;

function lintClean(notebook: LintNotebook, report: Report): void {
  if (notebook.minor < 5) report("format", `is nbformat 4.${notebook.minor}; cells need the ids of 4.5`);
  if (notebook.language !== "typescript") report("language", 'needs language_info.name "typescript"');
  const seen = new Set<string>();
  for (const cell of notebook.cells) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(cell.id)) report("cell-id", `"${cell.id}" is no cell id`, cell);
    if (seen.has(cell.id)) report("cell-id", `the id "${cell.id}" is used twice`, cell);
    seen.add(cell.id);
    if (cell.outputs > 0) report("clean", `holds ${cell.outputs} outputs; strip them`, cell);
    if (cell.kind === "code" && cell.executionCount !== null) report("clean", "has an execution count", cell);
    if (cell.hasExecutionTimes) report("clean", "has execution times in its metadata", cell);
  }
}

const FRONT_DOORS = new Set(["dom0-kit", "dom0-kit/node"]);
const IMPORTED = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'`]([^"'`]+)["'`]/g;

/** What stops a cell under plain tslab, or makes its result depend on more than the seed. */
const CELL_TRAPS: readonly (readonly [rule: string, pattern: RegExp, message: string])[] = [
  ["plain-tslab", /^export\b/m, "exports at top level; plain tslab refuses that"],
  ["plain-tslab", /\bimport\.meta\b/, "uses import.meta; plain tslab refuses that"],
  ["plain-tslab", /^for\s+await\b/m, "has a top-level for await; plain tslab refuses that"],
  ["top-level-loop", /^(for|while|do)\b/m, "loops at top level; loops go in functions"],
  [
    "deterministic",
    /\b(Date|performance|Math\.random|setTimeout|XMLHttpRequest)\b|\bfetch\s*\(/,
    "depends on time, chance or network",
  ],
];

function lintCode(notebook: LintNotebook, report: Report): void {
  for (const cell of notebook.cells) {
    if (cell.kind !== "code") continue;
    for (const [, from = ""] of cell.source.matchAll(IMPORTED))
      if (!FRONT_DOORS.has(from))
        report(
          "front-door",
          `imports "${from}"; only ${[...FRONT_DOORS].join(" and ")} are front doors`,
          cell,
        );
    for (const [rule, pattern, message] of CELL_TRAPS)
      if (pattern.test(cell.source)) report(rule, message, cell);
  }
}

function lintTags(notebook: LintNotebook, known: ReadonlySet<string>, report: Report): void {
  for (const cell of notebook.cells)
    for (const [, tag = ""] of cell.source.matchAll(/norm:([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9])/g))
      if (!known.has(tag)) report("norm-tag", `the manual has no rule norm:${tag}`, cell);
}

function lintSizes(notebook: LintNotebook, report: Report): void {
  let codeCells = 0;
  let words = 0;
  let lines = 0;
  for (const cell of notebook.cells) {
    codeCells = cell.kind === "code" ? codeCells + 1 : 0;
    if (codeCells === CHAPTER_LIMITS.codeCellsInRow + 1)
      report("cells-in-row", "is the third code cell in a row; say something first", cell);
    if (cell.kind === "code") {
      const count = countCodeLines(cell.source);
      lines += count;
      if (count > CHAPTER_LIMITS.codeLinesPerCell)
        report("cell-lines", `has ${count} lines of code (at most ${CHAPTER_LIMITS.codeLinesPerCell})`, cell);
      if (count === 0) report("cell-lines", "is empty", cell);
      const widest = Math.max(...cell.source.split("\n").map((line) => line.length));
      if (widest > CHAPTER_LIMITS.codeLineWidth)
        report(
          "code-width",
          `has a line of ${widest} characters (at most ${CHAPTER_LIMITS.codeLineWidth})`,
          cell,
        );
    } else {
      const count = countWords(cell.source);
      words += count;
      if (count > CHAPTER_LIMITS.wordsPerCell)
        report("cell-words", `has ${count} words (at most ${CHAPTER_LIMITS.wordsPerCell})`, cell);
    }
  }
  const range = (rule: string, what: string, value: number, limits: readonly [number, number]): void => {
    if (!isWithin(value, limits)) report(rule, `has ${value} ${what} (${limits[0]} to ${limits[1]})`);
  };
  range("cells", "cells", notebook.cells.length, CHAPTER_LIMITS.cells);
  range("words", "words", words, CHAPTER_LIMITS.words);
  range("code-lines", "lines of code", lines, CHAPTER_LIMITS.codeLines);
}

function lintShape(notebook: LintNotebook, report: Report): void {
  const [first] = notebook.cells;
  if (first?.kind !== "markdown" || !/^# /.test(first.source) || !first.source.includes("?"))
    report("question", "must open with a title and a question");
  const last = notebook.cells.at(-1);
  if (last?.kind !== "markdown" || !/^## What you can now do/m.test(last.source))
    report("ending", 'must end with a cell "## What you can now do"');
  const opening = notebook.cells.filter((cell) => cell.kind === "code").slice(0, 2);
  if (!opening.some((cell) => /^const SEED = \d+;/m.test(cell.source)))
    report("seed", "must name its seed (`const SEED = …;`) in one of the first two code cells");
}

/** An exercise is a code cell tagged `exercise`, `exercise:NN.N` and `rung:RUNG`, a check, and a way to see an answer. */
function lintExercises(notebook: LintNotebook, report: Report): void {
  const cells = notebook.cells.filter((cell) => cell.tags.includes("exercise"));
  if (!isWithin(cells.length, CHAPTER_LIMITS.exercises))
    report("exercises", `has ${cells.length} exercises (${CHAPTER_LIMITS.exercises.join(" to ")})`);
  const code = notebook.cells.filter((cell) => cell.kind === "code").map((cell) => cell.source);
  const ids = new Set<string>();
  let rung = -1;
  for (const cell of cells) {
    const id = cell.tags.find((tag) => /^exercise:\d\d\.\d$/.test(tag))?.slice("exercise:".length);
    const at = RUNGS.findIndex((name) => cell.tags.includes(`rung:${name}`));
    if (id === undefined) report("exercise-tags", "needs a tag like exercise:01.2", cell);
    else {
      if (ids.has(id)) report("exercise-tags", `exercise ${id} is there twice`, cell);
      ids.add(id);
      for (const call of ["check", "answer"])
        if (!code.some((source) => source.includes(`${call}("${id}"`)))
          report("exercise-path", `exercise ${id} has no ${call}("${id}"…)`, cell);
    }
    if (at < 0) report("exercise-tags", `needs a tag rung:${RUNGS.join(", rung:")}`, cell);
    if (at >= 0 && at < rung) report("exercise-order", `rung ${RUNGS[at]} comes after ${RUNGS[rung]}`, cell);
    rung = Math.max(rung, at);
  }
}

function lintNotebook(file: string, text: string, known: ReadonlySet<string>): LintFinding[] {
  const notebook = readNotebook(file, text);
  if (typeof notebook === "string") return [{ file, rule: "readable", message: notebook }];
  const findings: LintFinding[] = [];
  const report: Report = (rule, message, cell) =>
    void findings.push({ file, rule, message, ...(cell === undefined ? {} : { cell: cell.index }) });
  lintClean(notebook, report);
  lintCode(notebook, report);
  lintTags(notebook, known, report);
  if (notebook.isChapter) {
    lintSizes(notebook, report);
    lintShape(notebook, report);
    lintExercises(notebook, report);
  }
  return findings;
}

/**
 * Lints notebooks. A file whose folder is called `notebooks` is held to the sizes of a chapter as well.
 *
 * @returns Findings in order of files and cells; a file that cannot be read is a finding.
 */
export async function lintNotebooks(paths: readonly string[]): Promise<LintFinding[]> {
  const known = await knownTags();
  const findings: LintFinding[] = [];
  for (const file of paths) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) findings.push({ file, rule: "readable", message: "cannot be read" });
    else findings.push(...lintNotebook(file, text, known));
  }
  return findings;
}

/** A finding as one line: `notebooks/01-….ipynb: cell 12: has 60 lines of code (at most 20) [cell-lines]`. */
export const findingLine = (finding: LintFinding): string =>
  `${finding.file}:${finding.cell === undefined ? "" : ` cell ${finding.cell + 1}:`} ${finding.message} [${finding.rule}]`;

/** Paths of the project's own notebooks, relative to its top folder, sorted. */
async function projectNotebooks(root: string): Promise<string[]> {
  const folders = ["notebooks", "assignments/source"];
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const files = await readdir(path.join(root, folder), { recursive: true }).catch(() => []);
      return files
        .filter((file) => !/\.ipynb_checkpoints|\.executed\.ipynb$/.test(file) && file.endsWith(".ipynb"))
        .map((file) => path.join(folder, file));
    }),
  );
  return lists.flat().sort();
}

/** Lints every notebook of the project. No notebook at all is a failure: then nothing was checked. */
export async function lintAllNotebooks(root: string = PROJECT_ROOT): Promise<CheckResult> {
  const files = await projectNotebooks(root);
  if (files.length === 0) return { ok: false, lines: ["no notebook was found, so nothing was checked"] };
  const findings = await lintNotebooks(files.map((file) => path.join(root, file)));
  const lines = findings.map((finding) =>
    findingLine({ ...finding, file: path.relative(root, finding.file) }),
  );
  return lines.length > 0
    ? { ok: false, lines }
    : { ok: true, lines: [`${files.length} notebooks keep the rules`] };
}

export const command: Command = {
  summary: "check notebooks against the measurable rules of style",
  usage: `Usage: dom0 lint [NOTEBOOK…]

Checks the named notebooks, or all of the project. Exit code 1 when a rule is broken.`,
  async run(paths) {
    if (paths.length === 0) {
      const { ok, lines } = await lintAllNotebooks();
      process.stdout.write(`${lines.join("\n")}\n`);
      return ok ? 0 : 1;
    }
    const findings = await lintNotebooks(paths);
    for (const finding of findings) process.stdout.write(`${findingLine(finding)}\n`);
    return findings.length === 0 ? 0 : 1;
  },
};
