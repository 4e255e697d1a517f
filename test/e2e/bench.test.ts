/** The benchmarks from end to end, in tiny sizes: what is printed and written, never how fast anything is. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findPeers, type Peer } from "../../lib/host/cli/bench/contestants.ts";
import { guestContest } from "../../lib/host/cli/bench/guest-contest.ts";
import { soak } from "../../lib/host/cli/bench/soak.ts";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { describeWith } from "../support/optional.ts";

const TINY = { peerSeconds: 0.01, shortSeconds: 0.005, turns: 1 };
const ENGINE = "translator";

describeWith(["qemu"], "a contest with QEMU", () => {
  const peers = (): Peer[] => findPeers().slice(0, 1);

  it("measures both on the same work, once the results are the same", () => {
    const said: string[] = [];
    const figures = guestContest("fencei", ENGINE, peers(), TINY, (line) => said.push(line));
    expect(said).toEqual([
      `fencei: ${figures.rounds} rounds of ${figures.insns / (figures.rounds - 1)} instructions`,
    ]);
    expect(Object.keys(figures.seconds)).toEqual(["dom0 translator", peers()[0]?.name]);
    expect(figures.peers).toHaveLength(1);
    for (const seconds of Object.values(figures.seconds)) expect(seconds).toHaveLength(1);
  }, 120_000);

  it("refuses a peer that says something else", () => {
    // `echo` prints its arguments, not the guest's result.
    const liar = { name: "liar", program: "echo" };
    expect(() => guestContest("fencei", ENGINE, [liar], TINY, () => {})).toThrow(/fencei differs: .*liar/);
  }, 120_000);
});

describe("the command", () => {
  it("prints a report and writes JSON and a figure, with the machine's name in all of them", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "dom0-bench-test-"));
    try {
      const [json, figure] = [path.join(folder, "figures.json"), path.join(folder, "figure.svg")];
      const { status, stdout } = spawnSync(
        process.execPath,
        [
          ...[
            "--disable-warning=ExperimentalWarning",
            path.join(PROJECT_ROOT, "lib/host/cli/main.ts"),
            "bench",
          ],
          ...["start-up", "--engine", ENGINE, "--json", json, "--figure", figure],
        ],
        { encoding: "utf8" },
      );
      expect(status).toBe(0);
      const written = JSON.parse(readFileSync(json, "utf8"));
      expect(written).toMatchObject({
        format: "dom0-bench 1",
        engine: "dom0 translator",
        failures: [],
        guests: [],
      });
      // The guest that is measured retires two million instructions, as the promise says.
      expect(written.startUp.insns).toBeGreaterThan(2e6);
      expect(written.startUp.insns).toBeLessThan(2.5e6);
      for (const text of [stdout, readFileSync(figure, "utf8")])
        expect(text).toContain(written.machine.processor);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe("the long run of mixed guests", () => {
  it("takes samples of the resident memory until the time is over", () => {
    const { runs, samples } = soak({ minutes: 0.02, engine: ENGINE });
    expect(runs).toBeGreaterThan(0);
    expect(samples.length).toBe(runs);
    for (const { value } of samples) expect(value).toBeGreaterThan(16); // its guest's RAM alone, in MB
  }, 60_000);
});
