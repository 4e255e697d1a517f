import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { setAssetSource } from "../../../lib/assets/asset-source.ts";
import { DATASETS, type DatasetName } from "../../../lib/assets/dataset-schema.ts";
import { loadDataset, loadUnverifiedClaims, parseDataset } from "../../../lib/assets/datasets.ts";
import { datasetProblems } from "../../../lib/host/cli/datasets.ts";
import { assetFile, nodeAssets } from "../../../lib/host/node-assets.ts";

const NAMES = Object.keys(DATASETS) as DatasetName[];

/** Row counts as the collection's own README states them. */
const ROWS: Readonly<Record<DatasetName, number>> = {
  "xen-security-advisories": 508,
  "advisories-by-year": 513,
  "code-size": 295,
  escapes: 93,
  "patch-cost": 63,
  timeline: 72,
  "riscv-normative-tags": 2922,
  unverified: 18,
};

const fileText = (name: DatasetName): string =>
  readFileSync(assetFile(`datasets/${name}/${DATASETS[name].file}`), "utf8");

describe("the data sets", () => {
  beforeAll(() => setAssetSource(nodeAssets));

  it.each(NAMES)(
    "%s fits its columns, has its published number of rows and a fresh description",
    async (name) => {
      expect(await datasetProblems(name)).toEqual([]);
      expect(parseDataset(name, fileText(name)).rows).toHaveLength(ROWS[name]);
    },
  );

  it("gives typed rows: numbers are numbers, flags are booleans, empty optional cells are null", async () => {
    const advisories = await loadDataset("xen-security-advisories");
    const xsa7 = advisories.find(({ xsa }) => xsa === 7);
    expect(xsa7).toMatchObject({ year: 2012, component_class: "hypervisor core" });
    expect(advisories.some(({ affects_qubes }) => affects_qubes === true)).toBe(true);
    expect(advisories.some(({ impact }) => impact === null)).toBe(true);
  });

  it("reproduces the worked warning's numerator: 23 Xen advisories in 2023, of which 18 in the core", async () => {
    const year2023 = (await loadDataset("xen-security-advisories")).filter(({ year }) => year === 2023);
    const core = year2023.filter(({ component_class }) => component_class === "hypervisor core");
    expect([year2023.length, core.length]).toEqual([23, 18]);
  });

  it("refuses to give unverified claims to a plot and gives them as text only", async () => {
    // @ts-expect-error the type refuses it; the run-time check is for callers without types
    await expect(loadDataset("unverified")).rejects.toThrow("unconfirmed claims");
    const claims = await loadUnverifiedClaims();
    expect(new Set(claims.flatMap((claim) => Object.values(claim)).map((cell) => typeof cell))).toEqual(
      new Set(["string"]),
    );
  });

  it("reports every cell that does not fit, with its line and column, instead of throwing", () => {
    const header = Object.keys(DATASETS.escapes.columns).join();
    const { errors } = parseDataset("escapes", `${header}\nX,n,twenty,p,c,b,q,o,s,\nX,n,2020,,c,b,q,o,s,\n`);
    expect(errors).toEqual([
      { line: 2, column: "year", message: 'is "twenty", not a number' },
      { line: 3, column: "product", message: "is empty" },
    ]);
  });

  it("reports a table whose header is not the described one", () => {
    expect(parseDataset("timeline", "when,what\n1,2\n").errors[0]?.message).toContain(
      'the header is "when,what"',
    );
  });
});
