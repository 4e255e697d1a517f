/** The files that an exported page carries inside it: fonts, KaTeX's style sheet, plotly.js. Read when needed. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { INK_PAIRS, paletteCss } from "../../course/palette.ts";
import type { HtmlAssets } from "../../notebook/export/html.ts";

const require = createRequire(import.meta.url);

interface Face {
  readonly family: string;
  readonly style: "normal" | "italic";
  readonly weights: string;
  readonly file: string;
}

const FACES: readonly Face[] = [
  { family: "Page Serif", style: "normal", weights: "200 900", file: serif("normal") },
  { family: "Page Serif", style: "italic", weights: "200 900", file: serif("italic") },
  {
    family: "Page Mono",
    style: "normal",
    weights: "100 800",
    file: "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  },
];

function serif(style: string): string {
  return `@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-${style}.woff2`;
}

/** The assets of a page, from the installed packages. */
export async function nodeHtmlAssets(): Promise<HtmlAssets> {
  const faces = await Promise.all(FACES.map(faceCss));
  const light = `:root {\n${paletteCss("light")}\n}`;
  const dark = `@media screen and (prefers-color-scheme: dark) { :root {\n${paletteCss("dark")}\n} }`;
  return {
    fontCss: faces.join("\n"),
    figureCss: `${light}\n${dark}\n@media print { :root { --dom0-paper: #ffffff; } }`,
    figureInks: INK_PAIRS.map(([, pair]) => pair),
    mathCss,
    plotly: () => readFile(require.resolve("plotly.js-cartesian-dist-min"), "utf8"),
  };
}

async function faceCss({ family, style, weights, file }: Face): Promise<string> {
  const font = await readFile(require.resolve(file), "base64");
  return `@font-face { font-family: "${family}"; font-style: ${style}; font-weight: ${weights}; src: url(data:font/woff2;base64,${font}) format("woff2"); }`;
}

/** KaTeX's style sheet with those of its fonts inside that the formulas of this page use. */
async function mathCss(html: string): Promise<string> {
  const sheet = require.resolve("katex/dist/katex.min.css");
  const css = await readFile(sheet, "utf8");
  const wanted = wantedFamilies(css, html);
  const isStyled = /class="[^"]*(?:mathbf|textbf|mathit|textit|boldsymbol)/.test(html);
  const faces = await Promise.all(
    [...css.matchAll(/@font-face\{[^}]*\}/g)].map(async ([face]) => {
      const family = /font-family:["']?([^;"'}]+)/.exec(face)?.[1] ?? "";
      const file = /url\(([^)]+\.woff2)\)/.exec(face)?.[1];
      const isPlain = family === "KaTeX_Math" || /font-style:normal;font-weight:400/.test(face);
      if (file === undefined || !wanted.has(family) || !(isPlain || isStyled)) return "";
      const font = await readFile(path.join(path.dirname(sheet), file), "base64");
      return face.replace(/src:[^}]*/, `src:url(data:font/woff2;base64,${font}) format("woff2")`);
    }),
  );
  return faces.join("") + css.replaceAll(/@font-face\{[^}]*\}/g, "");
}

/** Font families whose classes occur in the page; the main face always. */
function wantedFamilies(css: string, html: string): Set<string> {
  const used = new Set(
    [...html.matchAll(/class="([^"]*)"/g)].flatMap((match) => (match[1] ?? "").split(/\s+/)),
  );
  const wanted = new Set(["KaTeX_Main", "KaTeX_Math"]);
  for (const [, selectors = "", body = ""] of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    const family = /font-family:(KaTeX_\w+)/.exec(body)?.[1] ?? /font:[^;]*(KaTeX_\w+)/.exec(body)?.[1];
    if (family === undefined || selectors.startsWith("@")) continue;
    const classes = [...selectors.matchAll(/\.([\w-]+)/g)].map((match) => match[1] ?? "");
    if (classes.some((name) => name !== "katex" && used.has(name))) wanted.add(family);
  }
  return wanted;
}

const PICTURE_KINDS: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
};

/** Reads bitmaps that lie below a notebook's folder; anything else is left out of the page. */
export function pictureReader(folder: string): (address: string) => string | undefined {
  return (address) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(address)) return undefined;
    const file = path.resolve(folder, address.replaceAll("%20", " "));
    const kind = PICTURE_KINDS[path.extname(file).toLowerCase()];
    if (kind === undefined || path.relative(folder, file).startsWith("..") || !existsSync(file))
      return undefined;
    return `data:${kind};base64,${readFileSync(file, "base64")}`;
  };
}
