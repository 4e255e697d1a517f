import { expect, it } from "vitest";
import { PLANNED, PLANNED_IN_ALL } from "../support/lockstep.ts";

it("the parts of the lockstep run come to what they promise together", () => {
  const sum = Object.values(PLANNED).reduce((total, instructions) => total + instructions, 0);
  expect(sum).toBeGreaterThanOrEqual(PLANNED_IN_ALL);
  console.log(`lockstep: at least ${sum / 1e6} million instructions in this run, besides Linux`);
});
