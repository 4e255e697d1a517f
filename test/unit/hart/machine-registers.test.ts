/**
 * Machine and supervisor registers as the manual draws them: address, access and every field by its highest and lowest bit.
 * Fields of extensions that this machine has not got are left out; what a write leaves of all ones stands beside them.
 */
import { beforeEach, describe, expect, it } from "vitest";
import type { BitField } from "../../../lib/bits/field.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { CSRS, type CsrName } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION, INTERRUPT } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const ALL_ONES = 2n ** 64n - 1n;
const ILLEGAL = 2;

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  writeCsr(machine.hart, "pmpaddr0", ALL_ONES);
  writeCsr(machine.hart, "pmpcfg0", 0x1fn);
  writeCsr(machine.hart, "mcounteren", ALL_ONES);
  writeCsr(machine.hart, "menvcfg", 1n << 63n);
  writeCsr(machine.hart, "mstatus", 1n << 13n);
});

/** The exception that a line raises, or `undefined`. */
function causeIn(mode: Mode, line: string): number | undefined {
  loadText(machine, line);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  return machine.engine.step()?.cause;
}

type Figure = Readonly<Record<string, readonly [number, number]>>;
const WHOLE: Figure = { value: [63, 0] };
const COUNTERS: Figure = { CY: [0, 0], TM: [1, 1], IR: [2, 2], HPM: [31, 3] };
const bitsAt = (names: string, places: readonly number[]): Figure =>
  Object.fromEntries(names.split(" ").map((name, at) => [name, [places[at] ?? -1, places[at] ?? -1]]));
const INTERRUPT_BITS = [1, 2, 3, 5, 6, 7, 9, 10, 11, 12];

