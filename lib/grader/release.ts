/** The student version: no solutions, no hidden tests, no mark schemes, no outputs; locked where it must not change. */
import { copyFileSync } from "node:fs";
import path from "node:path";
import { type Cell, type JsonObject, type Notebook, writeNotebook } from "../notebook/nbformat.ts";
import type { Course, SourceAssignment } from "./course.ts";
import { replaceFolder, writeFileWhole } from "./files.ts";
import type { ManifestCell, ManifestNotebook } from "./manifest.ts";
import { cellChecksum } from "./nbgrader/checksum.ts";
import { CODE_STUB, replaceRegions, TEXT_STUB } from "./nbgrader/delimiters.ts";
import { isProblem, type Problem, problem } from "./problem.ts";

/** Writes `release/ASSIGNMENT`. The same source gives the same bytes; a failure leaves the former release. */
export function releaseAssignment(course: Course, source: SourceAssignment): Problem | undefined {
  const { assignment } = source.manifest;
  const texts: { name: string; text: string }[] = [];
  for (const { name, notebook } of source.notebooks) {
    const manifest = source.manifest.notebooks.find((candidate) => candidate.name === name);
    if (manifest === undefined) continue;
    const released = releaseNotebook(assignment, manifest, notebook);
    if (isProblem(released)) return problem(`${assignment}/${name}: ${released.message}`);
    texts.push({ name, text: writeNotebook(released) });
  }
  replaceFolder(course.folder("release", assignment), (fresh) => {
    for (const file of source.files) {
      copyFileSync(path.join(course.folder("source", assignment), file), path.join(fresh, file));
    }
    for (const { name, text } of texts) writeFileWhole(path.join(fresh, `${name}.ipynb`), text);
  });
  return undefined;
}

/** The student version of one notebook. */
export function releaseNotebook(
  assignment: string,
  manifest: ManifestNotebook,
  notebook: Notebook,
): Notebook | Problem {
  const cells: Cell[] = [];
  for (const [index, cell] of notebook.cells.entries()) {
    const named = manifest.cells.find((candidate) => candidate.index === index);
    const source = named === undefined ? cell.source : releasedText(named);
    if (isProblem(source)) return problem(`cell ${index + 1}: ${source.message}`);
    const metadata = named === undefined ? cell.metadata : releasedMetadata(cell, named, source);
    const blank = cell.cell_type === "code" ? { ...cell, execution_count: null, outputs: [] } : cell;
    cells.push({ ...blank, source, metadata });
  }
  return {
    ...notebook,
    metadata: { ...notebook.metadata, dom0: { assignment, notebook: manifest.name } },
    cells,
  };
}

/** A named cell's text as students get it. */
export function releasedText(cell: ManifestCell): string | Problem {
  const isAnswer = cell.role === "answer" || cell.role === "manual-answer";
  const stub = cell.cellType === "code" ? CODE_STUB : TEXT_STUB;
  const solved = isAnswer
    ? replaceRegions(cell.source, "solution", stub)
    : { ok: true as const, source: cell.source, regions: 1 };
  if (!solved.ok) return problem(solved.problem);
  const shown = replaceRegions(solved.regions === 0 ? stub : solved.source, "hiddenTests");
  if (!shown.ok) return problem(shown.problem);
  const plain = replaceRegions(shown.source, "markScheme");
  return plain.ok ? plain.source : problem(plain.problem);
}

function releasedMetadata(cell: Cell, named: ManifestCell, source: string): JsonObject {
  const { meta } = named;
  const isTest = meta.grade && !meta.solution;
  const isReadOnly = named.locked && !meta.grade;
  return {
    ...cell.metadata,
    ...(meta.solution || isTest || isReadOnly || meta.task ? { deletable: false } : {}),
    ...(isTest || isReadOnly ? { editable: false } : {}),
    nbgrader: {
      schema_version: 3,
      grade: meta.grade,
      solution: meta.solution,
      locked: named.locked,
      task: meta.task,
      grade_id: meta.grade_id,
      ...(meta.points === undefined ? {} : { points: meta.points }),
      cell_type: named.cellType,
      checksum: cellChecksum({ cell_type: named.cellType, source }, meta),
    },
  };
}
