/** The service worker and its plan: which files every reader keeps, and which belong to one page. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { contentName } from "./named-files.ts";

/** What the service worker is built with. */
export interface OfflinePlan {
  /** Changes with any file of the site. */
  readonly version: string;
  /** Cached when the worker is installed. */
  readonly shell: readonly string[];
  /** Page address → what it needs beside the shell. */
  readonly pages: Readonly<Record<string, PagePlan>>;
}

/** What one page needs. */
export interface PagePlan {
  /** To be read: kept as soon as the page has loaded. */
  readonly reading: readonly string[];
  /** To be used: editor, TypeScript, session, charts, search; kept a little later or at the first touch. */
  readonly using: readonly string[];
}

/** Reads a built site and writes `service-worker.js` into it. */
export async function writeServiceWorker(dist: string): Promise<void> {
  const files = (await readdir(dist, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== "service-worker.js")
    .map((entry) => path.relative(dist, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .sort();
  const plan = await planFor(dist, files);
  const result = await build({
    entryPoints: [fileURLToPath(new URL("../src/offline/service-worker.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    write: false,
    define: { offlinePlan: JSON.stringify(plan) },
  });
  const [file] = result.outputFiles;
  if (!file) throw new Error("service worker: nothing was bundled");
  await writeFile(path.join(dist, "service-worker.js"), file.contents);
}

async function planFor(dist: string, files: readonly string[]): Promise<OfflinePlan> {
  const names: string[] = [];
  const pages: Record<string, PagePlan> = {};
  const below = (folder: string): string[] =>
    files.filter((file) => file.startsWith(`${folder}/`)).map((file) => `/${file}`);
  const assets = below("_astro");
  const isForAll = (asset: string): boolean => /\.(css|woff2)$/.test(asset);
  const shared = [...assets, ...below("pagefind"), ...below("assets")];
  for (const file of files) {
    const content = await readFile(path.join(dist, file));
    names.push(`${file} ${contentName(content)}`);
    if (!/(^|\/)index\.html$/.test(file) || file.startsWith("source/")) continue;
    const html = content.toString("utf8");
    const reading = assets.filter((asset) => isForAll(asset) || html.includes(asset));
    pages[`/${file.slice(0, -"index.html".length)}`] = {
      reading,
      using: [...shared.filter((address) => !reading.includes(address)), ...addressesIn(html, files)],
    };
  }
  const shell = ["/", "/404.html", "/favicon.svg", "/course.webmanifest", ...(pages["/"]?.reading ?? [])];
  return { version: contentName(names.join("\n")), shell, pages };
}

/** Files of the site that a page's markup names: workers, types, chart data, notebooks, pictures. */
function addressesIn(html: string, files: readonly string[]): string[] {
  return files
    .filter((file) => /^(live|figures|notebooks)\//.test(file) && html.includes(`/${file}`))
    .map((file) => `/${file}`);
}
