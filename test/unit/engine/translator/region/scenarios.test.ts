/** What regions must get right by name: each program runs on both engines, in pieces, and is compared after each. */
import { describe, expect, it, vi } from "vitest";
import { MAX_DEPTH } from "../../../../../lib/engine/translator/layout.ts";
import type { RegionOptions } from "../../../../../lib/engine/translator/region/regions.ts";
import type { Counters } from "../../../../../lib/engine/translator/runtime/counters.ts";
import { assembled } from "../../../../support/assembled.ts";
import { seededNumbers } from "../../../../support/random.ts";
import { Pair } from "../../../../support/two-tier-machine.ts";

/** Runs a program until the hart waits, compared after each piece; what the engine counted. */
function same(text: string, options: RegionOptions = {}, mostSteps = 100_000): Counters {
  const { bytes, origin } = assembled(text);
  const pair = new Pair(bytes, origin, options);
  const below = seededNumbers(7);
  for (let made = 0; made < mostSteps && !pair.reference.hart.state.waiting; ) {
    const steps = 1 + below(below(3) === 0 ? 30 : 3000);
    expect(pair.run(steps), `after ${made} steps and ${steps} more`).toBeUndefined();
    made += steps;
  }
  const { counters } = pair.translator.engine;
  expect(counters.compileFailures).toBe(0);
  return counters;
}

/** Calls `function` so many times; what it gets in a0 counts down. */
const calledOften = (times: number, body: string): string => `
    li sp, 0x80090000
    li s0, 0x80080000
    li s1, ${times}
  again:
    mv a0, s1
    call function
    add s2, s2, a0
    addi s1, s1, -1
    bnez s1, again
    wfi
  function:
${body}`;

describe("calls", () => {
  it("nest deeper than generated code may", () => {
    const counters = same(
      calledOften(
        60,
        `
    andi a0, a0, 3
    addi a0, a0, ${MAX_DEPTH + 37}
  down:
    addi sp, sp, -16
    sd ra, 8(sp)
    sd a0, 0(sp)
    addi a0, a0, -1
    beqz a0, bottom
    call down
  bottom:
    ld t0, 0(sp)
    add a0, a0, t0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret`,
      ),
    );
    expect(counters.regions).toBeGreaterThan(1);
  });

  it("need not come back to where they were made from", () => {
    const counters = same(
      calledOften(
        800,
        `
    andi t0, a0, 7
    mv s3, ra
    mv s4, sp
    bnez t0, first
    la s3, elsewhere
  first:
    addi sp, sp, -16
    call second        # comes back to 'again' at once, now and then past both callers
    mv ra, s3
    mv sp, s4
    ret
  second:
    andi t0, a0, 15
    addi a0, a0, 1
    bnez t0, plain
    mv ra, s3
    mv sp, s4
  plain:
    ret
  elsewhere:
    addi s1, s1, -1
    addi s5, s5, 1
    bgtz s1, again
    wfi`,
      ).replaceAll("bnez s1, again", "bgtz s1, again"),
    );
    expect(counters.regions).toBeGreaterThan(1);
  });

  it("through registers find their regions", () => {
    const counters = same(
      calledOften(
        900,
        `
    mv s3, ra
    la t0, one
    andi t1, a0, 1
    beqz t1, indirect
    la t0, two
  indirect:
    jalr t0
    mv ra, s3
    ret
  one:
    addi a0, a0, 5
    ret
  two:
    slli a0, a0, 1
    ret`,
      ),
    );
    expect(counters.regions).toBeGreaterThan(2);
  });
});

