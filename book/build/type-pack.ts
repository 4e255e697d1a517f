/**
 * Every declaration that a cell can see, as one map from path to text: TypeScript's own libraries, the kit, and what
 * the kit's declarations import. The compiler itself says which files those are.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { CELL_OPTIONS } from "../../lib/notebook/compiler/language.ts";
import { compilerFolders } from "../src/live/workers/compiler-folders.ts";

/** Reads the declarations reachable from the kit's front door. */
export function packTypes(root: string, globals: string): Map<string, string> {
  const kit = path.join(root, "lib");
  const front = path.join(kit, "dist/index.d.ts");
  const program = ts.createProgram([front], {
    ...CELL_OPTIONS,
    noEmit: true,
    declaration: false,
    sourceMap: false,
  });
  const packed = new Map<string, string>();
  const packages = new Set<string>();
  for (const file of program.getSourceFiles()) {
    packed.set(packedPath(file.fileName, root), withoutMap(file.text));
    const owner = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.fileName)?.[1];
    if (owner !== undefined) packages.add(owner);
  }
  for (const owner of [...packages].sort()) {
    const manifest = path.join(owner, "package.json");
    packed.set(packedPath(manifest, root), resolutionFields(readFileSync(manifest, "utf8")));
  }
  packed.set(
    "/course/node_modules/dom0-kit/package.json",
    resolutionFields(readFileSync(path.join(kit, "package.json"), "utf8")),
  );
  packed.set(compilerFolders.ambient[0] ?? "", globals);
  return new Map([...packed].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function packedPath(file: string, root: string): string {
  const inside = path.relative(root, file).split(path.sep).join("/");
  return inside.startsWith("lib/") ? `/course/node_modules/dom0-kit/${inside.slice(4)}` : `/course/${inside}`;
}

const withoutMap = (text: string): string => text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");

/** The part of a package.json that resolution of types reads. */
function resolutionFields(manifest: string): string {
  const { name, version, type, types, typings, main, exports } = JSON.parse(manifest) as Record<
    string,
    unknown
  >;
  return JSON.stringify({ name, version, type, types, typings, main, exports });
}
