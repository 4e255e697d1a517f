/** Whether a hypervisor that forgets all but machine RAM did the same as one that does not, in every scene of its tests. */
import { readFileSync } from "node:fs";

const LEAST_SCENES = 100;

/** Scenes by the test that set them up: for each scene the trace hashes behind its runs. */
function scenesIn(text) {
  const scenes = new Map();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const { test, scenes: found } = JSON.parse(line);
    scenes.set(test, [...(scenes.get(test) ?? []), ...found]);
  }
  return scenes;
}

/** Where two runs of a test part: the scene and the run, both counted from 1. */
function differenceIn(ordinary, forgetful) {
  for (let scene = 0; scene < Math.max(ordinary.length, forgetful.length); scene++) {
    const [left, right] = [ordinary[scene], forgetful[scene]];
    if (left === undefined || right === undefined)
      return `${ordinary.length} scenes without forgetting, ${forgetful.length} with`;
    for (let run = 0; run < Math.max(left.length, right.length); run++)
      if (left[run] !== right[run])
        return `scene ${scene + 1}, run ${run + 1}: ${left[run] ?? "none"} without forgetting, ${right[run] ?? "none"} with`;
  }
  return undefined;
}

/**
 * Compares the lines that `test/support/amnesia-setup.ts` wrote in two runs. The ordinary one may have had more tests.
 *
 * @param {string} ordinary
 * @param {string} forgetful
 * @returns {{ line: string, problem: string | undefined }}  A line to print, and what is wrong, if anything is.
 */
export function amnesiaReport(ordinary, forgetful) {
  const [before, after] = [scenesIn(ordinary), scenesIn(forgetful)];
  let [scenes, runs] = [0, 0];
  const problems = [];
  for (const [test, found] of after) {
    scenes += found.length;
    runs += found.reduce((sum, hashes) => sum + hashes.length, 0);
    const difference = differenceIn(before.get(test) ?? [], found);
    if (difference !== undefined) problems.push(`${test}: ${difference}`);
  }
  const line = `amnesia: ${after.size} tests, ${scenes} scenes, ${runs} runs; ${problems.length === 0 ? "every trace hash the same" : `${problems.length} tests with another trace`}`;
  if (problems.length > 0)
    return {
      line,
      problem: `The hypervisor keeps something outside machine RAM:\n  ${problems.slice(0, 10).join("\n  ")}`,
    };
  const problem =
    scenes < LEAST_SCENES ? `Only ${scenes} scenes forgot; there must be ${LEAST_SCENES}.` : undefined;
  return { line, problem };
}

const textOf = (file) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

/** The same for two files; no file is no scene. */
export const amnesiaReportOf = (ordinary, forgetful) => amnesiaReport(textOf(ordinary), textOf(forgetful));
