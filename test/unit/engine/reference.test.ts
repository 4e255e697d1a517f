/** The reference engine in all four positions of its switches: what programs can see must not depend on them. */
import { describe, expect, it } from "vitest";
import { ACCESS_FAULT, type Device } from "../../../lib/bus/device.ts";
import { Rom } from "../../../lib/devices/rom.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { assembled } from "../../support/assembled.ts";
import {
  type BareMachine,
  bareMachine,
  loadText,
  runToWfi,
  SWITCH_POSITIONS,
} from "../../support/bare-machine.ts";

/** Opens PMP, so that lower modes may run. */
const OPEN_PMP = "li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0";

/**
 * Tables at 0x8001_0000: a 1 GiB identity leaf for RAM, and 0x4000_0000 through one 4 KiB leaf at 0x8001_2000, with these
 * flags, that the programs may change.
 */
function withTables(machine: BareMachine, flags: bigint, target = 0x8000_8000n): void {
  const put = (address: number, pte: bigint): void => machine.ram.store(address - machine.ram.base, 8, pte);
  put(0x8001_0000 + 2 * 8, (0x80000n << 10n) | 0xcfn);
  put(0x8001_0000 + 1 * 8, (0x80011n << 10n) | 1n);
  put(0x8001_1000, (0x80012n << 10n) | 1n);
  put(0x8001_2000, ((target >> 12n) << 10n) | flags);
}

/** Enters supervisor mode at `supervisor` with Sv39 on; traps land at `trap` in machine mode, which sleeps. */
const ENTER_SUPERVISOR = `
  ${OPEN_PMP}
  la t0, trap
  csrw mtvec, t0
  li t0, 0x8000000000080010
  csrw satp, t0
  li t0, 0x800
  csrw mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret
trap:
  csrr s10, mcause
  csrr s11, mtval
  wfi
  j trap
supervisor:
`;

/** A device that remembers accesses, and answers with a counter. */
class Recorder implements Device {
  readonly name = "recorder";
  readonly sizeBytes = 4096;
  readonly log: string[] = [];
  load(offset: number, width: number): bigint | typeof ACCESS_FAULT {
    this.log.push(`load ${offset} ${width}`);
    return offset === 0x80 ? ACCESS_FAULT : 0xfffffffffffffff0n + BigInt(this.log.length);
  }
  store(offset: number, width: number, value: bigint): undefined | typeof ACCESS_FAULT {
    this.log.push(`store ${offset} ${width} ${value.toString(16)}`);
    return offset === 0x80 ? ACCESS_FAULT : undefined;
  }
  reset(): void {}
  save(): Record<string, never> {
    return {};
  }
  restore(): void {}
}

