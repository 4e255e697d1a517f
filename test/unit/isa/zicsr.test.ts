/** Zicsr: what each instruction reads and writes, and what the zero register and the zero immediate leave out. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const OLD = 0xf0f0_0000_0000_00f3n;
const ALL_ONES = 2n ** 64n - 1n;

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  writeCsr(machine.hart, "mscratch", OLD);
  machine.hart.write("a1", 0x0ff0_0000_0000_0ff0n);
  machine.hart.write("a0", 77n);
});

/** What one instruction leaves in a0 and in mscratch. */
function leaves(line: string): [bigint, bigint] {
  loadText(machine, line);
  expect(machine.engine.step()).toBeUndefined();
  return [machine.hart.read("a0"), machine.hart.csr("mscratch")];
}

describe("registers", () => {
  it("csrrw swaps (norm:csrrw_op norm:csrr_order)", () => {
    expect(leaves("csrrw a0, mscratch, a1")).toEqual([OLD, 0x0ff0_0000_0000_0ff0n]);
  });

  it("csrrw with the same register on both sides swaps, too (norm:csrrw_op)", () => {
    machine.hart.write("a0", 5n);
    expect(leaves("csrrw a0, mscratch, a0")).toEqual([OLD, 5n]);
  });

  it("csrrw from x0 writes zero (norm:csrrw_rs1_x0)", () => {
    expect(leaves("csrrw a0, mscratch, zero")).toEqual([OLD, 0n]);
  });

  it("csrrs sets the bits of its mask (norm:csrrs_op)", () => {
    expect(leaves("csrrs a0, mscratch, a1")).toEqual([OLD, 0xfff0_0000_0000_0ff3n]);
  });

  it("csrrc clears the bits of its mask (norm:csrrc_op)", () => {
    expect(leaves("csrrc a0, mscratch, a1")).toEqual([OLD, 0xf000_0000_0000_0003n]);
  });

  it("a mask in a register that holds zero is a write, one in x0 is none (norm:csrrs_csrrc_rs1_x0)", () => {
    machine.hart.write("a1", 0n);
    for (const name of ["csrrs", "csrrc"]) {
      loadText(machine, `${name} a0, mhartid, a1`);
      expect(machine.engine.step()?.cause).toBe(2);
      loadText(machine, `${name} a0, mhartid, zero`);
      expect(machine.engine.step()).toBeUndefined();
    }
  });
});

describe("immediates", () => {
  it("are five bits, extended with zeroes (norm:csrrwi_csrrsi_csrrci_ops)", () => {
    expect(leaves("csrrwi a0, mscratch, 31")).toEqual([OLD, 31n]);
    expect(leaves("csrrsi a0, mscratch, 0")).toEqual([31n, 31n]);
    expect(leaves("csrrci a0, mscratch, 21")).toEqual([31n, 10n]);
    expect(leaves("csrrsi a0, mscratch, 17")).toEqual([10n, 27n]);
  });

  it("csrrwi to x0 writes, and leaves x0 zero (norm:csrrwi_rd_x0 norm:csrrwi_csrrsi_csrrci_ops)", () => {
    expect(leaves("csrrwi zero, mscratch, 9")).toEqual([77n, 9n]);
    expect(machine.hart.read("zero")).toBe(0n);
  });

  it("zero makes csrrsi and csrrci reads (norm:csrrsi_csrrci_uimm_zero)", () => {
    for (const name of ["csrrsi", "csrrci"]) {
      loadText(machine, `${name} a0, mhartid, 0`);
      expect(machine.engine.step()).toBeUndefined();
      loadText(machine, `${name} a0, mhartid, 1`);
      expect(machine.engine.step()?.cause).toBe(2);
    }
  });
});

describe("order", () => {
  it("a write overrides what the same instruction would count (norm:csrw_order)", () => {
    machine.hart.write("a1", ALL_ONES);
    loadText(machine, "csrw minstret, a1\n csrr a0, minstret");
    machine.engine.run(2);
    expect(machine.hart.read("a0")).toBe(ALL_ONES);
  });
});
