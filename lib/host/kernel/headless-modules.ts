/**
 * Loads modules for cells as `import` written in the notebook's folder would.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import type { ModuleRequest } from "../../notebook/kernel-protocol.ts";
import { tslabModule } from "../../notebook/tslab-display.ts";

const ENDINGS = ["", ".ts", ".js", ".mjs", "/index.ts", "/index.js"];

type Import = (specifier: string, options?: { with: { readonly [name: string]: string } }) => Promise<object>;

/** Loads modules for the cells of notebooks in one folder. */
export class ModuleLoader {
  readonly #folder: string;
  readonly #importHere: Import;
  readonly #importFallback: Import;
  readonly #firstSeen = new Map<string, number>();
  #tslab: object | undefined;

  constructor(folder: string, fallbackFolder: string) {
    this.#folder = folder;
    this.#importHere = importFrom(folder);
    this.#importFallback = importFrom(fallbackFolder);
  }

  /** The module of a static or dynamic import. Rejects with Node's own error when there is none. */
  async load({ specifier, attributes }: ModuleRequest): Promise<object> {
    if (specifier === "tslab") {
      this.#tslab ??= tslabModule();
      return this.#tslab;
    }
    if (/^\.{1,2}\//.test(specifier)) return this.#loadLocal(specifier);
    const options = attributes === undefined ? undefined : { with: attributes };
    try {
      return await this.#importHere(specifier, options);
    } catch (error) {
      if (!isMissing(error, specifier)) throw error;
      return await this.#importFallback(specifier, options).catch(() => Promise.reject(error));
    }
  }

  /** A file beside the notebook: the ending may be left out, and an edited file is loaded anew. */
  async #loadLocal(specifier: string): Promise<object> {
    const target = path.resolve(this.#folder, specifier);
    const file = ENDINGS.map((ending) => target + ending).find(
      (each) => existsSync(each) && statSync(each).isFile(),
    );
    if (file === undefined) throw new Error(`Cannot find module '${specifier}' in the notebook's folder`);
    if (file.endsWith(".json")) return { default: JSON.parse(readFileSync(file, "utf8")) as unknown };
    const modified = statSync(file).mtimeMs;
    const first = this.#firstSeen.get(file) ?? modified;
    this.#firstSeen.set(file, first);
    return this.#importHere(`${pathToFileURL(file).href}${modified === first ? "" : `?edited=${modified}`}`);
  }
}

function importFrom(folder: string): Import {
  const script = new vm.Script("(specifier, options) => import(specifier, options)", {
    filename: path.join(folder, "cell.js"),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext() as Import;
}

function isMissing(error: unknown, specifier: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    !specifier.startsWith("/") &&
    error.message.includes(
      `'${specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/")}'`,
    )
  );
}

/** The `require` and `import.meta` of cells in a folder. */
export function moduleGlobals(folder: string): { require: NodeJS.Require; meta: object } {
  const file = path.join(folder, "cell.ts");
  return {
    require: createRequire(file),
    meta: { url: pathToFileURL(file).href, filename: file, dirname: folder },
  };
}
