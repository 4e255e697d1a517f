/** The hypervisor's image moves up by a number of pages that a seed draws: its guests cannot tell, and its structures are where the symbols say. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { referee } from "../../../lib/referee/referee.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { guestProgram } from "../../support/guest-programs.ts";
import { exitsOf, frameMistakes, guestBytes, vmmScene } from "./vmm-scene.ts";

const kernel = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const SEEDS = [undefined, 1, 2, 3, 4, 5];

/** What guests can see of a run. When things happen may differ: a longer address may take the hypervisor one more instruction to load. */
function runWith(image: Uint8Array, seed: number | undefined) {
  const scene = vmmScene(
    { guests: [{ image, begins: "machine" }] },
    seed === undefined ? {} : { slide: { seed } },
  );
  const { board, vmm } = scene;
  const judge = referee(board);
  const traps: string[] = [];
  board.onTrap(({ from, to, trap, epc }) => {
    if (from.startsWith("V") && !trap.isInterrupt)
      traps.push(`${from} ${to} ${trap.cause} ${trap.tval} ${epc}`);
  });
  board.run({ instructions: 600_000 });
  expect([...judge.violations, ...judge.check()]).toEqual([]);
  expect(frameMistakes(scene)).toEqual([]);
  return { base: vmm.map.base, traps, seen: [printedBy(vmm, 1), exitsOf(scene, 1)] };
}

it("slides, and random programs trap at the same places for the same reasons", () => {
  const image = guestBytes(guestProgram(1));
  const [ordinary, ...slid] = SEEDS.map((seed) => runWith(image, seed));
  expect(ordinary?.traps.length).toBeGreaterThan(100);
  for (const { traps, seen } of slid) expect([traps, seen]).toEqual([ordinary?.traps, ordinary?.seen]);
  expect(new Set(slid.map(({ base }) => base)).size).toBe(5);
}, 120_000);

it("slides, and a kernel prints the same", () => {
  const [ordinary, ...slid] = SEEDS.map((seed) => runWith(kernel, seed));
  for (const { seen } of slid) expect(seen[0]).toBe(ordinary?.seen[0]);
}, 120_000);
