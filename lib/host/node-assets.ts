/** The kit's own files, read from the package folder. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { AssetSource } from "../assets/asset-source.ts";

/** The project's top folder, seen from `lib/host` or from `lib/dist/host`. */
const HERE = import.meta.dirname;
const LIB =
  path.basename(path.dirname(HERE)) === "dist" ? path.resolve(HERE, "../..") : path.resolve(HERE, "..");

/** Top folder of the project: where `package.json`, `notebooks` and `datasets` are. */
export const PROJECT_ROOT = path.resolve(LIB, "..");

const FOLDERS: Readonly<Record<string, string>> = {
  images: path.join(LIB, "systems/images"),
  datasets: path.join(PROJECT_ROOT, "datasets"),
  // Fetched, and not part of the kit: who reads it has to do without.
  linux: path.join(PROJECT_ROOT, ".cache/debian/linux"),
};

/** Absolute path of an asset such as `images/mini-kernel.elf`. Throws `RangeError` for an unknown folder. */
export function assetFile(assetPath: string): string {
  const [folder = "", ...rest] = assetPath.split("/");
  const base = Object.hasOwn(FOLDERS, folder) ? FOLDERS[folder] : undefined;
  if (base === undefined) throw new RangeError(`the kit has no folder "${folder}" of files`);
  return path.join(base, ...rest);
}

export const nodeAssets: AssetSource = {
  read: async (assetPath) => new Uint8Array(await readFile(assetFile(assetPath))),
};
