/** What regions assume of the pages that they were made from, and of those that they go to, when these are mapped elsewhere. */

import { describe, expect, it } from "vitest";
import type { Board } from "../../../../../lib/board/board.ts";
import type { BoardConfig } from "../../../../../lib/board/virt.ts";
import { boardWith } from "../../../../support/assembled.ts";
import { ENTER_SUPERVISOR } from "../../../../support/enter-supervisor.ts";

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
    li s3, 0x80107000${ENTER_SUPERVISOR}
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

/** To supervisor mode, or, with both stages, to a guest's; there to the label `supervisor`. */
const enter = (mode: "S" | "VS"): string => `
    li s1, 0x80102000      # leaves of the first stage
    li s4, 0x8010d000      # leaves of the second
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x8000000000080100
    csrw ${mode === "S" ? "satp" : "vsatp"}, t0
    li t0, 0x8000000000080108
    ${mode === "S" ? "" : "csrw hgatp, t0"}
    li t0, 0x1800
    csrrc zero, mstatus, t0
    li t0, ${mode === "S" ? "0x800" : "0x8000000800"}
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

const RWX = 0xcfn;
const USER = 0x10n;
const entry = (address: number, bits: bigint): bigint => (BigInt(address) >> 2n) | bits;

/** Writes tables of both stages: RAM at its own addresses, and pages from 0 on: through the guest's own ones if asked. */
function writeTables(board: Board, frames: readonly number[], isSecond: boolean): void {
  const put = (address: number, word: bigint): void => {
    board.memory.write(BigInt(address), new Uint8Array(BigUint64Array.of(word).buffer));
  };
  put(0x8010_0010, entry(0x8000_0000, RWX));
  put(0x8010_0000, entry(0x8010_1000, 1n));
  put(0x8010_1000, entry(0x8010_2000, 1n));
  put(0x8010_8010, entry(0x8000_0000, RWX | USER));
  put(0x8010_8000, entry(0x8010_c000, 1n));
  put(0x8010_c000, entry(0x8010_d000, 1n));
  for (const [page, frame] of frames.entries()) {
    put(0x8010_2000 + 8 * page, entry(isSecond ? 4096 * page : frame, RWX));
    put(0x8010_d000 + 8 * page, entry(frame, RWX | USER));
  }
}

function words(board: Board, address: number, code: readonly number[]): void {
  board.memory.write(BigInt(address), new Uint8Array(Uint32Array.from(code).buffer));
}

/** A loop of `s9` rounds at 0, in the frame 0x80103000, that comes to 0x1000; at its end to `s7`. */
const CALLERS = {
  "a call": { start: 0, first: [0x0000_10ef], back: RET },
  "a call through a register": { start: 0, first: [0x000c_00e7], back: RET },
  "a jump": { start: 0, first: [0x0000_106f], back: 0x000b_0067 },
} as const;
const LOOP_END = [0xfffc_8c93, 0xfe0c_9ce3, 0x000b_8067];
const WAYS = [
  { mode: "S", isSecond: false },
  { mode: "VS", isSecond: false },
  { mode: "VS", isSecond: true },
] as const;
const ROUNDS = 3000;
/** A place has one region: what reaches into the page that is elsewhere now is interpreted meanwhile. */
const ABOUT_A_LAP = ROUNDS * 5 + 500;

/** Runs `lap` on both engines thrice: as mapped first, with the second page elsewhere, and back again. */
function remap(
  { mode, isSecond }: (typeof WAYS)[number],
  isFenced: boolean,
  start: number,
  put: (board: Board) => void,
): Board {
  const table = isSecond ? "s4" : "s1";
  const move = (frame: number): string => `
      li t0, ${entry(frame, isSecond ? RWX | USER : RWX)}
      sd t0, 8(${table})
      ${isFenced ? "sfence.vma" : ""}`;
  const lap = (name: string): string => `
      li s9, ${ROUNDS}
      la s7, ${name}
      jr s5
    ${name}:`;
  const text = `${enter(mode)}
      li s5, ${start}
      li s6, 4
      li s8, 0x1000
      ${lap("one")} ${move(0x8010_5000)} ${lap("two")} ${move(0x8010_4000)} ${lap("three")}
    end: wfi
      j end`;
  const boards = (["reference", "translator"] as const).map((engine) => {
    const board = boardWith(text, { engine, translating: { heatThreshold: 16, batch: 1 } });
    writeTables(board, [0x8010_3000, 0x8010_4000], isSecond);
    put(board);
    board.run({ instructions: 3 * 5 * ROUNDS + 200 });
    return board;
  });
  const [reference, translator] = boards;
  if (reference === undefined || translator?.counters === undefined) throw new Error("two boards");
  expect(reference.hart.read("a3")).toBe(0n);
  expect(reference.hart.read("a0")).toBe(BigInt(ROUNDS * 102));
  expect(translator.hart.read("a0")).toBe(BigInt(ROUNDS * 102));
  expect(translator.hart.state.bytes).toEqual(reference.hart.state.bytes);
  return translator;
}

describe.each(WAYS)("in mode $mode, a page that is mapped elsewhere (second stage: $isSecond)", (way) => {
  describe.each([true, false])("with a fence: %o", (isFenced) => {
    it.each(Object.entries(CALLERS))("is where %s goes from then on", (_, { start, first, back }) => {
      const board = remap(way, isFenced, start, (each) => {
        words(each, 0x8010_3000, [...first, ...LOOP_END]);
        words(each, 0x8010_4000, [ADD(1), back]);
        words(each, 0x8010_5000, [ADD(100), back]);
      });
      expect(board.counters?.interpretedSteps).toBeLessThan(ABOUT_A_LAP);
    });

    it("is where a loop over two pages goes on, and the first loop is as fast as before when it is back", () => {
      const board = remap(way, isFenced, 0xff8, (each) => {
        words(each, 0x8010_3ff8, [0x0015_8593, 0x0015_8593]); // addi a1, a1, 1
        const end = [0xfffc_8c93, 0xfe0c_98e3, 0x000b_8067]; // bnez s9, -16
        words(each, 0x8010_4000, [ADD(1), ...end]);
        words(each, 0x8010_5000, [ADD(100), ...end]);
      });
      expect(board.counters?.interpretedSteps).toBeLessThan(ABOUT_A_LAP);
    });
  });
});

describe("more address spaces than there are banks", () => {
  it("have the code of each, for a bank that is given away takes its bit from all regions", () => {
    const spaces = 99;
    const frame = (space: number): number => (space % 3 === 0 ? 0x8010_4000 : 0x8010_5000);
    const root = (space: number): number => 0x8020_0000 + 0x3000 * space;
    const text = `${enter("S")}
      li s2, 0
      li s3, ${spaces}
      li s5, 3
      li s10, 0x8000000000080200
      mv s11, s10
      li s8, 0x1000
    next:
      csrw satp, s11
      li s9, 60
      la s7, back
      jr zero
    back:
      addi s11, s11, 3
      addi s2, s2, 1
      blt s2, s3, next
      li s2, 0
      mv s11, s10
      addi s5, s5, -1
      bnez s5, next
    end: wfi
      j end`;
    const [reference, translator] = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(text, { engine, translating: { heatThreshold: 16, batch: 1 } });
      writeTables(board, [], false);
      words(board, 0x8010_3000, [0x0000_10ef, ...LOOP_END]);
      words(board, 0x8010_4000, [ADD(1), RET]);
      words(board, 0x8010_5000, [ADD(100), RET]);
      for (let space = 0; space < spaces; space++) {
        const at = root(space);
        const put = (address: number, word: bigint): void => {
          board.memory.write(BigInt(address), new Uint8Array(BigUint64Array.of(word).buffer));
        };
        put(at, entry(at + 0x1000, 1n));
        put(at + 16, entry(0x8000_0000, RWX));
        put(at + 0x1000, entry(at + 0x2000, 1n));
        put(at + 0x2000, entry(0x8010_3000, RWX));
        put(at + 0x2008, entry(frame(space), RWX));
      }
      board.run({ instructions: 3 * spaces * (60 * 5 + 20) + 200 });
      return board;
    });
    expect(reference?.hart.read("a0")).toBe(BigInt(3 * 60 * (spaces / 3) * 201));
    expect(translator?.hart.state.bytes).toEqual(reference?.hart.state.bytes);
    expect(translator?.counters?.bankEvictions).toBeGreaterThan(spaces);
    expect(translator?.counters?.regions).toBeGreaterThan(2);
  });
});
