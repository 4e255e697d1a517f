import { describe, expect, it } from "vitest";
import type { Board } from "../../../../../lib/board/board.ts";
import type { BoardConfig } from "../../../../../lib/board/virt.ts";
import { DirectDma } from "../../../../../lib/bus/direct-dma.ts";
import { boardWith } from "../../../../support/assembled.ts";
import { ENTER_SUPERVISOR } from "../../../../support/enter-supervisor.ts";

const translating = (text: string, config: BoardConfig = {}): Board =>
  boardWith(text, { engine: "translator", ...config });

const registers = (board: Board, ...names: ("a0" | "a1" | "a2" | "a3")[]): bigint[] =>
  names.map((name) => board.hart.read(name));

/** Sv39 tables at 0x80100000: RAM at its own addresses in one page of 1 GiB, and a page of 4 KiB at 0 whose entry is at s1. */
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
    li s3, 0x80103000      # two frames
    li s4, 0x80104000
    li s5, 0x20040ccf      # their entries
    li s6, 0x200410cf
    sd s5, 0(s1)${ENTER_SUPERVISOR}
    la t0, trap
    csrw mtvec, t0
    mret
  trap:
    csrr a3, mcause
  stop: wfi
    j stop
  supervisor:`;

describe("a page table that changes", () => {
  it("takes effect at the next load and store, fence or not", () => {
    const board = translating(`${PAGING}
      li t1, 11
      sd t1, 0(zero)
      ld a0, 0(zero)
      sd s6, 0(s1)       # another frame
      ld a1, 0(zero)
      li t1, 22
      sd t1, 0(zero)
      sd s5, 0(s1)       # the first one again
      ld a2, 0(zero)
      sd zero, 0(s1)     # none
      ld a2, 0(zero)`);
    board.run({ instructions: 200 });
    expect(registers(board, "a0", "a1", "a2", "a3")).toEqual([11n, 0n, 11n, 13n]); // 13: load page fault
    expect(board.memory.load(0x8010_4000n, 8)).toBe(22n);
  });

  it("takes effect at the next fetch, in a loop that has run often", () => {
    // The loop at 0 adds 1; in the other frame the same loop adds 100. After 1000 rounds the entry is replaced from within.
    const board = translating(`${PAGING}
      la t0, code
      ld t1, 0(t0)
      ld t2, 8(t0)
      ld t3, 16(t0)
      sd t1, 0(s3)
      sd t2, 8(s3)
      sd t3, 16(s3)
      la t0, other
      ld t1, 0(t0)
      ld t2, 8(t0)
      ld t3, 16(t0)
      sd t1, 0(s4)
      sd t2, 8(s4)
      sd t3, 16(s4)
      li a0, 0
      li t5, 1000
      la t6, back
      jr zero
    back:
      j stop
      .option norvc
      .align 3
    code:
      addi a0, a0, 1
      blt a0, t5, code
      sd s6, 0(s1)
      addi a0, a0, 2
      jr t6
      nop
    other:
      addi a0, a0, 100
      blt a0, t5, other
      nop
      addi a0, a0, 1000
      jr t6
      nop`);
    board.run({ instructions: 5000 });
    expect(registers(board, "a0")).toEqual([2000n]);
  });

  it("gives each address space its own translations, and the first ones back at no cost", () => {
    // A second root at 0x80105000 maps the page at 0 to the other frame.
    const board = translating(`${PAGING}
      li s7, 0x80105000
      ld t0, 16(s0)
      sd t0, 16(s7)
      li t0, 0x20041801   # table at 0x80106000
      sd t0, 0(s7)
      li s8, 0x80106000
      li t0, 0x20041c01   # table at 0x80107000
      sd t0, 0(s8)
      li s9, 0x80107000
      sd s6, 0(s9)
      li t1, 3
      sd t1, 0(s3)
      li t1, 5
      sd t1, 0(s4)
      csrr s10, satp
      addi s11, s10, 5
      li t5, 500
    again:
      csrw satp, s11
      ld t1, 0(zero)
      add a0, a0, t1
      csrw satp, s10
      ld t1, 0(zero)
      add a1, a1, t1
      addi t5, t5, -1
      bnez t5, again
      j stop`);
    board.run({ instructions: 5000 });
    expect(registers(board, "a0", "a1", "a3")).toEqual([2500n, 1500n, 0n]);
    const { counters } = board;
    expect(counters?.translationFlushes).toBeLessThan(5);
    expect(counters?.fetchMisses).toBeLessThan(20);
  });

  it("keeps PMP's word: a rule that is set takes a page away at once", () => {
    const board = translating(`
      la t0, trap
      csrw mtvec, t0
      li s0, 0x80010000
      li t5, 300
    again:
      ld t1, 0(s0)
      addi t5, t5, -1
      bnez t5, again
      li t1, 0x200041ff     # 4 KiB at 0x80010000
      csrw pmpaddr0, t1
      li t1, 0x98           # locked, no rights
      csrw pmpcfg0, t1
      ld a0, 0(s0)
      li a0, 77
    trap:
      csrr a3, mcause
    stop: wfi
      j stop`);
    board.run({ instructions: 3000 });
    expect(registers(board, "a0", "a3")).toEqual([0n, 5n]);
  });
});

describe("code that changes", () => {
  it("takes effect at the next instruction, even of the very next bytes", () => {
    // Each round rewrites the immediate of the addi behind the store: 0, 1, 2, …, 299.
    const board = translating(`
      la s0, target
      lw t1, 0(s0)
      li t2, 0x100000       # one more in the immediate
      li t5, 300
      li a0, 0
      .option norvc
    again:
      sw t1, 0(s0)
    target:
      addi a0, a0, 0
      add t1, t1, t2
      addi t5, t5, -1
      bnez t5, again
    stop: wfi
      j stop`);
    board.run({ instructions: 3000 });
    expect(registers(board, "a0")).toEqual([(299n * 300n) / 2n]);
  });

  it("is told from halves of instructions: a store to the second parcel counts, too", () => {
    const board = translating(`
      la s0, target
      lhu t1, 2(s0)
      li t5, 300
      li a0, 0
      .option norvc
    again:
      sh t1, 2(s0)
    target:
      addi a0, a0, 0
      addi t1, t1, 16
      addi t5, t5, -1
      bnez t5, again
    stop: wfi
      j stop`);
    board.run({ instructions: 3000 });
    expect(registers(board, "a0")).toEqual([(299n * 300n) / 2n]);
  });

  it("leaves the instructions before it as they were, those too that are executed as a pair", () => {
    const board = translating(`
      la sp, words
      la s0, target
      lw t1, 0(s0)
      li t2, 0x100000       # one more in the immediate
      li t5, 300
      li a0, 0
      li a2, 0
    again:
      sw t1, 0(s0)
      mv a5, t5
      c.ldsp a4, 8(sp)
      c.mv a3, a5
    target:
      addi a0, zero, 0
      add a1, a1, a0
      add a2, a2, a3
      add t1, t1, t2
      addi t5, t5, -1
      bnez t5, again
    stop: wfi
      j stop
      .align 12
    words: .dword 1, 2`);
    board.run({ instructions: 5000 });
    expect(registers(board, "a1", "a2")).toEqual([(299n * 300n) / 2n, (300n * 301n) / 2n]);
  });

  it("is seen when somebody outside changes it: a loader, a debugger, a device", () => {
    const board = translating("loop: addi a0, a0, 1\n j loop");
    board.run({ instructions: 1000 });
    expect(board.hart.read("a0")).toBe(500n);
    board.memory.write(0x8000_0000n, Uint8Array.of(0x13, 0x05, 0xa5, 0x00)); // addi a0, a0, 10
    board.run({ instructions: 1000 });
    expect(board.hart.read("a0")).toBe(5500n);
    const device = new DirectDma(board.bus.ram, board.clock, board.trace);
    device.write(0x8000_0000n, Uint8Array.of(0x13, 0x05, 0x45, 0x06)); // addi a0, a0, 100
    board.run({ instructions: 1000 });
    expect(board.hart.read("a0")).toBe(55_500n);
  });

  it("crosses pages: an instruction of which each half is in another frame", () => {
    const board = translating(`
      la s0, straddling
      li t5, 300
      li a0, 0
      lhu t1, 2(s0)
      j again
      .option norvc
      .align 12
      .space 4088
    again:
      sh t1, 2(s0)          # in the next page
      .half 0x0001
    straddling:
      addi a0, a0, 0
      addi t1, t1, 16
      addi t5, t5, -1
      bnez t5, again
    stop: wfi
      j stop`);
    const at = board.symbols.addressOf("straddling") ?? 0n;
    expect(at % 4096n).toBe(4094n);
    board.run({ instructions: 3000 });
    expect(registers(board, "a0")).toEqual([(299n * 300n) / 2n]);
  });

  it("that is no longer used leaves its page to data, whose stores are as fast as any", () => {
    const board = translating(`
      la s0, page
      jalr s0
      li t5, 20000
    again:
      sd t5, 64(s0)
      addi t5, t5, -1
      bnez t5, again
      li t1, 0x00250513     # addi a0, a0, 2
      sw t1, 0(s0)
      jalr s0
    stop: wfi
      j stop
      .option norvc
      .align 12
    page:
      addi a0, a0, 1
      ret`);
    board.run({ instructions: 100_000 });
    expect(registers(board, "a0")).toEqual([3n]);
    expect(board.counters?.codePageClosings).toBe(1);
    expect(board.counters?.slowSteps).toBeLessThan(200);
  });

  it("may have a reserved word beside it, whose reservation the hart's own stores do not break", () => {
    const board = translating(`
        la s0, word
        li s1, 50
      again:
        lr.d t0, (s0)
        sd s1, 0(s0)
        sb s1, 1(s0)
        sc.d t1, t0, (s0)
        add a0, a0, t1
        addi s1, s1, -1
        bnez s1, again
      stop: wfi
        j stop
        .align 3
      word: .dword 0`);
    board.run({ instructions: 1000 });
    expect(registers(board, "a0")).toEqual([0n]);
    expect(board.hart.read("s1")).toBe(0n);
  });

  it("may share its page with data: the page is given up again and again, but ever more rarely", () => {
    const [reference, translator] = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(
        `
          la s0, word
        again:
          ld t0, 0(s0)
          addi t0, t0, 1
          sd t0, 0(s0)
          j again
        word: .dword 0`,
        { engine },
      );
      board.run({ instructions: 100_000 });
      return board;
    }) as [Board, Board];
    expect(translator.memory.bytes(0x8000_0000n, 64)).toEqual(reference.memory.bytes(0x8000_0000n, 64));
    expect(translator.counters?.codePageClosings).toBeGreaterThan(2);
    expect(translator.counters?.codePageClosings).toBeLessThan(12);
  });

  it("may lie on more pages than there is room for: then all of it is forgotten, and the run is the same", () => {
    const pages = 5000;
    const text = `
      li s0, 0x80100000
      li s1, ${pages}
      li t1, 0x00150513     # addi a0, a0, 1
      li t2, 0x00008067     # ret
      mv s2, s0
      mv s3, s1
      lui s4, 1
    fill:
      sw t1, 0(s2)
      sw t2, 4(s2)
      add s2, s2, s4
      addi s3, s3, -1
      bnez s3, fill
      li s5, 2
    round:
      mv s2, s0
      mv s3, s1
    call:
      jalr s2
      add s2, s2, s4
      addi s3, s3, -1
      bnez s3, call
      addi s5, s5, -1
      bnez s5, round
    stop: wfi
      j stop`;
    const [reference, translator] = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(text, { engine, ramBytes: 32 << 20 });
      board.run({ instructions: 200_000 });
      return board;
    }) as [Board, Board];
    expect(translator.hart.read("a0")).toBe(2n * BigInt(pages));
    expect(translator.trace.hash()).toBe(reference.trace.hash());
    expect(translator.hart.state.bytes).toEqual(reference.hart.state.bytes);
    expect(translator.counters?.codeFlushes).toBeGreaterThan(0);
  });
});

describe("a breakpoint on the translating engine", () => {
  const LOOP = `
    la s0, word
    li t5, 1000
  again:
    addi a0, a0, 1
    sd a0, 0(s0)
    addi t5, t5, -1
  place: bnez t5, again
  stop: wfi
    j stop
    .align 12
  word: .dword 0`;

  it("stops before the instruction at its address, in code that has run often", () => {
    const board = translating(LOOP);
    board.run({ instructions: 1000 });
    const address = board.symbols.addressOf("place") ?? 0n;
    const before = board.clock.retired;
    board.breakpoints.add({ kind: "execute", address });
    expect(board.run({ instructions: 1000 })).toMatchObject({ reason: "breakpoint" });
    expect(board.hart.pc).toBe(address);
    expect(board.clock.retired - before).toBeLessThan(5);
    board.breakpoints.clear();
    board.run({ instructions: 10_000 });
    expect(board.hart.read("a0")).toBe(1000n);
  });

  it("stops behind the store to a watched word, and the rest of the run is the same", () => {
    const boards = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(LOOP, { engine });
      board.run({ instructions: 1001 });
      board.breakpoints.add({ kind: "write", address: board.symbols.addressOf("word") ?? 0n, length: 8 });
      const stops = [1, 2, 3].map(() => [board.run({ instructions: 1000 }).reason, board.hart.pc]);
      board.breakpoints.clear();
      board.run({ instructions: 10_000 });
      return { stops, a0: board.hart.read("a0"), hash: board.trace.hash() };
    });
    expect(boards[1]).toEqual(boards[0]);
    expect(boards[1]?.stops[0]?.[0]).toBe("breakpoint");
  });
});
