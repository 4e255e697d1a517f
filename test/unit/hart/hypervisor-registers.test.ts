/** Hypervisor and virtual supervisor registers: what each keeps of all ones and of zero, and who may use it. */
import { beforeEach, describe, expect, it } from "vitest";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import type { CsrName } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
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
  ["henvcfg", (5n << 61n) | 1n, 0n, "norm:henvcfg_sz_acc_op norm:Svadu_hypervisor_adue_writable"],
  ["htimedelta", ALL_ONES, 0n, "norm:htimedelta_sz_acc_op"],
  ["htval", ALL_ONES, 0n, "norm:htval_sz_acc_op norm:htval_val"],
  ["htinst", ALL_ONES, 0n, "norm:htinst_sz_acc_op norm:htinst_val"],
  ["mtval2", ALL_ONES, 0n, "norm:mtval2_sz_acc_op norm:mtval2_val"],
  ["mtinst", ALL_ONES, 0n, "norm:mtinst_sz_acc_op"],
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

  it("fence: HS and M, a hypervisor for its guest (norm:hfence-vvma_mode norm:hfence-gvma_mode norm:hfence-vvma_hfence-gvma_exceptions)", () => {
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
});