describe("control flow", () => {
  it("that enters a loop in two places", () => {
    const counters = same(
      calledOften(
        500,
        `
    andi t0, a0, 1
    li t1, 9
    bnez t0, second
  first:
    addi a0, a0, 3
    addi t1, t1, -1
    blez t1, done
  second:
    xori a0, a0, 21
    addi t1, t1, -1
    bgtz t1, first
  done:
    ret`,
      ),
    );
    expect(counters.regions).toBeGreaterThan(0);
  });

  it("through a table stays in the region", () => {
    const cases = Array.from({ length: 8 }, (_, at) => `  case_${at}: addi a0, a0, ${at * at}\n  j next`);
    const text = calledOften(
      60,
      `
    li t1, 50
    la t3, table
  next:
    addi t1, t1, -1
    bltz t1, done
    add t2, a0, t1
    andi t2, t2, 7
    slli t2, t2, 3
    add t2, t2, t3
    ld t2, 0(t2)
    jr t2
${cases.join("\n")}
  done:
    ret`,
    );
    const filled = cases
      .map((_, at) => `  la t0, case_${at}\n  la t1, table\n  sd t0, ${8 * at}(t1)`)
      .join("\n");
    const program = `${filled}\n${text}\n  .balign 8\ntable: .dword ${cases.map(() => "0").join(", ")}`;
    const { bytes, origin } = assembled(program);
    const pair = new Pair(bytes, origin);
    expect(pair.run(8000)).toBeUndefined();
    const { regions } = pair.translator.engine.counters;
    expect(pair.run(20_000)).toBeUndefined();
    expect(regions).toBeGreaterThan(0);
    expect(pair.translator.engine.counters.bails).toBeLessThan(40);
  });
});

describe("faults", () => {
  it("in the middle of a block find pc, registers and counts as they are there", () => {
    const counters = same(`
    la t0, trap
    csrw mtvec, t0
    li s0, 0x80080000
    li s3, 0x40000000
    li s1, 900
  again:
    andi t0, s1, 31
    addi s4, s4, 1
    mv t1, s0
    bnez t0, fine
    mv t1, s3          # nothing is there
  fine:
    addi a1, a1, 1
    sd a1, 0(t1)
    addi a1, a1, 1
    ld a2, 8(t1)
    addi a1, a1, 1
    csrr a3, minstret
    xor s5, s5, a3
    addi s1, s1, -1
    bnez s1, again
    wfi
  trap:
    csrr t2, mepc
    add s6, s6, t2
    csrr t3, minstret
    xor s6, s6, t3
    add s6, s6, a1
    addi t2, t2, 4
    csrw mepc, t2
    mret`);
    expect(counters.regions).toBeGreaterThan(0);
  });

  it("of accesses that share a look, in two pages, come at the access that makes them", () => {
    same(`
    la t0, trap
    csrw mtvec, t0
    li s0, 0x800fffe0    # the last 32 bytes of RAM
    li s1, 900
  again:
    andi t0, s1, 24
    add t1, s0, t0
    sd s1, 0(t1)
    addi a1, a1, 1
    sd s1, 16(t1)
    addi a1, a1, 1
    ld a2, 8(t1)
    add a3, a3, a2
    addi s1, s1, -1
    bnez s1, again
    wfi
  trap:
    csrr t2, mepc
    add s6, s6, t2
    add s6, s6, a1
    addi t2, t2, 4
    csrw mepc, t2
    mret`);
  });
});

describe("registers", () => {
  it("that one of two paths has written are right where both are left", () => {
    // The handler sees a1 at the load, which faults now and then; behind it a1 is written on all paths.
    same(`
    la t0, trap
    csrw mtvec, t0
    j begin
  trap:
    add s6, s6, a1
    slli s7, s6, 1
    xor s6, s6, s7
    csrr t2, mepc
    addi t2, t2, 4
    csrw mepc, t2
    mret
  begin:
${calledOften(
  600,
  `
    addi a1, a0, 77
    andi t0, a0, 15
    mv s3, ra
    call inner
    mv ra, s3
    ret
  inner:
    mv t1, s0
    bnez t0, fine
    li t1, 0x40000000
  fine:
    andi t3, a0, 1
    beqz t3, untouched
    li a1, 33
  untouched:
    ld a2, 0(t1)
    li a1, 5
    ret`,
)}`);
  });

  it("that address memory may change between two accesses", () => {
    const counters = same(
      calledOften(
        600,
        `
    andi t0, a0, 31
    slli t0, t0, 3
    add t1, s0, t0
    sd a0, 0(t1)
    addi t1, t1, 264
    sd t0, 0(t1)
    addi t1, t1, -264
    ld a1, 0(t1)
    addi t1, t1, 264
    ld a2, 0(t1)
    addi a3, t1, -264
    sd a3, 512(s0)
    ld a4, 512(s0)
    ld a4, 0(a4)
    add a0, a1, a2
    add a0, a0, a4
    ret`,
      ),
    );
    expect(counters.regions).toBeGreaterThan(0);
  });
});

