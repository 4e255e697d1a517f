/**
 * What an assignment is: read from the instructor's own notebooks and from nothing else.
 *
 * Roles, points and tests come from here. A student's notebook only says which text stands in which answer.
 */
import { createHash } from "node:crypto";
import { cellChecksum } from "./nbgrader/checksum.ts";
import { hasRegion, type RegionKind } from "./nbgrader/delimiters.ts";
import {
  type CellRole,
  type CellText,
  isLocked,
  type NbgraderMetadata,
  parseMetadata,
  roleOf,
} from "./nbgrader/metadata.ts";

/** A notebook as far as grading reads it. */
export interface NotebookText {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cells: readonly (CellText & { readonly id?: string | undefined })[];
}

/** One cell that the instructor named. */
export interface ManifestCell {
  /** `grade_id`: unique in its notebook. */
  readonly id: string;
  /** The cell's id in the notebook file, which a copy of the cell does not keep. */
  readonly cellId: string | undefined;
  readonly role: CellRole;
  readonly cellType: "code" | "markdown";
  readonly locked: boolean;
  /** Points of a graded cell; 0 for others. */
  readonly points: number;
  /** The instructor's text, with solutions and hidden tests. */
  readonly source: string;
  readonly checksum: string;
  readonly meta: NbgraderMetadata;
  /** Place in the instructor's notebook, from 0. */
  readonly index: number;
}

/** One notebook of an assignment. */
export interface ManifestNotebook {
  readonly name: string;
  /** First heading, else the name. */
  readonly title: string;
  readonly kernelspec: Readonly<Record<string, unknown>>;
  readonly cells: readonly ManifestCell[];
  /** Every code cell's text in order, with solutions: what the tests are compiled against. */
  readonly code: readonly { readonly id: string | undefined; readonly source: string }[];
}

/** An assignment. */
export interface Manifest {
  readonly assignment: string;
  readonly notebooks: readonly ManifestNotebook[];
  /** SHA-256 over everything that can change a score. */
  readonly hash: string;
}

/** A manifest, or what the instructor should mend. */
export type ManifestResult =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problem: string };

/** Builds a manifest. `extra` are further texts that scores depend on, such as the instructor's checks. */
export function buildManifest(
  assignment: string,
  notebooks: readonly { readonly name: string; readonly notebook: NotebookText }[],
  extra: readonly string[] = [],
): ManifestResult {
  const built: ManifestNotebook[] = [];
  for (const { name, notebook } of notebooks) {
    const result = manifestNotebook(name, notebook);
    if (typeof result === "string") return { ok: false, problem: `${name}: ${result}` };
    built.push(result);
  }
  if (built.length === 0) return { ok: false, problem: `${assignment} has no notebooks` };
  const hash = createHash("sha256");
  hash.update(JSON.stringify([assignment, built, extra]));
  return { ok: true, manifest: { assignment, notebooks: built, hash: hash.digest("hex") } };
}

function manifestNotebook(name: string, notebook: NotebookText): ManifestNotebook | string {
  const cells: ManifestCell[] = [];
  const code: { id: string | undefined; source: string }[] = [];
  const seen = new Set<string>();
  for (const [index, cell] of notebook.cells.entries()) {
    const meta = parseMetadata(cell);
    if (typeof meta === "string") return `cell ${index + 1}: ${meta}`;
    if (cell.cell_type === "code") code.push({ id: meta?.grade_id, source: cell.source });
    if (meta === undefined) continue;
    if (seen.has(meta.grade_id)) return `cell ${index + 1}: the name "${meta.grade_id}" is used twice`;
    seen.add(meta.grade_id);
    const misplaced = misplacedRegion(cell, roleOf(meta));
    if (misplaced !== undefined) return `cell ${index + 1}: ${misplaced}`;
    cells.push(manifestCell(cell, meta, index));
  }
  const kernelspec = notebook.metadata["kernelspec"];
  const heading = notebook.cells.map(
    (cell) => /^#\s+(.+)$/m.exec(cell.cell_type === "markdown" ? cell.source : "")?.[1],
  );
  return {
    name,
    title: heading.find((text) => text !== undefined)?.trim() ?? name,
    kernelspec: typeof kernelspec === "object" && kernelspec !== null ? { ...kernelspec } : {},
    cells,
    code,
  };
}

function manifestCell(
  cell: NotebookText["cells"][number],
  meta: NbgraderMetadata,
  index: number,
): ManifestCell {
  return {
    id: meta.grade_id,
    cellId: cell.id,
    role: roleOf(meta),
    cellType: cell.cell_type === "code" ? "code" : "markdown",
    locked: isLocked(meta),
    points: meta.points ?? 0,
    source: cell.source,
    checksum: cellChecksum(cell, meta),
    meta,
    index,
  };
}

const REGION_ROLES: Readonly<Record<RegionKind, readonly CellRole[]>> = {
  solution: ["answer", "manual-answer"],
  hiddenTests: ["test"],
  markScheme: ["manual-task", "manual-answer"],
};

function misplacedRegion(cell: CellText, role: CellRole): string | undefined {
  for (const kind of ["solution", "hiddenTests", "markScheme"] as const) {
    if (hasRegion(cell.source, kind) && !REGION_ROLES[kind].includes(role)) {
      return `a ${kind === "hiddenTests" ? "hidden test" : kind} region stands in a cell of another kind (${role})`;
    }
  }
  return undefined;
}

/** Graded cells of a notebook, in order. */
export const gradedCells = (notebook: ManifestNotebook): readonly ManifestCell[] =>
  notebook.cells.filter((cell) => cell.meta.grade || cell.meta.task);

/** Points that an assignment can give. */
export const mostPoints = (manifest: Manifest): number =>
  manifest.notebooks.flatMap(gradedCells).reduce((sum, cell) => sum + cell.points, 0);
