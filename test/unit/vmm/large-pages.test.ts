/** Pages of 2 MiB in the second stage: when they come, what splits them, and that nobody notices but by the number of faults. */
import { describe, expect, it } from "vitest";
import { gpa, hpa } from "../../../lib/hs/address.ts";
import { LARGE_BYTES, mapLargePage, splitPage } from "../../../lib/vmm/large-pages.ts";
import { ExitKind } from "../../../lib/vmm/layout.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { ALL_RIGHTS } from "../../../lib/vmm/second-stage.ts";
import { handsOn } from "./hands-on.ts";
import { Puppets } from "./puppets.ts";
import { recount } from "./vmm-scene.ts";

const MIB = 1024 * 1024;
/** The second 2 MiB of RAM: nothing of the image is there, nor of the device tree. */
const LARGE = 0x8020_0000n;
const PAGE = 4096n;
const at = (number: number): bigint => LARGE + PAGE * BigInt(number);
const GUEST = { ramBytes: 6 * MIB, largePages: true };
const machine = (guests = [GUEST], translations: "coherent" | "sticky" = "sticky"): Puppets =>
  new Puppets(guests, {}, { ramBytes: 16 * MIB, translations });
const faults = ({ scene }: Puppets): bigint => scene.vmm.state.vcpu(0).exits.get(ExitKind.DEMAND_PAGE);