/** Register, address, fields, all ones written, the manual's rules. */
const FIGURES: readonly (readonly [CsrName, number, Figure, bigint | undefined, string])[] = [
  [
    "mstatus",
    0x300,
    {
      ...bitsAt("SIE MIE SPIE UBE MPIE SPP", [1, 3, 5, 6, 7, 8]),
      ...{ VS: [10, 9], MPP: [12, 11], FS: [14, 13], XS: [16, 15] },
      ...bitsAt("MPRV SUM MXR TVM TW TSR", [17, 18, 19, 20, 21, 22]),
      ...{ UXL: [33, 32], SXL: [35, 34] },
      ...bitsAt("SBE MBE GVA MPV SD", [36, 37, 38, 39, 63]),
    },
    undefined,
    "norm:mstatus_sz_acc",
  ],
  [
    "misa",
    0x301,
    { extensions: [25, 0], MXL: [63, 62] },
    undefined,
    "norm:misa_sz norm:misa_always_rd norm:misa_mxl_acc",
  ],
  [
    "medeleg",
    0x302,
    {
      user: [8, 0],
      ...bitsAt("ecallFromS ecallFromVs ecallFromM", [9, 10, 11]),
      ...bitsAt("instructionPageFault loadPageFault storePageFault", [12, 13, 15]),
      ...bitsAt(
        "instructionGuestPageFault loadGuestPageFault virtualInstruction storeGuestPageFault",
        [20, 21, 22, 23],
      ),
    },
    0xf0_b7ffn,
    "norm:medeleg_sz_acc norm:medeleg_enc_img norm:medeleg_enc_txt",
  ],
  [
    "mideleg",
    0x303,
    bitsAt("SSI VSSI MSI STI VSTI MTI SEI VSEI MEI SGEI", INTERRUPT_BITS),
    0x1666n,
    "norm:mideleg_sz_acc norm:mideleg_enc_img norm:mideleg_enc_txt",
  ],
  [
    "mie",
    0x304,
    bitsAt("SSIE VSSIE MSIE STIE VSTIE MTIE SEIE VSEIE MEIE SGEIE", INTERRUPT_BITS),
    0x1eeen,
    "norm:mie_sz_acc norm:mie_std_enc_img norm:mie_bits_wr norm:mie_bits_rdonly0",
  ],
  [
    "mip",
    0x344,
    bitsAt("SSIP VSSIP MSIP STIP VSTIP MTIP SEIP VSEIP MEIP SGEIP", INTERRUPT_BITS),
    0x206n,
    "norm:mip_sz_acc norm:mip_std_enc_img",
  ],
  [
    "mtvec",
    0x305,
    { MODE: [1, 0], BASE: [63, 2] },
    0n,
    "norm:mtvec_sz_warl_acc norm:mtvec_enc norm:mtvec_mode_enc",
  ],
  ["mcounteren", 0x306, COUNTERS, 7n, "norm:mcounteren_sz norm:mcounteren_enc_img norm:mcounteren_op"],
  [
    "mcountinhibit",
    0x320,
    { CY: [0, 0], IR: [2, 2], HPM: [31, 3] },
    5n,
    "norm:mcountinhibit_sz_warl_op1 norm:mcountinhibit_enc_img",
  ],
  ["mscratch", 0x340, WHOLE, ALL_ONES, "norm:mscratch_sz_acc norm:mscratch_enc_img"],
  [
    "mepc",
    0x341,
    { mepc: [63, 1] },
    ALL_ONES - 1n,
    "norm:mepc_sz_acc norm:mepc_op norm:mepc_align norm:mepc_warl",
  ],
  ["mcause", 0x342, { code: [62, 0], interrupt: [63, 63] }, ALL_ONES, "norm:mcause_sz_acc norm:mcause_op"],
  ["mtval", 0x343, WHOLE, ALL_ONES, "norm:mtval_sz_acc norm:mtval_op norm:mtval_warl"],
  [
    "menvcfg",
    0x30a,
    bitsAt("FIOM ADUE PBMTE STCE", [0, 61, 62, 63]),
    (7n << 61n) | 1n,
    "norm:menvcfg_sz_acc norm:menvcfg_enc_img norm:Svadu_hw_update_a_d_bits norm:stce_bit_exist",
  ],
  ["mvendorid", 0xf11, WHOLE, 0n, "norm:mvendorid_sz_acc_op norm:mvendorid_always_rd"],
  ["marchid", 0xf12, WHOLE, 0n, "norm:marchid_sz_acc_op norm:marchid_always_rd"],
  ["mimpid", 0xf13, WHOLE, 0n, "norm:mimpid_op norm:mimpid_always_rd"],
  ["mhartid", 0xf14, WHOLE, 0n, "norm:mhartid_sz_acc_op norm:mhartid_always_rd norm:mhartid_one_is_zero"],
  [
    "mconfigptr",
    0xf15,
    WHOLE,
    0n,
    "norm:mconfigptr_sz_acc norm:mconfigptr_mandatory norm:mconfigptr_val norm:mconfigptr_op",
  ],
  ["mcycle", 0xb00, WHOLE, undefined, "norm:mcycle_minstret_sz norm:mcycle_op"],
  ["minstret", 0xb02, WHOLE, undefined, "norm:mcycle_minstret_sz norm:minstret_op"],
  [
    "cycle",
    0xc00,
    WHOLE,
    undefined,
    "norm:cycle_instret_hpmcounter_op_rdonly norm:zihpm_op_sz_mode_acc_priv",
  ],
  ["time", 0xc01, WHOLE, undefined, "norm:time_op_rdonly"],
  [
    "instret",
    0xc02,
    WHOLE,
    undefined,
    "norm:cycle_instret_hpmcounter_op_rdonly norm:zihpm_op_sz_mode_acc_priv",
  ],
  [
    "sstatus",
    0x100,
    {
      ...bitsAt("SIE SPIE UBE SPP", [1, 5, 6, 8]),
      ...{ VS: [10, 9], FS: [14, 13], XS: [16, 15] },
      ...bitsAt("SUM MXR", [18, 19]),
      ...{ UXL: [33, 32], SD: [63, 63] },
    },
    (1n << 63n) | (2n << 32n) | 0xc_6122n,
    "norm:sstatus norm:sstatus_spp",
  ],
  ["sie", 0x104, bitsAt("SSIE STIE SEIE", [1, 5, 9]), 0n, "norm:sip_sie norm:sie_acc"],
  ["sip", 0x144, bitsAt("SSIP STIP SEIP", [1, 5, 9]), 0n, "norm:sip_sie norm:sip_op norm:sip_sie_bits_sz"],
  ["stvec", 0x105, { MODE: [1, 0], BASE: [63, 2] }, 0n, "norm:stvec norm:stvec_op"],
  ["sscratch", 0x140, WHOLE, ALL_ONES, "norm:sscratch"],
  ["sepc", 0x141, { sepc: [63, 1] }, ALL_ONES - 1n, "norm:sepc norm:sepc_op_trap_write"],
  [
    "scause",
    0x142,
    { code: [62, 0], interrupt: [63, 63] },
    ALL_ONES,
    "norm:scause norm:scause_exception_code_sz",
  ],
  ["stval", 0x143, WHOLE, ALL_ONES, "norm:stval norm:stval_acc"],
  ["satp", 0x180, { PPN: [43, 0], ASID: [59, 44], MODE: [63, 60] }, 0n, "norm:satp"],
  ["scounteren", 0x106, COUNTERS, 7n, "norm:scounteren norm:scounteren_op norm:scounteren_acc"],
  ["senvcfg", 0x10a, { FIOM: [0, 0] }, 1n, "norm:senvcfg"],
  ["stimecmp", 0x14d, WHOLE, ALL_ONES, "norm:stimecmp_stimecmph_sz_acc norm:stimecmp_exist"],
  [
    "fcsr",
    0x003,
    { ...bitsAt("NX UF OF DZ NV", [0, 1, 2, 3, 4]), frm: [7, 5] },
    0xffn,
    "norm:fcsr_op_sz_acc norm:fcsr_fflags_op",
  ],
  [
    "fflags",
    0x001,
    bitsAt("NX UF OF DZ NV", [0, 1, 2, 3, 4]),
    0x1fn,
    "norm:fcsr_fflags_op norm:fflags_frm_op_sz_acc",
  ],
  ["frm", 0x002, { frm: [2, 0] }, 7n, "norm:roundingmode_dynamic norm:fflags_frm_op_sz_acc"],
];

