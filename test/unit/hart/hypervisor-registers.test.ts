/** Hypervisor and virtual supervisor registers: what each keeps of all ones and of zero, and who may use it. */
import { beforeEach, describe, expect, it } from "vitest";
import type { BitField } from "../../../lib/bits/field.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { CSRS, type CsrName } from "../../../lib/isa/csr-map.ts";
import { decode } from "../../../lib/isa/decode.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION, INTERRUPT } from "../../../lib/isa/trap.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const ALL_ONES = 2n ** 64n - 1n;
const UXL_64 = 2n << 32n;

let machine: BareMachine;
beforeEach(() => {
  machine = bareMachine();
  set("pmpaddr0", 2n ** 54n - 1n);
  set("pmpcfg0", 0x1fn);
  set("menvcfg", ALL_ONES);
  set("mcounteren", 7n);
  set("hideleg", ALL_ONES);
});
const set = (name: CsrName, value: bigint): void => writeCsr(machine.hart, name, value);
const get = (name: CsrName): bigint => machine.hart.csr(name);

function causeIn(mode: Mode, line: string): number | undefined {
  let cause: number | undefined;
  const stop = machine.hart.onTrap((event) => {
    cause = event.trap.cause;
  });
  loadText(machine, line);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  machine.engine.step();
  stop();
  return cause;
}

/** Register, what all ones leave, what zero leaves, the manual's rules. */
const SHAPES: readonly (readonly [CsrName, bigint, bigint, string])[] = [
  [
    "hstatus",
    UXL_64 | 0x70_03c0n,
    UXL_64,
    "norm:hstatus_sz_acc_op norm:vsxl_ro norm:hstatus_vsxl_64 norm:hstatus_vsbe_op",
  ],
  ["hedeleg", 0xb1ffn, 0n, "norm:hedeleg_img norm:hedeleg_sz_acc"],
  ["hideleg", 0x444n, 0n, "norm:hideleg_img norm:hideleg_sz_acc norm:vsip_vsie_lcofi"],
  ["hie", 0x1444n, 0n, "norm:hie_img norm:hip_hie_sz_acc"],
  ["hip", 4n, 0n, "norm:hip_img norm:hip_op"],
  ["hvip", 0x444n, 0n, "norm:hvip_img norm:hvip_sz_op"],
  ["hgeie", 0xfen, 0n, "norm:hgeie_img norm:hgeie_sz_acc_op norm:geilen norm:hgeip_hgeie_fields"],
  ["hgeip", 0n, 0n, "norm:hgeip_sz_acc_op"],
  ["hcounteren", 7n, 0n, "norm:hcounteren_sz norm:hcounteren_warl"],
  [
    "henvcfg",
    (7n << 61n) | 1n,
    0n,
    "norm:henvcfg_sz_acc_op norm:Svadu_hypervisor_adue_writable norm:stce_bit_exist",
  ],
  ["htimedelta", ALL_ONES, 0n, "norm:htimedelta_sz_acc_op"],
  ["htval", ALL_ONES, 0n, "norm:htval_sz_acc_op norm:htval_val"],
  ["htinst", ALL_ONES, 0n, "norm:htinst_sz_acc_op norm:htinst_val"],
  ["mtval2", ALL_ONES, 0n, "norm:mtval2_sz_acc_op norm:mtval2_val"],
  ["mtinst", ALL_ONES, 0n, "norm:mtinst_sz_acc_op norm:mtinst_val"],
  [
    "vsstatus",
    UXL_64 | (1n << 63n) | 0xc_6122n,
    UXL_64,
    "norm:vsstatus_sz_acc_op norm:vsstatus_uxl_op norm:vsstatus_ube norm:vsstatus_vs_op",
  ],
  ["vsie", 0x222n, 0n, "norm:vsie_img norm:vsip_vsie_sz_acc_op"],
  ["vsip", 2n, 0n, "norm:vsip_img"],
  ["vstvec", 0n, 0n, "norm:vstvec_img norm:vstvec_sz_acc_op"],
  ["vsscratch", ALL_ONES, 0n, "norm:vsscratch_sz_acc_op"],
  ["vsepc", ALL_ONES - 1n, 0n, "norm:vspec_sz_acc_op norm:vsepc_warl"],
  ["vscause", ALL_ONES, 0n, "norm:vscause_sz_acc_op norm:vscause_wlrl"],
  ["vstval", ALL_ONES, 0n, "norm:vstval_sz_acc_op norm:vstval_warl"],
  ["vstimecmp", ALL_ONES, 0n, "norm:vstimecmp_sz"],
  ["vsatp", ALL_ONES >> 4n, 0n, "norm:vsatp_sz_acc_op"],
  ["hgatp", (ALL_ONES >> 6n) & ~3n, 0n, "norm:hgatp_sz_acc_op norm:hgatp_vmid norm:hgatp_vmid_lsbs"],
  ["mideleg", 0x1666n, 0x1444n, "norm:mideleg_acc_h norm:mideleg_hroz"],
  ["mie", 0x1eeen, 0n, "norm:mip_mie_vs"],
  ["mtval", ALL_ONES, 0n, "norm:H_mtval_nrz"],
];

