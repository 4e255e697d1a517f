/** What is left when all code has been thrown away. */
import { describe, expect, it } from "vitest";
import { assembled, boardWith } from "../../../../support/assembled.ts";
import { twoTierMachine } from "../../../../support/two-tier-machine.ts";

describe("a page that held code when all code was thrown away", () => {
  it("takes stores as fast as any, for nobody wants to hear of them", () => {
    const { bytes, origin } = assembled(`
      la s0, other
      li s1, 2000
    warm:
      jalr ra, 0(s0)
      addi s1, s1, -1
      bnez s1, warm
      li s1, 20000
    stores:
      sd s1, 64(s0)
      addi s1, s1, -1
      bnez s1, stores
    end: wfi
      j end
      .align 12
    other:
      addi a0, a0, 1
      ret`);
    const { engine, ram, hart } = twoTierMachine({ capBytes: 1 });
    ram.write(0, bytes);
    hart.pc = origin;
    engine.run(8000);
    engine.run(1000);
    expect(engine.counters.codeFlushes).toBeGreaterThan(0);
    const before = engine.counters.heardStores;
    engine.run(80_000);
    expect(hart.read("s1")).toBe(0n);
    expect(engine.counters.heardStores - before).toBeLessThan(100);
    expect(engine.counters.slowSteps).toBeLessThan(200);
  });

  it("is told of again as soon as code runs there, and what is stored there takes effect", () => {
    const { bytes, origin } = assembled(`
      la s0, other
      li t1, 0x06450513      # addi a0, a0, 100
      li s1, 3000
    warm:
      jalr ra, 0(s0)
      addi s1, s1, -1
      bnez s1, warm
      sw t1, 0(s0)
      jalr ra, 0(s0)
    end: wfi
      j end
      .option norvc
      .align 12
    other:
      addi a0, a0, 1
      ret`);
    const { engine, ram, hart } = twoTierMachine({ capBytes: 1 });
    ram.write(0, bytes);
    hart.pc = origin;
    engine.run(8000);
    engine.run(12_000);
    expect(engine.counters.codeFlushes).toBeGreaterThan(0);
    expect(hart.read("a0")).toBe(3100n);
  });
});

/** So many loops, one after the other, each in a page of its own, of which nothing is left when it is over. */
const loops = (count: number, rounds: number): string => `
    li s0, 0x80010000
    li s1, ${count}
    lui s2, 1
    li t1, 0xfff50513     # addi a0, a0, -1
    li t2, 0xfe051ee3     # bnez a0, -4
    li t3, 0x00008067
  next:
    sw t1, 0(s0)
    sw t2, 4(s0)
    sw t3, 8(s0)
    li a0, ${rounds}
    jalr ra, 0(s0)
    sw zero, 0(s0)
    add s0, s0, s2
    addi s1, s1, -1
    bnez s1, next
  end: wfi
    j end`;

describe("what the translator knows of its regions", () => {
  it("is how many there are now: code that comes when many have ended is translated as soon as the first was", () => {
    const board = boardWith(loops(250, 3000), { engine: "translator" });
    board.run({ instructions: 2_000_000 });
    expect(board.hart.read("s1")).toBe(0n);
    const { regions = 0, liveRegions, invalidations } = board.counters ?? {};
    expect(regions).toBeGreaterThanOrEqual(250);
    expect(invalidations).toBeGreaterThanOrEqual(250);
    expect(liveRegions).toBeLessThan(3);
  });

  it("is what they take of the host's memory, not what they take as WebAssembly", () => {
    const text = loops(10, 100).replace("sw zero, 0(s0)", "nop");
    const flushes = [100_000, 10_000_000].map((capBytes) => {
      const { bytes, origin } = assembled(text);
      const { engine, ram, hart } = twoTierMachine({ capBytes });
      ram.write(0, bytes);
      hart.pc = origin;
      for (let piece = 0; piece < 30; piece++) engine.run(100);
      expect(hart.read("s1")).toBe(0n);
      return engine.counters.codeFlushes;
    });
    expect(flushes[0]).toBeGreaterThan(0);
    expect(flushes[0]).toBeLessThan(5);
    expect(flushes[1]).toBe(0);
  });
});

describe("what has ended", () => {
  it("leaves nothing behind when the board is reset: each run uses as many slots and makes as many regions as the first", () => {
    const text = loops(40, 3000);
    const board = boardWith(text, { engine: "translator" });
    const { counters } = board;
    if (counters === undefined) throw new Error("the engine counts nothing");
    const seen = Array.from({ length: 30 }, () => {
      const { regions, modules } = counters;
      board.reset();
      board.load(assembled(text));
      board.run({ instructions: 2_000_000 });
      expect(board.hart.read("s1")).toBe(0n);
      return {
        slots: counters.slots,
        regions: counters.regions - regions,
        modules: counters.modules - modules,
        live: counters.liveRegions,
      };
    });
    expect(seen[0]?.regions).toBeGreaterThanOrEqual(40);
    expect(seen.filter((run) => JSON.stringify(run) !== JSON.stringify(seen[0]))).toEqual([]);
  });

  it("is thrown away in a long run, too, when there is far more of it than there are regions", () => {
    const { bytes, origin } = assembled(loops(200, 100));
    const { engine, ram, hart } = twoTierMachine({ manyEnded: 20 });
    ram.write(0, bytes);
    hart.pc = origin;
    let mostSlots = 0;
    for (let piece = 0; piece < 500; piece++) {
      engine.run(100);
      mostSlots = Math.max(mostSlots, engine.counters.slots);
    }
    expect(hart.read("s1")).toBe(0n);
    expect(engine.counters.regions).toBeGreaterThan(200);
    expect(engine.counters.codeFlushes).toBeGreaterThan(4);
    expect(engine.counters.codeFlushes).toBeLessThan(20);
    expect(mostSlots).toBeLessThan(100);
  });

  it("is thrown away when nothing else is left, and not when pages of code are written one by one and run in between", () => {
    const { bytes, origin } = assembled(`
      la s0, other
    again:
      jalr ra, 0(s0)
      j again
      .align 12
    other:
      addi a0, a0, 1
      ret
      .align 12`);
    const { engine, ram, hart } = twoTierMachine();
    ram.write(0, bytes);
    hart.pc = origin;
    const pages = [0, 4096].map((offset) => ({ offset, bytes: ram.bytes(offset, 4096) }));
    for (const page of [...pages, ...pages]) {
      engine.run(1000);
      ram.write(page.offset, page.bytes);
    }
    engine.run(1000);
    expect(engine.counters.invalidations).toBeGreaterThanOrEqual(4);
    expect(engine.counters.codeFlushes).toBe(0);
    for (const page of pages) ram.write(page.offset, page.bytes);
    engine.run(1000);
    expect(engine.counters.codeFlushes).toBe(1);
    expect(hart.read("a0")).toBe(1500n);
  });

  it("is kept while most regions live: what is in use is not made again", () => {
    const text = loops(200, 100).replace("sw zero, 0(s0)", "nop");
    const { bytes, origin } = assembled(text);
    const { engine, ram, hart } = twoTierMachine({ manyEnded: 20 });
    ram.write(0, bytes);
    hart.pc = origin;
    for (let piece = 0; piece < 500; piece++) engine.run(100);
    expect(hart.read("s1")).toBe(0n);
    expect(engine.counters.liveRegions).toBeGreaterThan(100);
    expect(engine.counters.codeFlushes).toBe(0);
  });
});
