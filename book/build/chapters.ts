/** Chapters of the book from the course's notebooks: executed, turned into MDX, compiled for the live page. */
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createCellCompiler } from "../../lib/notebook/compiler/cell-compiler.ts";
import { typeFilesFromMap } from "../../lib/notebook/compiler/type-files.ts";
import { type ExportDocument, exportDocument } from "../../lib/notebook/export/document.ts";
import {
  type NumberedDocument,
  numberFigures,
  type ReferenceTargets,
  resolveReferences,
} from "../../lib/notebook/export/figures.ts";
import { mdxFromDocument } from "../../lib/notebook/export/mdx.ts";
import type { Amend } from "../../lib/notebook/export/mdx-text.ts";
import type { CompileResult } from "../../lib/notebook/kernel-protocol.ts";
import { compilerFolders } from "../src/live/workers/compiler-folders.ts";
import { executedNotebook } from "./execution.ts";
import { type Glossary, GlossaryMarker } from "./glossary.ts";
import { writeNamed } from "./named-files.ts";

/** Where chapters come from and go to. */
export interface ChapterFolders {
  readonly notebooks: string;
  readonly text: string;
  readonly public: string;
}

const componentImport =
  'import { Aside, Cell, Folded, Output, Term, TermNotes } from "../../../components/live.ts";';

/** Notebook files that are chapters: `NN-name.ipynb`; what `dom0 run` leaves, `NN-name.executed.ipynb`, is none. */
export async function chapterFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d\d-[^.]*\.ipynb$/.test(name)).sort();
}

/** A notebook that has run, its drawings numbered. */
export interface Chapter extends NumberedDocument {
  readonly file: string;
  readonly slug: string;
  readonly number: number;
  /** Address of its page. */
  readonly page: string;
}

/** Runs one notebook. */
export async function readChapter(file: string, notebooks: string): Promise<Chapter> {
  const slug = file.replace(/\.ipynb$/, "");
  const number = Number(file.slice(0, 2));
  const document = exportDocument(await executedNotebook(path.join(notebooks, file)), {
    fallbackTitle: slug,
  });
  return { ...numberFigures(document, number), file, slug, number, page: `/chapters/${slug}/` };
}

/** What one chapter leaves for other steps of the build. */
export interface WrittenChapter {
  /** Address of its compiled cells. */
  readonly cells: string;
  /** Cell id → text and first drawing of the cell. */
  readonly drawings: Readonly<Record<string, { readonly source: string; readonly svg: string }>>;
  /** Ids of the glossary's terms that it uses. */
  readonly terms: readonly string[];
  /** What an author has to repair. */
  readonly problems: readonly string[];
}

/** Writes one chapter: text, figures, source notebook, compiled cells. `all` are the chapters that it may refer to. */
export async function writeChapter(
  chapter: Chapter,
  all: readonly Chapter[],
  glossary: Glossary,
  folders: ChapterFolders,
  types: ReadonlyMap<string, string>,
): Promise<WrittenChapter> {
  const { document, file, slug } = chapter;
  const marker = new GlossaryMarker(glossary);
  const problems = [...chapter.problems];
  const targets = targetsFrom(chapter, all);
  await writeText(chapter, folders, {
    amend(tree) {
      problems.push(...resolveReferences(tree, targets));
      marker.mark(tree);
    },
    terms: marker.used,
  });
  await mkdir(path.join(folders.public, "notebooks"), { recursive: true });
  await copyFile(path.join(folders.notebooks, file), path.join(folders.public, "notebooks", file));
  const cells = JSON.stringify(compiledCells(document, types));
  const name = await writeNamed(path.join(folders.public, "live"), `cells-${slug}`, "json", cells);
  return {
    cells: `/live/${name}`,
    drawings: drawingsOf(document),
    terms: marker.used,
    problems: problems.map((problem) => `${file}: ${problem}`),
  };
}

/** Where references of a chapter may lead. */
function targetsFrom(chapter: Chapter, all: readonly Chapter[]): ReferenceTargets {
  const named = (slug: string): Chapter | undefined =>
    slug === "" ? chapter : all.find((other) => other.slug === slug);
  return {
    figures: (slug, cell) => named(slug)?.figures.find((figure) => figure.cell === cell),
    hasCell: (slug, cell) =>
      named(slug)?.document.cells.some(({ id, kind }) => id === cell && kind === "code") ?? false,
    page: (slug) => `/chapters/${slug}/`,
  };
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
  { document, figures: numbered, file: notebook, slug, number: chapter }: Chapter,
  folders: ChapterFolders,
  { amend, terms }: { readonly amend: Amend; readonly terms: readonly string[] },
): Promise<void> {
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
    amend,
    figures: numbered,
  });
  const figures = path.join(folders.public, "figures", slug);
  await mkdir(figures, { recursive: true });
  await mkdir(folders.text, { recursive: true });
  for (const { name, content } of files) await writeFile(path.join(figures, name), content);
  const notes = `<TermNotes ids={${JSON.stringify(terms)}} />\n`;
  await writeFile(path.join(folders.text, `${slug}.mdx`), `${text}\n${notes}`);
}

/** A link to another notebook becomes a link to its chapter; references to cells wait for their numbers. */
function chapterAddress(address: string): string {
  if (address.includes("#cell-id=")) return address;
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
