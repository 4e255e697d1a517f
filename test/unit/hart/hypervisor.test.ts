/**
 * The hypervisor extension as software meets it: one behavior a test, in assembly, with the manual's rule beside it.
 * The chapter is "Extension for Hypervisor Support".
 */
import { beforeEach, describe, expect, it } from "vitest";
import { IrqLine } from "../../../lib/bus/irq-line.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { interruptToTake } from "../../../lib/hart/interrupts.ts";
import type { TrapEvent } from "../../../lib/hart/trap-event.ts";
import { CSR_NAMES, CSRS, type CsrName, decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const ILLEGAL = EXCEPTION.illegalInstruction;
const VIRTUAL = EXCEPTION.virtualInstruction;
const ALL_ONES = 2n ** 64n - 1n;
const MACHINE_VECTOR = 0x8000_0400n;
const SUPERVISOR_VECTOR = 0x8000_0800n;
const GUEST_VECTOR = 0x8000_0c00n;

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("mtvec", MACHINE_VECTOR);
  set("stvec", SUPERVISOR_VECTOR);
  set("vstvec", GUEST_VECTOR);
});

const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const get = (name: CsrName): bigint => machine.hart.csr(name);
const enter = (mode: Mode): void => {
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
};
/** Loads a program and executes its first instruction in a mode; further lines run with `more`. */
function executeIn(mode: Mode, text: string, steps = 1): void {
  loadText(machine, text);
  enter(mode);
  for (let step = 0; step < steps; step++) machine.engine.step();
}
/** The cause of the exception that an instruction raised (nothing being delegated), or `undefined`. */
function causeIn(mode: Mode, line: string): number | undefined {
  let cause: number | undefined;
  const stop = machine.hart.onTrap((event) => {
    cause = event.trap.cause;
  });
  executeIn(mode, line);
  stop();
  return cause;
}
const hstatus = () => decodeCsr("hstatus", get("hstatus"));
const mstatus = () => decodeCsr("mstatus", get("mstatus"));

