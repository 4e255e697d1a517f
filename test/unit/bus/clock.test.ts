import { describe, expect, it } from "vitest";
import { CLOCK_AT_RESET, Clock, INSNS_PER_TICK } from "../../../lib/bus/clock.ts";
import { IrqLine } from "../../../lib/bus/irq-line.ts";

describe("the clock", () => {
  it("counts guest time in retired instructions", () => {
    const clock = new Clock();
    clock.retired = 12_345;
    expect(clock.now).toBe(12_345);
    expect(clock.mtime).toBe(BigInt(Math.floor(12_345 / INSNS_PER_TICK)));
  });

  it("rings each alarm once, earliest first, ties in the order of making", () => {
    const clock = new Clock();
    const rung: string[] = [];
    const alarms = ["a", "b", "c"].map((name) => clock.alarm(() => rung.push(name)));
    alarms[2]?.set(50);
    alarms[1]?.set(100);
    alarms[0]?.set(100);
    expect(clock.alarmAtRetired).toBe(50);
    clock.retired = 99;
    clock.ringDue();
    expect(rung).toEqual(["c"]);
    clock.retired = 200;
    clock.ringDue();
    clock.ringDue();
    expect(rung).toEqual(["c", "a", "b"]);
    expect(clock.alarmAtRetired).toBe(Number.POSITIVE_INFINITY);
  });

  it("lets an alarm set itself again while it rings", () => {
    const clock = new Clock();
    const rung: number[] = [];
    const alarm = clock.alarm(() => {
      rung.push(clock.now);
      if (rung.length < 3) alarm.set(clock.now + 10);
    });
    alarm.set(10);
    for (clock.retired = 0; clock.retired < 100; clock.retired++) clock.ringDue();
    expect(rung).toEqual([10, 20, 30]);
  });

  it("sleeps to the next alarm without retiring anything", () => {
    const clock = new Clock();
    let rung = 0;
    clock.alarm(() => rung++).set(1000);
    clock.retired = 10;
    expect(clock.sleep()).toBe(true);
    clock.ringDue();
    expect([clock.retired, clock.now, clock.sleptInsns, rung]).toEqual([10, 1000, 990, 1]);
  });

  it("sleeps no longer than its limit, and not at all when nothing would ever wake it", () => {
    const clock = new Clock();
    expect(clock.sleep()).toBe(false);
    expect(clock.now).toBe(0);
    clock.alarm(() => {}).set(1000);
    expect(clock.sleep(400)).toBe(false);
    expect(clock.now).toBe(400);
    expect(clock.sleep(600)).toBe(true);
    expect(clock.now).toBe(1000);
  });

  it("takes a written mtime, says when a value will be reached, and wraps at 64 bits", () => {
    const clock = new Clock();
    clock.retired = 500;
    clock.mtime = 2n ** 64n - 1n;
    expect(clock.mtime).toBe(2n ** 64n - 1n);
    clock.retired += INSNS_PER_TICK;
    expect(clock.mtime).toBe(0n);
    expect(clock.whenMtimeReaches(3n)).toBe(clock.now + 3 * INSNS_PER_TICK);
    expect(clock.whenMtimeReaches(0n)).toBe(clock.now);
    expect(clock.whenMtimeReaches(2n ** 63n)).toBe(Number.POSITIVE_INFINITY);
  });

  it("goes back to a saved moment and forgets every appointment", () => {
    const clock = new Clock();
    clock.alarm(() => {}).set(5);
    clock.retired = 3;
    clock.mtime = 99n;
    const saved = clock.save();
    clock.retired = 90;
    clock.mtime = 0n;
    clock.restore(saved);
    expect([clock.now, clock.mtime, clock.alarmAtRetired]).toEqual([3, 99n, Number.POSITIVE_INFINITY]);
    clock.restore(CLOCK_AT_RESET);
    expect([clock.now, clock.mtime]).toEqual([0, 0n]);
  });
});

describe("an interrupt line", () => {
  it("tells each listener the level when it connects, and afterwards changes only", () => {
    const line = new IrqLine("wire");
    line.set(true);
    const heard: boolean[] = [];
    line.connect((level) => heard.push(level));
    for (const level of [true, false, false, true]) line.set(level);
    expect(heard).toEqual([true, false, true]);
    expect(line.level).toBe(true);
  });
});