for (const switches of SWITCH_POSITIONS) {
  describe(`with ${switches.title}`, () => {
    const start = (text: string): BareMachine => {
      const machine = bareMachine(switches);
      loadText(machine, text);
      return machine;
    };
    const run = (text: string): BareMachine => {
      const machine = start(text);
      runToWfi(machine);
      return machine;
    };

    it("computes a factorial by recursion", () => {
      const { hart } = run(`
        li sp, 0x80008000
        li a0, 20
        call fact
        wfi
      fact:
        addi sp, sp, -16
        sd ra, 8(sp)
        sd s0, 0(sp)
        mv s0, a0
        li a0, 1
        beqz s0, 1f
        addi a0, s0, -1
        call fact
        mul a0, a0, s0
      1:
        ld ra, 8(sp)
        ld s0, 0(sp)
        addi sp, sp, 16
        ret`);
      expect(hart.read("a0")).toBe(2432902008176640000n);
    });

    it("sign- and zero-extends loads of every width, and stores the low bytes (norm:lh_lhu_lb_lbu_op_rv64i norm:lw_op_rv64i norm:lwu_op norm:ld_op_rv64i norm:sd_sw_sh_sb_op_rv64i norm:lb_lbu_op norm:lh_op norm:lhu_op norm:lw_op norm:sw_sh_sb_op norm:ldst_ea norm:load_op norm:store_op norm:ldst_little_endian_op)", () => {
      const { hart } = run(`
        la s0, data
        lb a0, 7(s0)
        lbu a1, 7(s0)
        lh a2, 6(s0)
        lhu a3, 6(s0)
        lw a4, 4(s0)
        lwu a5, 4(s0)
        ld a6, 0(s0)
        sb a6, 8(s0)
        sh a6, 10(s0)
        sw a6, 12(s0)
        ld a7, 8(s0)
        wfi
        .balign 8
      data: .dword 0xfedcba9876543210, 0`);
      const names = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"] as const;
      expect(names.map((name) => hart.read(name).toString(16))).toEqual([
        "fffffffffffffffe",
        "fe",
        "fffffffffffffedc",
        "fedc",
        "fffffffffedcba98",
        "fedcba98",
        "fedcba9876543210",
        "7654321032100010",
      ]);
    });

    it("performs misaligned loads and stores in RAM, also across pages (norm:misaligned_ldst_eei_dependent_behavior norm:misaligned_ldst_hw_support)", () => {
      const { hart } = run(`
        li s0, 0x80008ffd
        li a0, 0x1122334455667788
        sd a0, 0(s0)
        ld a1, 0(s0)
        lw a2, 1(s0)
        lhu a3, 2(s0)
        lbu a4, 3(s0)
        wfi`);
      expect((["a1", "a2", "a3", "a4"] as const).map((name) => hart.read(name).toString(16))).toEqual([
        "1122334455667788",
        "44556677",
        "5566",
        "55",
      ]);
    });

    it("adds the offset to the base in every store (norm:sd_sw_sh_sb_op_rv64i norm:sw_sh_sb_op norm:store_op)", () => {
      const { hart } = run(`
        auipc s0, 1
        li t0, -1
        sb t0, 8(s0)
        sh t0, 18(s0)
        sw t0, 28(s0)
        sd t0, 40(s0)
        addi s1, s0, 8
        ld a0, 0(s1)
        addi s1, s0, 16
        ld a1, 0(s1)
        addi s1, s0, 24
        ld a2, 0(s1)
        addi s1, s0, 40
        ld a3, 0(s1)
        wfi`);
      expect([hart.read("a0"), hart.read("a1"), hart.read("a2"), hart.read("a3")]).toEqual([
        0xffn,
        0xffff_0000n,
        0xffff_ffff_0000_0000n,
        0xffff_ffff_ffff_ffffn,
      ]);
    });

    it("never changes x0 (norm:x0eq0)", () => {
      const { hart } = run("li t0, 5\n add zero, t0, t0\n auipc t1, 0\n ld zero, 0(t1)\n mv a0, zero\n wfi");
      expect([hart.read("zero"), hart.read("a0")]).toEqual([0n, 0n]);
    });

    it("runs instructions that a program has just written, without a fence (norm:fence_i_op)", () => {
      const { hart } = run(`
        la s0, patch
        li s1, 3
      again:
      patch:
        addi a0, a0, 1
        la t1, other
        lw t0, 0(t1)
        sw t0, 0(s0)
        addi s1, s1, -1
        bnez s1, again
        wfi
      other: addi a0, a0, 100`);
      expect(hart.read("a0")).toBe(201n);
    });

    it("sees a page-table entry that changes from valid to invalid, or to another page, at once and without a fence", () => {
      const machine = start(`${ENTER_SUPERVISOR}
        li s0, 0x40000000
        li s1, 0x80012000
        ld a0, 0(s0)          # page 0x8000_8000
        ld t0, 0(s1)
        addi t0, t0, 0x400    # next page
        sd t0, 0(s1)
        ld a1, 0(s0)          # page 0x8000_9000
        sd zero, 0(s1)
        ld a2, 0(s0)          # fault`);
      withTables(machine, 0xcfn);
      machine.ram.store(0x8000, 8, 0x1111n);
      machine.ram.store(0x9000, 8, 0x2222n);
      runToWfi(machine);
      const { hart } = machine;
      expect([hart.read("a0"), hart.read("a1"), hart.read("a2")]).toEqual([0x1111n, 0x2222n, 0n]);
      expect([hart.read("s10"), hart.read("s11")]).toEqual([BigInt(EXCEPTION.loadPageFault), 0x4000_0000n]);
    });

    it("follows SUM and MXR from one instruction to the next (norm:sfence_vma_sum_mxr_effect)", () => {
      const machine = start(`${ENTER_SUPERVISOR}
        li s0, 0x40000000
        li s1, 0x40000        # SUM
        csrs sstatus, s1
        ld a0, 0(s0)
        csrc sstatus, s1
        ld a1, 0(s0)          # fault`);
      withTables(machine, 0xdfn);
      machine.ram.store(0x8000, 8, 0x1111n);
      runToWfi(machine);
      expect([machine.hart.read("a0"), machine.hart.read("a1"), machine.hart.read("s10")]).toEqual([
        0x1111n,
        0n,
        BigInt(EXCEPTION.loadPageFault),
      ]);
    });

    it("follows a change of satp (norm:sfence_vma_mode_effect norm:satp_op_active)", () => {
      const machine = start(`${ENTER_SUPERVISOR}
        li s0, 0x40000000
        ld a0, 0(s0)
        csrw satp, zero
        li s0, 0x80008000
        ld a1, 0(s0)
        li s0, 0x40000000
        ld a2, 0(s0)          # nobody there`);
      withTables(machine, 0xcfn);
      machine.ram.store(0x8000, 8, 0x1111n);
      runToWfi(machine);
      expect([machine.hart.read("a0"), machine.hart.read("a1"), machine.hart.read("s10")]).toEqual([
        0x1111n,
        0x1111n,
        BigInt(EXCEPTION.loadAccessFault),
      ]);
    });

    it("follows a change of PMP", () => {
      const { hart } = run(`
        ${OPEN_PMP}
        la t0, trap
        csrw mtvec, t0
        la t0, user
        csrw mepc, t0
        mret
      user:
        li s0, 0x80008000
        ld a0, 0(s0)
        ecall
      trap:
        csrr s9, mcause
        bnez s10, end
        li s10, 1
        li t0, 0x20001000     # below 0x8000_4000
        csrw pmpaddr0, t0
        li t0, 0x0f
        csrw pmpcfg0, t0
        la t0, user
        csrw mepc, t0
        mret
      end:
        csrr s11, mtval
        wfi`);
      expect([hart.read("s9"), hart.read("s11")]).toEqual([BigInt(EXCEPTION.loadAccessFault), 0x8000_8000n]);
    });

    it("uses MPP's rights under MPRV for data, and its own for fetches (norm:mstatus_mprv_ldst_op norm:mstatus_mprv_inst_xlat_op)", () => {
      const machine = start(`
        ${OPEN_PMP}
        la t0, trap
        csrw mtvec, t0
        li t0, 0x8000000000080010
        csrw satp, t0
        li s0, 0x40000000
        li t0, 0x20800          # MPRV, MPP = S
        csrw mstatus, t0
        ld a0, 0(s0)
        li t0, 0x20000          # MPRV, MPP = U
        csrw mstatus, t0
        ld a1, 0(s0)            # a supervisor page
      trap:
        csrr s10, mcause
        wfi`);
      withTables(machine, 0xcfn);
      machine.ram.store(0x8000, 8, 0x1111n);
      runToWfi(machine);
      expect([machine.hart.read("a0"), machine.hart.read("a1"), machine.hart.read("s10")]).toEqual([
        0x1111n,
        0n,
        BigInt(EXCEPTION.loadPageFault),
      ]);
    });

    it("with ADUE sets A and D in the table; without, faults (norm:menvcfg_adue_op norm:Svadu_hw_update_a_d_bits)", () => {
      const program = (adue: string): BareMachine => {
        const machine = start(`${adue}${ENTER_SUPERVISOR}
          li s0, 0x40000000
          ld a0, 0(s0)
          sd a0, 8(s0)
          ecall`);
        withTables(machine, 0x0fn);
        runToWfi(machine);
        return machine;
      };
      const set = program("li t0, 1\n slli t0, t0, 61\n csrw menvcfg, t0\n");
      expect(set.hart.read("s10")).toBe(BigInt(EXCEPTION.ecallFromS));
      expect(set.ram.load(0x1_2000, 8) & 0xffn).toBe(0xcfn);
      expect(program("").hart.read("s10")).toBe(BigInt(EXCEPTION.loadPageFault));
    });

    it("reports the half that fails of an access across two pages, and writes nothing (norm:mtval_vaddr_wr2 norm:mtval_vaddr_wr1 norm:mtval_vaddr_not_paddr norm:stval_op_load_store_fault)", () => {
      const machine = start(`${ENTER_SUPERVISOR}
        li s0, 0x40000ffc
        li a0, -1
        sd a0, 0(s0)`);
      withTables(machine, 0xcfn);
      runToWfi(machine);
      expect([machine.hart.read("s10"), machine.hart.read("s11")]).toEqual([
        BigInt(EXCEPTION.storePageFault),
        0x4000_1000n,
      ]);
      expect(machine.ram.load(0x8ff8, 8)).toBe(0n);
    });

    it("reaches devices with their natural alignment only, and faults where a device refuses", () => {
      const machine = start(`
        la t0, trap
        csrw mtvec, t0
        li s0, 0x10000000
        lw a0, 4(s0)
        sb a0, 9(s0)
        sd a0, 0x10(s0)
        lbu a1, 0(s0)
        lw a2, 2(s0)
        sw a2, 0x80(s0)
        lw a3, 0x80(s0)
        wfi
      trap:
        csrr t1, mcause
        slli s1, s1, 8
        or s1, s1, t1
        csrr t1, mepc
        addi t1, t1, 4
        csrw mepc, t1
        mret`);
      const device = new Recorder();
      expect(machine.bus.attach(0x1000_0000, device)).toBeUndefined();
      runToWfi(machine);
      const { hart } = machine;
      expect(device.log).toEqual([
        "load 4 4",
        "store 9 1 f1",
        "store 16 8 fffffffffffffff1",
        "load 0 1",
        "store 128 4 0",
        "load 128 4",
      ]);
      expect([hart.read("a0"), hart.read("a1"), hart.read("s1")]).toEqual([
        2n ** 64n - 15n,
        0xf4n,
        0x05_07_05n,
      ]);
    });

    it("never fetches from a device's registers, but does from one that holds code", () => {
      const machine = start(
        "la t0, trap\n csrw mtvec, t0\n li t0, 0x10000000\n jr t0\n trap: csrr a1, mtval\n csrr a0, mcause\n wfi",
      );
      const device = new Recorder();
      machine.bus.attach(0x1000_0000, device);
      runToWfi(machine);
      expect([device.log, machine.hart.read("a0"), machine.hart.read("a1")]).toEqual([[], 1n, 0x1000_0000n]);

      const withRom = start("li t0, 0x1000\n jr t0\n nop");
      withRom.bus.attach(0x1000, new Rom(4096, assembled("li a0, 7\n wfi").bytes));
      runToWfi(withRom);
      expect(withRom.hart.read("a0")).toBe(7n);
    });

    it("traps at an address that is not aligned, should somebody set the pc to one", () => {
      const machine = start("nop\n nop");
      machine.hart.pc = 0x8000_0001n;
      expect(machine.engine.step()).toMatchObject({
        cause: EXCEPTION.instructionAddressMisaligned,
        tval: 0x8000_0001n,
      });
    });

    it("stops for an alarm after the instruction at which it is due", () => {
      const machine = start("1: j 1b");
      machine.clock.alarm(() => {}).set(10);
      expect(machine.engine.run(100)).toEqual({ reason: "alarm", steps: 10 });
      expect(machine.clock.retired).toBe(10);
      expect(machine.engine.run(100)).toEqual({ reason: "alarm", steps: 0 });
    });

    it("ends a run of endless traps when the budget is used up", () => {
      const machine = start("ecall");
      machine.hart.state.setStored("mtvec", 0n);
      expect(machine.engine.run(50)).toEqual({ reason: "steps", steps: 50 });
      expect(machine.clock.retired).toBe(0);
    });

    it("stops where a condition holds", () => {
      const text = `${OPEN_PMP}\n la t0, there\n csrw mepc, t0\n mret\n there: nop\n nop\n ecall`;
      const machine = start(text);
      expect(machine.engine.run(100, { mode: "U" }).reason).toBe("condition");
      expect(machine.hart.mode).toBe("U");
      const target = machine.hart.pc + 4n;
      expect(machine.engine.run(100, { pc: target })).toEqual({ reason: "condition", steps: 1 });
      expect(machine.engine.run(100, { trap: true })).toEqual({ reason: "condition", steps: 2 });
    });
  });
}
