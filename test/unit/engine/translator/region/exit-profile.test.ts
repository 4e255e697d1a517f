/** What a profile says of the ways out of regions. */
import { expect, it } from "vitest";
import { ExitProfile } from "../../../../../lib/engine/translator/region/exit-profile.ts";
import { boardWith } from "../../../../support/assembled.ts";

const PROGRAM = `
    li s1, 3000
    la s0, other
  again:
    jr s0
  back:
    addi s1, s1, -1
    bnez s1, again
  end: wfi
    j end
    .align 12
  other:
    addi a0, a0, 1
    la t1, back
    jr t1`;

it("counts where regions are left and why, and the run is the same", () => {
  const exits = new ExitProfile();
  const options = { heatThreshold: 8, batch: 1 };
  const counted = boardWith(PROGRAM, { engine: "translator", translating: { ...options, exits } });
  const plain = boardWith(PROGRAM, { engine: "translator", translating: options });
  for (const board of [counted, plain]) board.run({ instructions: 50_000 });
  expect(counted.hart.read("a0")).toBe(3000n);
  expect(counted.trace.hash()).toBe(plain.trace.hash());
  expect(counted.clock.retired).toBe(plain.clock.retired);
  const jumps = exits.counts.filter(({ reason }) => reason === "register");
  const sum = jumps.reduce((total, { count }) => total + count, 0);
  expect(sum).toBeGreaterThan(2900);
  expect(sum).toBeLessThanOrEqual(6000);
});