describe("code that changes", () => {
  it("while its caller is called back to", () => {
    // The callee writes another immediate into the instruction behind the call that called it.
    const counters = same(
      calledOften(
        700,
        `
    mv s3, ra
    andi t0, a0, 63
    call patch
  behind:
    addi a0, a0, 1
    mv ra, s3
    ret
  patch:
    bnez t0, leave
    la t1, behind
    la t2, words
    andi t3, a0, 64
    srli t3, t3, 4
    add t2, t2, t3
    lw t4, 0(t2)
    sw t4, 0(t1)
    fence.i
  leave:
    ret
    .balign 4
  words:
    addi a0, a0, 100
    addi a0, a0, 7`,
      ),
    );
    expect(counters.invalidations).toBeGreaterThan(0);
  });

  it("again and again is translated more and more seldom", () => {
    const counters = same(
      `
    li s1, 3000
    la t1, target
    la t2, words
  again:
    andi t3, s1, 1
    slli t3, t3, 2
    add t3, t3, t2
    lw t4, 0(t3)
    sw t4, 0(t1)
    fence.i
  target:
    addi a0, a0, 1
    addi s1, s1, -1
    bnez s1, again
    wfi
    .balign 4
  words:
    addi a0, a0, 2
    addi a0, a0, 3`,
    );
    expect(counters.regions).toBeLessThan(20);
  });
});

/** Follows pointers from page to page: what was true of the last page is true of none. */
const PAGE_HOPS = `
    li s0, 0x80040000
    li s1, 4000
    li t0, 64
    mv t1, s0
  fill:
    li t2, 0x1040
    add t2, t1, t2
    sd t2, 0(t1)
    mv t1, t2
    addi t0, t0, -1
    bnez t0, fill
    sd s0, 0(t1)
    mv a0, s0
  hop:
    ld a0, 0(a0)
    addi s1, s1, -1
    bnez s1, hop
    li s1, 4000
    addi s2, s2, 1
    li t0, 100
    blt s2, t0, hop
    wfi`;

/** Copies 2048 bytes from and to addresses with the given low digits, again and again; and words that share a look. */
const copying = (source: number, target: number): string => `
    li s0, ${0x80040000 + source}
    li s1, ${0x80060000 + target}
    li s3, 4000
  again:
    mv a0, s0
    mv a1, s1
    li a2, 256
  copy:
    ld t0, 0(a0)
    add t0, t0, a2
    sd t0, 0(a1)
    addi a0, a0, 8
    addi a1, a1, 8
    addi a2, a2, -1
    bnez a2, copy
    mv a0, s0
    mv a1, s1
    li a2, 64
  mixed:
    lw t0, 1(a0)
    lhu t1, 6(a0)
    ld t2, 8(a0)
    add t0, t0, t1
    sw t0, 0(a1)
    sh t1, 5(a1)
    sd t2, 9(a1)
    addi a0, a0, 17
    addi a1, a1, 17
    addi a2, a2, -1
    bnez a2, mixed
    addi s3, s3, -1
    bnez s3, again
    wfi`;

describe("misaligned accesses", () => {
  it.each(["page", "addend", "none"] as const)("stay in the region within a page; guess: %s", (guess) => {
    const { bytes, origin } = assembled(copying(0x103, 0x205));
    const pair = new Pair(bytes, origin, { guess });
    expect(pair.run(20_000)).toBeUndefined();
    const { counters } = pair.translator.engine;
    const [before, bailed] = [counters.regionSteps, counters.bails];
    for (let piece = 0; piece < 20; piece++) expect(pair.run(10_000)).toBeUndefined();
    expect(counters.bails - bailed).toBeLessThan(60);
    expect(counters.regionSteps - before).toBeGreaterThan(190_000);
  });

  it.each(["page", "addend", "none"] as const)("in two pages are right, too; guess: %s", (guess) => {
    const { bytes, origin } = assembled(copying(0xc83, 0xa01));
    const pair = new Pair(bytes, origin, { guess });
    for (let piece = 0; piece < 20; piece++) expect(pair.run(5000 + piece)).toBeUndefined();
    expect(pair.translator.engine.counters.regions).toBeGreaterThan(1);
  });

  it.each(["page", "addend", "none"] as const)("fault by their last byte; guess: %s", (guess) => {
    same(
      `
    la t0, trap
    csrw mtvec, t0
    li s0, 0x800fffe8    # the last 24 bytes of RAM
    li s1, 900
  again:
    andi t0, s1, 15
    add t1, s0, t0
    sd s1, 2(t1)
    addi a1, a1, 1
    ld a2, 2(t1)
    addi a1, a1, 1
    addi t1, t1, 1
    lw a3, 2(t1)
    addi a1, a1, 1
    ld a4, 4(t1)
    add a3, a3, a4
    add a2, a2, a3
    addi s1, s1, -1
    bnez s1, again
    wfi
  trap:
    csrr t2, mepc
    add s6, s6, t2
    add s6, s6, a1
    addi t2, t2, 4
    csrw mepc, t2
    mret`,
      { guess },
    );
  });
});

