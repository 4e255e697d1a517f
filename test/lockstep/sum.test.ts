import { expect, it } from "vitest";
import { PLANNED, PLANNED_IN_ALL } from "../support/lockstep.ts";

it("the plans of the lockstep parts add up to what is promised; npm test adds up what was really compared", () => {
  const sum = Object.values(PLANNED).reduce((total, instructions) => total + instructions, 0);
  expect(sum).toBeGreaterThanOrEqual(PLANNED_IN_ALL);
});
