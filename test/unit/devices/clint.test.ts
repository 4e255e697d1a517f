import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Clock } from "../../../lib/bus/clock.ts";
import { ACCESS_FAULT, type Width } from "../../../lib/bus/device.ts";
import { Clint } from "../../../lib/devices/clint.ts";

// The SiFive map, as numbers: msip 4 bytes a hart, mtimecmp at 0x4000 8 bytes a hart, mtime at 0xbff8.
function interruptor(harts = 2) {
  const clock = new Clock();
  const clint = new Clint(clock, harts);
  const advance = (insns: number) => {
    clock.retired += insns;
    clock.ringDue();
  };
  return { clock, clint, advance };
}

describe("mtime and mtimecmp", () => {
  it("raise the timer line of their hart in the tick in which mtime reaches mtimecmp (norm:mtime_intr_pending norm:mtime_intr_mtip_visibility)", () => {
    const { clint, advance } = interruptor();
    clint.store(0x4000, 8, 1_000_000n);
    clint.store(0x4008, 8, 5n);
    const levels = [];
    for (let tick = 0; tick < 7; tick++) {
      levels.push([clint.timerLine(0).level, clint.timerLine(1).level]);
      advance(10);
    }
    expect(levels.map(([first]) => first)).toEqual([false, false, false, false, false, false, false]);
    expect(levels.map(([, second]) => second)).toEqual([false, false, false, false, false, true, true]);
  });

  it("lower the line as soon as mtimecmp lies ahead again (norm:mtime_intr_pending)", () => {
    const { clint, advance } = interruptor();
    clint.store(0x4000, 8, 0n);
    expect(clint.timerLine(0).level).toBe(true);
    clint.store(0x4000, 8, 100n);
    expect(clint.timerLine(0).level).toBe(false);
    advance(1000);
    expect(clint.timerLine(0).level).toBe(true);
  });

  it("can be read and written in halves (norm:mtimecmp_sz norm:mtimecmp_enc_img norm:mtime_mtimecmp_rv64_wr)", () => {
    const { clint, clock } = interruptor();
    clint.store(0x4004, 4, 0xdead_beefn);
    clint.store(0x4000, 4, 0x1234_5678n);
    expect(clint.load(0x4000, 8)).toBe(0xdead_beef_1234_5678n);
    expect(clint.load(0x4004, 4)).toBe(0xdead_beefn);
    clint.store(0xbff8, 8, 0xffff_ffff_ffffn);
    expect(clint.load(0xbffc, 4)).toBe(0xffffn);
    expect(clock.mtime).toBe(0xffff_ffff_ffffn);
    clint.store(0xbffc, 4, 1n);
    expect(clock.mtime).toBe(0x1_ffff_ffffn);
  });

  it("compare again at once when mtime itself is written (norm:mtime_acc norm:mtime_sz norm:mtime_enc_img)", () => {
    const { clint } = interruptor();
    clint.store(0x4000, 8, 1000n);
    clint.store(0xbff8, 8, 1000n);
    expect(clint.timerLine(0).level).toBe(true);
    clint.store(0xbff8, 8, 0n);
    expect(clint.timerLine(0).level).toBe(false);
  });

  it("are pending from power-on, as on QEMU, and no alarm is set for it", () => {
    const { clint, clock } = interruptor();
    expect([clint.load(0x4000, 8), clint.timerLine(0).level, clint.timerLine(1).level]).toEqual([
      0n,
      true,
      true,
    ]);
    expect(clock.alarmAtRetired).toBe(Number.POSITIVE_INFINITY);
  });

  it("are pending again after reset", () => {
    const { clint } = interruptor();
    clint.store(0x4000, 8, 100n);
    clint.store(0, 4, 1n);
    clint.reset();
    expect([clint.timerLine(0).level, clint.softwareLine(0).level]).toEqual([true, false]);
  });
});

describe("msip", () => {
  it("drives the software line with bit 0 and keeps no other bit (norm:msip_enc norm:msip_sz_acc)", () => {
    const { clint } = interruptor();
    clint.store(4, 4, 0xffff_ffffn);
    expect(clint.load(4, 4)).toBe(1n);
    expect([clint.softwareLine(0).level, clint.softwareLine(1).level]).toEqual([false, true]);
    clint.store(4, 4, 2n);
    expect(clint.softwareLine(1).level).toBe(false);
  });
});

interface Step {
  isStore: boolean;
  slot: number;
  half: number;
  width: Width;
  value: bigint;
  insns: number;
}

describe("other accesses", () => {
  it("find zero where there is no hart, and a bus error for bytes, halves and 8-byte msip", () => {
    const { clint } = interruptor(1);
    clint.store(0x4008, 8, 7n);
    expect([clint.load(4, 4), clint.load(0x4008, 8), clint.load(0x8000, 4)]).toEqual([0n, 0n, 0n]);
    expect([clint.load(0, 1), clint.load(0x4000, 2), clint.load(0, 8)]).toEqual([
      ACCESS_FAULT,
      ACCESS_FAULT,
      ACCESS_FAULT,
    ]);
  });

  it("never throw, whatever a guest does; save then restore changes nothing that follows", () => {
    const step = fc.record({
      isStore: fc.boolean(),
      slot: fc.oneof(fc.nat(3), fc.constantFrom(0x800, 0x801, 0x17ff), fc.nat(0x1fff)),
      half: fc.nat(1),
      width: fc.constantFrom<Width>(1, 2, 4, 8),
      value: fc.oneof(fc.bigInt(0n, 500n), fc.bigInt(0n, 2n ** 64n - 1n)),
      insns: fc.nat(2000),
    });
    const play = ({ clint, advance }: ReturnType<typeof interruptor>, steps: Step[]) =>
      steps.map(({ isStore, slot, half, width, value, insns }) => {
        advance(insns);
        const offset = slot * 8 + (width === 8 ? 0 : half * 4);
        const answer = isStore
          ? clint.store(offset, width, BigInt.asUintN(width * 8, value))
          : clint.load(offset, width);
        return [answer, clint.timerLine(0).level, clint.timerLine(1).level, clint.softwareLine(1).level];
      });
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (before, after) => {
        const original = interruptor();
        const copy = interruptor();
        play(original, before);
        copy.clock.restore(original.clock.save());
        copy.clint.restore(original.clint.save());
        expect(play(copy, after)).toEqual(play(original, after));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