describe("a trap from a guest", () => {
  it("goes to machine mode by default, which learns of V in MPV (norm:H_trap_m_csrwrites)", () => {
    executeIn("VS", "ecall");
    expect([machine.hart.mode, get("mcause"), machine.hart.pc]).toEqual(["M", 10n, MACHINE_VECTOR]);
    expect(mstatus()).toMatchObject({ MPP: 1n, MPV: 1n, GVA: 0n });
  });

  it("has MPV=0 when it came from machine mode (norm:mstatus_mpv_op)", () => {
    set("mstatus", encodeCsr("mstatus", { MPV: 1, GVA: 1 }));
    executeIn("M", "ecall");
    expect(mstatus()).toMatchObject({ MPP: 3n, MPV: 0n, GVA: 0n });
  });

  it("that is a call has the cause of its privilege: 10 from VS, 8 from VU (norm:H_cause_ecall)", () => {
    expect([causeIn("VS", "ecall"), causeIn("VU", "ecall"), causeIn("S", "ecall")]).toEqual([10, 8, 9]);
  });

  it("goes to HS-mode by medeleg, which writes SPV, SPVP, SPP, scause and sepc (norm:H_trap_hs_csrwrites norm:hstatus_spv_op)", () => {
    set("medeleg", 1n << 10n);
    set("mstatus", encodeCsr("mstatus", { SIE: 1 }));
    executeIn("VS", "ecall");
    expect([machine.hart.mode, machine.hart.pc, get("scause"), get("sepc")]).toEqual([
      "S",
      SUPERVISOR_VECTOR,
      10n,
      0x8000_0000n,
    ]);
    expect(hstatus()).toMatchObject({ SPV: 1n, SPVP: 1n, GVA: 0n });
    expect(mstatus()).toMatchObject({ SPP: 1n, SPIE: 1n, SIE: 0n });
  });

  it("from HS's own user mode leaves SPVP as it was, and SPV=0 (norm:hstatus_spvp_op)", () => {
    set("medeleg", 1n << 8n);
    set("hstatus", encodeCsr("hstatus", { SPVP: 1, SPV: 1 }));
    executeIn("U", "ecall");
    expect(hstatus()).toMatchObject({ SPV: 0n, SPVP: 1n });
    executeIn("VU", "ecall");
    expect(hstatus()).toMatchObject({ SPV: 1n, SPVP: 0n });
  });

  it("goes on to the guest by hedeleg, which writes the VS registers alone (norm:H_trap_vs_csrwrites)", () => {
    set("medeleg", ALL_ONES);
    set("hedeleg", ALL_ONES);
    set("vsstatus", encodeCsr("vsstatus", { SIE: 1 }));
    set("hstatus", encodeCsr("hstatus", { SPVP: 1 }));
    const before = [get("hstatus"), get("sepc"), get("scause"), get("mstatus")];
    executeIn("VU", "ecall");
    expect([machine.hart.mode, machine.hart.pc]).toEqual(["VS", GUEST_VECTOR]);
    expect([get("vscause"), get("vsepc"), get("vstval")]).toEqual([8n, 0x8000_0000n, 0n]);
    expect(decodeCsr("vsstatus", get("vsstatus"))).toMatchObject({ SPP: 0n, SPIE: 1n, SIE: 0n });
    expect([get("hstatus"), get("sepc"), get("scause"), get("mstatus")]).toEqual(before);
  });

  it("never goes to a guest that did not run (norm:hedeleg_op)", () => {
    set("medeleg", ALL_ONES);
    set("hedeleg", ALL_ONES);
    executeIn("U", "ecall");
    expect(machine.hart.mode).toBe("S");
  });

  it("that tells a guest's address sets GVA, in HS and in M (norm:hstatus_gva_op norm:mstatus_gva_op)", () => {
    set("medeleg", 1n << 3n);
    executeIn("VS", "ebreak");
    expect([hstatus().GVA, get("stval")]).toEqual([1n, 0x8000_0000n]);
    executeIn("U", "ebreak");
    expect(hstatus().GVA).toBe(0n);
    set("medeleg", 0n);
    executeIn("VU", "ebreak");
    expect(mstatus().GVA).toBe(1n);
  });

  it("tells observers both delegation bits (norm:H_trap_deleg)", () => {
    const events: TrapEvent[] = [];
    machine.hart.onTrap((event) => events.push(event));
    set("medeleg", 1n << 8n);
    executeIn("VU", "ecall");
    expect(events[0]).toMatchObject({ from: "VU", to: "S", effectiveMode: "VU" });
    expect(events[0]?.delegation.toGuest).toEqual({ register: "hedeleg", isSet: false });
  });
});

describe("returns", () => {
  it.each([
    ["U", 0, 0],
    ["S", 1, 0],
    ["M", 3, 0],
    ["VU", 0, 1],
    ["VS", 1, 1],
    ["M", 3, 1],
  ] as const)("mret goes to %s for MPP=%i and MPV=%i, and clears both (norm:mret_h)", (mode, MPP, MPV) => {
    set("mepc", 0x8000_0100n);
    set("mstatus", encodeCsr("mstatus", { MPP, MPV, MPIE: 1 }));
    executeIn("M", "mret");
    expect([machine.hart.mode, machine.hart.pc]).toEqual([mode, 0x8000_0100n]);
    expect(mstatus()).toMatchObject({ MPP: 0n, MPV: 0n, MIE: 1n, MPIE: 1n });
  });

  it.each([
    ["U", 0, 0],
    ["S", 1, 0],
    ["VU", 0, 1],
    ["VS", 1, 1],
  ] as const)(
    "sret of HS goes to %s for SPP=%i and SPV=%i (norm:sret_v0 norm:hstatus_spv_sret)",
    (mode, SPP, SPV) => {
      set("sepc", 0x8000_0100n);
      set("mstatus", encodeCsr("mstatus", { SPP }));
      set("hstatus", encodeCsr("hstatus", { SPV, SPVP: 1 }));
      executeIn("S", "sret");
      expect([machine.hart.mode, machine.hart.pc]).toEqual([mode, 0x8000_0100n]);
      expect(hstatus()).toMatchObject({ SPV: 0n, SPVP: 1n });
    },
  );

  it("sret of a guest uses its own registers and stays in the guest (norm:sret_v1)", () => {
    set("vsepc", 0x8000_0200n);
    set("vsstatus", encodeCsr("vsstatus", { SPP: 0, SPIE: 1 }));
    set("hstatus", encodeCsr("hstatus", { SPV: 0 }));
    executeIn("VS", "sret");
    expect([machine.hart.mode, machine.hart.pc]).toEqual(["VU", 0x8000_0200n]);
    expect(decodeCsr("vsstatus", get("vsstatus"))).toMatchObject({ SIE: 1n, SPIE: 1n, SPP: 0n });
  });
});

