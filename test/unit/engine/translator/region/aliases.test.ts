/** One place in RAM at several addresses of one address space, and regions that the host will not have. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { assembled, boardWith } from "../../../../support/assembled.ts";
import { ENTER_SUPERVISOR } from "../../../../support/enter-supervisor.ts";
import { Pair } from "../../../../support/two-tier-machine.ts";

/** Sv39 in supervisor mode: RAM at its own addresses, and the page at 0x80103000, which counts a0 down, at the pages from 0 on. */
const PAGING = `
    li s0, 0x80100000
    li s1, 0x80102000
    li t0, 0x200000cf
    sd t0, 16(s0)
    li t0, 0x20040401
    sd t0, 0(s0)
    li s2, 0x80101000
    li t0, 0x20040801
    sd t0, 0(s2)
    li t0, 0x20040ccf
    li t1, 512
    mv t2, s1
  fill:
    sd t0, 0(t2)
    addi t2, t2, 8
    addi t1, t1, -1
    bnez t1, fill
    li s3, 0x80103000
    li t0, 0xfff50513     # addi a0, a0, -1
    sw t0, 0(s3)
    li t0, 0xfe051ee3     # bnez a0, -4
    sw t0, 4(s3)
    li t0, 0x00008067
    sw t0, 8(s3)${ENTER_SUPERVISOR}
    mret
  supervisor:`;

describe("code that is at two addresses of one address space", () => {
  it("has a region for each", () => {
    const board = boardWith(
      `${PAGING}
      li a0, 20000
      jalr ra, 0(s3)
      li a0, 20000
      jalr ra, 0(zero)
      li a0, 20000
      jalr ra, 0(s3)
    end: wfi
      j end`,
      { engine: "translator" },
    );
    board.run({ instructions: 200_000 });
    const { counters } = board;
    expect(board.hart.state.waiting).toBe(true);
    expect(counters?.regions).toBe(2);
    // Each time that the loop is at another address, code has to arrive there often enough: no more.
    expect(counters?.aliases).toBeGreaterThan(0);
    expect(counters?.aliases).toBeLessThan(200);
  });

  it("is the same run at hundreds of them, of which those that were first make room", () => {
    const text = `${PAGING}
      li s4, 300
      li s5, 0
      lui s6, 1
    next:
      li a0, 400
      jalr ra, 0(s5)
      add s5, s5, s6
      add a1, a1, a0
      addi s4, s4, -1
      bnez s4, next
      li a0, 400
      jalr ra, 0(zero)
    end: wfi
      j end`;
    const [reference, translator] = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(text, { engine, translating: { heatThreshold: 16, batch: 1 } });
      board.run({ instructions: 300_000 });
      return board;
    });
    expect(translator?.hart.state.bytes).toEqual(reference?.hart.state.bytes);
    const { regions = 0, liveRegions = 0 } = translator?.counters ?? {};
    expect(regions).toBeGreaterThan(300);
    expect(liveRegions).toBeLessThan(50);
  });
});

describe("a region that the host will not have", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([WebAssembly.CompileError, WebAssembly.LinkError, WebAssembly.RuntimeError, RangeError])(
    "is counted, and its code interpreted: %o",
    (kind) => {
      const { bytes, origin } = assembled("again: addi a0, a0, 1\n j again");
      const pair = new Pair(bytes, origin);
      class Refusing {
        constructor() {
          throw new kind("no more");
        }
      }
      vi.spyOn(WebAssembly, "Instance").mockImplementation(Refusing as never);
      expect(pair.run(1000)).toBeUndefined();
      const { compileFailures, regions } = pair.translator.engine.counters;
      expect(compileFailures).toBe(1);
      expect(regions).toBe(0);
    },
  );
});
