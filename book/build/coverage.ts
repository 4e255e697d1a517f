/**
 * The coverage of the manual's rules for the book: `dom0 coverage --json` tells it, a page for each chapter shows it.
 */
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";

/** What a rule is: see `dom0 coverage --help`. */
export type RuleStatus = "tested" | "cited" | "not-applicable" | "missing";

/** A link to a line, with words. */
export interface CitedLine {
  readonly file: string;
  readonly line: number;
  readonly words: string;
}

/** A cited place of the code, and how many of the changes that were made to it a test noticed. */
export interface CitedCode extends CitedLine {
  readonly noticed?: readonly [number, number];
}

/** One rule, as its page shows it. */
export interface CoverageRule {
  readonly tag: string;
  readonly section: string;
  readonly status: RuleStatus;
  readonly reason?: string;
  readonly code: readonly CitedCode[];
  readonly tests: readonly CitedLine[];
}

/** One chapter of the manual. */
export interface CoverageChapter {
  readonly id: string;
  readonly title: string;
  readonly floorPercent?: number;
  readonly settledPercent: number;
  readonly counts: Readonly<Record<RuleStatus, number>>;
  readonly rules: readonly CoverageRule[];
}

/** What the command prints, as far as the pages need it. */
interface Told extends Omit<CoverageChapter, "rules"> {
  readonly rules: readonly {
    readonly tag: string;
    readonly section: string;
    readonly status: RuleStatus;
    readonly reason?: string;
    readonly places: readonly {
      readonly place: { readonly file: string; readonly line: number; readonly name: string };
      readonly entry?: { readonly killed: number; readonly mutants: number };
    }[];
    readonly tests: readonly { readonly file: string; readonly line: number; readonly title: string }[];
  }[];
}

/** Where the pages read it, from the book's folder. */
export const COVERAGE_FILE = ".cache/coverage.json";

function tell(root: string): Promise<readonly Told[]> {
  const command = path.join(root, "lib/dist/host/cli/main.js");
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", command, "coverage", "--json"],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`dom0 coverage ended with ${code}`)),
    );
  });
}

/** A test's title without the names of the rules, which stand beside it. */
const plainTitle = (title: string): string =>
  title
    .replaceAll(/\s*\((?:%s\s*)?norm:[^)]*\)/g, "")
    .replaceAll(/\s*\(%s\)/g, "")
    .replaceAll(/%[sdifjoO]/g, "…")
    .replaceAll(" > ", ": ");

const shown = ({ rules, ...chapter }: Told): CoverageChapter => ({
  ...chapter,
  rules: rules.map(({ tag, section, status, reason, places, tests }) => ({
    tag,
    section,
    status,
    ...(reason === undefined ? {} : { reason }),
    code: places.map(({ place, entry }) => ({
      file: place.file,
      line: place.line,
      words: place.name,
      ...(entry === undefined ? {} : { noticed: [entry.killed, entry.mutants] as const }),
    })),
    tests: tests.map(({ file, line, title }) => ({ file, line, words: plainTitle(title) })),
  })),
});

/** Writes the data and a page for each chapter; the pages' folder is made anew. */
export async function writeCoverage(root: string, book: string, pages: string): Promise<void> {
  const chapters = (await tell(root)).map(shown).filter(({ rules }) => rules.length > 0);
  await rm(pages, { recursive: true, force: true });
  await mkdir(pages, { recursive: true });
  await mkdir(path.join(book, ".cache"), { recursive: true });
  await writeFile(path.join(book, COVERAGE_FILE), JSON.stringify(chapters));
  for (const { id, title } of chapters)
    await writeFile(
      path.join(pages, `${id}.mdx`),
      `---
title: "${title}: the manual's rules"
description: "Which normative rules of this chapter the machine follows, where, and which test would notice if it did not."
tableOfContents: false
---
import RuleList from "../../../components/RuleList.astro";

<RuleList chapter="${id}" />
`,
    );
}
