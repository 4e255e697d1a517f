/**
 * The conformance programs of this repository: there is one for each instruction and each family of hypervisor rules, they are
 * what their sources say, they pass here, and they pass on QEMU, which is who says that they are right.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { knownTags } from "../../lib/host/cli/check-norm-tags.ts";
import {
  assemblerProblem,
  CONFORMANCE_PROGRAMS,
  conformanceManifest,
  irreproducibleConformancePrograms,
  staleConformancePrograms,
} from "../../lib/host/conformance/programs.ts";
import { runFolder, surprises } from "../../lib/host/conformance/run-folder.ts";
import { MNEMONICS } from "../../lib/isa/instructions.ts";
import { SWITCH_POSITIONS } from "../support/bare-machine.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { NEWER_QEMU_DIFFERENCES, QEMU_DIFFERENCES } from "./known-differences.ts";
import { programsThatFailOn } from "./qemu-verdict.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
/** In `npm test` both switches on and both off. */
const positions = SWITCH_POSITIONS.filter(
  (position) => IS_FULL || position.decodeMemo === position.translationCache,
);
const { programs } = conformanceManifest();
const NAMES = Object.keys(programs);
/** The newer QEMU only: the old one's hypervisor extension is unfinished. */
const NEEDS_NEWER = /^(h-|hlv|hsv|hfence)/;

/** Parts of the manual's chapter on the hypervisor extension that change what a machine does; each has its program. */
const RULE_FAMILIES = [
  [
    "hstatus",
    "hedeleg",
    "hideleg",
    "hvip",
    "hip",
    "hie",
    "hcounteren",
    "htimedelta",
    "henvcfg",
    "htval",
    "htinst",
    "hgatp",
    "hgeie",
    "hgeip",
  ],
  ["vsstatus", "vsip_vsie", "vstvec", "vsscratch", "vsepc", "vstval", "vsatp", "vstimecmp"],
  ["mstatus", "mideleg", "mip", "mtval2", "mtinst", "mret", "sret", "misa"],
  ["hlsv", "hlvx-wu", "hfence-vvma", "hfence-gvma"],
  ["H_vm", "H_pmp", "H_guest", "H_cause", "H_virtinst", "H_vscsrs", "H_trap"],
].flat();

describe("the conformance programs", () => {
  it("are one for each instruction of the table, and more", () => {
    expect(MNEMONICS.filter((mnemonic) => !Object.hasOwn(programs, mnemonic))).toEqual([]);
    expect(MNEMONICS.length).toBeGreaterThan(300);
  });

  it("test a rule of each family of the hypervisor chapter", () => {
    const rules = Object.values(programs).flatMap(({ rules: some }) => some);
    const covered = (family: string): boolean => rules.some((rule) => rule.startsWith(`norm:${family}`));
    expect(RULE_FAMILIES.filter((family) => !covered(family))).toEqual([]);
  });

  it("name a rule of the manual each", async () => {
    const known = await knownTags();
    const ours = "unpriv:custom-0";
    const isKnown = (rule: string): boolean => rule === ours || known.has(rule.replace(/^norm:/, ""));
    for (const [name, { rules }] of Object.entries(programs)) {
      expect(rules.length, name).toBeGreaterThan(0);
      expect(
        rules.filter((rule) => !isKnown(rule)),
        name,
      ).toEqual([]);
    }
  });

  it("are the files that the manifest describes, made from the sources that are here now", () => {
    expect(staleConformancePrograms()).toEqual([]);
  });

  for (const { title, ...accelerations } of positions) {
    it(`pass here, with ${title}`, async () => {
      const results = await runFolder(CONFORMANCE_PROGRAMS, {
        accelerations,
        budget: 100_000,
        ramBytes: 2 << 20,
      });
      expect(results.length).toBe(NAMES.length);
      expect(surprises(results, {})).toEqual([]);
    });
  }

  it("pass on a board where a translation lives until a fence covers it: they fence what they change", async () => {
    const results = await runFolder(CONFORMANCE_PROGRAMS, {
      translations: "sticky",
      budget: 100_000,
      ramBytes: 2 << 20,
    });
    expect(surprises(results, {})).toEqual([]);
  });

  it("use both conventions", async () => {
    const results = await runFolder(CONFORMANCE_PROGRAMS, { filter: "signature-" });
    expect(results.length).toBeGreaterThanOrEqual(4);
    for (const { detail } of results) expect(detail).toBe("signature equal");
  });
});

describeWith(["gcc"], "the assembler", () => {
  it("builds every conformance program again, byte for byte", () => {
    expect(assemblerProblem()).toBeUndefined();
    expect(irreproducibleConformancePrograms()).toEqual([]);
  });
});

const file = (name: string): string => path.join(CONFORMANCE_PROGRAMS, name);
const reference = (name: string): string | undefined =>
  name.startsWith("signature-") ? readFileSync(`${file(name)}.reference_output`, "utf8") : undefined;
const asked = (names: readonly string[]) =>
  names.map((name) => ({ name, file: file(name), reference: reference(name) }));

/** In `npm test` one program in five and those with a known difference; all in `npm run test:full`. */
const tried = (names: readonly string[], differences: Readonly<Record<string, string>>): readonly string[] =>
  names.filter((name, index) => IS_FULL || index % 5 === 0 || Object.hasOwn(differences, name));

describeWith(["qemu"], "QEMU", () => {
  it("passes the programs of everything but the hypervisor extension, with the known differences", () => {
    const names = NAMES.filter((name) => !NEEDS_NEWER.test(name));
    const failed = programsThatFailOn(
      { path: partPath("qemu"), cpu: "rv64,h=true" },
      asked(tried(names, QEMU_DIFFERENCES)),
    );
    expect(failed).toEqual(Object.keys(QEMU_DIFFERENCES));
  });
});

describeWith(["newerQemu"], "QEMU 10", () => {
  it("passes the programs, those of the hypervisor extension too, with the known differences", () => {
    const others = tried(NAMES, NEWER_QEMU_DIFFERENCES);
    const names = NAMES.filter((name) => NEEDS_NEWER.test(name) || others.includes(name));
    const failed = programsThatFailOn(
      { path: partPath("newerQemu"), cpu: "rv64,h=true,zicond=true,svadu=true" },
      asked(names),
    );
    expect(failed).toEqual(Object.keys(NEWER_QEMU_DIFFERENCES));
  });
});
