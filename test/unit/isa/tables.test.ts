/** The instruction and CSR tables tested as tables. */
import { describe, expect, it } from "vitest";
import { fieldMask, getField } from "../../../lib/bits/field.ts";
import { STORED_CSRS } from "../../../lib/hart/layout.ts";
import { type Csr, isReadOnlyCsr, lowestMode } from "../../../lib/isa/csr.ts";
import { CSR_NAMES, CSRS, type CsrName, VIRTUAL_TWIN, visibleCsr } from "../../../lib/isa/csr-map.ts";
import { encoding, overlaps } from "../../../lib/isa/encoding.ts";
import { FORMS, type FormShape } from "../../../lib/isa/form.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { EXTENSIONS, INSTRUCTIONS, MNEMONICS } from "../../../lib/isa/instructions.ts";

describe("the instruction table", () => {
  it("has no two instructions that match the same word", () => {
    const pairs = MNEMONICS.flatMap((a, index) => MNEMONICS.slice(index + 1).map((b) => [a, b] as const));
    const clashes = pairs.filter(([a, b]) => overlaps(INSTRUCTIONS[a], INSTRUCTIONS[b]));
    expect(pairs.length).toBeGreaterThan(2000);
    expect(clashes).toEqual([]);
  });

  it("has each mnemonic in one extension only", () => {
    const all = Object.values(EXTENSIONS).flatMap((table) => Object.keys(table));
    expect(all.length).toBe(new Set(all).size);
    expect(all.length).toBe(MNEMONICS.length);
  });

  it("counts the instructions that the manual lists for each extension", () => {
    const counts = Object.fromEntries(
      Object.entries(EXTENSIONS).map(([name, table]) => [name, Object.keys(table).length]),
    );
    const base = { rv64i: 52, m: 13, zicsr: 6, zifencei: 1, zicond: 2, privileged: 4 };
    const orderings = 4;
    // C counts C.NOP and C.ADDI as two, and has no C.JAL, C.FLW and relatives, which are RV32's.
    const others = { a: 22 * orderings, f: 30, d: 32, c: 37, zba: 8, zbb: 24, zbs: 8, h: 15, xhx: 1 };
    expect(counts).toEqual({ ...base, ...others });
  });

  it("covers all 16 or 32 bits of every diagram exactly once", () => {
    for (const mnemonic of MNEMONICS) {
      const insn: Insn = INSTRUCTIONS[mnemonic];
      let covered = insn.mask;
      for (const { wordLsb, width } of insn.fields.flatMap(({ slices }) => slices)) {
        const bits = ((2 ** width - 1) * 2 ** wordLsb) >>> 0;
        expect((covered & bits) >>> 0, mnemonic).toBe(0);
        covered = (covered | bits) >>> 0;
      }
      expect(covered >>> 0, mnemonic).toBe(insn.sizeBytes === 4 ? 0xffff_ffff : 0xffff);
      expect((insn.match & ~insn.mask) >>> 0, mnemonic).toBe(0);
    }
  });

  it("has in every encoding the fields that its written form needs", () => {
    for (const mnemonic of MNEMONICS) {
      const insn: Insn = INSTRUCTIONS[mnemonic];
      const shape: FormShape = FORMS[insn.form];
      for (const { field, kind } of shape.operands) {
        if (kind === "sp") continue; // written, but implied by the encoding
        expect(
          insn.fields.some(({ name }) => name === field),
          `${mnemonic} ${field}`,
        ).toBe(true);
      }
      expect(shape.text.split("%").length - 1, mnemonic).toBe(shape.operands.length);
    }
  });
});

describe("a diagram", () => {
  it("gives mask, match and fields of an instruction that the manual prints", () => {
    // BEQ: imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011
    const beq = encoding("imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011");
    expect(beq.mask).toBe(0x0000_707f);
    expect(beq.match).toBe(0x63);
    const imm = beq.fields.find(({ name }) => name === "imm");
    expect(imm?.widthBits).toBe(13);
    expect(imm?.lowestBit).toBe(1);
    expect(imm?.slices).toEqual([
      { wordLsb: 7, operandLsb: 11, width: 1 },
      { wordLsb: 8, operandLsb: 1, width: 4 },
      { wordLsb: 25, operandLsb: 5, width: 6 },
      { wordLsb: 31, operandLsb: 12, width: 1 },
    ]);
  });

  it("may draw a 16-bit instruction", () => {
    // C.LW: 010 uimm[5:3] rs1' uimm[2|6] rd' 00
    const lw = encoding("010 nzuimm[5:3] rs1' nzuimm[2|6] rd' 00");
    expect(lw.sizeBytes).toBe(2);
    expect(lw.mask).toBe(0xe003);
    expect(lw.match).toBe(0x4000);
  });

  it("is refused when its bits do not add up to 16 or 32", () => {
    expect(() => encoding("rs1 000 rd 0010011")).toThrow(RangeError);
    expect(() => encoding("imm[11:0] rs9 000 rd 0010011")).toThrow(RangeError);
  });
});