describe("guesses", () => {
  it("that are wrong all the time are given up", () => {
    const { bytes, origin } = assembled(PAGE_HOPS);
    const pair = new Pair(bytes, origin);
    expect(pair.run(6000)).toBeUndefined();
    const { modules } = pair.translator.engine.counters;
    for (let piece = 0; piece < 20; piece++) expect(pair.run(10_000)).toBeUndefined();
    expect(pair.translator.engine.counters.modules).toBeGreaterThan(modules);
  });
});

describe("limits", () => {
  it("of generated code: everything is thrown away, and the program goes on", () => {
    const counters = same(PAGE_HOPS, { capBytes: 100 }, 60_000);
    expect(counters.codeFlushes).toBeGreaterThan(2);
  });

  it("of the host: a module that it refuses is counted, and the interpreter goes on", () => {
    const refused = vi.spyOn(WebAssembly, "Module");
    const { bytes, origin } = assembled(PAGE_HOPS);
    const pair = new Pair(bytes, origin);
    refused.mockImplementation(
      class {
        constructor() {
          throw new WebAssembly.CompileError("too large");
        }
      },
    );
    expect(pair.run(20_000)).toBeUndefined();
    refused.mockRestore();
    expect(pair.run(20_000)).toBeUndefined();
    const { compileFailures, regions } = pair.translator.engine.counters;
    expect([compileFailures > 0, regions]).toEqual([true, 0]);
  });
});

describe("registers that hold words", () => {
  const DATA = `
    .balign 8
  data: .dword 0x123456789abcdef0, 0x80000000, 0xffffffff7fffffff`;

  it("hold something else behind a call", () => {
    const counters = same(`
    la s0, data
    li s1, 300
  again:
    lw a1, 0(s0)
    call function
    addiw a2, a2, 1
    xor a3, a2, a1
    xor s2, s2, a3
    addi s1, s1, -1
    bnez s1, again
    wfi
  function:
    ld a1, 0(s0)
    ret
    ${DATA}`);
    expect(counters.regions).toBeGreaterThan(1);
  });

  it("hold something else behind one of two ways", () => {
    const counters = same(`
    la s0, data
    li s1, 300
  again:
    andi t0, s1, 3
    addiw a1, s1, 7
    beqz t0, both
    ld a1, 8(s0)
  both:
    addiw a2, a2, 1
    xor a3, a2, a1
    xor s2, s2, a3
    addi s1, s1, -1
    bnez s1, again
    wfi
    ${DATA}`);
    expect(counters.regions).toBeGreaterThan(0);
  });

  it("are whole where a loop begins and words where it ends", () => {
    const counters = same(`
    la s0, data
    li s1, 300
    ld a1, 16(s0)
  again:
    xor s2, s2, a1
    addw a1, a1, s1
    slliw a1, a1, 3
    addi s1, s1, -1
    bnez s1, again
    wfi
    ${DATA}`);
    expect(counters.regions).toBeGreaterThan(0);
  });

  it("are whole for whoever sees a trap in the middle", () => {
    const counters = same(`
    la t0, trap
    csrw mtvec, t0
    la s0, data
    li s1, 300
    li s3, 0x40000000
  again:
    lw a1, 16(s0)
    addw a2, a1, s1
    sraiw a2, a2, 1
    lw a4, 0(s3)
    subw a2, a2, a1
    addi s1, s1, -1
    bnez s1, again
    wfi
  trap:
    xor s2, s2, a2
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
    ${DATA}`);
    expect(counters.regions).toBeGreaterThan(0);
  });
});
