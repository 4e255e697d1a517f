/**
 * The compiler's view of this machine's disk.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { CompilerHost, TypeFiles } from "../../notebook/compiler/type-files.ts";

/**
 * Reads declarations from the disk. Outside the notebook's folder files are taken to be constant while a kernel
 * lives, so each question about one is asked once.
 */
function nodeTypeFiles(folder: string): TypeFiles {
  const isConstant = (file: string) => !file.startsWith(`${folder}/`) || file.includes("/node_modules/");
  const remembered = <T>(ask: (file: string) => T): ((file: string) => T) => {
    const known = new Map<string, T>();
    return (file) => {
      if (!isConstant(file)) return ask(file);
      const before = known.get(file);
      if (before !== undefined) return before;
      const answer = ask(file);
      known.set(file, answer);
      return answer;
    };
  };
  return {
    readFile: (file) => attempt(() => readFileSync(file, "utf8")),
    fileExists: remembered((file) => attempt(() => statSync(file).isFile()) ?? false),
    directoryExists: remembered((path) => attempt(() => statSync(path).isDirectory()) ?? false),
    getDirectories: remembered(
      (path) =>
        attempt(() =>
          readdirSync(path, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => entry.name),
        ) ?? [],
    ),
    realpath: remembered((file) => attempt(() => slashed(realpathSync(file))) ?? file),
    version: (file) => (isConstant(file) ? "0" : String(attempt(() => statSync(file).mtimeMs) ?? "missing")),
  };
}

/** What a compiler needs for cells of notebooks in one folder. */
export function nodeCompilerHost(folder: string): CompilerHost {
  const kit = kitFolder();
  const own = slashed(path.resolve(folder));
  return {
    files: nodeTypeFiles(own),
    folder: own,
    libFolder: packageFolder(kit, "typescript/lib"),
    ambient: [`${packageFolder(kit, "@types/node")}/index.d.ts`],
    fallbackFolder: kit,
  };
}

/** Folder of the package `dom0-kit`, above the sources or above `dist`. */
export function kitFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, "package.json"))) folder = path.dirname(folder);
  return slashed(folder);
}

function packageFolder(from: string, name: string): string {
  for (let folder = from; ; folder = path.posix.dirname(folder)) {
    const candidate = `${folder}/node_modules/${name}`;
    if (existsSync(candidate)) return candidate;
    if (folder === path.posix.dirname(folder)) return candidate;
  }
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

const slashed = (file: string) => (process.platform === "win32" ? file.replaceAll("\\", "/") : file);