const ACCESS_MODE = { U: 0, S: 1, H: 2, M: 3 } as const;

describe("the CSR map", () => {
  it("has no address twice", () => {
    const addresses = CSR_NAMES.map((name) => CSRS[name].address);
    expect(addresses.length).toBe(new Set(addresses).size);
  });

  it("gives each register the access class that its address says", () => {
    for (const name of CSR_NAMES) {
      const { address, access } = CSRS[name];
      expect(isReadOnlyCsr(address), name).toBe(access.endsWith("RO"));
      expect(lowestMode(address), name).toBe(ACCESS_MODE[access.charAt(0) as keyof typeof ACCESS_MODE]);
    }
  });

  it("has fields that lie inside the register and do not overlap, with reset values inside fields", () => {
    for (const name of CSR_NAMES) {
      const csr = CSRS[name];
      let taken = 0n;
      for (const [field, place] of Object.entries(csr.fields)) {
        const mask = fieldMask(place);
        expect(place.lsb + place.width, `${name}.${field}`).toBeLessThanOrEqual(64);
        expect(taken & mask, `${name}.${field}`).toBe(0n);
        taken |= mask;
      }
      expect(csr.reset & ~taken, name).toBe(0n);
    }
  });

  it("stores only registers that it knows, each once", () => {
    expect(new Set(STORED_CSRS).size).toBe(STORED_CSRS.length);
    for (const name of STORED_CSRS) expect(CSR_NAMES).toContain(name);
  });

  it("resets every field that takes some values only to one of them", () => {
    for (const name of CSR_NAMES) {
      const { fields, reset }: Csr = CSRS[name];
      for (const [field, place] of Object.entries(fields))
        if (typeof place.rule === "object")
          expect(place.rule.legal, `${name}.${field}`).toContain(getField(reset, place));
    }
  });

  it("gives each register of a guest's supervisor a twin at the next higher hundred, and no other register (norm:H_vscsrs_sub norm:H_vscsrs_v1 norm:H_vscsrs_v0)", () => {
    const ofGuest = CSR_NAMES.filter((name) => CSRS[name].address >= 0x200 && CSRS[name].address < 0x300);
    expect(new Set<CsrName>(Object.values(VIRTUAL_TWIN))).toEqual(new Set(ofGuest));
    for (const [own, twin] of Object.entries(VIRTUAL_TWIN) as [CsrName, CsrName][]) {
      expect(CSRS[twin].address, twin).toBe(CSRS[own].address + 0x100);
      expect(CSRS[own].access, own).toBe("SRW");
      expect(CSRS[twin].access, twin).toBe("HRW");
      expect([visibleCsr(own, true), visibleCsr(own, false)]).toEqual([twin, own]);
    }
    for (const name of CSR_NAMES.filter((candidate) => !Object.hasOwn(VIRTUAL_TWIN, candidate)))
      expect(visibleCsr(name, true), name).toBe(name);
  });

  it("has the addresses that the manual prints", () => {
    const printed = {
      mstatus: 0x300,
      medeleg: 0x302,
      mtvec: 0x305,
      mepc: 0x341,
      satp: 0x180,
      sscratch: 0x140,
      sip: 0x144,
      time: 0xc01,
      mhartid: 0xf14,
      pmpaddr15: 0x3bf,
      mhpmcounter31: 0xb1f,
      hpmcounter3: 0xc03,
      mhpmevent3: 0x323,
      pmpcfg2: 0x3a2,
    } as const;
    for (const [name, address] of Object.entries(printed))
      expect(CSRS[name as keyof typeof printed].address, name).toBe(address);
  });
});
