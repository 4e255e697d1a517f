/** The coverage that the build has written, for the pages that show it. */
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { COVERAGE_FILE, type CoverageChapter, type RuleStatus } from "../../build/coverage.ts";

/** All chapters, in the page's order. */
export const coverageChapters = (): readonly CoverageChapter[] =>
  JSON.parse(readFileSync(path.join(process.cwd(), COVERAGE_FILE), "utf8")) as CoverageChapter[];

/** Statuses from best to worst, with the words for each. */
export const statusWords: Readonly<Record<RuleStatus, string>> = {
  tested: "tested",
  "not-applicable": "not applicable",
  cited: "cited, not verified",
  missing: "missing",
};

/** The order in which bars and filters show them. */
export const statusOrder = Object.keys(statusWords) as readonly RuleStatus[];

/** Address of a line of the sources in the book. */
export const sourceAddress = (file: string, line: number): string => `/source/${file}/#L${line}`;

/** The counts as a sentence. */
export const countsInWords = ({ rules, counts }: CoverageChapter): string =>
  `${rules.length} rules: ${statusOrder.map((status) => `${counts[status]} ${statusWords[status]}`).join(", ")}`;

/** Address of a rule on the page of its chapter. @throws  For a rule of a chapter that the machine does not have. */
export function ruleAddress(tag: string): string {
  const chapter = coverageChapters().find(({ rules }) => rules.some((rule) => rule.tag === tag));
  if (chapter === undefined) throw new Error(`no page has the rule norm:${tag}`);
  return `/rules/${chapter.id}/#${tag}`;
}