/**
 * Address and fields of each register, from the manual's figures and its list of CSRs: every field by its highest and lowest
 * bit. Fields of extensions that this machine has not got are left out.
 */
const FIGURES: readonly (readonly [
  CsrName,
  number,
  Readonly<Record<string, readonly [number, number]>>,
  string,
])[] = [
  [
    "hstatus",
    0x600,
    {
      VSBE: [5, 5],
      GVA: [6, 6],
      SPV: [7, 7],
      SPVP: [8, 8],
      HU: [9, 9],
      VGEIN: [17, 12],
      VTVM: [20, 20],
      VTW: [21, 21],
      VTSR: [22, 22],
      VSXL: [33, 32],
    },
    "norm:hstatus_sz_acc_op",
  ],
  [
    "hie",
    0x604,
    { VSSIE: [2, 2], VSTIE: [6, 6], VSEIE: [10, 10], SGEIE: [12, 12] },
    "norm:hie_img norm:hip_hie_sz_acc",
  ],
  [
    "hip",
    0x644,
    { VSSIP: [2, 2], VSTIP: [6, 6], VSEIP: [10, 10], SGEIP: [12, 12] },
    "norm:hip_img norm:hip_acc",
  ],
  ["hvip", 0x645, { VSSIP: [2, 2], VSTIP: [6, 6], VSEIP: [10, 10] }, "norm:hvip_img norm:hvip_sz_op"],
  ["htimedelta", 0x605, { value: [63, 0] }, "norm:htimedelta_sz_acc_op"],
  ["hcounteren", 0x606, { CY: [0, 0], TM: [1, 1], IR: [2, 2], HPM: [31, 3] }, "norm:hcounteren_sz"],
  ["hgeie", 0x607, { guests: [7, 1] }, "norm:hgeie_img"],
  ["hgeip", 0xe12, { guests: [7, 1] }, "norm:hgeip_sz_acc_op norm:geilen"],
  ["htval", 0x643, { value: [63, 0] }, "norm:htval_sz_acc_op"],
  ["htinst", 0x64a, { value: [63, 0] }, "norm:htinst_sz_acc_op"],
  ["hgatp", 0x680, { PPN: [43, 0], VMID: [57, 44], MODE: [63, 60] }, "norm:hgatp_sz_acc_op"],
  ["vsie", 0x204, { SSIE: [1, 1], STIE: [5, 5], SEIE: [9, 9] }, "norm:vsie_img norm:vsip_vsie_sz_acc_op"],
  ["vsip", 0x244, { SSIP: [1, 1], STIP: [5, 5], SEIP: [9, 9] }, "norm:vsip_img norm:vsip_vsie_sz_acc_op"],
  ["vstvec", 0x205, { MODE: [1, 0], BASE: [63, 2] }, "norm:vstvec_img norm:vstvec_sz_acc_op"],
  ["vsscratch", 0x240, { value: [63, 0] }, "norm:vsscratch_sz_acc_op"],
  ["vsepc", 0x241, { sepc: [63, 1] }, "norm:vspec_sz_acc_op"],
  ["vscause", 0x242, { code: [62, 0], interrupt: [63, 63] }, "norm:vscause_sz_acc_op"],
  ["vstval", 0x243, { value: [63, 0] }, "norm:vstval_sz_acc_op"],
  ["vstimecmp", 0x24d, { value: [63, 0] }, "norm:vstimecmp_sz norm:vstimecmp_exist"],
  ["vsatp", 0x280, { PPN: [43, 0], ASID: [59, 44], MODE: [63, 60] }, "norm:vsatp_sz_acc_op"],
  ["mtinst", 0x34a, { value: [63, 0] }, "norm:mtinst_sz_acc_op"],
  ["mtval2", 0x34b, { value: [63, 0] }, "norm:mtval2_sz_acc_op"],
  [
    "vsstatus",
    0x200,
    {
      SIE: [1, 1],
      SPIE: [5, 5],
      UBE: [6, 6],
      SPP: [8, 8],
      VS: [10, 9],
      FS: [14, 13],
      XS: [16, 15],
      SUM: [18, 18],
      MXR: [19, 19],
      UXL: [33, 32],
      SD: [63, 63],
    },
    "norm:vsstatus_sz_acc_op",
  ],
];

