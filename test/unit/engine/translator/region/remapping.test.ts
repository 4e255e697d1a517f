/** What regions assume of the pages that they were made from, and of those that they go to, when these are mapped elsewhere. */
import { describe, expect, it } from "vitest";
import type { BoardConfig } from "../../../../../lib/board/virt.ts";
import { boardWith } from "../../../../support/assembled.ts";

/** What both engines leave in registers after the same instructions, the translator's counters, and whether RAM is the same. */
function both(text: string, instructions: number, config: BoardConfig = {}) {
  const [reference, translator] = (["reference", "translator"] as const).map((engine) => {
    const board = boardWith(text, { engine, ...config });
    board.run({ instructions });
    return board;
  });
  if (reference === undefined || translator?.counters === undefined) throw new Error("two boards");
  return { reference, translator, counters: translator.counters };
}

/** Sv39 in supervisor mode: RAM at its own addresses; table 0x80102000 for the pages from 0 on, 0x80107000 for those from 0x1000000 on. */
const PAGING = `
    li s0, 0x80100000
    li s1, 0x80102000
    li t0, 0x200000cf      # 0x80000000, D A X W R V
    sd t0, 16(s0)
    li t0, 0x20040401      # table at 0x80101000
    sd t0, 0(s0)
    li s2, 0x80101000
    li t0, 0x20040801      # table at 0x80102000
    sd t0, 0(s2)
    li t0, 0x20041c01      # table at 0x80107000
    sd t0, 64(s2)
    li s3, 0x80107000
    li t0, -1              # all memory, all rights
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x8000000000080100
    csrw satp, t0
    li t0, 0x1800
    csrrc zero, mstatus, t0
    li t0, 0x800
    csrrs zero, mstatus, t0
    la t0, supervisor
    csrw mepc, t0
    la t0, trap
    csrw mtvec, t0
    mret
  trap:
    csrr a3, mcause
  stop: wfi
    j stop
  supervisor:`;

const CODE = (at: string, words: readonly number[]): string =>
  [
    `    li t1, ${at}`,
    ...words.flatMap((word, index) => [`    li t0, ${word}`, `    sw t0, ${4 * index}(t1)`]),
  ].join("\n");

const RET = 0x0000_8067;
/** addi a0, a0, n */
const ADD = (n: number): number => (n << 20) | 0x5_0513;

describe("a batch of regions in which asking for one's pages makes the runtime forget another's", () => {
  // The pages at 0x1000 and 0x1001000 have one entry of the fetch bank between them: see `layout.ts`.
  it.each([1500, 2000, 3000])("holds no stale one, after %i rounds", (rounds) => {
    const { reference, translator } = both(
      `${PAGING}
${CODE("0x80103000", [0x0000_10ef, 0xfffc_8c93, 0xfe0c_9ce3, 0x000b_8067])}
${CODE("0x80104000", [ADD(1), RET])}
${CODE("0x80105000", [ADD(100), RET])}
${CODE("0x80106000", [0x0015_8593, RET])}
      li t0, 0x20040ccf    # 0 is 0x80103000: calls 0x1000, s9 times, and goes to s7
      sd t0, 0(s1)
      li t0, 0x200410cf    # 0x1000 is 0x80104000
      sd t0, 8(s1)
      li s10, 0x200414cf   # later 0x80105000
      li t0, 0x200418cf    # 0x1001000 is 0x80106000
      sd t0, 8(s3)
      li s8, 0x1001000
      li s9, 600
      la s7, middle
      jr zero
    middle:
      li s9, 600
    again:
      jalr ra, 0(s8)
      addi s9, s9, -1
      bnez s9, again
      li s9, ${rounds}
      la s7, last
      jr zero
    last:
      sd s10, 8(s1)
      sfence.vma
      li s9, 50
      la s7, stop
      jr zero`,
      6000 + 6 * rounds,
    );
    expect(translator.hart.read("a0")).toBe(600n + BigInt(rounds) + 5000n);
    expect(translator.hart.state.bytes).toEqual(reference.hart.state.bytes);
  });
});