describe("the manual's figure", () => {
  it.each(FIGURES)("of %s, at address %i (%o, %s, %s)", (name, address, figure, ones) => {
    expect(CSRS[name].address).toBe(address);
    const fields: Readonly<Record<string, BitField>> = CSRS[name].fields;
    const places = Object.entries(fields).map(([field, { lsb, width }]) => [field, [lsb + width - 1, lsb]]);
    expect(Object.fromEntries(places)).toEqual(figure);
    const lowest = (address >> 8) & 3;
    for (const mode of ["U", "S", "M"] as const) {
      const isCounterOfUser = mode === "U" && address >> 8 === 0xc;
      const isAllowed = MODE_NUMBER[mode] >= lowest && !isCounterOfUser;
      expect(causeIn(mode, `csrr a0, ${address}`), mode).toBe(isAllowed ? undefined : ILLEGAL);
    }
    if (ones === undefined) return;
    writeCsr(machine.hart, "mideleg", 0n);
    writeCsr(machine.hart, name, ALL_ONES);
    expect(machine.hart.csr(name)).toBe(ones);
  });
});

it("the causes and interrupts have the manual's numbers (norm:mcause_exccode_enc_img norm:mip_std_enc_img norm:mip_mie_enc_txt)", () => {
  expect(EXCEPTION).toEqual({
    instructionAddressMisaligned: 0,
    instructionAccessFault: 1,
    illegalInstruction: 2,
    breakpoint: 3,
    loadAddressMisaligned: 4,
    loadAccessFault: 5,
    storeAddressMisaligned: 6,
    storeAccessFault: 7,
    ecallFromU: 8,
    ecallFromS: 9,
    ecallFromVs: 10,
    ecallFromM: 11,
    instructionPageFault: 12,
    loadPageFault: 13,
    storePageFault: 15,
    instructionGuestPageFault: 20,
    loadGuestPageFault: 21,
    virtualInstruction: 22,
    storeGuestPageFault: 23,
  });
  expect(INTERRUPT).toEqual({
    supervisorSoftware: 1,
    virtualSupervisorSoftware: 2,
    machineSoftware: 3,
    supervisorTimer: 5,
    virtualSupervisorTimer: 6,
    machineTimer: 7,
    supervisorExternal: 9,
    virtualSupervisorExternal: 10,
    machineExternal: 11,
    supervisorGuestExternal: 12,
  });
});

it("the privilege levels have the manual's numbers (norm:priv_levels_tbl norm:priv_levels-txt)", () => {
  expect(MODE_NUMBER).toMatchObject({ U: 0, S: 1, M: 3 });
});

it("after reset the hart is in machine mode, with interrupts off, MPRV off and nothing reserved (norm:M-mode_at_rst1 norm:M-mode_at_rst2 norm:mstatus_mie_mprv_rst norm:hgatp_vsatp_mode_rst norm:ld_rsv_rst norm:pmp_A_L_rst norm:mcause_rst_zero norm:pc_rst)", () => {
  writeCsr(machine.hart, "mstatus", ALL_ONES);
  writeCsr(machine.hart, "hgatp", 8n << 60n);
  writeCsr(machine.hart, "vsatp", 8n << 60n);
  writeCsr(machine.hart, "mcause", 7n);
  writeCsr(machine.hart, "pmpcfg0", 0x9fn);
  machine.hart.state.reservation = 1n;
  machine.hart.state.modeNumber = MODE_NUMBER.U;
  machine.hart.reset();
  expect([machine.hart.mode, machine.hart.pc]).toEqual(["M", 0x8000_0000n]);
  expect(machine.hart.csr("mstatus") & ((1n << 17n) | (1n << 3n))).toBe(0n);
  expect((["hgatp", "vsatp", "mcause", "pmpcfg0"] as const).map((name) => machine.hart.csr(name))).toEqual([
    0n,
    0n,
    0n,
    0n,
  ]);
  expect(machine.hart.state.reservation).toBe(0n);
});
