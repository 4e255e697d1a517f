/** Writes a result and its files so that a reader, a full disk or Ctrl-C never meets half of it. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import type { ExportFile } from "../../notebook/export/outputs.ts";

/**
 * Writes everything under names of its own first, then moves it into place, the text last.
 * @returns What went wrong, as one line; then nothing of it is left.
 */
export function writeWhole(
  target: string,
  text: string,
  filesFolder: string,
  files: readonly ExportFile[],
): string | undefined {
  const mark = `.${process.pid}.part`;
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target + mark, text);
    if (files.length > 0) mkdirSync(filesFolder + mark);
    for (const { name, content } of files) {
      writeFileSync(path.join(filesFolder + mark, path.basename(name)), content);
    }
    if (files.length > 0) {
      rmSync(filesFolder, { recursive: true, force: true });
      renameSync(filesFolder + mark, filesFolder);
    }
    renameSync(target + mark, target);
    return undefined;
  } catch (error) {
    rmSync(target + mark, { force: true });
    rmSync(filesFolder + mark, { recursive: true, force: true });
    return explained(target, error);
  }
}

function explained(target: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC")
    return `the disk is full: ${target} was not written; make room and run the command again.`;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return `${target} may not be written here.`;
  if (code === "EISDIR" || code === "EEXIST" || code === "ENOTDIR")
    return `${target}: a file and a folder would have the same name.`;
  return `${target} was not written: ${error instanceof Error ? error.message : String(error)}`;
}
