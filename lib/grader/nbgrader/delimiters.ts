/**
 * The regions that an instructor marks in a cell: solutions, hidden tests, mark schemes.
 *
 * A marker is found anywhere in a line, so the comment sign is free. Only the instructor's own text is ever searched.
 */

import { STUB_MESSAGE } from "../../checks/thrown.ts";

/** What stands in for a solution in a code cell. */
export const CODE_STUB = `// YOUR CODE HERE\nthrow new Error("${STUB_MESSAGE}");`;
/** What stands in for a written answer. */
export const TEXT_STUB = "YOUR ANSWER HERE";

const REGIONS = {
  solution: { begin: "BEGIN SOLUTION", end: "END SOLUTION" },
  hiddenTests: { begin: "BEGIN HIDDEN TESTS", end: "END HIDDEN TESTS" },
  markScheme: { begin: "BEGIN MARK SCHEME", end: "END MARK SCHEME" },
} as const;

/** A kind of marked region. */
export type RegionKind = keyof typeof REGIONS;

/** A source with its regions replaced, how many there were, or what is wrong with the markers. */
export type Replaced =
  | { readonly ok: true; readonly source: string; readonly regions: number }
  | { readonly ok: false; readonly problem: string };

/** Does the text hold a marker of that kind? */
export const hasRegion = (source: string, kind: RegionKind): boolean =>
  source.includes(REGIONS[kind].begin) || source.includes(REGIONS[kind].end);

/** Replaces every region by a stub, indented like its first line; without a stub the region's lines vanish. */
export function replaceRegions(source: string, kind: RegionKind, stub?: string): Replaced {
  const { begin, end } = REGIONS[kind];
  const kept: string[] = [];
  let regions = 0;
  let open = false;
  for (const line of source.split("\n")) {
    if (line.includes(begin)) {
      if (open) return { ok: false, problem: `${begin} inside another one` };
      open = true;
      regions += 1;
      const indent = /^\s*/.exec(line)?.[0] ?? "";
      if (stub !== undefined) kept.push(...stub.split("\n").map((text) => indent + text));
    } else if (line.includes(end)) {
      if (!open) return { ok: false, problem: `${end} without its ${begin}` };
      open = false;
    } else if (!open) kept.push(line);
  }
  if (open) return { ok: false, problem: `${begin} without its ${end}` };
  return { ok: true, source: kept.join("\n"), regions };
}