describe("the virtual-instruction exception", () => {
  it.each(["hfence.vvma", "hfence.gvma", "hlv.w a0, (a1)", "hlvx.wu a0, (a1)", "hsv.d a0, (a1)"])(
    "comes for %s in a guest (norm:H_virtinst_vu_vs_hinst norm:hlsv_virtinst)",
    (line) => {
      expect([causeIn("VS", line), causeIn("VU", line)]).toEqual([VIRTUAL, VIRTUAL]);
    },
  );

  it("comes for sret and sfence.vma of VU-mode (norm:H_virtinst_vu_sret_sfence)", () => {
    expect([causeIn("VU", "sret"), causeIn("VU", "sfence.vma")]).toEqual([VIRTUAL, VIRTUAL]);
    expect(causeIn("VU", "mret")).toBe(ILLEGAL);
  });

  it("comes for sret of VS-mode while VTSR=1, whatever TSR says (norm:H_virtinst_vs_sret_vtsr1)", () => {
    set("mstatus", encodeCsr("mstatus", { TSR: 1 }));
    expect(causeIn("VS", "sret")).toBeUndefined();
    set("hstatus", encodeCsr("hstatus", { VTSR: 1 }));
    expect(causeIn("VS", "sret")).toBe(VIRTUAL);
  });

  it("comes for wfi of VU-mode, and of VS-mode while VTW=1, unless TW=1 (norm:H_virtinst_vu_wfi_tw0 norm:H_virtinst_wfi_vtw1_tw0)", () => {
    expect(causeIn("VU", "wfi")).toBe(VIRTUAL);
    expect(causeIn("VS", "wfi")).toBeUndefined();
    machine.hart.state.waiting = false;
    set("hstatus", encodeCsr("hstatus", { VTW: 1 }));
    expect(causeIn("VS", "wfi")).toBe(VIRTUAL);
    set("mstatus", encodeCsr("mstatus", { TW: 1 }));
    expect([causeIn("VS", "wfi"), causeIn("VU", "wfi")]).toEqual([ILLEGAL, ILLEGAL]);
  });

  it("comes for satp and sfence.vma of VS-mode while VTVM=1, whatever TVM says (norm:H_virtinst_vs_sfence_sinval_satp_vtvm1)", () => {
    const lines = ["csrr a0, satp", "csrw satp, zero", "sfence.vma"];
    set("mstatus", encodeCsr("mstatus", { TVM: 1 }));
    for (const line of lines) expect(causeIn("VS", line), line).toBeUndefined();
    set("hstatus", encodeCsr("hstatus", { VTVM: 1 }));
    for (const line of lines) expect(causeIn("VS", line), line).toBe(VIRTUAL);
  });

  it("comes for every register of HS-mode and of VS by its own address, in VS and VU (norm:H_virtinst_vu_vs_nonhigh_allowedhs_tvm0 norm:H_vscsrs_acc_vs)", () => {
    set("menvcfg", 1n << 63n);
    set("mcounteren", 2n);
    set("mstatus", encodeCsr("mstatus", { TVM: 1 }));
    for (const name of CSR_NAMES.filter((candidate) => CSRS[candidate].access.startsWith("H"))) {
      expect(causeIn("VS", `csrr a0, ${name}`), name).toBe(VIRTUAL);
      expect(causeIn("VU", `csrr a0, ${name}`), name).toBe(VIRTUAL);
      expect(causeIn("U", `csrr a0, ${name}`), name).toBe(ILLEGAL);
    }
  });

  it("does not come where HS-mode could not do it either: writing hgeip, machine registers, none at all", () => {
    expect(causeIn("VS", "csrw hgeip, zero")).toBe(ILLEGAL);
    expect(causeIn("VS", "csrr a0, mstatus")).toBe(ILLEGAL);
    expect(causeIn("VS", "csrr a0, 0x601")).toBe(ILLEGAL);
    // norm:H_illegal_high_half: htimedeltah and henvcfgh do not exist here.
    expect([causeIn("VS", "csrr a0, 0x615"), causeIn("VS", "csrr a0, 0x61a")]).toEqual([ILLEGAL, ILLEGAL]);
  });

  it("comes for supervisor registers in VU-mode (norm:H_virtinst_vu_nonhigh_supervisor_allowedhs_tvm0)", () => {
    for (const name of ["sstatus", "satp", "sscratch", "senvcfg", "scounteren"] as const)
      expect(causeIn("VU", `csrr a0, ${name}`), name).toBe(VIRTUAL);
  });

  it("comes for a counter that hcounteren closes and mcounteren opens (norm:H_virtinst_vs_nonhighctr_h0_m1 norm:hcounteren_op)", () => {
    expect(causeIn("VS", "csrr a0, cycle")).toBe(ILLEGAL);
    set("mcounteren", 7n);
    expect(causeIn("VS", "csrr a0, cycle")).toBe(VIRTUAL);
    set("hcounteren", 7n);
    expect(causeIn("VS", "csrr a0, cycle")).toBeUndefined();
  });

  it("comes in VU-mode for a counter that scounteren closes (norm:H_virtinst_vu_nonhighctr_h0_s0_m1 norm:H_scsrs_nomatch)", () => {
    set("mcounteren", 7n);
    set("hcounteren", 7n);
    expect(causeIn("VU", "csrr a0, instret")).toBe(VIRTUAL);
    set("scounteren", 7n);
    expect(causeIn("VU", "csrr a0, instret")).toBeUndefined();
    set("hcounteren", 0n);
    expect(causeIn("VU", "csrr a0, instret")).toBe(VIRTUAL);
  });

  it("has the instruction word as its value (norm:H_virtinst_xtval)", () => {
    const { listing } = loadText(machine, "hfence.gvma");
    executeIn("VS", "hfence.gvma");
    expect(get("mtval")).toBe(BigInt(listing[0]?.word ?? 0));
  });
});

