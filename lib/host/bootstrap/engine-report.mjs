/** What the translating engine did in a run of the tests: whether it really ran, or a slower part stood in for it. */
import { readFileSync } from "node:fs";

/** Tests single-step, trap and change tables more than any guest, so they leave generated code often. */
const LEAST_SHARE = 0.75;
/** Many programs of tests end before their code is hot; boots and guests, which make most of the steps, do not. */
const LEAST_REGION_SHARE = 0.6;
const LEAST_STEPS = 20_000_000;
const LEAST_REGIONS = 100;

/**
 * Adds up the lines that `test/support/engine-setup.ts` wrote, one for each test file.
 *
 * @param {string} text
 * @returns {{ line: string, problem: string | undefined }}  A line to print, and what is wrong, if anything is.
 */
export function engineReport(text) {
  const sum = { steps: 0, slowSteps: 0, watchedSteps: 0, regionSteps: 0, regions: 0, compileFailures: 0 };
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const counts = JSON.parse(line);
    for (const name of Object.keys(sum)) sum[name] += counts[name] ?? 0;
  }
  // Steps that somebody asked for one by one are the slow path's by design.
  const free = sum.steps - sum.watchedSteps;
  const share = 1 - (sum.slowSteps - sum.watchedSteps) / Math.max(1, free);
  const regionShare = sum.regionSteps / Math.max(1, free);
  const line = `translator: ${(sum.steps / 1e6).toFixed(1)} million steps, ${(100 * share).toFixed(1)} % of those not asked for one by one in generated code, ${(100 * regionShare).toFixed(1)} % in its ${sum.regions} regions, ${sum.compileFailures} compile failures`;
  const problems = [
    ...(sum.steps < LEAST_STEPS ? [`fewer than ${LEAST_STEPS} steps`] : []),
    ...(share < LEAST_SHARE ? [`less than ${100 * LEAST_SHARE} % in generated code`] : []),
    ...(regionShare < LEAST_REGION_SHARE ? [`less than ${100 * LEAST_REGION_SHARE} % in regions`] : []),
    ...(sum.regions < LEAST_REGIONS ? [`fewer than ${LEAST_REGIONS} regions`] : []),
    ...(sum.compileFailures > 0 ? ["modules that did not compile"] : []),
  ];
  const problem =
    problems.length === 0 ? undefined : `The translator fell back silently: ${problems.join(", ")}.`;
  return { line, problem };
}

/** The same for a file; no file is no step. */
export function engineReportOf(file) {
  try {
    return engineReport(readFileSync(file, "utf8"));
  } catch {
    return engineReport("");
  }
}
