/**
 * Builds the published course into `book/dist`: fonts, workers, chapters, pages, search index, service worker.
 *
 * Deterministic, and needs neither network nor browser. Run by `npm run book`, which makes sure that the library is
 * built first.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { copyAssets } from "./assets.ts";
import { chapterFiles, type WrittenChapter, writeChapter } from "./chapters.ts";
import { writeCoverage } from "./coverage.ts";
import { writeFonts } from "./fonts.ts";
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
  const cells: Record<string, string> = {};
  const drawings: WrittenChapter["drawings"] = {};
  for (const file of await chapterFiles(folders.notebooks)) {
    const chapter = await step(`chapter ${file}`, () => writeChapter(file, folders, types));
    cells[file] = chapter.cells;
    Object.assign(drawings, chapter.drawings);
  }
  const manifest: LiveManifest = { ...bundles, types: `/live/${typesName}`, cells };
  await mkdir(path.join(book, ".cache"), { recursive: true });
  await writeFile(path.join(book, ".cache/drawings.json"), JSON.stringify(drawings));
  await writeFile(path.join(book, ".cache/live-manifest.json"), JSON.stringify(manifest, undefined, 2));
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
await step("service worker", () => writeServiceWorker(dist));
await cp(path.join(root, "LICENSE"), path.join(dist, "LICENSE.txt")).catch(() => undefined);
