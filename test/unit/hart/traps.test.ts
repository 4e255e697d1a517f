/** Trap entry, return, delegation and interrupts. Programs in assembly, expectations from the manual. */
import { beforeEach, describe, expect, it } from "vitest";
import { IrqLine } from "../../../lib/bus/irq-line.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { INTERRUPT_PRIORITY, interruptToTake } from "../../../lib/hart/interrupts.ts";
import type { TrapEvent } from "../../../lib/hart/trap-event.ts";
import { type CsrName, decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION, INTERRUPT, type InterruptName } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("mtvec", 0x8000_0400n);
  set("stvec", 0x8000_0800n);
});

const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const get = (name: CsrName): bigint => machine.hart.csr(name);
const enter = (mode: Mode): void => {
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
};
/** Loads one line and executes it in a mode. */
function executeIn(mode: Mode, line: string): void {
  loadText(machine, line);
  enter(mode);
  machine.engine.step();
}

describe("an exception", () => {
  it("goes to machine mode by default, and saves mode, address, cause and value (norm:trap_def_M_mode norm:mcause_op norm:mepc_op norm:mtval_op norm:mstatus_xpie_xie_xpp_trap_op norm:mtval_other_traps_zero)", () => {
    set("mstatus", encodeCsr("mstatus", { MIE: 1 }));
    executeIn("U", "ecall");
    expect(machine.hart.mode).toBe("M");
    expect(machine.hart.pc).toBe(0x8000_0400n);
    expect([get("mcause"), get("mepc"), get("mtval")]).toEqual([
      BigInt(EXCEPTION.ecallFromU),
      0x8000_0000n,
      0n,
    ]);
    expect(decodeCsr("mstatus", get("mstatus"))).toMatchObject({ MPP: 0n, MPIE: 1n, MIE: 0n });
  });

  it("goes to supervisor mode when medeleg says so, and leaves machine mode's registers alone (norm:medeleg_mideleg_op2 norm:trap_del_S_mode_op norm:trap_del_S_mode_no_M_mode norm:sepc_op_trap_write norm:scause norm:sstatus_spie)", () => {
    set("medeleg", 1n << 8n);
    set("mstatus", encodeCsr("mstatus", { SIE: 1, MPP: 3 }));
    executeIn("U", "ecall");
    expect(machine.hart.mode).toBe("S");
    expect(machine.hart.pc).toBe(0x8000_0800n);
    expect([get("scause"), get("sepc"), get("mcause")]).toEqual([8n, 0x8000_0000n, 0n]);
    expect(decodeCsr("mstatus", get("mstatus"))).toMatchObject({ SPP: 0n, SPIE: 1n, SIE: 0n, MPP: 3n });
  });

  it("never goes down: delegated exceptions of machine mode stay there (norm:trap_never_trans_lower norm:ecall_ebreak_epc_value norm:ebreak_op2 norm:mtval_op norm:stval_op_breakpoint)", () => {
    set("medeleg", 2n ** 16n - 1n);
    executeIn("M", "ebreak");
    expect(machine.hart.mode).toBe("M");
    expect([get("mcause"), get("mtval"), get("mepc")]).toEqual([3n, 0x8000_0000n, 0x8000_0000n]);
  });

  it("has the cause that tells from which mode a call came (norm:ecall_op2 norm:mcause_exccode_op)", () => {
    for (const [mode, cause] of [
      ["U", 8n],
      ["S", 9n],
      ["M", 11n],
    ] as const) {
      executeIn(mode, "ecall");
      expect(get("mcause")).toBe(cause);
      expect(decodeCsr("mstatus", get("mstatus")).MPP).toBe(BigInt(MODE_NUMBER[mode]));
    }
  });

  it("goes to the base even in vectored mode (norm:mtvec_mode_vectored_op norm:mtvec_mode_direct_op)", () => {
    set("mtvec", 0x8000_0401n);
    executeIn("M", "ecall");
    expect(machine.hart.pc).toBe(0x8000_0400n);
  });

  it("leaves its destination register alone", () => {
    machine.hart.write("a0", 77n);
    executeIn("M", "lw a0, 0(zero)");
    expect(get("mcause")).toBe(BigInt(EXCEPTION.loadAccessFault));
    expect(machine.hart.read("a0")).toBe(77n);
  });

  it("is never a misaligned jump, for instructions begin at every even address (norm:jump_misaligned_c_no_exception norm:branch_misaligned_c_no_exception norm:Zca_no_misaligned)", () => {
    machine.hart.write("ra", 0x8000_0103n);
    executeIn("M", "ret");
    expect(machine.hart.pc).toBe(0x8000_0102n);
    executeIn("M", "beq zero, zero, .+6");
    expect(machine.hart.pc).toBe(0x8000_0006n);
    executeIn("M", "bne zero, zero, .+6");
    expect(machine.hart.pc).toBe(0x8000_0004n);
  });

  it("tells observers who, why, where to and which bit decided", () => {
    const events: TrapEvent[] = [];
    const stop = machine.hart.onTrap((event) => events.push(event));
    set("medeleg", 1n << 8n);
    executeIn("U", "ecall");
    stop();
    executeIn("U", "ecall");
    expect(events).toEqual([
      {
        trap: { isInterrupt: false, cause: 8, tval: 0n, tval2: 0n, tinst: 0n, gva: false },
        hart: 0,
        retired: 0,
        from: "U",
        to: "S",
        epc: 0x8000_0000n,
        target: 0x8000_0800n,
        delegation: { register: "medeleg", bit: 8, isSet: true, wasAsked: true, toGuest: undefined },
        effectiveMode: "U",
      },
    ]);
  });
});

