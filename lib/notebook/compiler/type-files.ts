/**
 * Where the compiler reads declarations from: the disk under Node, a map in a browser worker.
 *
 * The compiler itself knows no file system; a host hands it this.
 */

/** Read-only files by absolute path with forward slashes. */
export interface TypeFiles {
  /** Text of a file, or `undefined` when there is none. */
  readFile(path: string): string | undefined;
  fileExists(path: string): boolean;
  directoryExists(path: string): boolean;
  /** Names (not paths) of the folders inside a folder. */
  getDirectories(path: string): string[];
  /** The path behind links; the identity when left out. */
  realpath?(path: string): string;
  /** Changes when the file changes; left out for files that never do. */
  version?(path: string): string;
}

/** What a compiler is made from. */
export interface CompilerHost {
  readonly files: TypeFiles;
  /** Folder that relative imports of a cell start from, and where `node_modules` is looked for. */
  readonly folder: string;
  /** Folder of TypeScript's own `lib.*.d.ts`. */
  readonly libFolder: string;
  /** Declaration files that every cell sees, such as the globals of the place where cells run. */
  readonly ambient: readonly string[];
  /** Text of declarations that every cell sees, beside the ambient files. */
  readonly globals?: string;
  /** Second place to look for a bare import (the kit itself, for a notebook outside the repository). */
  readonly fallbackFolder?: string;
}

/** Type files held in memory, as a browser worker gets them. */
export function typeFilesFromMap(files: ReadonlyMap<string, string>): TypeFiles {
  const folders = new Map<string, Set<string>>();
  for (const path of files.keys()) {
    const parts = path.split("/");
    for (let depth = parts.length - 1; depth > 0; depth--) {
      const parent = parts.slice(0, depth).join("/") || "/";
      const children = folders.get(parent) ?? new Set();
      folders.set(parent, children);
      if (depth < parts.length - 1) children.add(parts[depth] ?? "");
    }
  }
  const trimmed = (path: string) => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
  return {
    readFile: (path) => files.get(path),
    fileExists: (path) => files.has(path),
    directoryExists: (path) => folders.has(trimmed(path)),
    getDirectories: (path) => [...(folders.get(trimmed(path)) ?? [])],
  };
}