describe("the manual's figure", () => {
  it.each(FIGURES)("of %s, at address %i (%o %s)", (name, address, figure) => {
    expect(CSRS[name].address).toBe(address);
    const fields: Readonly<Record<string, BitField>> = CSRS[name].fields;
    const places = Object.entries(fields).map(([field, { lsb, width }]) => [field, [lsb + width - 1, lsb]]);
    expect(Object.fromEntries(places)).toEqual(figure);
    expect(causeIn("M", `csrr a0, ${address}`)).toBeUndefined();
    expect(causeIn("U", `csrr a0, ${address}`)).toBe(2);
    const level = address >= 0x300 && address < 0x400 ? [2, 2] : [undefined, 22];
    expect([causeIn("S", `csrr a0, ${address}`), causeIn("VS", `csrr a0, ${address}`)]).toEqual(level);
  });
});

describe("what is kept", () => {
  it.each(SHAPES)("%s keeps %i of all ones and %i of zero (%s)", (name, ones, zero) => {
    set(name, ALL_ONES);
    expect(get(name)).toBe(ones);
    set(name, 0n);
    expect(get(name)).toBe(zero);
  });

  it("hgatp and vsatp keep each supported mode (norm:hgatp_mode_bare norm:hgatp_mode_sv)", () => {
    for (const mode of [0n, 8n]) {
      set("hgatp", (mode << 60n) | 0x80004n);
      set("vsatp", (mode << 60n) | 0x80001n);
      expect([get("hgatp") >> 60n, get("vsatp") >> 60n]).toEqual([mode, mode]);
    }
  });

  it("sie and hie share no bit, and together with machine mode's are mie (norm:sie_hip_hie_mutex norm:hie_op)", () => {
    set("mideleg", ALL_ONES);
    set("mie", ALL_ONES);
    expect(get("sie") & get("hie")).toBe(0n);
    expect(get("sie") | get("hie") | 0x888n).toBe(get("mie"));
  });

  it("vsip and vsie show what hideleg passes on, bit by bit (norm:vsip_vsie_ssi norm:vsip_vsie_sti norm:vsip_vsie_sei)", () => {
    set("hvip", ALL_ONES);
    set("hie", ALL_ONES);
    for (const [delegated, seen] of [
      [0n, 0n],
      [4n, 2n],
      [0x40n, 0x20n],
      [0x400n, 0x200n],
    ] as const) {
      set("hideleg", delegated);
      expect([get("vsip"), get("vsie")]).toEqual([seen, seen]);
    }
  });
});

