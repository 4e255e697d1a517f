/** The cold tier against the reference engine, from the same start. */
import { describe, expect, it } from "vitest";
import { Ending } from "../../../../../lib/engine/translator/interpreter/ending.ts";
import { assembled } from "../../../../support/assembled.ts";
import { seededNumbers } from "../../../../support/random.ts";
import { bytesOf, randomWord, TRIED } from "./random-code.ts";
import { Twin } from "./twin.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
const WORDS_OF_EACH = IS_FULL ? 400 : 12;
const PROGRAMS = IS_FULL ? 20_000 : 300;

describe("Every instruction, with random operands", () => {
  const twin = new Twin();
  it("does what the reference engine does", () => {
    for (const [number, mnemonic] of TRIED.entries()) {
      for (let round = 0; round < WORDS_OF_EACH; round++) {
        const seed = number * 1000 + round;
        const insn = randomWord(mnemonic, seededNumbers(seed + 1));
        twin.start(bytesOf([insn]), seed);
        const what = `${mnemonic} ${insn.word.toString(16)} (seed ${seed})`;
        // Twice: the first time, translations are not known, and the slow path executes much of it.
        twin.run(1, what);
        twin.start(bytesOf([insn]), seed);
        twin.run(1, `${what} again`);
      }
    }
  }, 120_000);

  it("is not left to the slow path if it has an emitter", () => {
    const text =
      "add a0, a1, a2\nld a3, 0(a4)\nsd a3, 0(a4)\nmul a5, a5, a3\nj .+4\namoadd.w a0, a1, (a2)\nlui a0, 3";
    twin.start(assembled(text).bytes, 1);
    twin.run(7, "first");
    twin.start(assembled(text).bytes, 1);
    const { slow, fetchMiss } = twin.cold.counts;
    twin.run(7, "second");
    expect([twin.cold.counts.slow, twin.cold.counts.fetchMiss]).toEqual([slow, fetchMiss]);
  });
});

describe("Random programs", () => {
  it("run alike, piece by piece", () => {
    const twin = new Twin();
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const random = seededNumbers(seed);
      const words = Array.from({ length: 60 }, () =>
        randomWord(TRIED[random(TRIED.length)] ?? "addi", random),
      );
      twin.start(bytesOf(words), seed);
      for (let piece = 0; piece < 12; piece++) twin.run(1 + random(30), `seed ${seed}, piece ${piece}`);
    }
  }, 120_000);
});

/** Calls, loops, loads and stores, pairs of all kinds; it never ends. */
const BUSY = `
start:
  li s0, 0x80010000
  li s1, 3
outer:
  mv a0, s1
  jal sum
  sd a0, 0(s0)
  ld a1, 0(s0)
  addi s1, s1, 1
  xor a1, a1, s1
  la t0, twice
  jalr t0
  j outer
sum:
  li a2, 0
again:
  add a2, a2, a0
  addi a0, a0, -1
  bnez a0, again
  mv a0, a2
  ret
twice:
  slli a1, a1, 1
  srli a2, a1, 3
  lw a3, 0(s0)
  ret
`;

describe("A budget", () => {
  it.each([1, 2, 3, 5, 7, 50])("of %i steps is used exactly, run after run", (budget) => {
    const twin = new Twin();
    twin.start(assembled(BUSY).bytes, 1);
    for (let total = 0; total < 2000; total += budget) twin.run(budget, `after ${total} steps`);
  });

  it("stops after each n up to 50 where the reference engine stands then", () => {
    const twin = new Twin();
    twin.start(assembled(BUSY).bytes, 1);
    twin.run(5000, "warm");
    for (let steps = 0; steps <= 50; steps++) {
      twin.start(assembled(BUSY).bytes, 1);
      twin.run(steps, `${steps} steps`);
    }
  });

  it("of nothing changes nothing", () => {
    const twin = new Twin();
    twin.start(assembled(BUSY).bytes, 1);
    expect(twin.cold.wasm.run(0, 0)).toBe(0);
    twin.expectSame("nothing");
    expect(Ending.BUDGET).toBe(0);
  });
});

describe("Instructions that overlap", () => {
  it("are both executed, and none becomes a pair with its own second half", () => {
    const twin = new Twin();
    // The second half of `addi a0, a0, 88` is `c.addi a1, 1`.
    const text = `
      la t0, whole
      addi t0, t0, 2
    whole:
      addi a0, a0, 88
      andi t1, a2, 3
      addi a2, a2, 1
      beqz t1, whole
      jr t0
    `;
    twin.start(assembled(text).bytes, 1);
    for (let piece = 0; piece < 40; piece++) twin.run(1 + (piece % 7), `piece ${piece}`);
    twin.run(500, "at once");
  });
});