describe("a guest's registers", () => {
  it.each([
    ["sstatus", "vsstatus", encodeCsr("sstatus", { SUM: 1, SPP: 1 })],
    ["stvec", "vstvec", 0x8000_1000n],
    ["sscratch", "vsscratch", 0x1234n],
    ["sepc", "vsepc", 0x8000_2000n],
    ["scause", "vscause", 5n],
    ["stval", "vstval", 0x77n],
    ["satp", "vsatp", (8n << 60n) | 0x80000n],
  ] as const)(
    "%s means %s in a guest and itself elsewhere (norm:H_vscsrs_sub norm:H_vscsrs_v1)",
    (name, twin, value) => {
      const host = get(name);
      machine.hart.write("t0", value);
      set("hgatp", 0n);
      executeIn("VS", `csrw ${name}, t0`);
      expect(get(name)).toBe(host);
      expect(get(twin) & value).toBe(value);
      set("vsatp", 0n);
      executeIn("S", `csrr a0, ${name}`);
      expect(machine.hart.read("a0")).toBe(host);
    },
  );

  it("senvcfg and scounteren are the same everywhere (norm:H_scsrs_nomatch)", () => {
    machine.hart.write("t0", 7n);
    executeIn("VS", "csrw scounteren, t0");
    expect(get("scounteren")).toBe(7n);
  });

  it("a guest's satp write with an unknown mode is void, HS's write of vsatp is not (norm:vsatp_mode_unsupported_v1 norm:vsatp_mode_unsupported_v0)", () => {
    machine.hart.write("t0", (5n << 60n) | 0x123n);
    executeIn("VS", "csrw satp, t0");
    expect(get("vsatp")).toBe(0n);
    executeIn("S", "csrw vsatp, t0");
    expect(get("vsatp")).toBe(0x123n);
  });

  it("hgatp takes no unknown mode but the other fields, and a root aligned to 16 KiB (norm:hgatp_mode_warl norm:hgatp_ppn_op)", () => {
    set("hgatp", (8n << 60n) | (3n << 44n) | 0x80007n);
    expect(decodeCsr("hgatp", get("hgatp"))).toEqual({ MODE: 8n, VMID: 3n, PPN: 0x80004n });
    set("hgatp", (7n << 60n) | (4n << 44n) | 0x80010n);
    expect(decodeCsr("hgatp", get("hgatp"))).toEqual({ MODE: 8n, VMID: 4n, PPN: 0x80010n });
    set("hgatp", 0xffn << 52n);
    expect(decodeCsr("hgatp", get("hgatp")).VMID).toBe(0x3f00n);
  });

  it("TVM takes satp and hgatp away from HS-mode, and leaves it vsatp (norm:hgatp_tvm_illegal norm:mstatus_tvm_hs norm:hfence-vvma_tvm)", () => {
    set("mstatus", encodeCsr("mstatus", { TVM: 1 }));
    expect([causeIn("S", "csrr a0, satp"), causeIn("S", "csrr a0, hgatp")]).toEqual([ILLEGAL, ILLEGAL]);
    expect(causeIn("S", "csrr a0, vsatp")).toBeUndefined();
    expect([causeIn("S", "hfence.gvma"), causeIn("S", "hfence.vvma")]).toEqual([ILLEGAL, undefined]);
  });

  it("hedeleg and hideleg have the manual's read-only bits (norm:hedeleg_acc norm:hideleg_acc norm:mideleg_hroz)", () => {
    set("hedeleg", ALL_ONES);
    set("hideleg", ALL_ONES);
    set("mideleg", 0n);
    expect([get("hedeleg"), get("hideleg"), get("mideleg")]).toEqual([0xb1ffn, 0x444n, 0x1444n]);
  });

  it("floating point needs both statuses, and makes both dirty (norm:H_illegalinst_xstatus_fs_vs norm:vsstatus_fs_op norm:vsstatus_sd_xs_op)", () => {
    set("vsstatus", encodeCsr("vsstatus", { FS: 1 }));
    expect(causeIn("VS", "fmv.d.x fa0, zero")).toBe(ILLEGAL);
    set("mstatus", encodeCsr("mstatus", { FS: 1 }));
    set("vsstatus", 0n);
    expect(causeIn("VS", "fmv.d.x fa0, zero")).toBe(ILLEGAL);
    set("vsstatus", encodeCsr("vsstatus", { FS: 1 }));
    expect(causeIn("VS", "fmv.d.x fa0, zero")).toBeUndefined();
    expect([mstatus().FS, mstatus().SD]).toEqual([3n, 1n]);
    expect(decodeCsr("vsstatus", get("vsstatus"))).toMatchObject({ FS: 3n, SD: 1n });
  });
});

