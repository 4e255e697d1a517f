/** Sharing a hart: turns, weights, caps, and a guest that robs a scheduler which looks only now and then. Models, not the code's own sums. */

import { describe, expect, it } from "vitest";
import { INSNS_PER_TICK } from "../../../lib/bus/clock.ts";
import type { Guest, LoadOptions } from "../../../lib/vmm/loader.ts";
import { guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

/** Uses all it gets. */
const BUSY = guestBytes("loop: addi s0, s0, 1\n j loop");
const SLICE = 2_000;
const PERIOD = 6_000;

function run(guests: readonly Partial<Guest>[], options: Partial<LoadOptions>, periods = 30): VmmScene {
  const scene = vmmScene({
    guests: guests.map((guest) => ({ image: BUSY, ramBytes: 64 * 4096, ...guest })),
    slice: SLICE,
    period: PERIOD,
    ...options,
  });
  scene.board.run({ instructions: 100_000_000, untilInsns: periods * PERIOD * INSNS_PER_TICK });
  return scene;
}

/** Each domain's part of the time that has passed, from what its program counted: no clock of the hypervisor's. */
function shares({ board, vmm }: VmmScene, count: number): number[] {
  const current = vmm.state.pcpu(0).current;
  const loops = Array.from({ length: count }, (_, index) => {
    const vcpu = vmm.state.vcpu(index);
    const isRunning = vcpu.address === current && (board.hart.mode === "VS" || board.hart.mode === "VU");
    return Number(isRunning ? board.hart.read("s0") : vcpu.area.saved.x.get(8));
  });
  return loops.map((loop) => (2 * loop) / board.clock.now);
}

describe("round robin", () => {
  it("gives three busy guests a third each, but for what the hypervisor itself takes", () => {
    const parts = shares(run([{}, {}, {}], {}), 3);
    const total = parts.reduce((sum, part) => sum + part, 0);
    expect(total).toBeGreaterThan(0.8);
    for (const part of parts) expect(part / total).toBeCloseTo(1 / 3, 1);
  });
});

describe("credit", () => {
  it.each([[[256, 256]], [[512, 256]], [[300, 200, 100]]])("shares by weight: %j", (weights) => {
    const parts = shares(
      run(
        weights.map((weight) => ({ weight })),
        { scheduler: "CREDIT" },
        60,
      ),
      weights.length,
    );
    const total = parts.reduce((sum, part) => sum + part, 0);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, part] of parts.entries())
      expect(Math.abs(part / total - (weights[index] ?? 0) / all)).toBeLessThan(0.04);
  });

  it("holds a guest to its cap though nobody else wants the hart", () => {
    const [part] = shares(run([{ cap: 30 }], { scheduler: "CREDIT" }, 40), 1);
    expect(part).toBeGreaterThan(0.2);
    expect(part).toBeLessThan(0.31);
  });

  it("charges to the tick: what all virtual CPUs ran is the time that passed, without the hart's rest", () => {
    const { board, vmm } = run([{}, {}], { scheduler: "CREDIT" });
    const ran = [0, 1].reduce((sum, index) => sum + Number(vmm.state.vcpu(index).schedule.ran), 0);
    const passed = board.clock.now / INSNS_PER_TICK;
    expect(ran).toBeLessThanOrEqual(passed);
    expect(ran).toBeGreaterThan(passed - 2 * SLICE);
  });
});

/** Works, and sleeps over each tick: ticks come at multiples of their length. */
const robber = (slice: number): Uint8Array =>
  guestBytes(`li t0, 0x20\n csrw sie, t0\n li s3, ${slice}
    again: csrr t1, time\n remu t2, t1, s3\n sub t1, t1, t2\n add s2, t1, s3\n addi s4, s2, -600
    work: addi s0, s0, 1\n csrr t1, time\n bltu t1, s4, work
    addi t1, s2, 300\n csrw stimecmp, t1\n wfi\n li t1, -1\n csrw stimecmp, t1\n j again`);

describe("a guest that sleeps at the ticks", () => {
  const robbery = (scheduler: "CREDIT" | "TICK_SAMPLING"): number => {
    const slice = 8_000;
    const { vmm } = run(
      [{ image: robber(slice), hasTerminal: false }, {}],
      { scheduler, slice, period: 3 * slice },
      120,
    );
    const [own, other] = [0, 1].map((index) => Number(vmm.state.vcpu(index).schedule.ran));
    return (own ?? 0) / ((own ?? 0) + (other ?? 0));
  };
  it("robs a scheduler that samples, and not one that counts", () => {
    expect(robbery("TICK_SAMPLING")).toBeGreaterThan(0.85);
    expect(robbery("CREDIT")).toBeLessThan(0.55);
  });
});