describe("who may", () => {
  const VIRTUAL = 22;
  const ILLEGAL = 2;

  it("use VS registers by their own names: HS and M (norm:H_vscsrs_acc_m_hs norm:H_vscsrs_acc_u norm:H_vscsrs_acc_vs)", () => {
    for (const name of [
      "vsstatus",
      "vsie",
      "vstvec",
      "vsscratch",
      "vsepc",
      "vscause",
      "vstval",
      "vsip",
      "vsatp",
    ]) {
      const causes = (["M", "S", "U", "VS", "VU"] as const).map((mode) => causeIn(mode, `csrr a0, ${name}`));
      expect(causes, name).toEqual([undefined, undefined, ILLEGAL, VIRTUAL, VIRTUAL]);
    }
  });

  it("fence: HS and M, a hypervisor for its guest (norm:hfence-vvma_mode norm:hfence-vvma_hfence-gvma_exceptions)", () => {
    for (const line of ["hfence.vvma", "hfence.gvma", "hfence.vvma a0, a1", "hfence.gvma a0, a1"]) {
      const causes = (["M", "S", "U", "VS", "VU"] as const).map((mode) => causeIn(mode, line));
      expect(causes, line).toEqual([undefined, undefined, ILLEGAL, VIRTUAL, VIRTUAL]);
    }
  });

  it("TSR and TVM bind HS-mode and not a guest, TW both (norm:mstatus_modes)", () => {
    set("mstatus", (1n << 20n) | (1n << 22n));
    expect([causeIn("S", "sret"), causeIn("VS", "sret")]).toEqual([ILLEGAL, undefined]);
    expect([causeIn("S", "sfence.vma"), causeIn("VS", "sfence.vma")]).toEqual([ILLEGAL, undefined]);
    set("mstatus", 1n << 21n);
    expect([causeIn("S", "wfi"), causeIn("VS", "wfi")]).toEqual([ILLEGAL, ILLEGAL]);
  });

  it("VTSR, VTW and VTVM bind a guest and not HS-mode (norm:hstatus_vtsr_op norm:hstatus_vtw_op norm:vtw_virtinstr norm:hstatus_vtvm_op)", () => {
    set("hstatus", 7n << 20n);
    for (const line of ["sret", "sfence.vma", "csrr a0, satp", "wfi"]) {
      expect(causeIn("VS", line), line).toBe(VIRTUAL);
      expect(causeIn("S", line), line).toBeUndefined();
      machine.hart.state.waiting = false;
      set("hstatus", 7n << 20n);
    }
  });

  it("counters: HS-mode does not ask hcounteren (norm:hcounteren_op)", () => {
    set("hcounteren", 0n);
    expect([causeIn("S", "csrr a0, time"), causeIn("VS", "csrr a0, time")]).toEqual([undefined, VIRTUAL]);
  });
});

it("outside a guest, VS registers change nothing (norm:H_vscsrs_v0)", () => {
  set("vsstatus", ALL_ONES);
  set("vsatp", (8n << 60n) | 0x12345n);
  set("vstvec", 0x8000_0f00n);
  set("stvec", 0x8000_0800n);
  set("medeleg", 1n << 9n);
  expect(causeIn("S", "ecall")).toBe(9);
  expect([machine.hart.mode, machine.hart.pc]).toEqual(["S", 0x8000_0800n]);
  for (const name of ["sstatus", "satp", "stvec"] as const) {
    expect(causeIn("S", `csrr a0, ${name}`)).toBeUndefined();
    expect(machine.hart.read("a0"), name).toBe(get(name));
  }
});