describe("a guest's time", () => {
  beforeEach(() => {
    set("mcounteren", 7n);
    set("hcounteren", 7n);
    set("menvcfg", 1n << 63n);
    machine.clock.mtime = 1000n;
  });

  it("is the machine's plus htimedelta, modulo 2^64 (norm:htimedelta_sz_acc_op norm:time_htimedelta_req)", () => {
    set("htimedelta", ALL_ONES - 99n);
    executeIn("VS", "csrr a0, time");
    expect(machine.hart.read("a0")).toBe(900n);
    executeIn("S", "csrr a0, time");
    expect(machine.hart.read("a0")).toBe(1000n);
  });

  it("makes VSTIP when it reaches vstimecmp, and not while henvcfg.STCE is 0 (norm:hip_vstip_op norm:henvcfg_stce norm:hip_vstip_vstie_acc_op norm:sstc_vs_facility)", () => {
    set("htimedelta", 500n);
    set("vstimecmp", 1501n);
    expect(get("hip")).toBe(0n);
    set("henvcfg", 1n << 63n);
    expect(get("hip")).toBe(0n);
    machine.clock.mtime = 1001n;
    expect(get("hip")).toBe(1n << 6n);
    set("vstimecmp", 1502n);
    expect(get("hip")).toBe(0n);
    set("vstimecmp", 0n);
    set("henvcfg", 0n);
    expect(get("hip")).toBe(0n);
  });

  it("is compared again where it wraps around (norm:hip_vstip_clear)", () => {
    set("henvcfg", 1n << 63n);
    set("vstimecmp", 2000n);
    set("htimedelta", ALL_ONES - 1001n);
    expect(get("hip")).toBe(1n << 6n);
    machine.clock.mtime = 1003n;
    expect(get("hip")).toBe(0n);
  });

  it("rings when it is due, and when it wraps around, while instructions retire (norm:hip_vstip_clear)", () => {
    set("henvcfg", 1n << 63n);
    loadText(machine, "loop: j loop");
    machine.hart.stateReplaced();
    const runToAlarm = (): bigint => {
      expect(machine.engine.run(1000).reason).toBe("alarm");
      machine.clock.ringDue();
      return get("hip");
    };
    set("htimedelta", ALL_ONES - machine.clock.mtime - 9n);
    set("vstimecmp", ALL_ONES - 5n);
    expect(get("hip")).toBe(0n);
    expect(runToAlarm()).toBe(1n << 6n);
    expect(runToAlarm()).toBe(0n);
  });

  it("stimecmp is vstimecmp in a guest, where the hypervisor allows it (norm:hcounteren_acc)", () => {
    machine.hart.write("t0", 77n);
    expect(causeIn("VS", "csrw stimecmp, t0")).toBe(VIRTUAL);
    set("henvcfg", 1n << 63n);
    expect(causeIn("VS", "csrw stimecmp, t0")).toBeUndefined();
    expect([get("vstimecmp"), get("stimecmp")]).toEqual([77n, ALL_ONES]);
    set("hcounteren", 0n);
    expect(causeIn("VS", "csrw stimecmp, t0")).toBe(VIRTUAL);
    set("menvcfg", 0n);
    expect(causeIn("VS", "csrw stimecmp, t0")).toBe(ILLEGAL);
    expect(causeIn("S", "csrw vstimecmp, t0")).toBe(ILLEGAL);
  });

  it("henvcfg.STCE and ADUE are zero while menvcfg's are (norm:henvcfg_adue_op norm:henvcfg_stce)", () => {
    set("henvcfg", ALL_ONES);
    expect(get("henvcfg")).toBe((1n << 63n) | 1n);
    set("menvcfg", 1n << 61n);
    set("henvcfg", ALL_ONES);
    expect(get("henvcfg")).toBe((1n << 61n) | 1n);
  });
});

