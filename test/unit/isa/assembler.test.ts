/** Both assemblers: what they make, and how they teach. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance } from "../../../lib/isa/assembler/closest.ts";
import type { Item } from "../../../lib/isa/assembler/item.ts";
import { type AssemblyError, assemblyError } from "../../../lib/isa/assembler/mistake.ts";
import { listingText, type Program, program } from "../../../lib/isa/assembler/program.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";

const words = (result: Program | AssemblyError): string[] => {
  if (result.kind !== "program") throw new Error(result.message);
  const view = new DataView(result.bytes.buffer);
  return Array.from({ length: result.bytes.length / 4 }, (_, index) =>
    view
      .getUint32(index * 4, true)
      .toString(16)
      .padStart(8, "0"),
  );
};
const typed = (...items: Item[]): string[] => words(program({ origin: 0x8000_0000n }, items));
const text = (source: string): string[] => words(assemble(source, { origin: 0x8000_0000n }));
const failure = (result: Program | AssemblyError): AssemblyError => {
  if (result.kind === "program") throw new Error("assembled");
  return result;
};

describe("the typed assembler", () => {
  it("encodes as GNU as does", () => {
    expect(typed(asm.addi("a0", "zero", 5))).toEqual(["00500513"]);
    expect(typed(asm.lw("a0", 8, "sp"), asm.sd("ra", -16, "sp"))).toEqual(["00812503", "fe113823"]);
    expect(typed(asm.lui("t0", 0x12345), asm.auipc("t0", 0xfffff))).toEqual(["123452b7", "fffff297"]);
    expect(typed(asm.csrrw("t0", "mstatus", "a0"), asm.csrrci("zero", 0x304, 8))).toEqual([
      "300512f3",
      "30447073",
    ]);
    expect(typed(asm.fence(), asm.fence("rw", "w"), asm.fence_i())).toEqual([
      "0ff0000f",
      "0310000f",
      "0000100f",
    ]);
    expect(typed(asm.ecall(), asm.ebreak(), asm.mret(), asm.sret(), asm.wfi())).toEqual([
      "00000073",
      "00100073",
      "30200073",
      "10200073",
      "10500073",
    ]);
    expect(typed(asm.sfence_vma(), asm.sfence_vma("a0", "a1"))).toEqual(["12000073", "12b50073"]);
    expect(typed(asm.sraiw("s1", "s2", 31), asm.srai("s1", "s2", 63))).toEqual(["41f9549b", "43f95493"]);
  });

  it("finds labels before and behind", () => {
    expect(
      typed(asm.label("loop"), asm.bne("a0", "zero", "loop"), asm.j("end"), asm.nop(), asm.label("end")),
    ).toEqual(["00051063", "0080006f", "00000013"]);
  });

  it("takes .+8 and absolute addresses as targets", () => {
    expect(typed(asm.j(".+8"), asm.j(0x8000_0000n))).toEqual(["0080006f", "ffdff06f"]);
  });

  it("loads any constant with li", () => {
    expect(typed(asm.li("a0", 5))).toEqual(["00500513"]);
    expect(typed(asm.li("a0", 0x1000))).toEqual(["00001537"]);
    expect(typed(asm.li("a0", 0x7fff_ffff))).toEqual(["80000537", "fff5051b"]);
    expect(typed(asm.li("a0", 0x8000_0000n))).toEqual(["00100513", "01f51513"]);
    expect(typed(asm.li("a0", 0xffff_ffff_ffff_ffffn))).toEqual(["fff00513"]);
  });

  it("writes data, texts and padding", () => {
    const built = program({ origin: 0x8000_0000n }, [
      asm.byte(1, -1),
      asm.align(4),
      asm.asciz("hé"),
      asm.align(8),
      asm.label("here"),
      asm.dword("here", 0x1234_5678_9abc_def0n),
      asm.zero(2),
    ]);
    if (built.kind !== "program") throw new Error(built.message);
    expect([...built.bytes.subarray(0, 8)]).toEqual([1, 255, 0, 0, 0x68, 0xc3, 0xa9, 0]);
    expect([...built.bytes.subarray(8)]).toEqual([
      8, 0, 0, 0x80, 0, 0, 0, 0, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0,
    ]);
    expect(built.symbols.get("here")).toBe(0x8000_0008n);
  });

  it("lists addresses, words and what was written", () => {
    const built = program({ origin: 0x8000_0000n }, [
      asm.label("start"),
      asm.li("a0", 0x8000_0000n),
      asm.ret(),
    ]);
    if (built.kind !== "program") throw new Error(built.message);
    expect(listingText(built).split("\n")).toEqual([
      "0x80000000  00100513  li a0, 0x80000000",
      "0x80000004  01f51513    … li a0, 0x80000000",
      "0x80000008  00008067  ret",
    ]);
  });

  it("has a type error for a wrong register, kind of operand or number of operands", () => {
    // @ts-expect-error "a9" is no register
    asm.addi("a9", "zero", 5);
    // @ts-expect-error a register is not a number
    asm.addi("a0", "zero", "a1");
    // @ts-expect-error a number is not a target
    asm.beq("a0", "zero", 8);
    // @ts-expect-error addi has three operands
    asm.addi("a0", "zero");
    // @ts-expect-error no CSR has this name
    asm.csrr("a0", "mstatsu");
    // @ts-expect-error no such instruction
    expect(asm.subi).toBeUndefined();
  });
});

describe("the text assembler", () => {
  it("reads GNU syntax: comments, labels, offsets, characters, local labels", () => {
    const source = `
      # a loop over a text
      start:  la   t0, msg        // load
      1:      lbu  a0, (t0)
              beqz a0, 1f
              addi t0, t0, 1 ; # next
              j    1b
      1:      li a1, 'A'
              sd   a0, -8(sp)
              ret
      msg:    .asciz "a, b # c"`;
    expect(text(source).slice(0, 9)).toEqual([
      "00000297",
      "02428293",
      "0002c503",
      "00050663",
      "00128293",
      "ff5ff06f",
      "04100593",
      "fea13c23",
      "00008067",
    ]);
  });

  it("reads numbers in all their forms", () => {
    expect(text(".dword 0x8000_0000, 0b101, -1, 10")).toEqual([
      "80000000",
      "00000000",
      "00000005",
      "00000000",
      "ffffffff",
      "ffffffff",
      "0000000a",
      "00000000",
    ]);
  });

  it("knows constants by .equ", () => {
    expect(text(".equ UART, 0x10000000\nli a0, UART\nlb a1, 0(a0)")).toEqual(["10000537", "00050583"]);
  });

  it("knows the short forms of jal and jalr", () => {
    expect(text("x: jal x\n jalr a0\n jalr ra, a0\n jalr ra, 4(a0)\n jr t0")).toEqual([
      "000000ef",
      "000500e7",
      "000500e7",
      "004500e7",
      "00028067",
    ]);
  });

  it("assembles the same from both", () => {
    const items = [
      asm.label("l"),
      asm.addi("sp", "sp", -16),
      asm.sd("ra", 8, "sp"),
      asm.call("l"),
      asm.csrw("mtvec", "t0"),
      asm.bgtz("a0", "l"),
      asm.sext_w("a0", "a1"),
    ];
    const same = items.map((item) => item.text).join("\n");
    expect(text(same)).toEqual(typed(...items));
  });
});

describe("mistakes", () => {
  it.each([
    [
      asm.addi("a0", "a0", 5000),
      "addi immediate 5000 does not fit in 12 bits signed (-2048…2047); li loads any constant into a register",
      3,
    ],
    [asm.sd("a0", 2048, "sp"), "sd immediate 2048 does not fit in 12 bits signed (-2048…2047)", 2],
    [asm.slli("a0", "a0", 64), "slli shift amount 64 does not fit in 6 bits unsigned (0…63)", 3],
    [asm.slliw("a0", "a0", 32), "slliw shift amount 32 does not fit in 5 bits unsigned (0…31)", 3],
    [
      asm.lui("a0", 0x100000),
      "lui takes the upper 20 bits alone, 0…0xfffff (it shifts them left by 12 itself); 1048576 does not fit",
      2,
    ],
    [asm.addi("a0", "a0", 1.5), "1.5 is not a whole number", 3],
    [
      asm.li("a0", 2 ** 60),
      "1152921504606847000 is beyond 2^53 and has lost digits; write it as a bigint, with n at the end",
      2,
    ],
    [asm.li("a0", 2n ** 64n), "li: 18446744073709551616 does not fit in 64 bits", 2],
    [asm.j("nowhere"), 'there is no label "nowhere"; labels here: here', 1],
    [
      asm.beq("a0", "a1", 0x8000_2000n),
      'beq reaches -4096…4094 bytes, but "0x80002000" is 8192 bytes away',
      3,
    ],
    [asm.j(0x8000_0001n), 'jal cannot reach an odd address: "0x80000001" is at a distance of 1', 1],
    [asm.csrrwi("a0", "mstatus", 32), "csrrwi immediate 32 does not fit in 5 bits unsigned (0…31)", 3],
    [asm.csrr("a0", 0x1000), "a CSR number has 12 bits unsigned (0…4095); 4096 does not fit", 2],
    [asm.align(3), "alignment 3 is not a power of two up to 2^20", 1],
    [asm.byte(256), ".byte: 256 does not fit in 8 bits", 1],
    [asm.zero(-1), ".zero takes a number of bytes from 0 to 2^28, not -1", 1],
  ])("%o", (item, message, operand) => {
    const [found] = failure(program({}, [item, asm.label("here")])).mistakes;
    expect(found).toEqual({ line: 1, source: item.text, operand, message });
  });

  it.each([
    ["addi a0, q9, 9", '"q9" is not a register: use zero ra sp gp tp t0–t6 s0–s11 a0–a7, or x0–x31', 2],
    ["addi a0, a1", "addi takes 3 operands (rd, rs1, imm), not 2", 0],
    ["foo a1", 'there is no instruction "foo"', 0],
    ["adi a1, a1, 1", 'there is no instruction "adi"; did you mean addi?', 0],
    ["subi a1, a1, 1", 'there is no instruction "subi"; addi with a negative immediate subtracts', 0],
    ["j lopo", 'there is no label "lopo"; did you mean loop?', 1],
    ['.asci "x"', "there is no directive .asci; did you mean .ascii?", 0],
    [".foo 1", "there is no directive .foo", 0],
    ["csrr a0, mstatsu", 'there is no CSR called "mstatsu"; did you mean mstatus?', 2],
    ["fence wr, rw", 'a fence orders some of i, o, r, w in this order; "wr" is not such a set', 1],
    [".ascii hello", ".ascii takes a text in double quotes", 1],
    ["mv a0", "mv takes 2 operands, not 1", 0],
    ["lw a0, b(sp)", '"b" is not a number', 2],
  ])("%s", (source, message, operand) => {
    const [found] = failure(assemble(`loop:\n  ${source}`)).mistakes;
    expect(found).toEqual({ line: 2, source, operand, message });
  });

  it("are all reported, in order, and the first makes the summary", () => {
    const error = failure(assemble("addi a0, a0, 5000\nnop\nj nowhere"));
    expect(error.mistakes.map(({ line }) => line)).toEqual([1, 3]);
    expect(error.message).toContain("line 1: addi immediate 5000");
    expect(error.message).toContain("(and 1 more)");
  });

  it("include a label that is defined twice", () => {
    expect(failure(assemble("a:\nnop\na:\nnop")).mistakes).toEqual([
      { line: 3, source: "a:", operand: 0, message: 'label "a" is defined twice' },
    ]);
  });

  it("include a program that is too large, found before its bytes are made", () => {
    const huge = failure(assemble(Array.from({ length: 1000 }, () => ".zero 0x10000000").join("\n")));
    expect(huge.message).toContain("more than 256 MiB");
  });

  it("never come from an empty list", () => {
    expect(assemblyError([]).mistakes).toEqual([]);
  });
});

describe("the distance between names", () => {
  it("is a metric that counts slips: equal names 0, a swap 1", () => {
    const name = fc.stringMatching(/^[a-d]{0,6}$/);
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(editDistance(a, `${a}${b}`)).toBe(b.length);
      }),
      { seed: 1, numRuns: 500 },
    );
    expect([editDistance("mstatsu", "mstatus"), editDistance("lw", "ld"), editDistance("abc", "")]).toEqual([
      1, 1, 3,
    ]);
  });
});

describe("the disassembler", () => {
  it.each([
    [0x00500513, "addi a0, zero, 5"],
    [0xfe113823, "sd ra, -16(sp)"],
    [0x123452b7, "lui t0, 0x12345"],
    [0x300512f3, "csrrw t0, mstatus, a0"],
    [0x7c0512f3, "csrrw t0, 0x7c0, a0"],
    [0x0310000f, "fence rw, w"],
    [0x00051063, "bne a0, zero, .+0"],
    [0x00000000, ".half 0x0000"],
    [0xffffffff, ".word 0xffffffff"],
    [0x12b50073, "sfence.vma a0, a1"],
  ])("reads %i as %s", (word, expected) => {
    expect(disassemble(word)).toBe(expected);
  });

  it("shows absolute targets where it knows the address", () => {
    expect(disassemble(0x0080006f, 0x8000_1000n)).toBe("jal zero, 0x8000_1008");
  });
});
