import { describe, expect, it } from "vitest";
import {
  geometricMean,
  growthPerMinute,
  middle,
  ratioToFastest,
  roundsFor,
  roundsPerSecond,
  workSeconds,
} from "../../../../lib/host/cli/bench/arithmetic.ts";
import { checkResults } from "../../../../lib/host/cli/bench/guest-contest.ts";
import { splitTimes } from "../../../../lib/host/cli/bench/timed-process.ts";

describe("the arithmetic of benchmarks", () => {
  it("takes the middle value, and the mean of two in the middle", () => {
    expect(middle([30, 10, 20])).toBe(20);
    expect(middle([4, 1, 3, 2])).toBe(2.5);
    expect(middle([])).toBeNaN();
  });

  it("takes start-up away from whole processes, median from median", () => {
    expect(workSeconds({ once: [0.1, 0.3, 0.2], many: [5.2, 9, 2.2] })).toBe(5);
    expect(workSeconds({ once: [1], many: [0.5] })).toBeNaN();
  });

  it("divides by the fastest peer, and by nobody when there is none", () => {
    expect(ratioToFastest(300, [100, 200])).toBe(1.5);
    expect(ratioToFastest(300, [Number.NaN, 600])).toBe(0.5);
    expect(ratioToFastest(300, [])).toBeNaN();
  });

  it("takes geometric means", () => {
    expect(geometricMean([1, 4])).toBeCloseTo(2, 12);
    expect(geometricMean([0.5, 1, 2])).toBeCloseTo(1, 12);
    expect(geometricMean([])).toBeNaN();
  });

  it("asks for more rounds until a run is long enough, then counts rounds a second", () => {
    const asked: number[] = [];
    const perSecond = roundsPerSecond((rounds) => {
      asked.push(rounds);
      return (rounds - 1) / 1000;
    });
    expect(asked).toEqual([8, 64, 512]);
    expect(perSecond).toBeCloseTo(1000, 9);
  });

  it("gives up on a guest that does no work", () => {
    expect(() => roundsPerSecond(() => 0)).toThrow("no work");
  });

  it("runs a tenth longer than asked for, and at least one round besides the first", () => {
    expect(roundsFor(2, 1000)).toBe(2201);
    expect(roundsFor(1, 0.001)).toBe(2);
  });

  it("fits a line: growth a minute, whatever the start", () => {
    const line = [0, 30, 90].map((seconds) => ({ seconds, value: 200 + seconds / 20 }));
    expect(growthPerMinute(line)).toBeCloseTo(3, 12);
    const noisy = [0, 10, 20, 30].map((seconds, index) => ({ seconds, value: index % 2 }));
    // Σ(t − 15)(v − ½) = 7.5 + −2.5 + −2.5 + 7.5 = 10; Σ(t − 15)² = 500.
    expect(growthPerMinute(noisy)).toBeCloseTo(60 * (10 / 500), 12);
    expect(growthPerMinute([{ seconds: 1, value: 1 }])).toBeNaN();
  });

  it("reads processor times behind what the program printed, with or without a line's end", () => {
    const times = "0m0.01s 0m0.00s\n1m2.5s 0m0.25s\n";
    expect(splitTimes(`out\nput\n${times}`)).toEqual({ output: "out\nput\n", seconds: 62.75 });
    expect(splitTimes(`{}${times}`)).toEqual({ output: "{}", seconds: 62.75 });
    expect(() => splitTimes("nothing")).toThrow("no processor times");
  });

  it("lets no time count when results differ or are none", () => {
    const run = (result: string) => ({ seconds: 1, result });
    const same = "00000000000000ff";
    expect(() =>
      checkResults(
        "mix",
        new Map([
          ["a", run(same)],
          ["b", run(same)],
        ]),
      ),
    ).not.toThrow();
    const differing = new Map([
      ["a", run(same)],
      ["b", run("00000000000000fe")],
    ]);
    expect(() => checkResults("mix", differing)).toThrow(
      "mix differs: a: 00000000000000ff, b: 00000000000000fe",
    );
    expect(() => checkResults("mix", new Map([["a", run("")]]))).toThrow("mix differs");
  });
});