describe("An odd address", () => {
  it("is no instruction's, in a page that is known as in any other", () => {
    const twin = new Twin();
    twin.start(assembled(BUSY).bytes, 1);
    twin.run(100, "warm");
    for (const { hart } of [twin.cold, twin.reference]) hart.pc += 1n;
    twin.run(1, "the trap");
    expect(twin.cold.hart.csr("mcause")).toBe(0n);
  });
});

describe("Code that changes", () => {
  const CHANGING = `
    la s0, changed
    la s1, words
    li s2, 20
  again:
    ld t0, 0(s1)
    sw t0, 0(s0)
    addi a0, a0, 1
  changed:
    addi a0, a0, 1
    addi a1, a1, 1
    xor s3, s3, a0
    ld t0, 8(s1)
    sw t0, 0(s0)
    addi s2, s2, -1
    bnez s2, again
    j .
  .balign 8
  words:
    .dword 0x00250513
    .dword 0x00150513
  `;

  it("is executed as it is, at once, and in pairs with what stands before it", () => {
    const twin = new Twin();
    twin.start(assembled(CHANGING).bytes, 1);
    for (let piece = 0; piece < 80; piece++) twin.run(3, `piece ${piece}`);
    twin.start(assembled(CHANGING).bytes, 1);
    twin.run(240, "at once");
  });

  it("may be changed by a store that begins in the page before it", () => {
    const twin = new Twin();
    // The last byte of the double word is the first of the loop: `addi a0, a0, 1` and `addi a1, a0, 1` in turn.
    const text = `
      addi a0, a0, 1
      addi a2, a2, 1
      li s0, 0x80000ff9
      lbu t0, 7(s0)
      xori t0, t0, 0x80
      slli t0, t0, 56
      sd t0, 0(s0)
      j start
    `;
    const { bytes } = assembled(`start:${text}`);
    twin.start(bytes, 1, 0x1000);
    for (let piece = 0; piece < 30; piece++) twin.run(1 + (piece % 11), `piece ${piece}`);
    twin.run(300, "at once");
  });

  it("may change the second half of an instruction", () => {
    const twin = new Twin();
    const text = `
      la s0, changed
      li s2, 20
    again:
      addi a0, a0, 1
    changed:
      addi a0, a0, 1
      addi a1, a1, 1
      andi t0, s2, 7
      slli t0, t0, 4
      sh t0, 2(s0)
      addi s2, s2, -1
      bnez s2, again
      j .
    `;
    twin.start(assembled(text).bytes, 1);
    twin.run(200, "at once");
  });
});

