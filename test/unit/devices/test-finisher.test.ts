import { describe, expect, it } from "vitest";
import { ACCESS_FAULT, type Width } from "../../../lib/bus/device.ts";
import { Rom } from "../../../lib/devices/rom.ts";
import { type Finish, TestFinisher } from "../../../lib/devices/test-finisher.ts";

describe("the test finisher", () => {
  function finishes(...stores: [offset: number, width: Width, value: bigint][]): Finish[] {
    const heard: Finish[] = [];
    const finisher = new TestFinisher((finish) => heard.push(finish));
    for (const [offset, width, value] of stores) finisher.store(offset, width, value);
    return heard;
  }

  it("powers off with 0 for pass, with the upper half word for fail, and resets on 0x7777", () => {
    expect(finishes([0, 4, 0x5555n], [0, 4, 0x002a_3333n], [0, 4, 0x7777n], [0, 2, 0x5555n])).toEqual([
      { kind: "poweroff", code: 0 },
      { kind: "poweroff", code: 42 },
      { kind: "reset" },
      { kind: "poweroff", code: 0 },
    ]);
  });

  it("does nothing for other words and other offsets", () => {
    expect(finishes([0, 4, 0n], [0, 4, 0x5554n], [4, 4, 0x5555n], [0xffc, 4, 0x7777n])).toEqual([]);
  });

  it("reads as zero; bytes and double words are bus errors", () => {
    const finisher = new TestFinisher(() => expect.unreachable());
    expect(finisher.load(0, 4)).toBe(0n);
    expect([finisher.load(0, 1), finisher.load(0, 8)]).toEqual([ACCESS_FAULT, ACCESS_FAULT]);
    expect([finisher.store(0, 1, 0x55n), finisher.store(0, 8, 0x5555n)]).toEqual([
      ACCESS_FAULT,
      ACCESS_FAULT,
    ]);
  });
});

describe("ROM", () => {
  it("reads little-endian, zero past its contents, and ignores stores", () => {
    const rom = new Rom(16, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
    expect(rom.store()).toBeUndefined();
    expect([rom.load(0, 8), rom.load(2, 2), rom.load(8, 4)]).toEqual([0x0807_0605_0403_0201n, 0x0403n, 9n]);
  });
});
