/** What virtual machines cost, by how many instructions are sensitive: nothing where there are none, and in proportion where they trap. */
import { expect, it } from "vitest";
import { densityCurve } from "../../../lib/vmm/density.ts";

const DENSITIES = [0, 1, 10, 100, 500];

it("trap and emulate costs in proportion to sensitive instructions, and the extension nothing for a supervisor's own CSRs", () => {
  const classic = densityCurve("classic", DENSITIES);
  const extension = densityCurve("extension", DENSITIES);
  const row = (points: typeof classic): string =>
    points.map(({ perThousand, slowdown }) => `${perThousand}: ×${slowdown.toFixed(2)}`).join("  ");
  console.log(
    `slowdown by sensitive instructions per thousand\n  classic    ${row(classic)}\n  extension  ${row(extension)}`,
  );
  expect(classic[0]?.slowdown).toBe(1);
  for (const { slowdown } of extension) expect(slowdown).toBeCloseTo(1, 1);
  // Each trap costs the same: one vector, one emulation.
  const [price] = classic
    .slice(1, 2)
    .map(({ perThousand, slowdown }) => (1000 * (slowdown - 1)) / perThousand);
  for (const { perThousand, slowdown } of classic.slice(1))
    expect(((slowdown - 1) * 1000) / perThousand / (price ?? 0)).toBeCloseTo(1, 1);
  expect(price).toBeGreaterThan(60); // the vector alone saves and loads 62 registers
  expect(price).toBeLessThan(200);
});
