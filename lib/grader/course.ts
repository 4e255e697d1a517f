/** Where a course keeps its files: nbgrader's folders, under one root. */

import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { isNotebookError, NOTEBOOK_LIMITS, type Notebook, parseNotebookBytes } from "../notebook/nbformat.ts";
import { foldersIn, readRegularFile } from "./files.ts";
import { buildManifest, type Manifest } from "./manifest.ts";
import { isProblem, type Problem, problem } from "./problem.ts";

/** A step of nbgrader's life of an assignment. */
export type StepName = "source" | "release" | "submitted" | "autograded" | "feedback";

/** An instructor's checks beside the notebooks; they are never released. */
export const CHECKS_FILE = "checks.ts";

/** Files of an assignment that stay with the instructor. */
export const isInstructorOnly = (name: string): boolean =>
  /\.(ts|mts|js|mjs)$/.test(name) || name === "answers";

/** A course on disk. */
export class Course {
  readonly root: string;

  constructor(root: string) {
    this.root = path.resolve(root);
  }

  /** The gradebook's file. */
  get gradebook(): string {
    return path.join(this.root, "gradebook.db");
  }

  /** Folder of an assignment in a step; submissions have one per student. */
  folder(step: StepName, assignment: string, student?: string): string {
    return path.join(this.root, step, ...(student === undefined ? [] : [student]), assignment);
  }

  /** Names of all assignments, sorted. */
  assignments(): readonly string[] {
    return foldersIn(path.join(this.root, "source"));
  }

  /** Students with a folder for an assignment, sorted. */
  students(assignment: string): readonly string[] {
    return foldersIn(path.join(this.root, "submitted")).filter((student) =>
      lstatSync(this.folder("submitted", assignment, student), { throwIfNoEntry: false }),
    );
  }

  /** An assignment's name from what a user typed: whole, or a beginning that only one has. */
  findAssignment(typed: string | undefined): string | Problem {
    const all = this.assignments();
    if (all.length === 0)
      return problem(`${path.join(this.root, "source")} holds no assignments: is --course right?`);
    if (typed === undefined) {
      const [only, ...others] = all;
      return only !== undefined && others.length === 0
        ? only
        : problem(`name an assignment: ${all.join(", ")}`);
    }
    if (all.includes(typed)) return typed;
    const [found, ...more] = all.filter((name) => name.startsWith(typed));
    if (found !== undefined && more.length === 0) return found;
    return problem(`there is no assignment "${typed}"; there are: ${all.join(", ")}`);
  }

  /** Reads an assignment as its instructor wrote it. */
  readSource(assignment: string): SourceAssignment | Problem {
    const folder = this.folder("source", assignment);
    const notebooks: { name: string; notebook: Notebook }[] = [];
    const files: string[] = [];
    const extra: string[] = [];
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (entry.name.startsWith(".") || !entry.isFile()) continue;
      const bytes = readRegularFile(path.join(folder, entry.name), NOTEBOOK_LIMITS.bytes);
      if (isProblem(bytes)) return problem(`${assignment}: ${bytes.message}`);
      if (entry.name.endsWith(".ipynb")) {
        const notebook = parseNotebookBytes(bytes);
        if (isNotebookError(notebook)) return problem(`${assignment}/${entry.name}: ${notebook.message}`);
        notebooks.push({ name: entry.name.slice(0, -".ipynb".length), notebook });
      } else {
        if (!isInstructorOnly(entry.name)) files.push(entry.name);
        extra.push(entry.name, Buffer.from(bytes).toString("base64"));
      }
    }
    const manifest = buildManifest(assignment, notebooks, extra);
    if (!manifest.ok) return problem(`${assignment}/${manifest.problem}`);
    const checks = path.join(folder, CHECKS_FILE);
    const hasChecks = lstatSync(checks, { throwIfNoEntry: false })?.isFile() === true;
    return { manifest: manifest.manifest, notebooks, files, checksModule: hasChecks ? checks : undefined };
  }
}

/** An assignment's source: its manifest, its notebooks, the files that students get with them. */
export interface SourceAssignment {
  readonly manifest: Manifest;
  readonly notebooks: readonly { readonly name: string; readonly notebook: Notebook }[];
  readonly files: readonly string[];
  readonly checksModule: string | undefined;
}
