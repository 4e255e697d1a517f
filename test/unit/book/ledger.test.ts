/** The claims ledger: entries come out of executed outputs, and together they say how a claim stands. */
import { describe, expect, it } from "vitest";
import { entriesOf, ledgerOf, QUOTATIONS, standingOf } from "../../../book/build/claims.ts";
import { CLAIMS, claim, ledger } from "../../../lib/course/claim.ts";
import { exportDocument } from "../../../lib/notebook/export/document.ts";

const shown = (...bundles: readonly Readonly<Record<string, unknown>>[]) =>
  exportDocument({
    metadata: {},
    cells: [
      { cell_type: "markdown", id: "title", metadata: {}, source: "# Walls" },
      {
        cell_type: "code",
        id: "evidence",
        metadata: {},
        source: "",
        outputs: bundles.map((data) => ({ output_type: "display_data", data, metadata: {} })),
      },
    ],
  });

const entry = claim("C4", "undecided", [{ metric: "doors", count: 3, trials: 20, seed: 7 }], "A reason.");

describe("entries of a chapter", () => {
  it("are what its cells showed with ledger(…), with chapter, title and address of the cell", () => {
    const document = shown({ "text/plain": "no ledger" }, ledger([entry, { ...entry, id: "C5" }]));
    expect(entriesOf(document, 2, "/chapters/02-walls/")).toEqual(
      (["C4", "C5"] as const).map((id) => ({
        ...entry,
        id,
        chapter: 2,
        title: "Walls",
        address: "/chapters/02-walls/#cell-evidence",
      })),
    );
  });

  it.each([
    ["a claim that there is not", { id: "C9" }, /no claim C9/],
    ["a verdict that there is not", { verdict: "proved" }, /verdict proved/],
    ["no evidence", { evidence: [] }, /no evidence/],
    [
      "more counted than there was",
      { evidence: [{ metric: "m", count: 3, trials: 2, seed: 1 }] },
      /more than there was/,
    ],
    [
      "a number that is none",
      { evidence: [{ metric: "m", count: Number.NaN, trials: 2, seed: 1 }] },
      /more than there was/,
    ],
    ["no reason", { because: "" }, /no reason/],
  ])("with %s stop the build", (_, change, problem) => {
    const document = shown(ledger([{ ...entry, ...change } as typeof entry]));
    expect(() => entriesOf(document, 2, "/")).toThrow(problem);
  });
});

describe("the ledger", () => {
  it("has the eight claims in order, each with a sentence of the essay and its own entries", () => {
    const own = entriesOf(shown(ledger([entry])), 2, "/");
    const claims = ledgerOf(own);
    expect(claims.map(({ id }) => id)).toEqual(Object.keys(CLAIMS));
    expect(claims.map(({ quotation }) => quotation)).toEqual(Object.values(QUOTATIONS));
    expect(claims.flatMap(({ id, entries }) => entries.map(() => id))).toEqual(["C4"]);
  });

  it.each([
    [[], "open"],
    [["undecided", "undecided"], "undecided"],
    [["undecided", "supported"], "supported"],
    [["refuted", "undecided"], "refuted"],
    [["supported", "refuted", "undecided"], "contested"],
  ] as const)("of entries %j says %s", (verdicts, standing) => {
    expect(standingOf(verdicts.map((verdict) => ({ verdict })))).toBe(standing);
  });
});
