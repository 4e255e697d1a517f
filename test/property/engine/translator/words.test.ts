/** Registers that regions keep in 32 bits, against the reference engine: cut at random places, compared at each cut. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { assembled } from "../../../support/assembled.ts";
import { seededNumbers } from "../../../support/random.ts";
import { Pair } from "../../../support/two-tier-machine.ts";
import { wordPrograms, wordText } from "../../../support/word-programs.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 3000 : 60;
const STEPS = 12_000;

it.each([{ maxInsns: 300 }, { maxInsns: 30 }] as const)(
  "a random program of words and whole registers does what the reference does: %j",
  (options) => {
    let regionsMade = 0;
    fc.assert(
      fc.property(wordPrograms(7), fc.nat(), (program, seed) => {
        const { bytes, origin } = assembled(wordText(program));
        const pair = new Pair(bytes, origin, options);
        const below = seededNumbers(seed);
        for (let made = 0; made < STEPS; ) {
          const steps = 1 + below(below(3) === 0 ? 2000 : 60);
          expect(pair.run(steps), `within ${steps} steps behind step ${made}`).toBeUndefined();
          made += steps;
        }
        const { regions, compileFailures } = pair.translator.engine.counters;
        regionsMade += regions;
        expect(compileFailures).toBe(0);
      }),
      { seed: 6, numRuns: RUNS },
    );
    expect(regionsMade).toBeGreaterThan(2 * RUNS);
  },
);
