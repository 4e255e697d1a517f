/**
 * Random programs of hypervisors and their guests: VS and VU, both stages of translation, HLV and HSV, fences, delegation,
 * injected interrupts. The peer is a newer QEMU; where `SPIKE` names a Spike, it is another.
 */
import { describe, expect, it } from "vitest";
import { describeWith, partPath } from "../support/optional.ts";
import { MAX_CUT, type Peer, reportOf, runCampaign } from "../support/programs/campaign.ts";
import { poolOf } from "../support/programs/items.ts";
import type { KnownDifference } from "../support/programs/known-differences.ts";
import { runOnQemu, runOnSpike } from "../support/programs/machines.ts";
import { QEMU_10_DIFFERENCES } from "../support/programs/qemu-10-differences.ts";
import { SPIKE_DIFFERENCES } from "../support/programs/spike-differences.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const PROGRAMS = isFull ? 20_000 : 2000;
/** Another seed is another set of programs: DOM0_SEED=12345. */
const SEED = Number(process.env["DOM0_SEED"] ?? 1);
const TIMEOUT = 60 * 60_000;

/** Same extensions as ours: A and D are set by hardware where `menvcfg.ADUE` and `henvcfg.ADUE` say so. */
const CPU =
  "rv64,h=true,zicond=true,zbc=false,debug=false,zawrs=false,zfa=false,zicbom=false,zicboz=false,svadu=true,svnapot=true,svpbmt=true,zicond=true,pmu-mask=0";
const SPIKE_ISA = "rv64gch_zba_zbb_zbs_zicond_zicond_svadu_svnapot_svpbmt_sstc_zicntr_zicclsm";
const POOL = poolOf(true, new Set());
const ADUE = 1n << 61n;

/** Causes that only hypervisors and guests know, and the modes that take them. */
const CAUSES = [
  "M exception 10",
  ...[20, 21, 22, 23].flatMap((cause) => [`M exception ${cause}`, `S exception ${cause}`]),
  ...[2, 3, 8, 12, 13, 15].map((cause) => `VS exception ${cause}`),
  ...[
    "S interrupt 2",
    "S interrupt 6",
    "S interrupt 10",
    "VS interrupt 1",
    "VS interrupt 5",
    "VS interrupt 9",
  ],
];

/** Agreement on all programs, everything executed, and, in the long run, no row of the table without a case. */
async function expectAgreement(peer: Peer, known: readonly KnownDifference[]): Promise<void> {
  const kind = { withH: true, pool: POOL, environment: ADUE };
  const findings = await runCampaign({ kind, peer, known, firstSeed: SEED, programs: PROGRAMS });
  console.log(
    reportOf(findings, `${PROGRAMS} programs, seeds ${SEED} to ${SEED + PROGRAMS - 1}, ${peer.name}`),
  );
  expect(findings.failures.join("\n\n")).toBe("");
  expect(findings.cut / PROGRAMS).toBeLessThanOrEqual(MAX_CUT);
  expect(POOL.filter((mnemonic) => !findings.executed.has(mnemonic))).toEqual([]);
  expect([...findings.causes.keys()]).toEqual(expect.arrayContaining(CAUSES));
  if (isFull) expect(known.filter(({ id }) => !findings.used.has(id)).map(({ id }) => id)).toEqual([]);
}

describeWith(["newerQemu"], "QEMU 10 and our board", () => {
  it(`agree on ${PROGRAMS} programs of hypervisors and guests, from seed ${SEED} on`, {
    timeout: TIMEOUT,
  }, async () => {
    const run = (elf: Uint8Array) => runOnQemu(partPath("newerQemu"), CPU, elf);
    await expectAgreement({ name: "QEMU 10", run }, QEMU_10_DIFFERENCES);
  });
});

const SPIKE = process.env["SPIKE"];

// Nobody has to have Spike: without it there is no such test, not a skipped one.
if (SPIKE !== undefined) {
  describe("Spike and our board", () => {
    it(`agree on ${PROGRAMS} programs of hypervisors and guests, from seed ${SEED} on`, {
      timeout: TIMEOUT,
    }, async () => {
      const run = (elf: Uint8Array) => runOnSpike(SPIKE, SPIKE_ISA, elf);
      await expectAgreement({ name: "Spike", run }, SPIKE_DIFFERENCES);
    });
  });
}
