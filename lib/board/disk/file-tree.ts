/** Files as values: what archives and disk images are made from. The host reads folders; this is what it reads them into. */

/** One file, folder, link or device. Owner and group are root. */
export type FileEntry = {
  /** Path without a leading slash: `bin/sh`. Parents come before what is in them. */
  readonly path: string;
  /** Permission bits, 12 of them. */
  readonly permissions: number;
} & (
  | { readonly kind: "folder" }
  | { readonly kind: "file"; readonly bytes: Uint8Array }
  | { readonly kind: "link"; readonly target: string }
  | {
      readonly kind: "device";
      readonly type: "character" | "block";
      readonly major: number;
      readonly minor: number;
    }
);

/** Why files cannot be made into an image, in one line. */
export interface FileTreeError {
  readonly kind: "file-tree-error";
  readonly message: string;
}

/** Makes a {@link FileTreeError}. */
export const fileTreeError = (message: string): FileTreeError => ({ kind: "file-tree-error", message });

/** Folder, with the usual rights. */
export const folder = (path: string): FileEntry => ({ path, permissions: 0o755, kind: "folder" });

/** Symbolic link. */
export const link = (path: string, target: string): FileEntry => ({
  path,
  permissions: 0o777,
  kind: "link",
  target,
});

/** Text that is a program: a script. */
export const script = (path: string, text: string): FileEntry =>
  program(path, new TextEncoder().encode(text));

/** Bytes that are a program. */
export const program = (path: string, bytes: Uint8Array): FileEntry => ({
  path,
  permissions: 0o755,
  kind: "file",
  bytes,
});

/** The type bits of a Unix mode. */
const TYPE_BITS = {
  folder: 0o040000,
  file: 0o100000,
  link: 0o120000,
  character: 0o020000,
  block: 0o060000,
} as const;

/** A Unix mode: type and permissions. */
export const modeOf = (entry: FileEntry): number =>
  TYPE_BITS[entry.kind === "device" ? entry.type : entry.kind] | entry.permissions;

/**
 * Puts entries into the one order that images are written in, parents first, and checks them: paths are plain, each there
 * once, each in a folder that is there.
 */
export function orderedTree(entries: readonly FileEntry[]): readonly FileEntry[] | FileTreeError {
  const sorted = entries.toSorted((left, right) => (key(left.path) < key(right.path) ? -1 : 1));
  const kinds = new Map<string, FileEntry["kind"]>([["", "folder"]]);
  for (const { path, kind } of sorted) {
    const names = path.split("/");
    if (names.some((name) => name === "" || name === "." || name === ".."))
      return fileTreeError(`"${path}" is no path of a file in an image.`);
    if (kinds.has(path)) return fileTreeError(`${path} is there twice.`);
    if (kinds.get(parentOf(path)) !== "folder")
      return fileTreeError(`${path} is in no folder: add ${parentOf(path)} as one.`);
    kinds.set(path, kind);
  }
  return sorted;
}

/** Sorts a folder's contents directly behind it. */
const key = (path: string): string => path.replaceAll("/", "\0");

/** Path of the folder that something is in; `""` is the root. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** Last name of a path. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** What is directly in each folder, by the folder's path; `""` is the root. */
export function childrenByFolder(entries: readonly FileEntry[]): Map<string, FileEntry[]> {
  const children = new Map<string, FileEntry[]>();
  for (const entry of entries) {
    const parent = parentOf(entry.path);
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [entry]);
    else known.push(entry);
  }
  return children;
}
