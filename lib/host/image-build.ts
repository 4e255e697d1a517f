/** Builds guest images with the RISC-V compiler, in a scratch folder, so that nothing half-built is ever left behind. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { boardHeader } from "../systems/board-header.ts";
import {
  BOARD_HEADER,
  COMPILER,
  COMPILER_VERSION,
  IMAGE_RECIPES,
  type ImageRecipe,
  type Manifest,
  type ManifestEntry,
} from "../systems/image-recipe.ts";
import { PROJECT_ROOT } from "./node-assets.ts";

const SYSTEMS = path.join(PROJECT_ROOT, "lib/systems");
const IMAGES = path.join(SYSTEMS, "images");
const MANIFEST = path.join(IMAGES, "manifest.json");

/** An image and what the manifest says of it. */
export interface BuiltImage {
  readonly bytes: Uint8Array;
  readonly entry: ManifestEntry;
}

/** What keeps images from being built on this machine, or undefined. */
export function compilerProblem(): string | undefined {
  try {
    const version = execFileSync(COMPILER, ["-dumpfullversion"], { encoding: "utf8", stdio: "pipe" }).trim();
    if (version === COMPILER_VERSION) return undefined;
    return `${COMPILER} is version ${version}; the images need ${COMPILER_VERSION}, because another one lays code out differently.`;
  } catch {
    return `${COMPILER} was not found; install Debian's gcc-riscv64-unknown-elf.`;
  }
}

/** Compiles and links one image. Throws with the compiler's words when a source is wrong: sources are ours. */
export function buildImage(recipe: ImageRecipe): BuiltImage {
  const folder = path.join(SYSTEMS, recipe.folder);
  const scratch = mkdtempSync(path.join(tmpdir(), "dom0-image-"));
  const include = `-I${path.join("..", path.dirname(BOARD_HEADER))}`;
  // Run in the sources' folder with relative names: no path of this machine gets into the image.
  const gcc = (...args: string[]): void => {
    execFileSync(COMPILER, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  try {
    const objects = recipe.sources.map((source) => {
      const object = path.join(scratch, source.replace(/[.][cS]$/, ".o"));
      gcc(...recipe.compileFlags, include, "-c", source, "-o", object);
      return object;
    });
    const script = path.join(scratch, "link.ld");
    gcc("-E", "-P", "-x", "assembler-with-cpp", include, recipe.linkerScript, "-o", script);
    const image = path.join(scratch, recipe.image);
    gcc(...recipe.compileFlags, ...recipe.linkFlags, "-T", script, ...objects, "-o", image);
    const bytes = new Uint8Array(readFileSync(image));
    return { bytes, entry: manifestEntry(recipe, bytes) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** SHA-256 over everything that an image is made from. */
export function sourceSha256(recipe: ImageRecipe): string {
  const files = [...recipe.sources, ...recipe.headers, recipe.linkerScript].map((file) =>
    path.join(recipe.folder, file),
  );
  const hash = createHash("sha256");
  for (const file of [...files, BOARD_HEADER].sort()) {
    hash.update(`${file}\0`);
    hash.update(readFileSync(path.join(SYSTEMS, file)));
  }
  return hash.digest("hex");
}

/** Builds every image and writes header, images and manifest, each whole or not at all. Returns the names. */
export function writeImages(): string[] {
  writeWhole(path.join(SYSTEMS, BOARD_HEADER), boardHeader());
  const built = IMAGE_RECIPES.map((recipe) => ({ recipe, ...buildImage(recipe) }));
  for (const { recipe, bytes } of built) writeWhole(path.join(IMAGES, recipe.image), bytes);
  const manifest: Manifest = Object.fromEntries(built.map(({ recipe, entry }) => [recipe.image, entry]));
  writeWhole(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
  return built.map(({ recipe }) => recipe.image);
}

/** Ways in which the committed files do not belong together, one line each. Needs no compiler. */
export function staleImages(): string[] {
  const problems: string[] = [];
  const manifest = JSON.parse(readFileSync(MANIFEST, "utf8")) as Manifest;
  if (readFileSync(path.join(SYSTEMS, BOARD_HEADER), "utf8") !== boardHeader()) {
    problems.push(`${BOARD_HEADER} does not match the memory map`);
  }
  for (const recipe of IMAGE_RECIPES) {
    const entry = manifest[recipe.image];
    const bytes = readFileSync(path.join(IMAGES, recipe.image));
    if (entry === undefined) problems.push(`${recipe.image} is not in manifest.json`);
    else if (entry.sha256 !== sha256(bytes))
      problems.push(`${recipe.image} is not the file that manifest.json describes`);
    else if (entry.sourceSha256 !== sourceSha256(recipe))
      problems.push(`${recipe.image} is older than its sources`);
  }
  return problems;
}

/** Images whose bytes differ when they are built again, one line each. Needs the compiler. */
export function irreproducibleImages(): string[] {
  return IMAGE_RECIPES.filter((recipe) => {
    const committed = readFileSync(path.join(IMAGES, recipe.image));
    return Buffer.compare(committed, buildImage(recipe).bytes) !== 0;
  }).map((recipe) => `${recipe.image} comes out different when it is built again`);
}

function manifestEntry(recipe: ImageRecipe, bytes: Uint8Array): ManifestEntry {
  return {
    sha256: sha256(bytes),
    sizeBytes: bytes.length,
    compiler: `${COMPILER} ${COMPILER_VERSION}`,
    flags: [...recipe.compileFlags, ...recipe.linkFlags],
    sourceSha256: sourceSha256(recipe),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function writeWhole(file: string, contents: string | Uint8Array): void {
  const draft = `${file}.new`;
  writeFileSync(draft, contents);
  renameSync(draft, file);
}
