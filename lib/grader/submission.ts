/** Taking in one submission: names, files, sizes. What is refused is refused before anything of it runs. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { visibleText } from "../checks/verdict-bundle.ts";
import { isNotebookError, type Notebook, parseNotebookBytes } from "../notebook/nbformat.ts";
import type { Course } from "./course.ts";
import { readRegularFile } from "./files.ts";
import type { Manifest, ManifestNotebook } from "./manifest.ts";
import { claimedId } from "./nbgrader/metadata.ts";
import { isProblem, type Problem, problem } from "./problem.ts";

/** Bytes of one submitted notebook; the parser has its own limits below this. */
const MOST_BYTES = 20_000_000;
const MOST_FILES = 500;

/** A submission that may be graded. */
export interface Submission {
  readonly student: string;
  /** SHA-256 over the notebooks' bytes. */
  readonly hash: string;
  /** `YYYY-MM-DD HH:MM:SS.ffffff` UTC, or null when there is no time stamp. */
  readonly timestamp: string | null;
  /** The notebook that stands for each of the assignment's; missing ones are left out. */
  readonly notebooks: ReadonlyMap<string, SubmittedNotebook>;
  readonly flags: readonly string[];
}

/** One submitted notebook and the file it came in. */
export interface SubmittedNotebook {
  readonly file: string;
  readonly notebook: Notebook;
}

const STUDENT_ID = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$/;

/** May this be a student's id? Ids become folder names and rows, so they are plain. */
export const isStudentId = (id: string): boolean => STUDENT_ID.test(id) && !id.includes("..");

/** Reads `submitted/STUDENT/ASSIGNMENT`, or says why it is refused. */
export function readSubmission(course: Course, manifest: Manifest, student: string): Submission | Problem {
  if (!isStudentId(student))
    return problem(`"${visibleText(student)}" is no student id: letters, digits, . _ - @`);
  for (const folder of [
    course.folder("submitted", "", student),
    course.folder("submitted", manifest.assignment, student),
  ]) {
    if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory())
      return problem("the submission is no folder");
  }
  const folder = course.folder("submitted", manifest.assignment, student);
  const names = readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort();
  const refused = refuseNames(names);
  if (refused !== undefined) return problem(refused);
  const read = readNotebooks(folder, names, manifest);
  if (isProblem(read)) return read;
  const timestamp = readTimestamp(folder, names);
  return isProblem(timestamp) ? timestamp : { student, timestamp, ...read };
}

function refuseNames(names: readonly string[]): string | undefined {
  if (names.length > MOST_FILES) return `the submission has ${names.length} files; at most ${MOST_FILES}`;
  const folded = new Map<string, string>();
  for (const name of names) {
    const key = name.normalize("NFC").toLowerCase();
    const other = folded.get(key);
    if (other !== undefined)
      return `two files differ only in how their names are written: ${visibleText(other)}, ${visibleText(name)}`;
    folded.set(key, name);
  }
  return undefined;
}

function readNotebooks(
  folder: string,
  names: readonly string[],
  manifest: Manifest,
): Pick<Submission, "notebooks" | "flags" | "hash"> | Problem {
  const files: SubmittedNotebook[] = [];
  const hash = createHash("sha256");
  for (const name of names) {
    if (!name.endsWith(".ipynb")) continue;
    const bytes = readRegularFile(path.join(folder, name), MOST_BYTES);
    if (isProblem(bytes)) return problem(visibleText(bytes.message));
    const notebook = parseNotebookBytes(bytes);
    if (isNotebookError(notebook)) return problem(`${visibleText(name)}: ${notebook.message}`);
    hash.update(JSON.stringify([name, bytes.length])).update(bytes);
    files.push({ file: name, notebook });
  }
  const { notebooks, flags } = matchNotebooks(files, manifest);
  return { notebooks, flags, hash: hash.digest("hex") };
}

/** By file name; else the one notebook that says it is this one, or holds its cells. Others are ignored. */
function matchNotebooks(
  files: readonly SubmittedNotebook[],
  manifest: Manifest,
): { notebooks: Map<string, SubmittedNotebook>; flags: string[] } {
  const notebooks = new Map<string, SubmittedNotebook>();
  const flags: string[] = [];
  const taken = new Set<SubmittedNotebook>();
  for (const wanted of manifest.notebooks) {
    const exact = files.find(({ file }) => file === `${wanted.name}.ipynb`);
    if (exact !== undefined) {
      notebooks.set(wanted.name, exact);
      taken.add(exact);
    }
  }
  for (const wanted of manifest.notebooks) {
    if (notebooks.has(wanted.name)) continue;
    const candidates = files.filter((file) => !taken.has(file) && looksLike(file.notebook, wanted));
    const [found, ...others] = candidates;
    if (found === undefined || others.length > 0) continue;
    notebooks.set(wanted.name, found);
    taken.add(found);
    flags.push(`${wanted.name}: the notebook was renamed to ${visibleText(found.file)}`);
  }
  for (const file of files) if (!taken.has(file)) flags.push(`${visibleText(file.file)} was ignored`);
  return { notebooks, flags };
}

function looksLike(notebook: Notebook, wanted: ManifestNotebook): boolean {
  const ids = new Set(wanted.cells.map((cell) => cell.id));
  return notebook.cells.some((cell) => {
    const id = claimedId(cell.metadata);
    return id !== undefined && ids.has(id);
  });
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?: (UTC|GMT|[+-]\d{2}:?\d{2}))?$/;

/** The collector's time stamp in nbgrader's form, turned into UTC as the gradebook stores it. */
function readTimestamp(folder: string, names: readonly string[]): string | null | Problem {
  if (!names.includes("timestamp.txt")) return null;
  const bytes = readRegularFile(path.join(folder, "timestamp.txt"), 200);
  if (isProblem(bytes)) return problem(bytes.message);
  const text = new TextDecoder().decode(bytes).trim();
  if (text === "") return null;
  const match = TIMESTAMP.exec(text);
  if (match === null) return problem("timestamp.txt is not of the form 2026-11-23 04:00:00.000000 UTC");
  const [, day = "", time = "", fraction = "0", zone = "UTC"] = match;
  const offset = zone === "UTC" || zone === "GMT" ? "Z" : zone;
  const moment = new Date(`${day}T${time}${offset}`);
  if (Number.isNaN(moment.getTime())) return problem("timestamp.txt holds no date");
  return `${moment.toISOString().slice(0, 19).replace("T", " ")}.${fraction.padEnd(6, "0")}`;
}
