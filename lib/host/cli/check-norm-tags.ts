/** Every `@spec norm:<tag>` in the sources must name a rule of the RISC-V manual. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseDataset } from "../../assets/datasets.ts";
import { assetFile, PROJECT_ROOT } from "../node-assets.ts";
import type { CheckResult } from "./check-layers.ts";

const FOLDERS = ["lib", "test", "notebooks", "assignments", "book"];
const READ = /[.](ts|mjs|ipynb|md|mdx|S|c|h)$/;
const SKIP = /(^|[\\/])(dist|node_modules|[.]astro|[.]cache|fixtures)[\\/]/;
const TAG = /norm:([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9])/g;

async function files(root: string): Promise<string[]> {
  const lists = await Promise.all(
    FOLDERS.map(async (folder) =>
      (await readdir(path.join(root, folder), { recursive: true }).catch(() => [])).map((file) =>
        path.join(folder, file),
      ),
    ),
  );
  return lists
    .flat()
    .filter((file) => READ.test(file) && !SKIP.test(file))
    .sort();
}

/** Tags that the manual has; the data set is the manual's own list of names. */
export async function knownTags(): Promise<ReadonlySet<string>> {
  const csv = await readFile(assetFile("datasets/riscv-normative-tags/riscv-normative-tags.csv"), "utf8");
  return new Set(parseDataset("riscv-normative-tags", csv).rows.map(({ tag }) => tag));
}

/** Checks the citations in the project at `root`. Zero citations is a failure: then nothing was checked. */
export async function checkNormTags(root: string = PROJECT_ROOT): Promise<CheckResult> {
  const known = await knownTags();
  const unknown: string[] = [];
  let cited = 0;
  for (const file of await files(root)) {
    const text = await readFile(path.join(root, file), "utf8");
    text.split("\n").forEach((line, index) => {
      for (const [, tag = ""] of line.matchAll(TAG)) {
        cited += 1;
        if (!known.has(tag)) unknown.push(`${file}:${index + 1} the manual has no rule norm:${tag}`);
      }
    });
  }
  if (cited === 0)
    return { ok: false, lines: ["no citation of the manual was found, so nothing was checked"] };
  return unknown.length > 0
    ? { ok: false, lines: unknown }
    : { ok: true, lines: [`${cited} citations name rules that exist`] };
}
