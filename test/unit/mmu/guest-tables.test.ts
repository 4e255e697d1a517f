/** Which tables, modes and fences a guest's translation depends on, and which exception wins. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { type CsrName, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { PTE } from "../../../lib/mmu/pte.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const ALL = PTE.V | PTE.R | PTE.W | PTE.X | PTE.U | PTE.A | PTE.D;
const pte = (address: bigint, flags: bigint): bigint => ((address >> 12n) << 10n) | flags;

/** A guest without tables of its own; the second stage maps the first GiB of RAM where it is, as one page. */
let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("mtvec", 0x8000_0400n);
  put(0x8000_4010n, pte(0x8000_0000n, ALL));
  set("hgatp", encodeCsr("hgatp", { MODE: 8, PPN: 0x80004n }));
});
const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const get = (name: CsrName): bigint => machine.hart.csr(name);
const put = (address: bigint, word: bigint): void =>
  machine.ram.store(Number(address) - machine.ram.base, 8, word);
function run(mode: Mode, text: string, steps: number): void {
  loadText(machine, text);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  for (let step = 0; step < steps; step++) machine.engine.step();
}

describe("the exception that is taken", () => {
  it("is the fetch's before the instruction's own (norm:H_exception_priority)", () => {
    put(0x8000_4010n, pte(0x8000_0000n, ALL & ~PTE.X));
    run("VS", "hfence.gvma", 1);
    expect(get("mcause")).toBe(BigInt(EXCEPTION.instructionGuestPageFault));
  });

  it("is the guest's page fault before the second stage's, for one access (norm:H_exception_priority)", () => {
    put(0x8000_5010n, pte(0x8000_0000n, ALL & ~PTE.U));
    put(0x8000_5008n, pte(0x4000_0000n, ALL & ~PTE.U & ~PTE.W));
    set("vsatp", encodeCsr("vsatp", { MODE: 8, PPN: 0x80005n }));
    run("VS", "li a1, 0x40000000\n sd a0, 0(a1)", 2);
    expect(get("mcause")).toBe(BigInt(EXCEPTION.storePageFault));
    run("VS", "li a1, 0x40000000\n ld a0, 0(a1)", 2);
    expect(get("mcause")).toBe(BigInt(EXCEPTION.loadGuestPageFault));
  });

  it("is virtual instruction for a privileged instruction of a guest, illegal instruction for an unknown one (norm:H_cause_virtual_instruction)", () => {
    run("VS", "hfence.vvma", 1);
    expect(get("mcause")).toBe(22n);
    run("VS", ".word 0xffffffff", 1);
    expect(get("mcause")).toBe(2n);
  });
});

describe("the trap instruction register", () => {
  it.each([
    ["ecall", 10n],
    ["ebreak", 3n],
    [".word 0xffffffff", 2n],
    ["hfence.vvma", 22n],
  ])("is zero for %s, which accesses no memory (norm:H_trap_xtinst_val)", (line, cause) => {
    set("mtinst", 99n);
    set("mtval2", 99n);
    run("VS", line, 1);
    expect([get("mcause"), get("mtinst"), get("mtval2")]).toEqual([cause, 0n, 0n]);
  });

  it("tells of a load by machine mode, too, with bit 0 set as in an instruction (norm:H_trap_xtinst_exception_lead-in)", () => {
    run("M", "ld a0, 8(zero)", 1);
    expect([get("mcause"), get("mtinst"), get("mtval2")]).toEqual([5n, 0x3503n, 0n]);
  });
});

describe("fences", () => {
  it("of every kind leave exact translations exact (norm:hfence-gvma_op norm:hfence-vvma_hfence-gvma_op norm:sfence_vma_v0 norm:sfence_vma_v1)", () => {
    for (const [mode, line] of [
      ["S", "hfence.gvma"],
      ["S", "hfence.vvma a1, a2"],
      ["S", "sfence.vma"],
      ["VS", "sfence.vma a1, zero"],
    ] as const) {
      run(mode, line, 1);
      expect(machine.hart.mode, line).toBe(mode);
    }
    put(0x8000_4010n, 0n);
    machine.engine.step();
    expect(get("mcause")).toBe(BigInt(EXCEPTION.instructionGuestPageFault));
  });
});

describe("a change of hgatp.MODE", () => {
  it("counts for the next translation after HFENCE.GVMA, Bare included (norm:hfence-gvma_mode)", () => {
    put(0x8000_4000n, pte(0x8000_0000n, ALL));
    set("mtvec", 0x8000_0010n);
    const handler = "csrw hgatp, zero\n hfence.gvma\n csrr t0, mepc\n addi t0, t0, 4\n csrw mepc, t0\n mret";
    machine.ram.store(0x100, 8, 0x55n);
    run("VS", `ld a0, 0x100(zero)\n ecall\n ld a0, 0x100(zero)\n nop\n ${handler}`, 2);
    expect([machine.hart.read("a0"), get("mcause")]).toEqual([0x55n, 10n]);
    for (let step = 0; step < 7; step++) machine.engine.step();
    expect([get("mcause"), get("mtval"), machine.hart.mode]).toEqual([5n, 0x100n, "M"]);
  });
});

describe("a mode switch", () => {
  it("is seen by the next fetch: a guest entered by SRET runs under the second stage (norm:sret_h)", () => {
    put(0x8000_4010n, pte(0x8000_0000n, ALL & ~PTE.X));
    set("sepc", 0x8000_0010n);
    set("hstatus", encodeCsr("hstatus", { SPV: 1 }));
    set("mstatus", encodeCsr("mstatus", { SPP: 1 }));
    run("S", "sret", 2);
    expect([get("mcause"), get("mepc")]).toEqual([BigInt(EXCEPTION.instructionGuestPageFault), 0x8000_0010n]);
  });

  it("a pending timer interrupt of the guest is taken as soon as it may be (norm:hip_vstip_enable norm:hip_vstip_vstie_acc_op)", () => {
    set("hideleg", 0x444n);
    set("hie", 0x40n);
    set("hvip", 0x40n);
    set("vstvec", 0x8000_0800n);
    set("sepc", 0x8000_0000n);
    set("hstatus", encodeCsr("hstatus", { SPV: 1 }));
    set("vsstatus", encodeCsr("vsstatus", { SIE: 1 }));
    set("mstatus", encodeCsr("mstatus", { SPP: 1 }));
    run("S", "sret", 2);
    expect([machine.hart.mode, get("vscause"), get("vsepc")]).toEqual(["VS", (1n << 63n) | 5n, 0x8000_0000n]);
  });
});
