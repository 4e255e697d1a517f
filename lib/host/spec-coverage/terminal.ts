/** The coverage as tables for a terminal. */
import { type ChapterCoverage, figuresOfPlaces, type RuleCoverage, type Status } from "./report.ts";

const BAR_CELLS = 30;

/** The words of the page and of the terminal for each status. */
export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  tested: "tested",
  cited: "cited, not verified",
  "not-applicable": "not applicable",
  missing: "missing",
};

const MARK: Readonly<Record<Status, string>> = {
  tested: "█",
  "not-applicable": "▒",
  cited: "░",
  missing: "·",
};

const ORDER = ["tested", "not-applicable", "cited", "missing"] as const satisfies readonly Status[];

/** Each status takes its share of the cells, largest remainder first, so that a bar is always full. */
function bar({ counts, rules }: ChapterCoverage): string {
  if (rules.length === 0) return "";
  const shares = ORDER.map((status) => ({ status, exact: (counts[status] * BAR_CELLS) / rules.length }));
  const cells = shares.map(({ exact }) => Math.floor(exact));
  const rest = BAR_CELLS - cells.reduce((sum, one) => sum + one, 0);
  const byRemainder = shares
    .map(({ exact }, at) => ({ at, remainder: exact - Math.floor(exact) }))
    .sort((a, b) => b.remainder - a.remainder);
  for (const { at } of byRemainder.slice(0, rest)) cells[at] = (cells[at] ?? 0) + 1;
  return ORDER.map((status, at) => MARK[status].repeat(cells[at] ?? 0)).join("");
}

/** One line for each chapter, with what the marks mean. */
export function chapterTable(chapters: readonly ChapterCoverage[]): string {
  const width = Math.max(...chapters.map(({ id }) => id.length));
  const rows = chapters.map((chapter) => {
    const { id, rules, counts, settledPercent } = chapter;
    const numbers = ORDER.map((status) => String(counts[status]).padStart(4)).join("");
    return `${id.padEnd(width)} ${String(rules.length).padStart(4)} ${bar(chapter)} ${settledPercent.toFixed(1).padStart(5)} %${numbers}`;
  });
  const legend = ORDER.map((status) => `${MARK[status]} ${STATUS_WORDS[status]}`).join("  ");
  return [...rows, "", legend, "% = tested or not applicable; then the counts in the legend's order"].join(
    "\n",
  );
}

/** Changes noticed and tried, of all places of a rule. */
function figuresOf({ places }: RuleCoverage): string {
  const { killed, tried } = figuresOfPlaces(places);
  return tried === 0 ? "no change tried" : `${killed} of ${tried} changes noticed`;
}

function ruleLines(rule: RuleCoverage, isVerbose: boolean): string[] {
  const figures = isVerbose ? `   ${figuresOf(rule)}` : "";
  const lines = [`${STATUS_WORDS[rule.status].padEnd(20)} ${rule.tag}   (${rule.section})${figures}`];
  if (rule.reason !== undefined) lines.push(`    ${rule.reason}`);
  if (!isVerbose) return lines;
  for (const { place, entry, verified } of rule.places) {
    const noticed = entry === undefined ? "no run" : `${entry.killed} of ${entry.mutants} changes noticed`;
    const state = place.runs
      ? `${noticed}${verified || entry === undefined ? "" : ", not by a test as it is now"}`
      : "a type";
    lines.push(`    code ${place.file}:${place.line} ${place.name}: ${state}`);
  }
  for (const test of rule.tests) lines.push(`    test ${test.file}:${test.line} ${test.title}`);
  return lines;
}

/** The rules of some chapters, all or only those that are not settled. */
export function ruleTable(
  chapters: readonly ChapterCoverage[],
  { onlyOpen, isVerbose }: { readonly onlyOpen: boolean; readonly isVerbose: boolean },
): string {
  return chapters
    .flatMap(({ title, rules }) => {
      const wanted = rules.filter(({ status }) => !onlyOpen || status === "cited" || status === "missing");
      return wanted.length === 0 ? [] : ["", title, ...wanted.flatMap((rule) => ruleLines(rule, isVerbose))];
    })
    .join("\n");
}