describe("mret and sret", () => {
  it("mret goes to MPP and mepc, restores MIE and leaves MPP at user mode (norm:mstatus_xret_op norm:mstatus_mprv_clr_mret_sret_less_priv norm:xret_op norm:mret_presence)", () => {
    set("mepc", 0x8000_1234n);
    set("mstatus", encodeCsr("mstatus", { MPP: 1, MPIE: 1, MPRV: 1 }));
    executeIn("M", "mret");
    expect([machine.hart.mode, machine.hart.pc]).toEqual(["S", 0x8000_1234n]);
    expect(decodeCsr("mstatus", get("mstatus"))).toMatchObject({ MIE: 1n, MPIE: 1n, MPP: 0n, MPRV: 0n });
  });

  it("mret to machine mode keeps MPRV (norm:mstatus_mprv_clr_mret_sret_less_priv)", () => {
    set("mepc", 0x8000_1234n);
    set("mstatus", encodeCsr("mstatus", { MPP: 3, MPRV: 1 }));
    executeIn("M", "mret");
    expect(decodeCsr("mstatus", get("mstatus")).MPRV).toBe(1n);
  });

  it("sret goes to SPP and sepc (norm:mstatus_xret_op norm:xret_op norm:sret_presence norm:sstatus_spp norm:sstatus_spie)", () => {
    set("sepc", 0x8000_1234n);
    for (const [spp, mode] of [
      [1, "S"],
      [0, "U"],
    ] as const) {
      set("mstatus", encodeCsr("mstatus", { SPP: spp, SPIE: 1 }));
      executeIn("S", "sret");
      expect([machine.hart.mode, machine.hart.pc]).toEqual([mode, 0x8000_1234n]);
      expect(decodeCsr("mstatus", get("mstatus"))).toMatchObject({ SIE: 1n, SPIE: 1n, SPP: 0n });
    }
  });

  it.each([
    ["U", "mret", {}],
    ["S", "mret", {}],
    ["U", "sret", {}],
    ["S", "sret", { TSR: 1 }],
    ["U", "wfi", {}],
    ["S", "wfi", { TW: 1 }],
    ["U", "sfence.vma", {}],
    ["S", "sfence.vma", { TVM: 1 }],
  ] as const)(
    "in %s mode %s is illegal with %o (norm:xret_in_higher_mode norm:xret_in_lower_mode norm:mstatus_tsr_op norm:mstatus_tw_op norm:mstatus_tvm_warl_op norm:wfi_ill_exc norm:sret_ill_inst_exc_rst norm:mstatus_tw_always_illegal)",
    (mode, line, status) => {
      set("mstatus", encodeCsr("mstatus", status));
      executeIn(mode, line);
      expect(get("mcause")).toBe(BigInt(EXCEPTION.illegalInstruction));
    },
  );

  it("machine mode is not bound by TSR, TW and TVM", () => {
    set("mstatus", encodeCsr("mstatus", { TSR: 1, TW: 1, TVM: 1 }));
    for (const line of ["sfence.vma", "wfi", "csrr a0, satp"]) executeIn("M", line);
    expect(get("mcause")).toBe(0n);
  });
});