describe("The end of a page", () => {
  /** Fills the page up to so many bytes before its end. */
  const upTo = (bytes: number): string => `j there\n.balign 4096\n.zero ${4096 - bytes}\nthere:\n`;
  const BODY = `
    addi a0, a0, 1
    addi a1, a1, 3
    xor a2, a2, a1
    c.addi a3, 1
    addi a4, a4, 5
    bltu a4, a0, there
    j there
  `;

  it.each([2, 4, 6, 8, 10, 12, 14, 16, 18])("comes %i bytes behind the beginning of a loop", (bytes) => {
    const twin = new Twin();
    twin.start(assembled(upTo(bytes) + BODY).bytes, 1);
    for (let piece = 0; piece < 20; piece++) twin.run(7, `piece ${piece}`);
    twin.run(1000, "at once");
  });

  it.each([2, 4, 6, 8, 10, 12])("does not lead to the slow path, %i bytes behind the beginning", (bytes) => {
    const twin = new Twin();
    twin.start(assembled(upTo(bytes) + BODY).bytes, 1);
    twin.run(100, "warm");
    const { slow } = twin.cold.counts;
    twin.run(1000, "at once");
    expect(twin.cold.counts.slow).toBe(slow);
  });

  it.each([
    "beq x0, x0, behind",
    "bne x0, x0, there",
    "jal ra, behind",
    "jal a0, behind",
    "jal x0, behind",
    "jalr ra, 6(s1)",
    "jalr x0, 6(s1)",
    "ld a5, 0(s0)",
    "sd a5, 8(s0)",
    "ld a5, 1(s0)",
    "auipc a5, 3",
    "ecall",
  ])("may be within %s", (line) => {
    const twin = new Twin();
    const text = `
      la s1, there
    ${upTo(2)}
      ${line}
    behind:
      addi a1, a1, 1
      j again
    .balign 4
    again:
      addi a2, a2, 1
      li a4, 3
    loop:
      addi a4, a4, -1
      bnez a4, loop
      la ra, there
      ret
    `.replace("j there", "la s1, there\nj there");
    twin.start(assembled(text).bytes, 1);
    for (let piece = 0; piece < 30; piece++) twin.run(1 + (piece % 7), `piece ${piece}`);
    twin.run(500, "at once");
  });

  it("may be jumped to", () => {
    const twin = new Twin();
    const text = `
    back:
      addi a0, a0, 1
      beqz x0, behind
    .zero ${4096 - 16}
      j behind
    there:
      j behind
    behind:
      li a3, 5
      addi a1, a1, 1
      andi t0, a1, 1
      beqz t0, there
      j back
    `;
    twin.start(assembled(text).bytes, 1);
    for (let piece = 0; piece < 40; piece++) twin.run(1 + (piece % 7), `piece ${piece}`);
    twin.run(500, "at once");
  });

  it("may change what stands on either side of it", () => {
    const twin = new Twin();
    // The immediate of an ADDI stands behind the end: it becomes another one in each round.
    const text = `
      la s0, behind
      la s2, there
    ${upTo(2)}
      addi a0, a0, 1
    loop:
      addi a1, a1, 1
      andi t0, a1, 7
      slli t0, t0, 4
      addi t0, t0, 5
      sh t0, 0(s0)
      andi t1, a1, 16
      beqz t1, there
      lhu t2, 0(s2)
      xori t2, t2, 0x80
      sh t2, 0(s2)
      j there
    .equ behind, 0x80001000
    `;
    twin.start(assembled(text).bytes, 1);
    for (let piece = 0; piece < 100; piece++) twin.run(1 + (piece % 13), `piece ${piece}`);
  });
});

describe("A misaligned access", () => {
  const LOADS = ["lh", "lhu", "lw", "lwu", "ld"];
  const STORES = ["sh", "sw", "sd"];
  const places = [0x10fe8, 0x10ff0, 0x10ff8, 0x11000];

  it("does what the reference engine does, within a page and across two", () => {
    const twin = new Twin();
    const lines = places.flatMap((place) =>
      [0, 1, 2, 3, 4, 5, 6, 7].flatMap((offset) => [
        `li s1, ${0x8000_0000 + place + offset}`,
        ...LOADS.map((name, index) => `${name} a${index}, 0(s1)`),
        ...STORES.map((name, index) => `${name} a${index}, ${index}(s1)`),
        "fld fa0, 0(s1)",
        "fsd fa0, 1(s1)",
        "flw fa1, 2(s1)",
        "fsw fa1, 0(s1)",
      ]),
    );
    const program = assembled(lines.join("\n"));
    for (const round of ["first", "second"]) {
      twin.start(program.bytes, 3);
      for (let step = 0; step < lines.length; step += 4) twin.run(4, `${round}, ${lines[step]}`);
    }
  });

  it("does not lead to the slow path if it stays in a page", () => {
    const twin = new Twin();
    const lines = [
      "li s1, 0x80010000",
      ...LOADS.map((name) => `${name} a1, 1(s1)`),
      ...STORES.map((name) => `${name} a1, 1(s1)`),
    ];
    const program = assembled(`${lines.join("\n")}\nj .`);
    twin.start(program.bytes, 3);
    twin.run(lines.length, "first");
    const { slow } = twin.cold.counts;
    twin.start(program.bytes, 3);
    twin.run(lines.length, "second");
    expect(twin.cold.counts.slow).toBe(slow);
  });

  it("traps if it is atomic", () => {
    const twin = new Twin();
    const program = assembled(
      "li s1, 0x80010000\nlw a0, 0(s1)\nlr.w a0, (s1)\naddi s1, s1, 2\namoadd.w a0, a1, (s1)\nlr.w a0, (s1)\nsc.w a0, a1, (s1)",
    );
    twin.start(program.bytes, 3);
    for (let step = 0; step < 20; step++) twin.run(1, `step ${step}`);
    expect(twin.cold.hart.csr("mcause")).toBe(6n);
  });
});
