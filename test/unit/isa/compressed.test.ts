/** C: what the words mean, what is reserved, and instructions at odd multiples of two. */
import { describe, expect, it } from "vitest";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { decode } from "../../../lib/isa/decode.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import {
  type BareMachine,
  bareMachine,
  loadText,
  RAM_BASE,
  SWITCH_POSITIONS,
} from "../../support/bare-machine.ts";

/** Pairs of a compressed instruction and the one that it stands for, as the manual gives the expansion. */
const EXPANSIONS = [
  ["c.addi4spn a0, sp, 1020", "addi a0, sp, 1020", "norm:c-addi4spn_op"],
  ["c.lw a0, 124(a1)", "lw a0, 124(a1)", "norm:c-lw_op"],
  ["c.ld s0, 248(a5)", "ld s0, 248(a5)", "norm:c-ld_op"],
  ["c.sw a0, 64(a1)", "sw a0, 64(a1)", "norm:c-sw_op"],
  ["c.sd s1, 128(s0)", "sd s1, 128(s0)", "norm:c-sd_op"],
  ["c.fld fa0, 8(a1)", "fld fa0, 8(a1)", "norm:c-fld_op"],
  ["c.fsd fs1, 16(a1)", "fsd fs1, 16(a1)", "norm:c-fsd_op"],
  ["c.nop", "addi zero, zero, 0", "norm:c-nop_op"],
  ["c.addi t0, -32", "addi t0, t0, -32", "norm:c-addi_op"],
  ["c.addiw t0, 31", "addiw t0, t0, 31", "norm:c-addiw_op"],
  ["c.li s11, -1", "addi s11, zero, -1", "norm:c-li_op"],
  ["c.addi16sp sp, -512", "addi sp, sp, -512", "norm:c-addi16sp_op"],
  ["c.lui t0, 0xfffe0", "lui t0, 0xfffe0", "norm:c-lui_op"],
  ["c.srli a0, 63", "srli a0, a0, 63", "norm:c-srli_op"],
  ["c.srai a0, 32", "srai a0, a0, 32", "norm:c-srai_op"],
  ["c.andi a0, -32", "andi a0, a0, -32", "norm:c-andi_op"],
  ["c.sub s0, s1", "sub s0, s0, s1", "norm:c-sub_op"],
  ["c.xor s0, s1", "xor s0, s0, s1", "norm:c-xor_op"],
  ["c.or s0, s1", "or s0, s0, s1", "norm:c-or_op"],
  ["c.and s0, s1", "and s0, s0, s1", "norm:c-and_op"],
  ["c.subw s0, s1", "subw s0, s0, s1", "norm:c-subw_op"],
  ["c.addw s0, s1", "addw s0, s0, s1", "norm:c-addw_op"],
  ["c.j .-2048", "jal zero, .-2048", "norm:c-j_op"],
  ["c.beqz a0, .+254", "beq a0, zero, .+254", "norm:c-beqz_op"],
  ["c.bnez a0, .-256", "bne a0, zero, .-256", "norm:c-bnez_op"],
  ["c.slli t6, 63", "slli t6, t6, 63", "norm:c-slli_op"],
  ["c.fldsp fa0, 504(sp)", "fld fa0, 504(sp)", "norm:c-fldsp_op"],
  ["c.lwsp ra, 252(sp)", "lw ra, 252(sp)", "norm:c-lwsp_op"],
  ["c.ldsp ra, 504(sp)", "ld ra, 504(sp)", "norm:c-ldsp_op"],
  ["c.jr t0", "jalr zero, 0(t0)", "norm:c-jr_op"],
  ["c.mv t0, t1", "add t0, zero, t1", "norm:c-mv_op"],
  ["c.ebreak", "ebreak", "norm:c-ebreak_op"],
  ["c.jalr t0", "jalr ra, 0(t0)", "norm:c-jalr_op"],
  ["c.add t0, t1", "add t0, t0, t1", "norm:c-add_op"],
  ["c.fsdsp fa0, 504(sp)", "fsd fa0, 504(sp)", "norm:c-fsdwsp_op"],
  ["c.swsp ra, 252(sp)", "sw ra, 252(sp)", "norm:c-swsp_op"],
  ["c.sdsp ra, 504(sp)", "sd ra, 504(sp)", "norm:c-sdsp_op"],
] as const;

function wordOf(text: string): number {
  const program = assemble(text, { origin: 0 });
  if (program.kind !== "program") throw new Error(program.message);
  return program.bytes.reduceRight((high, byte) => high * 256 + byte, 0);
}

/** Puts a program at an address, with the pc at its start. */
function loadAt(machine: BareMachine, origin: number, text: string): void {
  const program = assemble(text, { origin });
  if (program.kind !== "program") throw new Error(program.message);
  machine.ram.write(origin - RAM_BASE, program.bytes);
  machine.hart.pc = program.origin;
}