describe("a guest with large pages", () => {
  it("has 2 MiB after one fault, at a multiple of 2 MiB in both memories, and each frame is counted", () => {
    const puppets = machine();
    const [before, free] = [faults(puppets), puppets.free];
    for (const number of [0, 1, 255, 511]) puppets.store(1, at(number), BigInt(number));
    expect(faults(puppets) - before).toBe(1n);
    expect(puppets.frameOf(1, LARGE)).toMatchObject({ level: 1 });
    expect((puppets.frameOf(1, LARGE)?.at ?? 1n) % LARGE_BYTES).toBe(0n);
    // 512 frames, and the table that is kept for when it is split.
    expect(free - puppets.free).toBe(513);
    const frame = Number(((puppets.frameOf(1, LARGE)?.at ?? 0n) - 0x8000_0000n) >> 12n);
    const { references, counts } = recount(puppets.scene);
    for (const part of [0, 100, 511]) {
      expect([references.get(frame + part), counts.get(frame + part)]).toEqual([1, 1]);
      expect(puppets.scene.vmm.state.frame(frame + part)).toMatchObject({
        owner: 1,
        refCount: 2,
        typeCount: 1,
      });
    }
    expect([0, 1, 255, 511].map((number) => puppets.load(1, at(number)))).toEqual([0n, 1n, 255n, 511n]);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("has small ones where the loader has left something, and where RAM ends before 2 MiB do", () => {
    const puppets = machine([{ ...GUEST, ramBytes: 5 * MIB }]);
    puppets.store(1, 0x8001_0000n, 1n);
    puppets.store(1, 0x8040_0000n, 1n);
    expect(puppets.frameOf(1, 0x8001_0000n)?.level).toBe(0);
    expect(puppets.frameOf(1, 0x8040_0000n)?.level).toBe(0);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("has small ones when the machine has not 512 frames in a row, or the guest may not have so many", () => {
    const small = new Puppets([GUEST], {}, { ramBytes: 5 * MIB });
    small.store(1, LARGE, 1n);
    expect(small.frameOf(1, LARGE)?.level).toBe(0);
    const limited = machine();
    carryOut(limited.scene, { kind: "LIMIT", domain: 1, words: [300n] });
    limited.store(1, LARGE, 1n);
    expect(limited.frameOf(1, LARGE)?.level).toBe(0);
    expect([...small.mistakes(), ...limited.mistakes()]).toEqual([]);
  });

  it("is not given 2 MiB over pages that it has already", () => {
    const puppets = machine();
    carryOut(puppets.scene, { kind: "LIMIT", domain: 1, words: [300n] });
    puppets.store(1, at(7), 7n);
    carryOut(puppets.scene, { kind: "LIMIT", domain: 1, words: [3000n] });
    const { pool } = puppets.scene.vmm.state;
    const { untouched } = pool;
    puppets.store(1, at(8), 8n);
    expect(pool.untouched - untouched).toBeLessThan(2);
    expect([puppets.frameOf(1, at(8))?.level, puppets.load(1, at(7))]).toEqual([0, 7n]);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("an entry for a large page", () => {
  it("is refused when one of its addresses is no multiple of 2 MiB", () => {
    const puppets = machine();
    const { host } = handsOn(puppets.scene);
    const run = 0x8080_0000n;
    for (const [page, frame] of [
      [LARGE + PAGE, run],
      [LARGE, run + PAGE],
      [LARGE + PAGE, run + PAGE],
      [LARGE, run + LARGE_BYTES / 2n],
    ] as const)
      expect(mapLargePage(host, 1, gpa(page), hpa(frame), ALL_RIGHTS)).toBe(false);
    expect(puppets.mistakes()).toEqual([]);
  });
});

describe("a large page is split", () => {
  /** A guest with 2 MiB of numbers, and another. */
  function filled(): Puppets {
    const puppets = machine([GUEST, { ...GUEST, largePages: false }]);
    for (const number of [0, 1, 2, 300, 511]) puppets.store(1, at(number), BigInt(1000 + number));
    return puppets;
  }
  const kept = (puppets: Puppets, ...numbers: readonly number[]): void =>
    expect(numbers.map((number) => puppets.load(1, at(number)))).toEqual(
      numbers.map((number) => BigInt(1000 + number)),
    );

  it("when one of its pages is given back", () => {
    const puppets = filled();
    const free = puppets.free;
    expect(puppets.call(1, "balloon_give", at(1), 1)).toBe(1);
    expect(puppets.free).toBe(free + 1);
    expect(puppets.frameOf(1, LARGE)?.level).toBe(0);
    kept(puppets, 0, 2, 300, 511);
    expect(puppets.load(1, at(1))).toBe(0n);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("when one of its pages is granted, and the other guest reaches that one alone", () => {
    const puppets = filled();
    expect(puppets.call(1, "grant", 2, at(2), 1)).toBe(0);
    expect(puppets.frameOf(1, LARGE)?.level).toBe(0);
    expect(puppets.call(2, "grant_map", 1, 0, 0x4000_0000n, 1)).toBe(0);
    expect(puppets.load(2, 0x4000_0000n)).toBe(1002n);
    expect(puppets.load(2, 0x4000_1000n)).toBe(-1005n);
    puppets.store(2, 0x4000_0000n, 5n);
    expect(puppets.load(1, at(2))).toBe(5n);
    kept(puppets, 0, 1, 300, 511);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("when the memory is used up: the table was kept for that", () => {
    const puppets = machine([GUEST, { ramBytes: 16 * MIB, largePages: false }]);
    for (const number of [0, 2, 300, 511]) puppets.store(1, at(number), BigInt(1000 + number));
    for (let number = 0, got = 64; got === 64; number += 64)
      got = puppets.call(2, "balloon_take", at(number), 64);
    expect(puppets.free).toBeLessThan(3);
    carryOut(puppets.scene, { kind: "LIMIT", domain: 1, words: [0n] });
    expect(puppets.call(1, "balloon_give", at(1), 1)).toBe(1);
    kept(puppets, 0, 2, 300, 511);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("with a fence for the whole domain, and not again", () => {
    const puppets = filled();
    const { host, fences } = handsOn(puppets.scene);
    for (const number of [300, 0]) splitPage(host, 1, gpa(at(number)));
    expect(fences).toEqual([[undefined, 1n]]);
    kept(puppets, 0, 1, 2, 300, 511);
    expect(puppets.mistakes()).toEqual([]);
  });

  it("when its domain is destroyed nothing is left of it, whole or split", () => {
    const puppets = filled();
    puppets.store(1, 0x8040_0000n, 1n);
    const { state } = puppets.scene.vmm;
    const all = puppets.free + state.domain(1).frames;
    puppets.call(1, "balloon_give", at(1), 1);
    expect(puppets.destroy(1)).toBe(0);
    expect(state.domain(1).state).toBe(0);
    expect(puppets.free).toBeGreaterThanOrEqual(all);
    expect(puppets.mistakes()).toEqual([]);
  });
});
