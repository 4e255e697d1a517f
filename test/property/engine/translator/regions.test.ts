/** Regions against the reference engine: random control flow, cut at random places, compared at each cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RegionOptions } from "../../../../lib/engine/translator/region/regions.ts";
import { assembled } from "../../../support/assembled.ts";
import { flowPrograms, flowText } from "../../../support/flow-programs.ts";
import { seededNumbers } from "../../../support/random.ts";
import { Pair } from "../../../support/two-tier-machine.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const RUNS = isFull ? 2000 : 25;
const STEPS = 40_000;
let regionsMade = 0;

/** Runs a program in pieces of random lengths; what differs first. */
function firstDifference(text: string, seed: number, options: RegionOptions): string | undefined {
  const { bytes, origin } = assembled(text);
  const pair = new Pair(bytes, origin, options);
  const below = seededNumbers(seed);
  for (let made = 0; made < STEPS; ) {
    const steps = 1 + below(below(4) === 0 ? 40 : 4000);
    const found = pair.run(steps);
    made += steps;
    if (found !== undefined) return `${found}, within ${steps} steps before step ${made}`;
  }
  const { regions, compileFailures } = pair.translator.engine.counters;
  regionsMade += regions;
  return compileFailures === 0 ? undefined : "the host refused a module";
}

describe("a random program in regions", () => {
  it.each([
    { maxInsns: 300, coalesces: true },
    { maxInsns: 40, coalesces: true, guess: "addend" },
    { maxInsns: 12, coalesces: false, guess: "none" },
  ] as const)("does what the reference does, cut anywhere: %j", (options) => {
    fc.assert(
      fc.property(flowPrograms(40), fc.nat(), (blocks, seed) => {
        expect(firstDifference(flowText(blocks), seed, options)).toBeUndefined();
      }),
      { seed: 5, numRuns: RUNS },
    );
    expect(regionsMade).toBeGreaterThan(2 * RUNS);
  });
});
