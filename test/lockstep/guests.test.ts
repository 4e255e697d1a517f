/** The C guests on both engines in lockstep: every benchmark, and the kernel of the course. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assetFile } from "../../lib/host/node-assets.ts";
import { BENCH_GUESTS, type BenchGuestName, ROUNDS_SYMBOL } from "../../lib/systems/bench-guests.ts";
import { expectSame, PLANNED, Tally } from "../support/lockstep.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const INSTRUCTIONS = isFull ? 20_000_000 : 300_000;
const EVERY = isFull ? 1_000_000 : 100_000;
/** What regions must make of each guest's steps, and of all: the rest is start-up, and code that is not hot yet. */
const REGION_SHARE = isFull ? 0.8 : 0.5;
/** A guest with too much code for any of it to be hot soon, and one that changes its code all the time. */
const SMALL_REGION_SHARES: Partial<Record<BenchGuestName, number>> = { bigcode: 0.01, fencei: 0.5 };
const imageOf = (asset: string): Uint8Array => new Uint8Array(readFileSync(assetFile(asset)));

describe("C guests on both engines in lockstep", () => {
  const total = new Tally();
  for (const name of Object.keys(BENCH_GUESTS) as BenchGuestName[])
    it(`${name}: ${INSTRUCTIONS / 1e6} million instructions`, () => {
      const tally = new Tally();
      const board = expectSame({
        title: name,
        tally,
        instructions: INSTRUCTIONS,
        every: EVERY,
        build: (engine) => {
          const made = buildBoard(engine);
          made.loadElf(imageOf(BENCH_GUESTS[name].asset));
          made.memory.store(made.symbols.addressOf(ROUNDS_SYMBOL) ?? 0n, 8, 1_000_000n);
          return made;
        },
      });
      total.add(board, tally.instructions);
      expect(tally.instructions).toBeGreaterThanOrEqual(INSTRUCTIONS);
      const regionShare = SMALL_REGION_SHARES[name] ?? REGION_SHARE;
      expect(tally.fallbacks({ share: 0.9, regionShare })).toEqual([]);
      console.log(tally.words(name));
    }, 3_600_000);

  it.each(["coherent", "sticky"] as const)("the kernel to its end, %s", (translations) => {
    const board = expectSame({
      title: "mini-kernel",
      tally: total,
      instructions: 20_000_000,
      every: EVERY,
      build: (engine) => {
        const made = buildBoard({ ...engine, translations });
        made.loadElf(imageOf("images/mini-kernel.elf"));
        return made;
      },
    });
    expect(board.run({ instructions: 1 }).reason).toBe("poweroff");
  });

  afterAll(() => {
    console.log(total.words("C guests"));
    total.report("guests");
    expect(total.instructions).toBeGreaterThanOrEqual(PLANNED.guests);
    expect(total.fallbacks({ share: 0.9, regionShare: REGION_SHARE })).toEqual([]);
  });
});
