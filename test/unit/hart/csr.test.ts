/** CSRs as the manual describes them, seen through the instructions that use them. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { CSR_NAMES, CSRS, type CsrName, decodeCsr, encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
});

const ALL_ONES = 2n ** 64n - 1n;
const write = (name: CsrName, value: bigint): bigint => {
  writeCsr(machine.hart, name, value);
  return machine.hart.csr(name);
};

/** Executes one line in a mode with all of memory open; the exception's code, or undefined. */
function causeOf(line: string, mode: Mode): number | undefined {
  loadText(machine, line);
  writeCsr(machine.hart, "pmpaddr0", ALL_ONES);
  writeCsr(machine.hart, "pmpcfg0", 0x1fn);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  return machine.engine.step()?.cause;
}

describe("fields keep to their rules", () => {
  it("mstatus keeps MPP when 2 is written, and has 64-bit modes below (norm:mstatus_xpp_warl norm:mstatus_mpp_sz norm:mstatus_sxl_rdonly_mxlen64 norm:mstatus_uxl_rdonly_mxlen64 norm:mstatus_sxl_uxl_enc norm:mstatus_sd_op1 norm:mstatus_fs_vs_warl norm:Zicsr_write_ro norm:Zicsr_warl)", () => {
    write("mstatus", encodeCsr("mstatus", { MPP: 1 }));
    expect(decodeCsr("mstatus", write("mstatus", encodeCsr("mstatus", { MPP: 2 }))).MPP).toBe(1n);
    expect(decodeCsr("mstatus", write("mstatus", ALL_ONES))).toMatchObject({
      UXL: 2n,
      SXL: 2n,
      FS: 3n,
      VS: 0n,
      SD: 1n,
      MBE: 0n,
      MPP: 3n,
      TSR: 1n,
      TW: 1n,
      TVM: 1n,
    });
  });

  it("satp is left alone altogether when its mode is not supported (norm:satp_mode_op_unsupported norm:satp_mode_sxlen64 norm:satp)", () => {
    const sv39 = encodeCsr("satp", { MODE: 8, ASID: 5, PPN: 0x80000 });
    expect(write("satp", sv39)).toBe(sv39);
    expect(write("satp", encodeCsr("satp", { MODE: 10, PPN: 1 }))).toBe(sv39);
    expect(write("satp", encodeCsr("satp", { PPN: 1 }))).toBe(1n);
  });

  it("mtvec is left alone altogether when a reserved mode is written, as on QEMU", () => {
    expect(write("mtvec", 0x8000_0001n)).toBe(0x8000_0001n);
    expect(write("mtvec", 0x9000_0002n)).toBe(0x8000_0001n);
  });

  it("mepc and sepc are aligned to two bytes, as compressed instructions are (norm:mepc_align norm:sepc norm:mepc_warl)", () => {
    expect(write("mepc", 0x8000_0003n)).toBe(0x8000_0002n);
    expect(write("sepc", ALL_ONES)).toBe(ALL_ONES - 1n);
  });

  it("medeleg cannot delegate calls from machine mode, mideleg no machine interrupt (norm:medeleg_enc_img norm:mideleg_enc_img norm:medeleg_no_rd1 norm:medeleg_when_rd0 norm:medeleg_mideleg_warl)", () => {
    expect(write("medeleg", ALL_ONES)).toBe(0xf0_b7ffn);
    expect(write("mideleg", ALL_ONES)).toBe(0x1666n);
  });

  it("misa says RV64IMAFDC with B, H, S and U, and does not change (norm:misa_csr_implemented norm:misa_extensions_enc_tbl norm:misa_mxl_acc norm:misa_i_op norm:misa_m_op norm:misa_b_op norm:misa_s_op norm:misa_u_op norm:misa_mxl_op_isa)", () => {
    expect(write("misa", 0n)).toBe((2n << 62n) | 0x1411afn);
  });

  it("read-only registers have the values of this hart (norm:mvendorid_always_rd norm:marchid_always_rd norm:mimpid_always_rd norm:mhartid_always_rd norm:mconfigptr_op norm:mhartid_one_is_zero norm:mhpmcounter_mhpmevent_rdonly0)", () => {
    for (const name of [
      "mvendorid",
      "marchid",
      "mimpid",
      "mhartid",
      "mconfigptr",
      "mhpmcounter3",
      "mhpmevent31",
    ] as const) {
      expect(write(name, ALL_ONES), name).toBe(0n);
    }
  });

  it("hold after any sequence of writes: no bit outside a field, no illegal value in one (norm:Zicsr_warl norm:Zicsr_wpri_roz norm:warl_rst)", () => {
    const names = CSR_NAMES.filter((name) => !CSRS[name].access.endsWith("RO"));
    const writes = fc.array(fc.tuple(fc.constantFrom(...names), fc.bigInt({ min: 0n, max: ALL_ONES })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(writes, (sequence) => {
        const { hart } = bareMachine({ ramBytes: 4096 });
        for (const [name, value] of sequence) writeCsr(hart, name, value);
        for (const name of CSR_NAMES) {
          let rest = hart.csr(name);
          for (const place of Object.values(CSRS[name].fields)) {
            const value = (rest >> BigInt(place.lsb)) & ((1n << BigInt(place.width)) - 1n);
            if (typeof place.rule === "object") expect(place.rule.legal, name).toContain(value);
          }
          for (const place of Object.values(CSRS[name].fields))
            rest &= ~(((1n << BigInt(place.width)) - 1n) << BigInt(place.lsb));
          expect(rest, name).toBe(0n);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe("views", () => {
  it("sstatus shows and changes the supervisor's part of mstatus alone (norm:sstatus norm:sstatus_spp)", () => {
    write("mstatus", encodeCsr("mstatus", { MIE: 1, MPP: 3, TVM: 1 }));
    expect(write("sstatus", ALL_ONES)).toBe(
      encodeCsr("sstatus", { SIE: 1, SPIE: 1, SPP: 1, FS: 3, SUM: 1, MXR: 1, UXL: 2, SD: 1 }),
    );
    expect(decodeCsr("mstatus", machine.hart.csr("mstatus"))).toMatchObject({
      MIE: 1n,
      MPIE: 0n,
      MPP: 3n,
      TVM: 1n,
      TW: 0n,
      SUM: 1n,
      SIE: 1n,
    });
  });

  it("sie and sip show delegated interrupts only, and sip lets software change SSIP only (norm:sie_acc norm:sip_op norm:sip_acc norm:mip_mtip_rdonly norm:mip_msip_rdonly norm:mip_meip_rdonly norm:mip_seip_acc norm:mip_ssip_acc norm:mie_bits_rdonly0)", () => {
    write("mie", ALL_ONES);
    expect(machine.hart.csr("mie")).toBe(0x1eeen);
    expect(machine.hart.csr("sie")).toBe(0n);
    write("mideleg", 0x222n);
    expect(machine.hart.csr("sie")).toBe(0x222n);
    write("sie", 0n);
    expect(machine.hart.csr("mie")).toBe(0x1cccn);
    expect(write("sip", ALL_ONES)).toBe(0x2n);
    expect(write("mip", ALL_ONES)).toBe(0x226n);
    expect(write("sip", 0n)).toBe(0x220n);
  });

  it("mip shows a wire without letting csrrs keep it (norm:mip_seip_rdcsr norm:mip_seip_wrcsr norm:intr_sei_op)", () => {
    machine.hart.state.wiresPending = 1n << 9n;
    loadText(machine, "li t0, 2\n csrrs a0, mip, t0");
    machine.engine.run(2);
    expect(machine.hart.read("a0")).toBe(1n << 9n);
    machine.hart.state.wiresPending = 0n;
    expect(machine.hart.csr("mip")).toBe(2n);
  });
});

describe("who may", () => {
  const ILLEGAL = EXCEPTION.illegalInstruction;

  it("a mode below the register's own gets an illegal instruction, for reading too (norm:Zicsr_access norm:Zicsr_illegal_mode norm:Zicsr_higher_priv norm:M_access_all_lower_priv_CSRs norm:pmp_csr_mode norm:non_priv_exc)", () => {
    for (const name of CSR_NAMES) {
      // The hypervisor's level is supervisor mode where no guest runs.
      const lowest = CSRS[name].access.charAt(0).replace("H", "S") as Mode;
      const isCounter =
        name === "cycle" || name === "time" || name === "instret" || name.startsWith("hpmcounter");
      for (const mode of ["U", "S", "M"] as const) {
        machine = bareMachine({ ramBytes: 4096 });
        const isClosed = isCounter || name === "stimecmp" || name === "vstimecmp";
        const isFloat = name === "fflags" || name === "frm" || name === "fcsr";
        const allowed = MODE_NUMBER[mode] >= MODE_NUMBER[lowest] && (mode === "M" || !isClosed) && !isFloat;
        expect(causeOf(`csrr a0, ${name}`, mode), `${name} in ${mode}`).toBe(allowed ? undefined : ILLEGAL);
      }
    }
  });

  it("writing a read-only register is illegal even in machine mode, but csrrs with x0 does not write (norm:Zicsr_illegal_acc norm:Zicsr_rw norm:csrrs_csrrc_rs1_x0 norm:csrrsi_csrrci_uimm_zero)", () => {
    expect(causeOf("csrw mhartid, zero", "M")).toBe(ILLEGAL);
    expect(causeOf("csrrs a0, mhartid, zero", "M")).toBeUndefined();
    expect(causeOf("csrrsi a0, cycle, 0", "M")).toBeUndefined();
    expect(causeOf("csrrsi a0, cycle, 1", "M")).toBe(ILLEGAL);
  });

  it("an address without a register is illegal in every mode", () => {
    for (const address of [0x000, 0x3a1, 0x3a3, 0x7c0, 0xfff, 0x201, 0x601, 0x3c0]) {
      expect(causeOf(`csrr a0, ${address}`, "M"), address.toString(16)).toBe(ILLEGAL);
    }
  });

  it("counters need the bits of every mode above (norm:mcounteren_clr_ill_inst_exc norm:mcounteren_set_nxt_priv norm:scounteren_op norm:mcounteren_op norm:scounteren norm:cycle_instret_hpmcounter_op_rdonly)", () => {
    for (const [name, bit] of [
      ["cycle", 1n],
      ["time", 2n],
      ["instret", 4n],
    ] as const) {
      const cause = (mode: Mode, mcounteren: bigint, scounteren: bigint): number | undefined => {
        machine = bareMachine({ ramBytes: 4096 });
        write("mcounteren", mcounteren);
        write("scounteren", scounteren);
        return causeOf(`csrr a0, ${name}`, mode);
      };
      expect(cause("S", bit, 0n)).toBeUndefined();
      expect(cause("S", 7n & ~bit, 7n)).toBe(ILLEGAL);
      expect(cause("U", bit, bit)).toBeUndefined();
      expect(cause("U", bit, 7n & ~bit)).toBe(ILLEGAL);
      expect(cause("U", 7n & ~bit, bit)).toBe(ILLEGAL);
    }
  });

  it("TVM takes satp away from supervisor mode (norm:mstatus_tvm_warl_op)", () => {
    expect(causeOf("csrr a0, satp", "S")).toBeUndefined();
    write("mstatus", encodeCsr("mstatus", { TVM: 1 }));
    expect(causeOf("csrr a0, satp", "S")).toBe(ILLEGAL);
    expect(causeOf("csrw satp, zero", "S")).toBe(ILLEGAL);
    expect(causeOf("csrr a0, satp", "M")).toBeUndefined();
  });

  it("the refused word is in mtval (norm:mtval_ill_instr_exc_in_low_bits norm:mtval_instr_bits_lead-in)", () => {
    causeOf("csrr a0, mhartid", "U");
    expect(machine.hart.csr("mtval")).toBe(0xf140_2573n);
  });
});

describe("counters", () => {
  it("count instructions, and read what was written right after writing (norm:mcycle_minstret_wr norm:minstret_op norm:mcycle_op norm:mcycle_minstret_sz norm:csrr_order norm:csrw_order)", () => {
    loadText(
      machine,
      "csrr a0, minstret\n nop\n csrr a1, minstret\n li t0, 1000\n csrw minstret, t0\n csrr a2, minstret\n csrr a3, mcycle",
    );
    machine.engine.run(7);
    expect(machine.hart.read("a0")).toBe(0n);
    expect(machine.hart.read("a1")).toBe(2n);
    expect(machine.hart.read("a2")).toBe(1000n);
    expect(machine.hart.read("a3")).toBe(6n);
  });

  it("stand still while inhibited, and go on from there (norm:mcountinhibit_op2 norm:mcountinhibit_enc_img norm:mcountinhibit_only_inc)", () => {
    loadText(
      machine,
      "csrwi mcountinhibit, 4\n csrr a0, minstret\n nop\n nop\n csrr a1, minstret\n csrwi mcountinhibit, 0\n nop\n csrr a2, minstret\n csrr a3, mcycle",
    );
    machine.engine.run(9);
    expect(machine.hart.read("a1")).toBe(machine.hart.read("a0"));
    expect(machine.hart.read("a2")).toBe(machine.hart.read("a1") + 2n);
    expect(machine.hart.read("a3")).toBe(8n);
  });

  it("do not count an instruction that traps (norm:ecall_ebreak_no_minstret_inc)", () => {
    loadText(machine, "ecall");
    machine.engine.step();
    expect(machine.hart.retired).toBe(0);
    expect(machine.clock.retired).toBe(0);
  });

  it("of programs show machine mode's, and cannot be written (norm:zicntr_rdcycle_op norm:zicntr_rdinstret_op norm:zihpm_op_sz_mode_acc_priv)", () => {
    loadText(
      machine,
      "nop\n nop\n rdcycle a0\n rdinstret a1\n csrwi mcountinhibit, 4\n nop\n rdinstret a2\n rdinstret a3",
    );
    machine.engine.run(8);
    const read = (["a0", "a1"] as const).map((name) => machine.hart.read(name));
    expect(read).toEqual([2n, 3n]);
    expect(machine.hart.read("a3")).toBe(machine.hart.read("a2"));
    for (const name of ["cycle", "instret"]) {
      loadText(machine, `csrw ${name}, zero`);
      machine.engine.step();
      expect(machine.hart.csr("mcause")).toBe(BigInt(EXCEPTION.illegalInstruction));
      write("mcause", 0n);
    }
  });

  it("time follows the clock (norm:time_op_rdonly norm:zicntr_rdtime_op)", () => {
    loadText(machine, `${"nop\n".repeat(25)} csrr a0, time`);
    machine.engine.run(26);
    expect(machine.hart.read("a0")).toBe(machine.clock.mtime);
    expect(machine.hart.read("a0")).toBe(2n);
  });
});

describe("PMP registers", () => {
  it("are locked by L until reset, and the entry below a locked TOR entry too (norm:pmp_l_bit_write_protection norm:pmp_l_bit_function norm:pmp_A_L_rst)", () => {
    write("pmpaddr0", 100n);
    write("pmpaddr1", 200n);
    write("pmpcfg0", 0x89_00n); // entry 1: L, TOR, R
    expect(write("pmpcfg0", 0n)).toBe(0x89_00n);
    expect(write("pmpaddr1", 1n)).toBe(200n);
    expect(write("pmpaddr0", 1n)).toBe(100n);
    expect(write("pmpaddr2", 1n)).toBe(1n);
    machine.hart.reset();
    expect(machine.hart.csr("pmpcfg0")).toBe(0n);
  });

  it("hold 54 address bits, and no entry that writes without reading (norm:pmp_addr_encoding norm:pmp_rwx_warl norm:pmp_cfg_rv64_layout norm:pmp_addr_warl)", () => {
    expect(write("pmpaddr7", ALL_ONES)).toBe((1n << 54n) - 1n);
    expect(write("pmpcfg2", 0x1a1fn)).toBe(0x001fn);
  });
});

describe("encodeCsr and decodeCsr", () => {
  it("are inverse on all fields", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CSR_NAMES), fc.bigInt({ min: 0n, max: ALL_ONES }), (name, value) => {
        const fields = decodeCsr(name, value);
        expect(decodeCsr(name, encodeCsr(name, fields))).toEqual(fields);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("read the fields that the manual draws", () => {
    expect(decodeCsr("mstatus", 0xa0000_1888n)).toMatchObject({
      MIE: 1n,
      MPIE: 1n,
      MPP: 3n,
      UXL: 2n,
      SXL: 2n,
      SIE: 0n,
    });
    expect(decodeCsr("mcause", (1n << 63n) | 7n)).toEqual({ interrupt: 1n, code: 7n });
  });
});
