/** The boot of stock Linux on both engines in lockstep. */
import { expect, it } from "vitest";
import { newLinux } from "../support/linux.ts";
import { expectSame, Tally } from "../support/lockstep.ts";
import { describeWith } from "../support/optional.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTRUCTIONS = isFull ? 50_000_000 : 4_000_000;

describeWith(["debianLinux"], "Linux on both engines in lockstep", () => {
  it.each([
    ["OpenSBI", { firmware: "opensbi" }],
    ["our firmware and two harts", { firmware: "typescript", harts: 2 }],
  ] as const)(
    `boots the same, with %s: its first ${INSTRUCTIONS / 1e6} million instructions`,
    (title, options) => {
      const tally = new Tally();
      expectSame({
        title,
        tally,
        instructions: INSTRUCTIONS,
        every: 1_000_000,
        build: (engine) => newLinux({ ...engine, ...options }),
      });
      console.log(tally.words(`Linux with ${title}`));
      tally.report("Linux");
      expect(tally.instructions).toBe(INSTRUCTIONS);
      expect(tally.fallbacks({ share: 0.9, regionShare: 0.6 })).toEqual([]);
    },
    3_600_000,
  );
});
