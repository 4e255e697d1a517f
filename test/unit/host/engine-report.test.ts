/** A run of the tests in which another engine stood in for the translator fails. */
import { describe, expect, it } from "vitest";
import { engineReport, engineReportOf } from "../../../lib/host/bootstrap/engine-report.mjs";

const GOOD = {
  steps: 15e6,
  slowSteps: 1e6,
  watchedSteps: 0,
  regionSteps: 12e6,
  regions: 200,
  compileFailures: 0,
};
const report = (...files: object[]) =>
  engineReport(files.map((file) => `${JSON.stringify(file)}\n`).join(""));

describe("the report of a test run on the translator", () => {
  it("adds up its files and finds nothing wrong with good ones", () => {
    const { line, problem } = report(GOOD, GOOD);
    expect(line).toMatch(/30\.0 million steps, 93\.3 % .* 80\.0 % in its 400 regions, 0 compile failures/);
    expect(problem).toBeUndefined();
  });

  it("does not mind steps that were asked for one by one", () => {
    expect(
      report({ ...GOOD, steps: 60e6, slowSteps: 31e6, watchedSteps: 30e6, regionSteps: 24e6 }).problem,
    ).toBeUndefined();
  });

  it.each([
    ["few steps", [GOOD], /steps/],
    ["the slow path", [{ ...GOOD, steps: 30e6, slowSteps: 20e6 }], /generated code/],
    ["the cold tier", [{ ...GOOD, steps: 30e6, regionSteps: 1e6 }], /% in regions/],
    ["no regions", [{ ...GOOD, steps: 30e6, regions: 0 }], /100 regions/],
    ["modules that did not compile", [{ ...GOOD, compileFailures: 1 }, GOOD], /compile/],
    ["nothing at all", [], /steps/],
  ] as const)("fails for %s", (_, files, words) => {
    expect(report(...files).problem).toMatch(words);
  });

  it("takes a file that nobody wrote for nothing at all", () => {
    expect(engineReportOf("/no/such/file").problem).toMatch(/steps/);
  });
});
