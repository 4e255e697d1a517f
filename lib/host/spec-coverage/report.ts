/** The coverage of the manual: for each rule of our chapters, the code, the tests, and what is known of them. */
import { readFile } from "node:fs/promises";
import { parseDataset } from "../../assets/datasets.ts";
import { assetFile } from "../node-assets.ts";
import { CHAPTERS, type Chapter } from "./chapters.ts";
import type { CitedTest, Place } from "./citation.ts";
import { entryFor, type Ledger, type LedgerEntry, readLedger, standsStill } from "./ledger.ts";
import { type Exemption, exemptionProblems, readExemptions } from "./not-applicable.ts";
import { byTag, type Citations, scanCitations } from "./scan.ts";

/**
 * - `tested`: each cited place that can be changed has been, and a test that cites the rule said no to a change of each
 * - `cited`: code or tests cite it, but no run has shown for the present code and tests that the tests would notice
 * - `not-applicable`: with a reason
 * - `missing`: nobody speaks about it
 */
export type Status = "tested" | "cited" | "not-applicable" | "missing";

/** A cited place, and what the ledger says of it as it is now. */
export interface CoveredPlace {
  readonly place: Place;
  readonly entry: LedgerEntry | undefined;
  /** Whether a test that is still the same noticed a mutant. */
  readonly verified: boolean;
}

/** One rule of the manual. */
export interface RuleCoverage {
  readonly tag: string;
  /** Heading of the manual's section that states it. */
  readonly section: string;
  readonly status: Status;
  readonly places: readonly CoveredPlace[];
  readonly tests: readonly CitedTest[];
  readonly reason?: string;
}

/** One chapter of the manual. */
export interface ChapterCoverage extends Chapter {
  readonly rules: readonly RuleCoverage[];
  readonly counts: Readonly<Record<Status, number>>;
  /** Share of rules that are tested or do not apply, in percent. */
  readonly settledPercent: number;
}

/** Everything that the page, the terminal and the test show. */
export interface Coverage {
  readonly chapters: readonly ChapterCoverage[];
  readonly citations: Citations;
  /** What is wrong: stray citations, unknown or doubtful exemptions, a chapter below its floor. */
  readonly problems: readonly string[];
}

interface Inputs {
  readonly places: ReadonlyMap<string, readonly Place[]>;
  readonly tests: ReadonlyMap<string, readonly CitedTest[]>;
  readonly reasons: ReadonlyMap<string, string>;
  readonly ledger: Ledger;
}

function covered(tag: string, section: string, inputs: Inputs): RuleCoverage {
  const tests = inputs.tests.get(tag) ?? [];
  const places = (inputs.places.get(tag) ?? []).map((place): CoveredPlace => {
    const entry = entryFor(inputs.ledger, tag, place);
    return { place, entry, verified: entry !== undefined && standsStill(entry, tests) };
  });
  // A piece that no operator can change, such as one that only hands its arguments on, says nothing either way.
  const running = places.filter(({ place, entry }) => place.runs && entry?.mutants !== 0);
  const isTested = running.length > 0 && running.every(({ verified }) => verified);
  const reason = inputs.reasons.get(tag);
  const isCited = tests.length + places.length > 0;
  const status = isTested
    ? "tested"
    : reason !== undefined
      ? "not-applicable"
      : isCited
        ? "cited"
        : "missing";
  return { tag, section, status, places, tests, ...(reason === undefined ? {} : { reason }) };
}

/** Changes of a rule's places that were tried, and those that its tests noticed. */
export function figuresOfPlaces(places: readonly CoveredPlace[]): { killed: number; tried: number } {
  const entries = places.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
  return {
    killed: entries.reduce((sum, { killed }) => sum + killed, 0),
    tried: entries.reduce((sum, { mutants }) => sum + mutants, 0),
  };
}

function chapterCoverage(chapter: Chapter, rules: readonly RuleCoverage[]): ChapterCoverage {
  const count = (status: Status): number => rules.filter((rule) => rule.status === status).length;
  const counts = {
    tested: count("tested"),
    cited: count("cited"),
    "not-applicable": count("not-applicable"),
    missing: count("missing"),
  };
  const settled = counts.tested + counts["not-applicable"];
  return {
    ...chapter,
    rules,
    counts,
    settledPercent: rules.length === 0 ? 0 : (100 * settled) / rules.length,
  };
}

const floorProblems = (chapters: readonly ChapterCoverage[]): string[] =>
  chapters.flatMap(({ id, floorPercent, settledPercent, counts }) =>
    floorPercent === undefined || settledPercent >= floorPercent
      ? []
      : [
          `${id}: ${settledPercent.toFixed(1)} % of the rules are tested or not applicable, ${floorPercent} % are wanted ` +
            `(${counts.cited} cited but not verified; "npx dom0 coverage --update" verifies what has changed)`,
        ],
  );

/** Rows of the data set: tag, files, section. */
async function rules(): Promise<readonly { tag: string; chapter_files: string; section: string }[]> {
  const csv = await readFile(assetFile("datasets/riscv-normative-tags/riscv-normative-tags.csv"), "utf8");
  return parseDataset("riscv-normative-tags", csv).rows;
}

/** Puts the coverage together from the sources, the ledger and the exemptions below `root`. */
export async function readCoverage(root: string): Promise<Coverage> {
  const [rows, citations, ledger, exemptions] = await Promise.all([
    rules(),
    scanCitations(root),
    readLedger(root),
    readExemptions(root),
  ]);
  const reasons = new Map(
    exemptions.flatMap(({ reason, tags }: Exemption) => tags.map((tag): [string, string] => [tag, reason])),
  );
  const inputs = { places: byTag(citations.places), tests: byTag(citations.tests), reasons, ledger };
  const chapters = CHAPTERS.map((chapter) => {
    const own = rows.filter(({ chapter_files: files }) =>
      files.split(";").some((file) => chapter.files.includes(file)),
    );
    return chapterCoverage(
      chapter,
      own.map(({ tag, section }) => covered(tag, section, inputs)),
    );
  });
  const known = new Set(rows.map(({ tag }) => tag));
  const tested = new Set(
    chapters
      .flatMap((chapter) => chapter.rules.filter((rule) => rule.status === "tested"))
      .map(({ tag }) => tag),
  );
  const problems = [
    ...citations.strays.map(({ file, line, message }) => `${file}:${line} ${message}`),
    ...exemptionProblems(exemptions, known, tested),
    ...floorProblems(chapters),
  ];
  return { chapters, citations, problems };
}
