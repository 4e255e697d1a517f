/** The cell-semantics suite in the headless kernel. */
import { describe, expect, it } from "vitest";
import { parseCell } from "../../../lib/notebook/compiler/cell-names.ts";
import { startHeadlessKernel } from "./headless-kernel.ts";
import { CASES, testKernel } from "./suite.ts";

describe("the table of cases", () => {
  it("has at least 40 cases with names of their own", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(CASES.map((each) => each.name)).size).toBe(CASES.length);
  });

  it("declares no name in two cases, because one kernel runs them all", () => {
    const owners = new Map<string, string>();
    for (const { name, cells } of CASES) {
      for (const { source } of cells) {
        for (const declared of parseCell(source).declared.keys()) {
          expect(owners.get(declared) ?? name, declared).toBe(name);
          owners.set(declared, name);
        }
      }
    }
  });
});

testKernel("headless", startHeadlessKernel);
