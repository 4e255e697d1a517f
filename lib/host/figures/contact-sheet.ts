/** Contact sheets: every figure of an executed notebook in light, dark and print, as files and on one page. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { escapeHtml } from "../../notebook/export/html-outputs.ts";
import { ChromiumTab, type PageBox, type Showing } from "./chromium-tab.ts";
import { measureFigures, type PageFigure, settle } from "./page-figures.ts";

/** What a figure looks like in; print is the width of A4 between its margins. */
export const SHOWINGS = {
  light: { media: "screen", scheme: "light", widthPx: 1000 },
  dark: { media: "screen", scheme: "dark", widthPx: 1000 },
  print: { media: "print", scheme: "light", widthPx: 718 },
  narrow: { media: "screen", scheme: "light", widthPx: 390 },
} as const satisfies Record<string, Showing>;

export type Theme = keyof typeof SHOWINGS;

/** One figure in all themes. */
export interface SheetRow {
  /** Its cell, and which of the cell's figures it is: `tree`, `run-on-2`. */
  readonly name: string;
  readonly kind: PageFigure["kind"];
  readonly alternative: string;
  readonly images: Readonly<Partial<Record<Theme, string>>>;
  /** What is wrong, with the theme that it was seen in. */
  readonly faults: readonly string[];
}

/** Figures with their names: those of one cell are numbered from the second on. */
function named(figures: readonly PageFigure[]): { name: string; figure: PageFigure }[] {
  const seen = new Map<string, number>();
  return figures.map((figure) => {
    const count = (seen.get(figure.cell) ?? 0) + 1;
    seen.set(figure.cell, count);
    return { name: count === 1 ? figure.cell : `${figure.cell}-${count}`, figure };
  });
}

/**
 * Photographs every figure of an exported page.
 *
 * @param html  The page, as `nbconvert` makes it.
 * @param folder  Gets `page.html`, `THEME/NAME.png`, `sheet-THEME-N.png` with six each,
 *   `print.pdf` and `index.html`; files of these names are replaced.
 * @param program  Path of Chromium.
 */
export async function contactSheet(
  html: string,
  folder: string,
  themes: readonly Theme[],
  program: string,
  onTheme: (theme: Theme) => void = () => {},
): Promise<SheetRow[]> {
  const page = path.join(folder, "page.html");
  mkdirSync(folder, { recursive: true });
  writeFileSync(page, html);
  const tab = await ChromiumTab.open(program);
  try {
    const rows = new Map<string, SheetRow>();
    for (const theme of themes) {
      onTheme(theme);
      await tab.goTo(pathToFileURL(path.resolve(page)).href, SHOWINGS[theme]);
      await tab.call(settle);
      mkdirSync(path.join(folder, theme), { recursive: true });
      for (const { name, figure } of named(await tab.call(measureFigures))) {
        const image = `${theme}/${name}.png`;
        writeFileSync(path.join(folder, image), await tab.photograph(withMargin(figure.box)));
        rows.set(name, joinedRow(name, figure, theme, image, rows.get(name)));
      }
      if (theme === "print") writeFileSync(path.join(folder, "print.pdf"), await tab.print());
    }
    const list = [...rows.values()];
    for (const theme of themes) await writeSheets(tab, folder, theme, list);
    writeFileSync(path.join(folder, "index.html"), indexHtml(list, themes));
    return list;
  } finally {
    await tab.close();
  }
}

/** What is written at the very edge is seen whole. */
const MARGIN_PX = 8;
const withMargin = ({ x, y, width, height }: PageBox): PageBox => ({
  ...{ x, y: y - MARGIN_PX, width, height: height + 2 * MARGIN_PX },
});

const NO_ALTERNATIVE = "has no text alternative";

function joinedRow(
  name: string,
  { kind, alternative, faults }: PageFigure,
  theme: Theme,
  image: string,
  known: SheetRow | undefined,
): SheetRow {
  const silent = known === undefined && alternative === "" ? [NO_ALTERNATIVE] : [];
  const found = [...silent, ...faults].map((fault) => `${theme}: ${fault}`);
  return {
    ...{ name, kind, alternative: known?.alternative ?? alternative },
    images: { ...known?.images, [theme]: image },
    faults: [...(known?.faults ?? []), ...found],
  };
}

/** Figures on one sheet: as many as can still be judged in one look. */
const ON_A_SHEET = 6;
const SHEET_WIDTH_PX = 1480;

/** One theme's figures, six to a PNG, each under its name. */
async function writeSheets(
  tab: ChromiumTab,
  folder: string,
  theme: Theme,
  rows: readonly SheetRow[],
): Promise<void> {
  const shown = rows.filter(({ images }) => images[theme] !== undefined);
  const file = path.join(folder, `${theme}.html`);
  const sections = Array.from({ length: Math.ceil(shown.length / ON_A_SHEET) }, (_, at) =>
    shown.slice(at * ON_A_SHEET, (at + 1) * ON_A_SHEET).map(({ name, images }) => {
      const [label, image] = [escapeHtml(name), escapeHtml(images[theme] ?? "")];
      return `<figure><figcaption>${label}</figcaption><img alt="${label}" src="${image}"></figure>`;
    }),
  );
  writeFileSync(file, sheetHtml(theme, sections));
  await tab.goTo(pathToFileURL(path.resolve(file)).href, { ...SHOWINGS.light, widthPx: SHEET_WIDTH_PX });
  const boxes = await tab.call(() =>
    [...document.querySelectorAll("section")].map((section) => {
      const { left, top, width, height } = section.getBoundingClientRect();
      return { x: left, y: top, width, height };
    }),
  );
  for (const [at, box] of boxes.entries())
    writeFileSync(path.join(folder, `sheet-${theme}-${at + 1}.png`), await tab.photograph(box, 1));
}

const sheetHtml = (theme: Theme, sections: readonly (readonly string[])[]): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Figures in ${theme}</title>
<style>body { margin: 0; font: 16px sans-serif; } section { columns: 2; column-gap: 8px; padding: 8px; background: #888; }
figure { margin: 0 0 8px; break-inside: avoid; } figcaption { font-weight: bold; } img { display: block; max-width: 100%; }</style>
${sections.map((figures) => `<section>${figures.join("\n")}</section>`).join("\n")}
</html>
`;

function indexHtml(rows: readonly SheetRow[], themes: readonly Theme[]): string {
  const head = themes.map((theme) => `<th scope="col">${theme}</th>`).join("");
  const body = rows.map((row) => {
    const images = themes.map((theme) => {
      const image = row.images[theme];
      const alternative = escapeHtml(`${row.name} in ${theme}`);
      return image === undefined
        ? "<td>not shown</td>"
        : `<td><a href="${escapeHtml(image)}"><img alt="${alternative}" src="${escapeHtml(image)}"></a></td>`;
    });
    const faults = row.faults.map((fault) => `<li>${escapeHtml(fault)}</li>`).join("");
    const said = row.alternative.length > 400 ? `${row.alternative.slice(0, 400)}…` : row.alternative;
    return `<tr><th scope="row">${escapeHtml(row.name)}<br><small>${row.kind}</small><p>${escapeHtml(said)}</p><ul>${faults}</ul></th>${images.join("")}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Figures</title>
<style>body { font: 14px/1.4 sans-serif; background: #888; } th, td { vertical-align: top; text-align: left; padding: 8px; }
th[scope="row"] { width: 16rem; font-weight: normal; } img { max-width: 100%; } li { color: #700; font-weight: bold; }</style>
<table><thead><tr><th scope="col">Figure</th>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></html>
`;
}
