/**
 * Builds the published course into `book/dist`: fonts, workers, chapters, pages, search index, service worker.
 *
 * Deterministic, and needs neither network nor browser. Run by `npm run book`, which makes sure that the library is
 * built first.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { GLOSSARY } from "../src/glossary.ts";
import { copyAssets } from "./assets.ts";
import { type Chapter, chapterFiles, readChapter, type WrittenChapter, writeChapter } from "./chapters.ts";
import { entriesOf, LEDGER_FILE, ledgerOf } from "./claims.ts";
import { COURSE_FILE, type CourseChapter, checksOf } from "./course.ts";
import { writeCoverage } from "./coverage.ts";
import { writeFonts } from "./fonts.ts";
import { Glossary } from "./glossary.ts";
import { writeHelp } from "./help.ts";
import { checkLinks } from "./links.ts";
import type { LiveManifest } from "./live-addresses.ts";
import { writeLiveBundles } from "./live-bundles.ts";
import { writeNamed } from "./named-files.ts";
import { writeServiceWorker } from "./offline.ts";
import { packTypes } from "./type-pack.ts";

const book = fileURLToPath(new URL("../", import.meta.url));
const root = path.resolve(book, "..");
const publicFolder = path.join(book, "public");
const chaptersFolder = path.join(book, "src/content/docs/chapters");
const dist = path.resolve(process.argv[2] ?? path.join(book, "dist"));

/** Says what is going on; stdout is for results, this is not one. */
async function step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  const started = process.hrtime.bigint();
  process.stderr.write(`  ${title} …`);
  const result = await work();
  process.stderr.write(` ${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)} s\n`);
  return result;
}

async function prepare(): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  for (const generated of ["live", "notebooks", "figures", "assets"])
    await rm(path.join(publicFolder, generated), { recursive: true, force: true });
  await rm(chaptersFolder, { recursive: true, force: true });
  await mkdir(chaptersFolder, { recursive: true });
  await step("fonts", () => writeFonts(path.join(book, "src/fonts")));
  await step("the manual's rules", () =>
    writeCoverage(root, book, path.join(book, "src/content/docs/rules")),
  );
  await copyAssets(root, path.join(publicFolder, "assets"));
  const live = path.join(publicFolder, "live");
  const bundles = await step("workers", () => writeLiveBundles(live));
  const globals = await readFile(path.join(book, "src/live/workers/session-globals.d.ts"), "utf8");
  const types = packTypes(root, globals);
  const typesName = await writeNamed(live, "types", "json", JSON.stringify(Object.fromEntries(types)));
  const folders = {
    notebooks: process.env["BOOK_NOTEBOOKS"] ?? path.join(root, "notebooks"),
    text: chaptersFolder,
    public: publicFolder,
  };
  const glossary = new Glossary(GLOSSARY);
  const chapters = await readChapters(folders.notebooks);
  const written: WrittenChapter[] = [];
  await step("text of the chapters", async () => {
    for (const chapter of chapters)
      written.push(await writeChapter(chapter, chapters, glossary, folders, types));
  });
  refuse([
    ...glossary.problems(await normativeRules()),
    ...written.flatMap(({ problems }) => problems),
    ...glossary.dead(
      new Set(written.flatMap(({ terms }) => terms)),
      chapters.map(({ number }) => number),
    ),
  ]);
  await writeData({
    "drawings.json": Object.assign({}, ...written.map(({ drawings }) => drawings)),
    "live-manifest.json": {
      ...bundles,
      types: `/live/${typesName}`,
      cells: Object.fromEntries(chapters.map(({ file }, at) => [file, written[at]?.cells ?? ""])),
      help: Object.fromEntries(
        await Promise.all(chapters.map(({ file, document }) => writeHelp(file, document, live))),
      ),
    } satisfies LiveManifest,
    [path.basename(LEDGER_FILE)]: ledgerOf(
      chapters.flatMap(({ document, number, page }) => entriesOf(document, number, page)),
    ),
    [path.basename(COURSE_FILE)]: chapters.map((chapter, at) => outlineOf(chapter, written[at]?.terms ?? [])),
  });
}

const outlineOf = (
  { number, page, file, document, figures }: Chapter,
  terms: readonly string[],
): CourseChapter => ({
  number,
  title: document.title,
  page,
  notebook: file,
  cells: document.cells.filter(({ kind }) => kind === "code").length,
  figures: figures.length,
  checks: checksOf(document),
  terms,
});

/** Runs the notebooks, as many at a time as there are processors; the chapters come in their order. */
async function readChapters(notebooks: string): Promise<Chapter[]> {
  const files = await chapterFiles(notebooks);
  return step(`${files.length} notebooks`, async () => {
    const chapters: Chapter[] = [];
    const left = files.entries();
    const runner = async (): Promise<void> => {
      for (const [at, file] of left) chapters[at] = await readChapter(file, notebooks);
    };
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, runner));
    return chapters;
  });
}

/** Names of the manual's rules. */
async function normativeRules(): Promise<ReadonlySet<string>> {
  const table = await readFile(
    path.join(root, "datasets/riscv-normative-tags/riscv-normative-tags.csv"),
    "utf8",
  );
  return new Set(table.split("\n").map((line) => line.split(",")[0] ?? ""));
}

/** Stops the build with everything that authors have to repair: their mistake, so no stack of ours. */
function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  process.stderr.write(`\nThe book has mistakes:\n${problems.map((problem) => `  ${problem}\n`).join("")}`);
  process.exit(1);
}

/** Writes what pages read while they are rendered. */
async function writeData(files: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(path.join(book, ".cache"), { recursive: true });
  for (const [name, data] of Object.entries(files))
    await writeFile(path.join(book, ".cache", name), JSON.stringify(data, undefined, 1));
}

function runAstro(): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve("astro/package.json");
  const astro = path.join(path.dirname(manifest), "bin/astro.mjs");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [astro, "build", "--outDir", dist], {
      cwd: book,
      env: { ...process.env, ASTRO_TELEMETRY_DISABLED: "1", FORCE_COLOR: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(failureIn(log)))));
  });
}

/** The lines of a build log that say what is wrong. */
function failureIn(log: string): string {
  const lines = log.split("\n");
  const at = lines.findIndex((line) => /\[ERROR\]|Error:/.test(line));
  return at < 0 ? `astro build failed:\n${log}` : lines.slice(at, at + 12).join("\n");
}

await prepare();
await step("pages and search index", runAstro);
refuse(await step("links", () => checkLinks(dist)));
await step("service worker", () => writeServiceWorker(dist));
await cp(path.join(root, "LICENSE"), path.join(dist, "LICENSE.txt")).catch(() => undefined);
