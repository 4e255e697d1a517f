/** Chapters of the book from the course's notebooks: executed, turned into MDX, compiled for the live page. */
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createCellCompiler } from "../../lib/notebook/compiler/cell-compiler.ts";
import { typeFilesFromMap } from "../../lib/notebook/compiler/type-files.ts";
import { type ExportDocument, exportDocument } from "../../lib/notebook/export/document.ts";
import { mdxFromDocument } from "../../lib/notebook/export/mdx.ts";
import type { CompileResult } from "../../lib/notebook/kernel-protocol.ts";
import { compilerFolders } from "../src/live/workers/compiler-folders.ts";
import { executedNotebook } from "./execution.ts";
import { writeNamed } from "./named-files.ts";

/** Where chapters come from and go to. */
export interface ChapterFolders {
  readonly notebooks: string;
  readonly text: string;
  readonly public: string;
}

const componentImport = 'import { Aside, Cell, Folded, Output } from "../../../components/live.ts";';

/** Notebook files that are chapters: `NN-name.ipynb`. */
export async function chapterFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d\d-.*\.ipynb$/.test(name)).sort();
}

/** What one chapter leaves for other steps of the build. */
export interface WrittenChapter {
  /** Address of its compiled cells. */
  readonly cells: string;
  /** Cell id → text and first drawing of the cell. */
  readonly drawings: Readonly<Record<string, { readonly source: string; readonly svg: string }>>;
}

/** Writes one chapter: text, figures, source notebook, compiled cells. */
export async function writeChapter(
  file: string,
  folders: ChapterFolders,
  types: ReadonlyMap<string, string>,
): Promise<WrittenChapter> {
  const source = path.join(folders.notebooks, file);
  const slug = file.replace(/\.ipynb$/, "");
  const document = exportDocument(await executedNotebook(source), { fallbackTitle: slug });
  await writeText(document, file, slug, folders);
  await mkdir(path.join(folders.public, "notebooks"), { recursive: true });
  await copyFile(source, path.join(folders.public, "notebooks", file));
  const cells = JSON.stringify(compiledCells(document, types));
  const name = await writeNamed(path.join(folders.public, "live"), `cells-${slug}`, "json", cells);
  return { cells: `/live/${name}`, drawings: drawingsOf(document) };
}

function drawingsOf(document: ExportDocument): WrittenChapter["drawings"] {
  const drawings: Record<string, { source: string; svg: string }> = {};
  for (const { id, source, outputs } of document.cells) {
    const svg = outputs
      .map((output) => ("data" in output ? output.data["image/svg+xml"] : undefined))
      .find((data) => typeof data === "string");
    if (typeof svg === "string") drawings[id] = { source, svg };
  }
  return drawings;
}

async function writeText(
  document: ExportDocument,
  notebook: string,
  slug: string,
  folders: ChapterFolders,
): Promise<void> {
  const chapter = Number(notebook.slice(0, 2));
  const { text, files } = mdxFromDocument(document, {
    frontMatter: {
      description: description(document),
      chapter,
      notebook,
      hasMath: document.cells.some((cell) => cell.kind === "markdown" && /\$[^$\n]+\$/.test(cell.source)),
      sidebar: { label: `${chapter}. ${document.title}`, order: chapter },
    },
    imports: [componentImport],
    filesFolder: `/figures/${slug}`,
    relink: chapterAddress,
  });
  const figures = path.join(folders.public, "figures", slug);
  await mkdir(figures, { recursive: true });
  await mkdir(folders.text, { recursive: true });
  for (const { name, content } of files) await writeFile(path.join(figures, name), content);
  await writeFile(path.join(folders.text, `${slug}.mdx`), text);
}

/** A link to another notebook becomes a link to its chapter. */
function chapterAddress(address: string): string {
  const notebook = /^(?:\.\/)?(\d\d-[\w-]+)\.ipynb(#.*)?$/.exec(address);
  return notebook ? `/chapters/${notebook[1]}/${notebook[2] ?? ""}` : address;
}

const longestDescription = 160;

/** The first paragraph of plain text, cut at a word. */
function description(document: ExportDocument): string {
  for (const cell of document.cells) {
    if (cell.kind !== "markdown") continue;
    const paragraph = cell.source.split(/\n\s*\n/).find((part) => /^[A-Za-z*_"“]/.test(part.trim()));
    if (paragraph === undefined) continue;
    const plain = paragraph
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[*_`]/g, "")
      .replaceAll(/\s+/g, " ")
      .trim();
    if (plain.length <= longestDescription) return plain;
    return `${plain.slice(0, longestDescription).replace(/\s\S*$/, "")} …`;
  }
  return document.title;
}

/** Compiles the cells in order, as a session that runs the whole chapter would. */
function compiledCells(
  document: ExportDocument,
  types: ReadonlyMap<string, string>,
): Record<string, CompileResult> {
  const compiler = createCellCompiler({ files: typeFilesFromMap(types), ...compilerFolders });
  const compiled: Record<string, CompileResult> = {};
  for (const cell of document.cells) {
    if (cell.kind !== "code" || cell.source === "") continue;
    const result = compiler.compile(cell.source);
    compiled[cell.id] = result;
    if (result.ok) compiler.commit(result.cell.id);
  }
  return compiled;
}