describe("a compressed instruction", () => {
  it.each(EXPANSIONS)("%s is %s (%s)", (short, long) => {
    const { word: _a, mnemonic: _b, sizeBytes, ...compressed } = decode(wordOf(short)) ?? {};
    const { word: _c, mnemonic: _d, sizeBytes: longBytes, ...expanded } = decode(wordOf(long)) ?? {};
    expect(compressed).toEqual(expanded);
    expect([sizeBytes, longBytes]).toEqual([2, 4]);
  });

  it("exists in the pairs above for every mnemonic of the extension", () => {
    expect(EXPANSIONS.length).toBe(37);
  });

  it.each([
    [0x0000, "all zeroes, which is illegal by definition (norm:Zca_illegal)"],
    [0x0008, "c.addi4spn with offset 0 (norm:c-addi4spn_rsv)"],
    [0x2001, "c.addiw of x0 (norm:c-addiw_rsv)"],
    [0x6101, "c.addi16sp with 0 (norm:c-addi16sp_rsv)"],
    [0x6281, "c.lui with 0 (norm:c-lui_rsv)"],
    [0x4002, "c.lwsp to x0 (norm:c-lwsp_rsv)"],
    [0x6002, "c.ldsp to x0 (norm:c-ldsp_rsv)"],
    [0x8002, "c.jr x0 (norm:c-jr_rsv)"],
    [0x9c41, "100 1 11 … 10: reserved"],
    [0x9c61, "100 1 11 … 11: reserved"],
    [0x8000, "quadrant 0, 100: no Zcb here"],
  ])("0x%s is reserved: %s", (word) => {
    expect(decode(word)).toBeUndefined();
    expect(disassemble(word)).toBe(`.half 0x${word.toString(16).padStart(4, "0")}`);
  });

  it("names eight registers only, and the assembler says which (norm:Zca_regs8)", () => {
    const mistakes = [
      "c.lw t0, 0(a0)",
      "c.sub a0, s2",
      "c.addi zero, 1",
      "c.lw a0, 2(a0)",
      "c.addi16sp a0, 16",
    ].map((text) => assemble(text));
    expect(mistakes.map((result) => (result.kind === "program" ? "" : result.mistakes[0]?.message))).toEqual([
      '"t0" is not among the eight registers of a compressed instruction: s0 s1 a0–a5',
      '"s2" is not among the eight registers of a compressed instruction: s0 s1 a0–a5',
      "c.addi cannot have zero as rd: that word is another instruction or reserved",
      "c.lw immediate 2 is not a multiple of 4, as its encoding needs",
      'c.addi16sp works on sp alone, not "a0"',
    ]);
  });
});

describe("instructions of two lengths (norm:Zca_align16)", () => {
  it("link to the instruction behind them, two bytes or four", () => {
    const machine = bareMachine();
    machine.hart.write("t0", 0x8000_0100n);
    loadText(machine, "c.jalr t0");
    machine.engine.step();
    expect([machine.hart.pc, machine.hart.read("ra")]).toEqual([0x8000_0100n, 0x8000_0002n]);
    loadText(machine, "c.nop\n jalr ra, 0(t0)");
    machine.engine.run(2);
    expect(machine.hart.read("ra")).toBe(0x8000_0006n);
  });

  it("trap with their own address in mepc, and c.ebreak with it in mtval", () => {
    const machine = bareMachine();
    loadText(machine, "c.nop\n c.ebreak");
    machine.engine.run(2);
    expect([machine.hart.csr("mepc"), machine.hart.csr("mtval")]).toEqual([0x8000_0002n, 0x8000_0002n]);
  });

  it("put only their own 16 bits into mtval when they are illegal", () => {
    const machine = bareMachine();
    machine.ram.store(0, 8, 0xdead_beef_ffff_8002n);
    machine.engine.step();
    expect([machine.hart.csr("mcause"), machine.hart.csr("mtval")]).toEqual([2n, 0x8002n]);
  });

  for (const switches of SWITCH_POSITIONS) {
    it(`run across a page boundary, with ${switches.title}`, () => {
      const machine = bareMachine(switches);
      const origin = RAM_BASE + 0xffe;
      for (const value of [1, 2]) {
        // The second half of the instruction is rewritten in between.
        loadAt(machine, origin, `addi a0, zero, ${value}\n c.addi a0, 5`);
        machine.engine.run(2);
        expect(machine.hart.read("a0")).toBe(BigInt(value + 5));
      }
    });
  }

  it("fault at the half that cannot be fetched: mepc names the instruction, mtval the second page", () => {
    const machine = bareMachine({ ramBytes: 0x1000 });
    loadAt(machine, RAM_BASE + 0xffc, "c.nop");
    machine.ram.store(0xffe, 2, BigInt(wordOf("addi a0, zero, 1") & 0xffff));
    machine.engine.run(2);
    expect([machine.hart.csr("mcause"), machine.hart.csr("mepc"), machine.hart.csr("mtval")]).toEqual([
      BigInt(EXCEPTION.instructionAccessFault),
      0x8000_0ffen,
      0x8000_1000n,
    ]);
  });
});
