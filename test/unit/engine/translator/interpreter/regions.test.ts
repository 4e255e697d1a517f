/** The cold tier and what it hands over to: heat, regions, calls and returns. */
import { describe, expect, it } from "vitest";
import { CACHED_PC, CACHED_SLOT, jumpCacheEntryOf } from "../../../../../lib/engine/translator/jump-cache.ts";
import { CELLS, HEAT_IS_SLOT, MAX_DEPTH, MISFIT_CELLS } from "../../../../../lib/engine/translator/layout.ts";
import { assembled } from "../../../../support/assembled.ts";
import { IdentityMachine, RAM_BASE } from "./identity-machine.ts";
import { deepestCall, putRegion, type SmallRegion } from "./small-region.ts";
import { HANDLER_OFFSET, RAM_BYTES, Twin } from "./twin.ts";

const SLOT = 8;

/** Calls itself `depth` times, counts on the way down and up, and begins anew. */
const recursion = (depth: number): string => `
  la sp, 0x8001f000
start:
  li a0, ${depth}
  jal f
  j start
f:
  addi sp, sp, -16
  sd ra, 0(sp)
  beqz a0, out
  addi a0, a0, -1
  addi a1, a1, 1
  jal f
  addi a2, a2, 1
out:
  ld ra, 0(sp)
  addi sp, sp, 16
  ret
`;

/** A loop in a function, whose head can be a region; it is jumped to, not called. */
const LOOP = `
start:
  li a0, 5
  jal sum
  addi a3, a3, 1
  j start
sum:
  li a2, 0
again:
  addi a2, a2, 7
  addi a0, a0, -1
  bnez a0, again
  ret
`;

/** Both machines, warm, with a region at a label. */
function withRegion(text: string, label: string, region: SmallRegion, heatThreshold = 1 << 20): Twin {
  const twin = new Twin(new IdentityMachine({ ramBytes: RAM_BYTES, heatThreshold }));
  const program = assembled(text);
  twin.start(program.bytes, 1);
  twin.run(1000, "warm");
  putRegion(twin.cold, Number(program.symbols?.get(label)), SLOT, region);
  return twin;
}

describe("Calls into regions", () => {
  it.each([10, 119, 120, 121, 300, 900])("nest %i deep as the guest's do", (depth) => {
    const twin = withRegion(recursion(depth), "f", { rd: 2, imm: -16 });
    for (let piece = 0; piece < 40; piece++) twin.run(997, `piece ${piece}`);
    expect(deepestCall(twin.cold)).toBe(Math.min(depth + 1, MAX_DEPTH));
  });

  it("nest no deeper than the host's stack allows, for a guest that never returns", () => {
    const twin = withRegion("f:\n addi sp, sp, -16\n jal f", "f", { rd: 2, imm: -16 });
    twin.run(200_000, "at once");
    expect(deepestCall(twin.cold)).toBe(MAX_DEPTH);
  });

  it("use the budget exactly", () => {
    const twin = withRegion(recursion(30), "f", { rd: 2, imm: -16 });
    for (let piece = 0; piece < 600; piece++) twin.run(1 + (piece % 5), `piece ${piece}`);
  });

  it("leave the address in the jump cache", () => {
    const twin = withRegion(recursion(3), "f", { rd: 2, imm: -16 });
    twin.run(200, "run");
    const pc = Number(assembled(recursion(3)).symbols?.get("f"));
    const entry = jumpCacheEntryOf(pc);
    expect(twin.cold.view.getBigInt64(CACHED_PC + entry, true)).toBe(BigInt(pc));
    expect(twin.cold.view.getInt32(CACHED_SLOT + entry, true)).toBe(SLOT);
  });
});

describe("Returns", () => {
  it("leave what called them, also when other functions were called in between", () => {
    const text = `
      la sp, 0x8001f000
    start:
      jal f
      addi a1, a1, 1
      j start
    f:
      addi sp, sp, -16
      sd ra, 0(sp)
      jal g
      la t1, g
      jalr ra, 0(t1)
      ld ra, 0(sp)
      addi sp, sp, 16
      ret
    g:
      addi a2, a2, 1
      ret
    `;
    const twin = withRegion(text, "f", { rd: 2, imm: -16 });
    twin.run(20_000, "at once");
    expect(deepestCall(twin.cold)).toBe(1);
  });
});

