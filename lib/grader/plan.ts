/**
 * From a student's notebook to the steps that are graded.
 *
 * Student's cells run in the student's order. Every locked cell and every test is the instructor's own text, and a
 * test stands after all answers that precede it in the instructor's notebook, wherever the student moved things.
 */
import type { ManifestCell, ManifestNotebook, NotebookText } from "./manifest.ts";
import { cellChecksum } from "./nbgrader/checksum.ts";
import { replaceRegions } from "./nbgrader/delimiters.ts";
import { claimedId } from "./nbgrader/metadata.ts";

/** One step of a graded run. */
export type Step =
  /** A cell of the student's runs in the cage. */
  | {
      readonly kind: "student";
      readonly source: string;
      readonly answers: string | undefined;
      readonly label: string;
    }
  /** A locked cell runs in the cage and in the oracle. */
  | { readonly kind: "locked"; readonly id: string; readonly source: string }
  /** A test runs in the oracle. */
  | { readonly kind: "test"; readonly id: string };

/** Something a person should look at; never an accusation. */
export interface Flag {
  readonly cell: string;
  readonly what: string;
}

/** Steps, oddities, and the student's text of every answer (for feedback and for reading by a person). */
export interface Plan {
  readonly steps: readonly Step[];
  readonly flags: readonly Flag[];
  readonly answers: ReadonlyMap<string, string>;
}

type StudentCell = NotebookText["cells"][number];

interface Matched {
  readonly cell: StudentCell;
  readonly position: number;
}

/** Plans the run of one submitted notebook. */
export function planRun(manifest: ManifestNotebook, notebook: NotebookText): Plan {
  const flags: Flag[] = [];
  const { matched, ignored } = matchCells(manifest, notebook, flags);
  const placed: { at: number; order: number; step: Step }[] = [];
  const owner = new Map([...matched].map(([id, { position }]) => [position, id]));
  const known = new Map(manifest.cells.map((cell) => [cell.id, cell]));
  for (const [position, cell] of notebook.cells.entries()) {
    const id = owner.get(position);
    const role = id === undefined ? "plain" : known.get(id)?.role;
    if (ignored.has(position) || role === "test" || role === "read-only") continue;
    const isCode = id === undefined ? cell.cell_type === "code" : known.get(id)?.cellType === "code";
    if (!isCode) continue;
    placed.push({
      at: position,
      order: 0,
      step: { kind: "student", source: cell.source, answers: id, label: `cell ${position + 1}` },
    });
  }
  placeInstructorCells(manifest, matched, placed);
  placed.sort((left, right) => left.at - right.at || left.order - right.order);
  const answers = new Map<string, string>();
  for (const [id, { cell }] of matched) answers.set(id, cell.source);
  flagChanges(manifest, matched, flags);
  return { steps: placed.map(({ step }) => step), flags, answers };
}

/** Locked cells and tests, in the instructor's order, each after what precedes it there. */
function placeInstructorCells(
  manifest: ManifestNotebook,
  matched: ReadonlyMap<string, Matched>,
  placed: { at: number; order: number; step: Step }[],
): void {
  let floor = -1;
  for (const [order, cell] of manifest.cells.entries()) {
    const own = matched.get(cell.id)?.position ?? -1;
    if (cell.role === "answer" || cell.role === "manual-answer") floor = Math.max(floor, own);
    if (cell.cellType !== "code" || (cell.role !== "test" && cell.role !== "read-only")) continue;
    floor = Math.max(floor, own);
    const step: Step =
      cell.role === "test"
        ? { kind: "test", id: cell.id }
        : { kind: "locked", id: cell.id, source: cell.source };
    placed.push({ at: floor, order: order + 1, step });
  }
}

/**
 * Finds each named cell in the student's notebook. Of several with one name, the one whose notebook id the release
 * gave it wins, else the first; the others are ignored.
 */
function matchCells(
  manifest: ManifestNotebook,
  notebook: NotebookText,
  flags: Flag[],
): { matched: Map<string, Matched>; ignored: ReadonlySet<number> } {
  const known = new Map(manifest.cells.map((cell) => [cell.id, cell]));
  const claims = new Map<string, Matched[]>();
  for (const [position, cell] of notebook.cells.entries()) {
    const id = claimedId(cell.metadata);
    if (id === undefined || !known.has(id)) continue;
    const list = claims.get(id) ?? [];
    list.push({ cell, position });
    claims.set(id, list);
  }
  const matched = new Map<string, Matched>();
  const ignored = new Set<number>();
  for (const [id, list] of claims) {
    const chosen = list.find(({ cell }) => cell.id === known.get(id)?.cellId) ?? list[0];
    if (chosen === undefined) continue;
    matched.set(id, chosen);
    if (list.length > 1) flags.push({ cell: id, what: `${list.length} cells claim this name` });
    for (const other of list) if (other !== chosen) ignored.add(other.position);
  }
  for (const cell of manifest.cells) {
    if (!matched.has(cell.id)) flags.push({ cell: cell.id, what: `the ${cell.role} cell is missing` });
  }
  return { matched, ignored };
}

function flagChanges(manifest: ManifestNotebook, matched: ReadonlyMap<string, Matched>, flags: Flag[]): void {
  for (const cell of manifest.cells) {
    const found = matched.get(cell.id)?.cell;
    if (found === undefined) continue;
    if (found.cell_type !== cell.cellType)
      flags.push({ cell: cell.id, what: `the cell became ${found.cell_type}` });
    if (cell.locked && found.source !== releasedSource(cell))
      flags.push({ cell: cell.id, what: "a locked cell was changed" });
  }
}

/** A locked cell's text as students get it. */
export function releasedSource(cell: ManifestCell): string {
  const replaced = replaceRegions(cell.source, "hiddenTests");
  return replaced.ok ? replaced.source : cell.source;
}

/** Did the student leave a manually graded answer as it was released? */
export function isUntouched(cell: ManifestCell, answer: string | undefined, released: string): boolean {
  if (answer === undefined) return true;
  return (
    cellChecksum({ cell_type: cell.cellType, source: answer }, cell.meta) ===
    cellChecksum({ cell_type: cell.cellType, source: released }, cell.meta)
  );
}