describe("an interrupt", () => {
  const pend = (...names: InterruptName[]): void => {
    machine.hart.state.wiresPending = names.reduce(
      (bits, name) => bits | (1n << BigInt(INTERRUPT[name])),
      0n,
    );
    machine.hart.stateReplaced();
  };

  it("is taken before an instruction, which has not run when the handler begins (norm:mcause_intr_op norm:intr_mip_mie_op)", () => {
    loadText(machine, "addi a0, a0, 1");
    set("mie", 1n << 7n);
    set("mstatus", encodeCsr("mstatus", { MIE: 1 }));
    pend("machineTimer");
    machine.engine.step();
    expect([get("mcause"), get("mepc"), machine.hart.read("a0")]).toEqual([
      (1n << 63n) | 7n,
      0x8000_0000n,
      0n,
    ]);
    expect(machine.hart.retired).toBe(0);
  });

  it("has an entry of its own in vectored mode (norm:mtvec_mode_vectored_op norm:mtvec_enc)", () => {
    loadText(machine, "nop");
    set("mtvec", 0x8000_0401n);
    set("mie", 1n << 7n);
    set("mstatus", encodeCsr("mstatus", { MIE: 1 }));
    pend("machineTimer");
    machine.engine.step();
    expect(machine.hart.pc).toBe(0x8000_0400n + 28n);
  });

  it.each([
    // mode, mstatus, delegated, taken by
    ["M", {}, false, undefined],
    ["M", { MIE: 1 }, false, "M"],
    ["M", { MIE: 1, SIE: 1 }, true, undefined],
    ["S", {}, false, "M"],
    ["S", {}, true, undefined],
    ["S", { SIE: 1 }, true, "S"],
    ["U", {}, false, "M"],
    ["U", {}, true, "S"],
  ] as const)(
    "in %s mode with %o, delegated %s, is taken by %s (norm:mstatus_xie_intr_en_dis norm:intr_mip_mie_op norm:sie_sip_supervisor_strap norm:mstatus_mie_sie_op2 norm:trap_del_intr_priv_lvl norm:sstatus_sie)",
    (mode, status, delegated, taker) => {
      loadText(machine, "nop");
      set("mie", 1n << 5n);
      set("mideleg", delegated ? 1n << 5n : 0n);
      set("mstatus", encodeCsr("mstatus", status));
      pend("supervisorTimer");
      enter(mode);
      const trap = machine.engine.step();
      expect(trap === undefined ? undefined : machine.hart.mode).toBe(taker);
    },
  );

  it("comes in the manual's order of priority, machine mode's before delegated ones (norm:intr_M_mode_pri norm:sip_sie_priority_bit_order norm:intr_M_mode_highest_pri)", () => {
    expect(INTERRUPT_PRIORITY.map((name) => INTERRUPT[name])).toEqual([11, 3, 7, 9, 1, 5, 12, 10, 2, 6]);
    set("mie", 0x1eeen);
    enter("U");
    const order: (number | undefined)[] = [];
    let pending: readonly InterruptName[] = INTERRUPT_PRIORITY;
    for (let count = 0; count < INTERRUPT_PRIORITY.length; count++) {
      pend(...pending);
      const code = interruptToTake(machine.hart.state);
      order.push(code);
      pending = pending.filter((name) => INTERRUPT[name] !== code);
    }
    expect(order).toEqual([11, 3, 7, 9, 1, 5, 12, 10, 2, 6]);
    set("mideleg", 1n << 9n);
    pend("supervisorExternal", "supervisorTimer");
    expect(interruptToTake(machine.hart.state)).toBe(5);
  });

  it("follows its wire (norm:mip_mtip_mie_mtie_op)", () => {
    const line = new IrqLine("timer");
    machine.hart.connect(line, "machineTimer");
    line.set(true);
    expect(get("mip")).toBe(1n << 7n);
    line.set(false);
    expect(get("mip")).toBe(0n);
  });

  it("is seen by the instruction after the one that enabled it (norm:intr_mip_mie_xret_csrwr norm:csr_side_effects_synchronous)", () => {
    loadText(machine, "csrsi mstatus, 8\n addi a0, a0, 1");
    set("mie", 1n << 3n);
    pend("machineSoftware");
    machine.engine.run(2);
    expect([get("mepc"), machine.hart.read("a0")]).toEqual([0x8000_0004n, 0n]);
  });
});

describe("wfi", () => {
  it("sleeps until an interrupt is pending and enabled in mie, even if it is not taken (norm:wfi_intr_dis norm:wfi_op norm:wfi_no_intr_pc norm:wfi_unaffected_conditions)", () => {
    loadText(machine, "wfi\n addi a0, a0, 1");
    set("mie", 1n << 7n);
    expect(machine.engine.run(10)).toEqual({ reason: "waiting", steps: 1 });
    expect(machine.engine.run(10)).toEqual({ reason: "waiting", steps: 0 });
    machine.hart.state.wiresPending = 1n << 7n;
    machine.engine.run(1);
    expect(machine.hart.read("a0")).toBe(1n);
    expect(get("mcause")).toBe(0n);
  });

  it("returns to the instruction after it when the interrupt is taken (norm:wfi_mepc_val)", () => {
    loadText(machine, "wfi\n addi a0, a0, 1");
    set("mie", 1n << 7n);
    set("mstatus", encodeCsr("mstatus", { MIE: 1 }));
    machine.engine.run(10);
    machine.hart.state.wiresPending = 1n << 7n;
    machine.hart.stateReplaced();
    machine.engine.run(1);
    expect(get("mepc")).toBe(0x8000_0004n);
  });
});
