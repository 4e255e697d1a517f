/** Reading what others wrote, and writing so that a reader sees the old file or the new one, never a part. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type Problem, problem } from "./problem.ts";

/** Writes a file through a sibling and a rename. On failure the sibling is removed and the error goes on. */
export function writeFileWhole(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const sibling = `${file}.${process.pid}.part`;
  try {
    const fd = openSync(sibling, "w", 0o644);
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(sibling, file);
  } catch (error) {
    rmSync(sibling, { force: true });
    throw error;
  }
}

/** Replaces a whole folder by what `fill` writes into a new one; on failure the old folder stays. */
export function replaceFolder(folder: string, fill: (fresh: string) => void): void {
  mkdirSync(path.dirname(folder), { recursive: true });
  const fresh = `${folder}.${process.pid}.part`;
  const old = `${folder}.${process.pid}.old`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    mkdirSync(fresh);
    fill(fresh);
    const existed = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
    if (existed) renameSync(folder, old);
    renameSync(fresh, folder);
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (
      lstatSync(folder, { throwIfNoEntry: false }) === undefined &&
      lstatSync(old, { throwIfNoEntry: false }) !== undefined
    ) {
      renameSync(old, folder);
    }
    throw error;
  }
}

/** Reads a regular file of bounded size, following no link. */
export function readRegularFile(file: string, mostBytes: number): Uint8Array | Problem {
  let fd: number;
  try {
    // Non-blocking, so that a named pipe cannot hold the reader.
    fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return problem(`${path.basename(file)} is a link or cannot be opened`);
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) return problem(`${path.basename(file)} is not a regular file`);
    if (status.size > mostBytes) {
      return problem(
        `${path.basename(file)} has ${(status.size / 1e6).toFixed(1)} MB; at most ${(mostBytes / 1e6).toFixed(0)} MB are read`,
      );
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Names of the real folders inside a folder, sorted; links are not folders. A missing folder has none. */
export function foldersIn(folder: string): readonly string[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => !/\.\d+\.(part|old)$/.test(name))
    .sort();
}