describe("interrupts of a guest", () => {
  it("hvip raises them, and hip, hie, vsip and vsie are views of one mip and mie (norm:hvip_acc norm:hip_acc norm:hie_acc norm:mip_mie_alias)", () => {
    set("hvip", ALL_ONES);
    expect([get("hvip"), get("hip"), get("mip"), get("sip"), get("vsip")]).toEqual([
      0x444n,
      0x444n,
      0x444n,
      0n,
      0n,
    ]);
    set("hideleg", 0x444n);
    expect(get("vsip")).toBe(0x222n);
    set("vsie", ALL_ONES);
    expect([get("hie"), get("mie"), get("sie"), get("vsie")]).toEqual([0x444n, 0x444n, 0n, 0x222n]);
    set("hie", ALL_ONES);
    expect([get("hie"), get("mie")]).toEqual([0x1444n, 0x1444n]);
  });

  it("only VSSIP of hip, mip and vsip is writable (norm:hip_vssip_vssie_op norm:vsip_vsie_ssi)", () => {
    set("hip", ALL_ONES);
    expect(get("hvip")).toBe(4n);
    set("hip", 0n);
    set("mip", 0x444n);
    expect(get("hvip")).toBe(4n);
    set("vsip", 0n);
    expect(get("hvip")).toBe(4n);
    set("hideleg", 4n);
    set("vsip", 0n);
    expect(get("hvip")).toBe(0n);
  });

  it.each([
    [2, 1n, 4n],
    [6, 5n, 0x40n],
    [10, 9n, 0x400n],
  ] as const)(
    "interrupt %i comes to the guest as %i (norm:hideleg_trans norm:hideleg_op)",
    (code, seen, bit) => {
      set("hideleg", 0x444n);
      set("hie", 0x444n);
      set("hvip", bit);
      set("vsstatus", encodeCsr("vsstatus", { SIE: 1 }));
      set("vstvec", GUEST_VECTOR | 1n);
      enter("VS");
      expect(interruptToTake(machine.hart.state)).toBe(code);
      executeIn("VS", "nop");
      expect([machine.hart.mode, get("vscause"), machine.hart.pc]).toEqual([
        "VS",
        (1n << 63n) | seen,
        GUEST_VECTOR + 4n * seen,
      ]);
    },
  );

  it("wait while the guest does not run or has SIE=0, and end VU's ignorance", () => {
    set("hideleg", 4n);
    set("hie", 4n);
    set("hvip", 4n);
    for (const [mode, taken] of [
      ["M", undefined],
      ["S", undefined],
      ["U", undefined],
      ["VS", undefined],
      ["VU", 2],
    ] as const) {
      enter(mode);
      expect(interruptToTake(machine.hart.state), mode).toBe(taken);
    }
  });

  it("go to HS-mode under their own numbers while hideleg is 0 (norm:hideleg_hs)", () => {
    set("hie", 4n);
    set("hvip", 4n);
    executeIn("VU", "nop");
    expect([machine.hart.mode, get("scause"), hstatus().SPV]).toEqual(["S", (1n << 63n) | 2n, 1n]);
    expect([get("htval"), get("htinst")]).toEqual([0n, 0n]); // norm:H_trap_xtinst_interrupt
  });

  it("come after HS-mode's own, which need no SIE in a guest (norm:hsint_priority)", () => {
    set("mideleg", ALL_ONES);
    set("hideleg", 0x444n);
    set("mie", ALL_ONES);
    set("hvip", 0x444n);
    set("mip", 0x226n);
    const order: (number | undefined)[] = [];
    for (let count = 0; count < 6; count++) {
      enter("VU");
      const code = interruptToTake(machine.hart.state);
      order.push(code);
      machine.hart.state.softwarePending &= ~(1n << BigInt(code ?? 0));
    }
    expect(order).toEqual([9, 1, 5, 10, 2, 6]);
  });

  it("a guest external line makes SGEIP where hgeie wants it, and VSEIP for the guest of VGEIN (norm:hip_sgeip_sgeie_acc_op norm:hip_vseip_vseie_op norm:hstatus_vgein_op norm:hgeie_op norm:hgeip_hgeie_fields norm:hgeip_sz_acc_op)", () => {
    const line = new IrqLine("guest 3");
    machine.hart.connectGuestExternal(line, 3);
    line.set(true);
    expect([get("hgeip"), get("hip")]).toEqual([8n, 0n]);
    set("hgeie", ALL_ONES);
    expect([get("hgeie"), get("hip")]).toEqual([0xfen, 1n << 12n]);
    set("hgeie", 0n);
    set("hstatus", encodeCsr("hstatus", { VGEIN: 3 }));
    expect(get("hip")).toBe(1n << 10n);
    set("hstatus", encodeCsr("hstatus", { VGEIN: 2 }));
    expect(get("hip")).toBe(0n);
    line.set(false);
    expect(get("hgeip")).toBe(0n);
  });
});

it("misa has the letter H (norm:misa_h_op)", () => {
  expect((get("misa") >> 7n) & 1n).toBe(1n);
});
