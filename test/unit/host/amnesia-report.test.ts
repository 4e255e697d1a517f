/** What a hypervisor that forgets is held to: every scene of every test of its suite, and enough of them. */
import { describe, expect, it } from "vitest";
import { amnesiaReport } from "../../../lib/host/bootstrap/amnesia-report.mjs";

const lineOf = (test: string, ...scenes: string[][]): string => `${JSON.stringify({ test, scenes })}\n`;
const hundred = Array.from({ length: 100 }, (_, scene) => [`hash${scene}`]);

describe("the comparison of a suite that forgets with one that does not", () => {
  it("is content when every hash is the same, whatever else the ordinary run had", () => {
    const { line, problem } = amnesiaReport(
      lineOf("a", ...hundred) + lineOf("b", ["x"]),
      lineOf("a", ...hundred),
    );
    expect(line).toBe("amnesia: 1 tests, 100 scenes, 100 runs; every trace hash the same");
    expect(problem).toBeUndefined();
  });

  it("names the test, the scene and the run that differ", () => {
    const other = hundred.with(7, ["hash7", "more"]);
    expect(amnesiaReport(lineOf("a", ...hundred), lineOf("a", ...other)).problem).toContain(
      "a: scene 8, run 2: none without forgetting, more with",
    );
    expect(amnesiaReport(lineOf("a", ...hundred), lineOf("a", ...other.with(7, ["z"]))).problem).toContain(
      "scene 8, run 1: hash7 without forgetting, z with",
    );
    expect(amnesiaReport(lineOf("a", ...hundred.slice(1)), lineOf("a", ...hundred)).problem).toContain("a: ");
  });

  it("finds a test that has no ordinary run, and too few scenes", () => {
    expect(amnesiaReport("", lineOf("a", ...hundred)).problem).toContain("0 scenes without forgetting");
    expect(amnesiaReport("", "").problem).toBe("Only 0 scenes forgot; there must be 100.");
  });
});
