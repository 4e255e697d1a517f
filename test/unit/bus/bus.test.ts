import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bus } from "../../../lib/bus/bus.ts";
import { Clock } from "../../../lib/bus/clock.ts";
import { ACCESS_FAULT, type Device, type Width } from "../../../lib/bus/device.ts";
import { EventKind, type EventSink } from "../../../lib/bus/event-sink.ts";
import { createMachineMemory } from "../../../lib/bus/machine-memory.ts";
import { PageFlag, Ram } from "../../../lib/bus/ram.ts";

const RAM_BASE = 0x8000_0000;
const WIDTHS: Width[] = [1, 2, 4, 8];

/** A device that remembers what was asked of it. */
class Notebook implements Device {
  readonly name: string;
  readonly sizeBytes: number;
  readonly heard: string[] = [];
  constructor(name: string, sizeBytes: number) {
    this.name = name;
    this.sizeBytes = sizeBytes;
  }
  load(offset: number, width: Width) {
    this.heard.push(`load ${offset} ${width}`);
    return 0x11n;
  }
  store(offset: number, width: Width, value: bigint) {
    this.heard.push(`store ${offset} ${width} ${value}`);
    return undefined;
  }
  reset() {}
  save() {
    return {};
  }
  restore() {}
}

function machine(ramBytes = 0x4000) {
  const events: bigint[][] = [];
  const sink: EventSink = {
    record: (kind, hart, detail, retired, a, b, c) =>
      events.push([BigInt(kind), BigInt(hart), BigInt(detail), BigInt(retired), a, b, c]),
  };
  const ram = new Ram(createMachineMemory(100, ramBytes), RAM_BASE);
  const clock = new Clock();
  return { ram, clock, events, bus: new Bus(ram, clock, sink) };
}

