import { describe, expect, it } from "vitest";
import { Clock } from "../../../lib/bus/clock.ts";
import { ACCESS_FAULT } from "../../../lib/bus/device.ts";
import { GoldfishRtc } from "../../../lib/devices/goldfish-rtc.ts";

// The Goldfish map, as numbers: time 0 and 4, alarm 8 and 12, enable 16, clear alarm 20, status 24, clear interrupt 28.
function wallClock() {
  const clock = new Clock();
  const rtc = new GoldfishRtc(clock, 1000);
  const pass = (insns: number) => {
    clock.retired += insns;
    clock.ringDue();
  };
  const time = () => (rtc.load(0, 4) as bigint) | ((rtc.load(4, 4) as bigint) << 32n);
  const setAlarm = (ns: bigint) => {
    rtc.store(12, 4, ns >> 32n);
    rtc.store(8, 4, ns & 0xffff_ffffn);
  };
  return { clock, rtc, pass, time, setAlarm };
}

describe("the real-time clock", () => {
  it("counts ten nanoseconds an instruction from its epoch", () => {
    const { time, pass } = wallClock();
    expect(time()).toBe(1_000_000_000_000n);
    pass(12_345);
    expect(time()).toBe(1_000_000_123_450n);
  });

  it("latches the high half when the low half is read", () => {
    const { rtc, pass } = wallClock();
    const low = rtc.load(0, 4) as bigint;
    const high = rtc.load(4, 4) as bigint;
    pass(Number((2n ** 32n - low) / 10n) + 1);
    expect(rtc.load(4, 4)).toBe(high);
    rtc.load(0, 4);
    expect(rtc.load(4, 4)).toBe(high + 1n);
  });

  it("can be set, half by half, and goes on from there", () => {
    const { rtc, pass, time } = wallClock();
    rtc.store(4, 4, 7n);
    rtc.store(0, 4, 100n);
    expect(time()).toBe((7n << 32n) + 100n);
    pass(5);
    expect(time()).toBe((7n << 32n) + 150n);
  });

  it("interrupts at its alarm when told to, until cleared", () => {
    const { rtc, pass, time, setAlarm } = wallClock();
    rtc.store(16, 4, 1n);
    setAlarm(time() + 1005n);
    expect([rtc.load(24, 4), rtc.line.level]).toEqual([1n, false]);
    pass(100);
    expect(rtc.line.level).toBe(false);
    pass(1);
    expect([rtc.load(24, 4), rtc.line.level]).toEqual([0n, true]);
    rtc.store(28, 4, 1n);
    expect(rtc.line.level).toBe(false);
  });

  it("keeps a pending interrupt to itself while it is disabled", () => {
    const { rtc, setAlarm } = wallClock();
    setAlarm(1n); // long past
    expect(rtc.line.level).toBe(false);
    rtc.store(16, 4, 1n);
    expect(rtc.line.level).toBe(true);
  });

  it("forgets a cleared alarm", () => {
    const { rtc, pass, time, setAlarm, clock } = wallClock();
    rtc.store(16, 4, 1n);
    setAlarm(time() + 1000n);
    rtc.store(20, 4, 0n);
    pass(1000);
    expect([rtc.load(24, 4), rtc.line.level, clock.alarmAtRetired]).toEqual([
      0n,
      false,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("does not move a set alarm when its registers or the time are written, and a snapshot keeps it where it is", () => {
    const { rtc, pass, time, setAlarm, clock } = wallClock();
    rtc.store(16, 4, 1n);
    setAlarm(time() + 1000n);
    rtc.store(12, 4, 0xffff_ffffn);
    const [moment, state] = [clock.save(), rtc.save()];
    rtc.reset();
    clock.restore(moment);
    rtc.restore(state);
    pass(99);
    expect(rtc.line.level).toBe(false);
    pass(1);
    expect(rtc.line.level).toBe(true);
  });

  it("has registers of four bytes, of which eight bytes are two, and zeros between them", () => {
    const { rtc } = wallClock();
    expect([rtc.load(0, 1), rtc.load(0, 2), rtc.store(0, 1, 1n)]).toEqual([
      ACCESS_FAULT,
      ACCESS_FAULT,
      ACCESS_FAULT,
    ]);
    expect(rtc.load(0, 8)).toBe(1_000_000_000_000n);
    expect([rtc.store(32, 4, 5n), rtc.load(32, 4), rtc.load(20, 4)]).toEqual([undefined, 0n, 0n]);
  });
});
