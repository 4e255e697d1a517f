/**
 * Subsets of the book's typefaces: the characters that Latin text, code and this book's arrows use, in the
 * weights that its styles use. Done at build time, so that no font file is committed twice.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);

const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
const proseMarks = "\u00a0©«°±²³·»¼½×÷àáâäåçèéêëíîïñóôöøüßÀÉÖÜ–—‘’‚“”„†•…′″€→←↑↓≠≤≥−∞";
const codeMarks = "\u00a0·×–—‘’“”…→←↑↓↦⇒≠≤≥−✓✗│─┌┐└┘├┤┬┴┼█▓▒░▶■●○∧∨¬⊕";

interface Face {
  readonly file: string;
  readonly source: string;
  readonly characters: string;
  readonly weight: number | { min: number; max: number };
}

const faces: readonly Face[] = [
  {
    file: "serif.woff2",
    source: "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2",
    characters: ascii + proseMarks,
    weight: { min: 400, max: 650 },
  },
  {
    file: "serif-italic.woff2",
    source: "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-italic.woff2",
    characters: ascii + proseMarks,
    weight: 400,
  },
  {
    file: "sans.woff2",
    source: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    characters: ascii + proseMarks,
    weight: { min: 400, max: 650 },
  },
  {
    file: "mono.woff2",
    source: "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    characters: ascii + codeMarks,
    weight: 400,
  },
];

/** Writes the subsets into `folder` and returns their sizes in bytes by file name. */
export async function writeFonts(folder: string): Promise<Map<string, number>> {
  await mkdir(folder, { recursive: true });
  const sizes = new Map<string, number>();
  for (const face of faces) {
    const whole = await readFile(require.resolve(face.source));
    const subset = await subsetFont(whole, face.characters, {
      targetFormat: "woff2",
      variationAxes: { wght: face.weight },
    });
    await writeFile(path.join(folder, face.file), subset);
    sizes.set(face.file, subset.length);
  }
  return sizes;
}