describe("the bus", () => {
  it("sends an access to the device that covers it, with an offset", () => {
    const { bus } = machine();
    const left = new Notebook("left", 8);
    const right = new Notebook("right", 8);
    expect(bus.attach(0x2000, right)).toBeUndefined();
    expect(bus.attach(0x1000, left)).toBeUndefined();
    expect(bus.load(0x1004, 4)).toBe(0x11n);
    expect(bus.store(0x2001, 1, -1n)).toBeUndefined();
    expect(left.heard).toEqual(["load 4 4"]);
    expect(right.heard).toEqual(["store 1 1 255"]);
    expect(bus.regions.map((region) => region.device.name)).toEqual(["left", "right"]);
  });

  it("answers an access fault where nobody listens, across a device's edge, and for misaligned device accesses", () => {
    const { bus } = machine();
    bus.attach(0x1000, new Notebook("device", 8));
    for (const paddr of [
      0,
      0xfff,
      0x1008,
      0x1005,
      RAM_BASE - 1,
      RAM_BASE + 0x4000 - 1,
      2 ** 55,
      2 ** 56 - 4,
    ]) {
      expect(bus.load(paddr, 4), paddr.toString(16)).toBe(ACCESS_FAULT);
      expect(bus.store(paddr, 4, 0n), paddr.toString(16)).toBe(ACCESS_FAULT);
    }
  });

  it("refuses a device that overlaps RAM or another device, and names both", () => {
    const { bus } = machine();
    bus.attach(0x1000, new Notebook("first", 0x100));
    const messages = [
      bus.attach(0x10ff, new Notebook("second", 8)),
      bus.attach(0xff8, new Notebook("third", 9)),
      bus.attach(RAM_BASE - 4, new Notebook("fourth", 8)),
    ];
    expect(messages.map((error) => error?.kind)).toEqual(["overlap", "overlap", "overlap"]);
    expect(messages[0]?.message).toBe("second at 0x10ff–0x1106 overlaps first at 0x1000–0x10ff");
    expect(messages[2]?.message).toContain("RAM");
    expect(bus.attach(0x5000, new Notebook("nothing", 0))?.kind).toBe("empty");
    expect(bus.regions.length).toBe(1);
  });

  it("reports device accesses as events and RAM accesses not at all", () => {
    const { bus, clock, events } = machine();
    bus.attach(0x1000, new Notebook("device", 8));
    clock.retired = 77;
    bus.store(RAM_BASE, 8, 5n);
    bus.load(RAM_BASE, 8);
    bus.load(0x1000, 2, 1);
    bus.store(0x1004, 4, 0x1_0000_0002n, 0);
    expect(events).toEqual([
      [BigInt(EventKind.DEVICE_LOAD), 1n, 2n, 77n, 0x1000n, 0x11n, 0n],
      [BigInt(EventKind.DEVICE_STORE), 0n, 4n, 77n, 0x1004n, 2n, 0n],
    ]);
  });

  it("keeps RAM as bytes in little-endian order: any mix of widths reads back what a plain byte array would", () => {
    const access = fc.record({
      offset: fc.nat(0x3fff),
      width: fc.constantFrom(...WIDTHS),
      value: fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
        const { bus } = machine();
        const model = new Uint8Array(0x4000);
        for (const { offset, width, value } of accesses) {
          const fits = offset + width <= model.length;
          expect(bus.store(RAM_BASE + offset, width, value)).toBe(fits ? undefined : ACCESS_FAULT);
          if (!fits) continue;
          for (let index = 0; index < width; index++)
            model[offset + index] = Number((value >> BigInt(8 * index)) & 255n);
        }
        for (const { offset, width } of accesses) {
          if (offset + width > model.length) continue;
          let expected = 0n;
          for (let index = width - 1; index >= 0; index--)
            expected = (expected << 8n) | BigInt(model[offset + index] ?? 0);
          expect(bus.load(RAM_BASE + offset, width)).toBe(expected);
        }
        expect(bus.ram.u8).toEqual(model);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe("page flags", () => {
  it("tell a listener before the bytes change, until it clears its flag", () => {
    const { ram } = machine();
    const seen: [number, number][] = [];
    ram.onStore(PageFlag.HOLDS_DECODED_CODE, (page) => {
      seen.push([page, ram.u8[page * 4096] ?? -1]);
      if (seen.length === 2) ram.unflagPage(page, PageFlag.HOLDS_DECODED_CODE);
    });
    ram.flagPage(1, PageFlag.HOLDS_DECODED_CODE);
    ram.store(0, 8, 9n);
    for (const value of [1n, 2n, 3n]) ram.store(0x1000, 1, value);
    expect(seen).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it("tell both pages of a store that crosses, and every page of a block write", () => {
    const { ram } = machine();
    const seen: number[] = [];
    ram.onStore(PageFlag.FEEDS_TRANSLATION, (page) => seen.push(page));
    for (const page of [0, 1, 2, 3]) ram.flagPage(page, PageFlag.FEEDS_TRANSLATION);
    ram.store(0xffe, 4, 0n);
    ram.write(0x1800, new Uint8Array(0x1801));
    ram.write(0x2000, new Uint8Array(0));
    ram.fill(0x3fff, 1, 7);
    expect(seen).toEqual([0, 1, 1, 2, 3, 3]);
  });

  it("reach only the listeners of the flags that are set", () => {
    const { ram } = machine();
    const seen: string[] = [];
    ram.onStore(PageFlag.COPY_BEFORE_WRITE, () => seen.push("copy"));
    ram.onStore(PageFlag.FEEDS_TRANSLATION, () => seen.push("feeds"));
    ram.flagPage(0, PageFlag.FEEDS_TRANSLATION);
    ram.store(0, 4, 1n);
    expect(seen).toEqual(["feeds"]);
  });
});

describe("the machine's memory", () => {
  it("is one WebAssembly.Memory of final size in which state, flags and RAM do not overlap", () => {
    const plan = createMachineMemory(5000, 1 << 20);
    expect(plan.flagsOffset).toBeGreaterThanOrEqual(5000);
    expect(plan.ramOffset).toBeGreaterThanOrEqual(plan.flagsOffset + 256);
    expect(plan.ramOffset % 4096).toBe(0);
    expect(plan.buffer.byteLength).toBeGreaterThanOrEqual(plan.ramOffset + plan.ramBytes);
    expect(() => plan.memory.grow(1)).toThrow();
  });

  it("refuses sizes that no caller may pass", () => {
    for (const bytes of [0, -4096, 100, 4097, 2 ** 32, Number.NaN])
      expect(() => createMachineMemory(0, bytes)).toThrow(RangeError);
  });
});
