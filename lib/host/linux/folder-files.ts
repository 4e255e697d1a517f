/** Reads a folder of the host into entries for a disk image. Links are kept as links; sockets and devices are left out. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { MAX_DISK_BYTES } from "../../board/disk/ext2-image.ts";
import {
  type FileEntry,
  type FileTreeError,
  fileTreeError,
  folder,
  link,
} from "../../board/disk/file-tree.ts";

const PERMISSION_BITS = 0o777;

/**
 * The files below a folder, under `prefix` in the image. Times and owners are not kept, so the same contents give the same
 * image everywhere.
 *
 * @returns  Entries in the order of their names, or one line that says what cannot be read.
 */
export function folderFiles(root: string, prefix: string): readonly FileEntry[] | FileTreeError {
  const entries: FileEntry[] = prefix === "" ? [] : [folder(prefix)];
  let bytes = 0;
  const visit = (where: string, inImage: string): void => {
    for (const name of readdirSync(where).sort()) {
      const file = path.join(where, name);
      const place = inImage === "" ? name : `${inImage}/${name}`;
      const stat = lstatSync(file);
      const permissions = stat.mode & PERMISSION_BITS;
      if (stat.isSymbolicLink()) entries.push(link(place, readlinkSync(file)));
      else if (stat.isDirectory()) {
        entries.push({ path: place, permissions, kind: "folder" });
        visit(file, place);
      } else if (stat.isFile()) {
        bytes += stat.size;
        if (bytes > MAX_DISK_BYTES) throw new TooLarge();
        entries.push({ path: place, permissions, kind: "file", bytes: new Uint8Array(readFileSync(file)) });
      }
    }
  };
  try {
    visit(root, prefix);
    return entries;
  } catch (error) {
    if (error instanceof TooLarge)
      return fileTreeError(`${root} holds more than ${MAX_DISK_BYTES / 2 ** 20} MiB, the largest disk.`);
    return fileTreeError(
      `${root} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}.`,
    );
  }
}

/** Thrown and caught in this file. */
class TooLarge extends Error {}
