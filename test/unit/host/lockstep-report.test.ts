/** A run of the tests in which less was compared in lockstep than is promised fails. */
import { describe, expect, it } from "vitest";
import { lockstepReport, lockstepReportOf } from "../../../lib/host/bootstrap/lockstep-report.mjs";

const lines = (parts: Readonly<Record<string, number>>): string =>
  Object.entries(parts)
    .map(([part, instructions]) => `${JSON.stringify({ part, instructions })}\n`)
    .join("");

describe("the report of what was compared in lockstep", () => {
  it("adds up its parts", () => {
    const { line, problem } = lockstepReport(lines({ looping: 12e6, guests: 8e6 }), "quick");
    expect(line).toBe("compared in lockstep: 20.0 million instructions (looping 12.0, guests 8.0)");
    expect(problem).toBeUndefined();
  });

  it("fails for a sum that is too small for its size, however much of Linux was compared", () => {
    expect(lockstepReport(lines({ looping: 19e6, Linux: 100e6 }), "quick").problem).toMatch(/20\.0 million/);
    expect(lockstepReport(lines({ looping: 20e6 }), "full").problem).toMatch(/1000\.0 million/);
    expect(lockstepReport(lines({ looping: 600e6, images: 400e6 }), "full").problem).toBeUndefined();
  });

  it("takes a file that nobody wrote for nothing compared", () => {
    expect(lockstepReportOf("/no/such/file", "quick").problem).toMatch(/20\.0 million/);
  });
});