it("the causes that the chapter adds have its numbers (norm:H_cause)", () => {
  expect(EXCEPTION).toMatchObject({
    ecallFromS: 9,
    ecallFromVs: 10,
    instructionGuestPageFault: 20,
    loadGuestPageFault: 21,
    virtualInstruction: 22,
    storeGuestPageFault: 23,
  });
  expect(INTERRUPT).toMatchObject({
    virtualSupervisorSoftware: 2,
    virtualSupervisorTimer: 6,
    virtualSupervisorExternal: 10,
    supervisorGuestExternal: 12,
  });
});

it("misa says 64 bits, in the encoding of VSXL and UXL, too (norm:misa_mxl_enc norm:hstatus_vsxl_64 norm:vsstatus_uxl_op)", () => {
  expect([get("misa") >> 62n, (get("hstatus") >> 32n) & 3n, (get("vsstatus") >> 32n) & 3n]).toEqual([
    2n,
    2n,
    2n,
  ]);
});

it("satp has Sv39, which the extension asks for at least (norm:H_vm_supported)", () => {
  set("satp", 8n << 60n);
  expect(get("satp")).toBe(8n << 60n);
});

/** The registers that the manual gives to HS-mode and not to VS-mode, by name. */
const HYPERVISORS_OWN = [
  "hstatus",
  "hedeleg",
  "hideleg",
  "hvip",
  "hip",
  "hie",
  "hgeip",
  "hgeie",
  "henvcfg",
  "hcounteren",
  "htimedelta",
  "htval",
  "htinst",
  "hgatp",
];

it.each(HYPERVISORS_OWN)("%s is HS-mode's, and VS-mode's never (norm:H_csrs_hs_not_vs)", (name) => {
  const causes = (["M", "S", "U", "VS", "VU"] as const).map((mode) => causeIn(mode, `csrr a0, ${name}`));
  expect(causes).toEqual([undefined, undefined, 2, 22, 22]);
});

it.each([
  ["hlv.b", 0b0110000, 0b00000],
  ["hlv.bu", 0b0110000, 0b00001],
  ["hlv.h", 0b0110010, 0b00000],
  ["hlv.hu", 0b0110010, 0b00001],
  ["hlvx.hu", 0b0110010, 0b00011],
  ["hlv.w", 0b0110100, 0b00000],
  ["hlv.wu", 0b0110100, 0b00001],
  ["hlvx.wu", 0b0110100, 0b00011],
  ["hlv.d", 0b0110110, 0b00000],
] as const)("%s has the manual's encoding: funct7 %i, rs2 %i (norm:hlsv_op)", (mnemonic, funct7, rs2) => {
  const word = ((funct7 << 25) | (rs2 << 20) | (11 << 15) | (4 << 12) | (10 << 7) | 0x73) >>> 0;
  expect(decode(word)).toMatchObject({ mnemonic, rd: 10, rs1: 11 });
});

it.each([
  ["hsv.b", 0b0110001, 4, "norm:hlsv_op"],
  ["hsv.h", 0b0110011, 4, "norm:hlsv_op"],
  ["hsv.w", 0b0110101, 4, "norm:hlsv_op"],
  ["hsv.d", 0b0110111, 4, "norm:hlsv_op"],
  ["hfence.vvma", 0b0010001, 0, "norm:hfence-vvma_hfence-gvma_op"],
  ["hfence.gvma", 0b0110001, 0, "norm:hfence-gvma_op"],
] as const)("%s has the manual's encoding: funct7 %i, funct3 %i (%s)", (mnemonic, funct7, funct3, _rule) => {
  const word = ((funct7 << 25) | (12 << 20) | (11 << 15) | (funct3 << 12) | 0x73) >>> 0;
  expect(decode(word)).toMatchObject({ mnemonic, rs1: 11, rs2: 12 });
});
