/** What a student runs before handing in: the visible tests of their own notebook, in the same cage, with open verdicts. */
import path from "node:path";
import { isNotebookError, NOTEBOOK_LIMITS, parseNotebookBytes } from "../notebook/nbformat.ts";
import type { SourceAssignment } from "./course.ts";
import { readRegularFile } from "./files.ts";
import { type Bench, gradeSubmission, prepareAssignment } from "./grade-submission.ts";
import { buildManifest } from "./manifest.ts";
import { isProblem, type Problem, problem } from "./problem.ts";
import type { SubmissionReport } from "./report.ts";

/** Validates one notebook file against the tests that stand in it. */
export async function validateNotebook(
  bench: Bench,
  file: string,
  instances: number,
): Promise<SubmissionReport | Problem> {
  const bytes = readRegularFile(file, NOTEBOOK_LIMITS.bytes);
  if (isProblem(bytes)) return problem(`${file}: ${bytes.message}`);
  const notebook = parseNotebookBytes(bytes);
  if (isNotebookError(notebook)) return problem(`${file}: ${notebook.message}`);
  const name = path.basename(file, ".ipynb");
  const manifest = buildManifest(name, [{ name, notebook }]);
  if (!manifest.ok) return problem(manifest.problem);
  if (!manifest.manifest.notebooks.some((each) => each.cells.some((cell) => cell.meta.grade))) {
    return problem(`${file}: the notebook has no tests`);
  }
  const source: SourceAssignment = {
    manifest: manifest.manifest,
    notebooks: [{ name, notebook }],
    files: [],
    checksModule: undefined,
  };
  const prepared = await prepareAssignment(source, bench.compiler, true);
  if (isProblem(prepared)) return prepared;
  const submission = {
    student: "you",
    hash: "",
    timestamp: null,
    notebooks: new Map([[name, { file, notebook }]]),
    flags: [],
  };
  return gradeSubmission(bench, prepared, submission, { draw: { kind: "visible" }, instances });
}