describe("A region at the head of a loop", () => {
  it("is entered at each arrival, and its function's return is its own", () => {
    const twin = withRegion(LOOP, "again", { rd: 12, imm: 7 });
    for (let piece = 0; piece < 200; piece++) twin.run(1 + (piece % 29), `piece ${piece}`);
    expect(deepestCall(twin.cold)).toBe(1);
  });

  it("that does nothing is left to the cold tier, and does not stop it", () => {
    const twin = withRegion(LOOP, "again", "nothing");
    for (let piece = 0; piece < 50; piece++) twin.run(1 + (piece % 29), `piece ${piece}`);
  });

  it("is asked about once where nobody knows whether it fits", () => {
    for (const answer of [0, 1]) {
      const twin = withRegion(LOOP, "again", { rd: 12, imm: 7 });
      const { view } = twin.cold;
      view.setInt32(CELLS + 4 * SLOT, 0, true);
      twin.cold.onResolve = (slot) => {
        expect(slot).toBe(SLOT);
        view.setInt32((answer === 1 ? CELLS : MISFIT_CELLS) + 4 * SLOT, 1, true);
        return answer;
      };
      twin.run(500, `answer ${answer}`);
      expect(twin.cold.counts.resolve).toBe(1);
      expect(deepestCall(twin.cold)).toBe(answer);
    }
  });
});

describe("Another region for the same address", () => {
  it("is the one that runs, if it takes the first one's place while it is asked about", () => {
    // What the first one does would be wrong.
    const twin = withRegion(LOOP, "again", { rd: 12, imm: 8 });
    const head = Number(assembled(LOOP).symbols?.get("again"));
    twin.cold.view.setInt32(CELLS + 4 * SLOT, 0, true);
    twin.cold.onResolve = () => {
      putRegion(twin.cold, head, SLOT + 1, { rd: 12, imm: 7 });
      return 1;
    };
    for (let piece = 0; piece < 100; piece++) twin.run(3, `piece ${piece}`);
    expect(twin.cold.counts.resolve).toBe(1);
  });
});

describe("Heat", () => {
  it("is counted at arrivals, and told whenever it has reached a multiple of the threshold", () => {
    const twin = new Twin(new IdentityMachine({ ramBytes: RAM_BYTES, heatThreshold: 4 }));
    const told: number[] = [];
    twin.cold.onHot = (address) => told.push(address);
    const program = assembled(LOOP);
    twin.start(program.bytes, 1);
    // Three instructions, then five rounds of three: four arrivals at the head of the loop.
    twin.run(18, "one call");
    const head = twin.cold.heatOf(Number(program.symbols?.get("again")));
    expect(twin.cold.view.getInt32(head, true)).toBe(4);
    expect(told).toEqual([head]);
  });

  it("is not counted where a call returns to", () => {
    const twin = new Twin();
    const program = assembled(LOOP);
    twin.start(program.bytes, 1);
    twin.run(1000, "run");
    expect(twin.cold.view.getInt32(twin.cold.heatOf(RAM_BASE + 8), true)).toBe(0);
    expect(twin.cold.view.getInt32(twin.cold.heatOf(RAM_BASE), true)).toBeGreaterThan(10);
  });

  it("is counted where traps lead, and not where the slow path goes on behind its instruction", () => {
    const twin = new Twin();
    const program = assembled("start: ecall\nnop\ncsrr a0, mscratch\naddi a0, a0, 1\nj start");
    twin.start(program.bytes, 1);
    twin.run(800, "run");
    const heatAt = (pc: number): number => twin.cold.view.getInt32(twin.cold.heatOf(pc), true);
    // The slow path makes the handler's first step, too, because a trap asks for attention.
    expect(heatAt(RAM_BASE + HANDLER_OFFSET + 4)).toBeGreaterThan(50);
    expect(heatAt(RAM_BASE + 12)).toBe(0);
  });

  it("may become a region while it is told", () => {
    const twin = new Twin(new IdentityMachine({ ramBytes: RAM_BYTES, heatThreshold: 4 }));
    const program = assembled(LOOP);
    const head = Number(program.symbols?.get("again"));
    twin.cold.onHot = (address) => {
      if (address === twin.cold.heatOf(head)) putRegion(twin.cold, head, SLOT, { rd: 12, imm: 7 });
    };
    twin.start(program.bytes, 1);
    twin.run(500, "run");
    expect(deepestCall(twin.cold)).toBe(1);
    expect(twin.cold.view.getInt32(twin.cold.heatOf(head), true)).toBe(HEAT_IS_SLOT + SLOT);
  });
});
