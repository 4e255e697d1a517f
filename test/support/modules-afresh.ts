/** Modules as amnesia mode wants them: a file and all that it imports, evaluated anew each time, so that nothing at a top level lives on. */
import { buildSync } from "esbuild";
import { fromSource } from "../../lib/hs/source.ts";

/**
 * A maker of a module's exports for `installHandlers` and `installHypervisor`.
 *
 * @param file  Path of the module.
 * @example const makeModule = modulesAfresh<typeof import("./vmm.ts")>(path); installHypervisor(board, () => makeModule().vmm());
 */
export function modulesAfresh<Exports>(file: string): () => Exports {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    format: "iife",
    globalName: "made",
    write: false,
    target: "es2023",
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error(`${file} gives no bundle`);
  return fromSource<Exports>(`${bundle.text}\nreturn made;`);
}
