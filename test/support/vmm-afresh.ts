/**
 * The reference hypervisor as amnesia mode wants it: all of `lib/vmm` evaluated anew each time, in a scope of its own, so that nothing at the
 * top level of any of its files lives on. What it stands on (`lib/hs` and the layers below) is the machine, and stays.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { buildSync } from "esbuild";
import type { HypervisorModule } from "../../lib/hs/hypervisor.ts";
import { fromSource } from "../../lib/hs/source.ts";
import type { VmmParts } from "../../lib/vmm/parts.ts";

const LIB = path.resolve(import.meta.dirname, "../../lib");
const MODULE = "vmm/module.ts";

/** Makes the module for a machine with so much RAM, with some of its parts replaced or none. */
export type MakeVmm = (ramBytes: number, parts?: VmmParts) => HypervisorModule;

/** All of `lib/vmm` as one text, with `require` for what it stands on. */
function bundled(): string {
  const layers = readdirSync(LIB, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "vmm")
    .map(({ name }) => name);
  const { outputFiles } = buildSync({
    entryPoints: [path.join(LIB, MODULE)],
    bundle: true,
    format: "cjs",
    write: false,
    target: "es2023",
    external: layers.flatMap((layer) => [`../${layer}/*`, `../../${layer}/*`]),
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("lib/vmm gives no bundle");
  return bundle.text;
}

/**
 * A maker that evaluates the source afresh each time it is called.
 *
 * @param edit  Changes the source first: how a test plants a mistake.
 */
export async function vmmAfresh(edit: (text: string) => string = (text) => text): Promise<MakeVmm> {
  const text = edit(bundled());
  const below = new Map<string, unknown>();
  for (const [, name = ""] of text.matchAll(/require\("([^"]+)"\)/g))
    if (!below.has(name)) below.set(name, await import(path.join(LIB, name.replace(/^(\.\.\/)+/, ""))));
  const evaluate = fromSource<{ readonly vmmModule: MakeVmm }>(
    `const module = { exports: {} };\n${text}\nreturn module.exports;`,
    { require: (name: string) => below.get(name) },
  );
  return (ramBytes, parts) => evaluate().vmmModule(ramBytes, parts);
}
