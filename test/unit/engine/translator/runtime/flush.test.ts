/** What is left when all code has been thrown away. */
import { describe, expect, it } from "vitest";
import { assembled } from "../../../../support/assembled.ts";
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
