/**
 * The import rule, checked by dependency-cruiser over the table in `.dependency-cruiser.cjs`.
 *
 * A checker that read nothing finds nothing, so the number of modules that it saw is compared with the number of
 * source files on disk.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import { PROJECT_ROOT } from "../node-assets.ts";

export interface CheckResult {
  readonly ok: boolean;
  /** One line per finding, or one line that says what was checked. */
  readonly lines: readonly string[];
}

/** What is held to the rule; `lib` must be there, and all of it must be seen. */
const FOLDERS = ["lib", "book", "assignments"];

/** Source files below `lib`, without what is generated. */
async function sourceFiles(root: string): Promise<string[]> {
  const entries = await readdir(path.join(root, "lib"), { recursive: true });
  return entries.filter(
    (file) => /[.](ts|mjs)$/.test(file) && !/(^|[\\/])(dist|node_modules)[\\/]/.test(file),
  );
}

/** Checks the layers of the project at `root`. Findings are values; it throws only when the checker itself fails. */
export async function checkLayers(root: string = PROJECT_ROOT): Promise<CheckResult> {
  const options = await extractDepcruiseOptions(path.join(PROJECT_ROOT, ".dependency-cruiser.cjs"));
  const folders = FOLDERS.filter((folder) => existsSync(path.join(root, folder)));
  const { output } = await cruise(folders, { ...options, baseDir: root });
  const result = output as ICruiseResult;
  const seen = result.modules.filter(({ source }) => source.startsWith("lib/")).length;
  const wanted = (await sourceFiles(root)).length;
  const violations = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  if (seen < wanted)
    violations.push(
      `the layer checker saw ${seen} of ${wanted} modules of lib, so its silence means nothing`,
    );
  return violations.length > 0
    ? { ok: false, lines: violations }
    : { ok: true, lines: [`${seen} modules obey the import rule`] };
}
