/**
 * The CSRs of the hypervisor extension: those with which HS-mode runs a guest, and the guest's own supervisor CSRs (VS),
 * which stand in for their S twins while V=1.
 */
import { type Csr, ro, rw, warl } from "./csr.ts";

/** Guest external interrupts that an interrupt controller may drive: `hgeip` bits 7 to 1. @spec norm:geilen */
export const GUEST_EXTERNAL_LINES = 7;

/** MODE of `hgatp` and `vsatp`. @spec norm:hgatp_mode_bare @spec norm:hgatp_mode_sv */
/** Bare, Sv39 and Sv48, or Sv39x4 and Sv48x4: the numbers are the same. */
const VIRTUAL_MODES = [0n, 8n, 9n];
/** `UXL` = 2: user mode is 64 bits wide. */
export const UXL_64 = 2n << 32n;
const VSXL_64 = 2n << 32n; // norm:hstatus_vsxl_64
/** A time that no machine reaches. */
const NEVER = 2n ** 64n - 1n;
const LEVELS = Array.from({ length: GUEST_EXTERNAL_LINES + 1 }, (_, line) => BigInt(line));

/** What HS-mode uses. */
const HYPERVISOR = {
  hstatus: {
    address: 0x600,
    access: "HRW",
    title: "hypervisor status",
    spec: "norm:hstatus_sz_acc_op",
    fields: {
      VSBE: ro(5), // norm:hstatus_vsbe_op
      GVA: rw(6),
      SPV: rw(7),
      SPVP: rw(8),
      HU: rw(9), // norm:hstatus_hu_op
      VGEIN: warl(17, 12, LEVELS),
      VTVM: rw(20),
      VTW: rw(21),
      VTSR: rw(22),
      VSXL: ro(33, 32), // norm:vsxl_ro
    },
    reset: VSXL_64,
  },
  hedeleg: {
    address: 0x602,
    access: "HRW",
    title: "hypervisor exception delegation",
    spec: "norm:hedeleg_img",
    // norm:hedeleg_acc norm:hedeleg_sz_acc
    fields: {
      user: rw(8, 0),
      ecallFromS: ro(9),
      ecallFromVs: ro(10),
      ecallFromM: ro(11),
      instructionPageFault: rw(12),
      loadPageFault: rw(13),
      storePageFault: rw(15),
      instructionGuestPageFault: ro(20),
      loadGuestPageFault: ro(21),
      virtualInstruction: ro(22),
      storeGuestPageFault: ro(23),
    },
    reset: 0n,
  },
  hideleg: {
    address: 0x603,
    access: "HRW",
    title: "hypervisor interrupt delegation",
    spec: "norm:hideleg_img",
    // norm:hideleg_acc norm:hideleg_sz_acc norm:vsip_vsie_lcofi
    fields: { SSI: ro(1), VSSI: rw(2), STI: ro(5), VSTI: rw(6), SEI: ro(9), VSEI: rw(10), SGEI: ro(12) },
    reset: 0n,
  },
  hie: {
    address: 0x604,
    access: "HRW",
    title: "hypervisor interrupt enable",
    spec: "norm:hie_img",
    // norm:hip_hie_sz_acc
    fields: { VSSIE: rw(2), VSTIE: rw(6), VSEIE: rw(10), SGEIE: rw(12) },
    reset: 0n,
  },
  htimedelta: {
    address: 0x605,
    access: "HRW",
    title: "what a guest's time is ahead of the machine's",
    spec: "norm:htimedelta_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  hcounteren: {
    address: 0x606,
    access: "HRW",
    title: "counters that a guest may read",
    spec: "norm:hcounteren_sz",
    // norm:hcounteren_warl
    fields: { CY: rw(0), TM: rw(1), IR: rw(2), HPM: ro(31, 3) },
    reset: 0n,
  },
  hgeie: {
    address: 0x607,
    access: "HRW",
    title: "hypervisor guest external interrupt enable",
    spec: "norm:hgeie_img",
    // norm:hgeie_sz_acc_op norm:hgeip_hgeie_fields
    fields: { guests: rw(GUEST_EXTERNAL_LINES, 1) },
    reset: 0n,
  },
  henvcfg: {
    address: 0x60a,
    access: "HRW",
    title: "hypervisor environment configuration",
    spec: "norm:henvcfg_sz_acc_op",
    // norm:Svadu_hypervisor_adue_writable norm:stce_bit_exist
    fields: { FIOM: rw(0), ADUE: rw(61), PBMTE: rw(62), STCE: rw(63) },
    reset: 0n,
  },
  /** @spec norm:htval_val */
  htval: {
    address: 0x643,
    access: "HRW",
    title: "hypervisor trap value",
    spec: "norm:htval_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  hip: {
    address: 0x644,
    access: "HRW",
    title: "hypervisor interrupt pending",
    spec: "norm:hip_img",
    // norm:hip_acc
    fields: { VSSIP: rw(2), VSTIP: ro(6), VSEIP: ro(10), SGEIP: ro(12) },
    reset: 0n,
  },
  hvip: {
    address: 0x645,
    access: "HRW",
    title: "hypervisor virtual interrupt pending",
    spec: "norm:hvip_img",
    // norm:hvip_sz_op norm:hvip_acc
    fields: { VSSIP: rw(2), VSTIP: rw(6), VSEIP: rw(10) },
    reset: 0n,
  },
  /** @spec norm:htinst_val */
  htinst: {
    address: 0x64a,
    access: "HRW",
    title: "hypervisor trap instruction",
    spec: "norm:htinst_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  hgatp: {
    address: 0x680,
    access: "HRW",
    title: "hypervisor guest address translation and protection",
    spec: "norm:hgatp_sz_acc_op",
    // norm:hgatp_vmid norm:hgatp_vmid_lsbs. The root table is 16 KiB, so the two lowest bits of PPN are zero: the CSR file sees to that.
    fields: { PPN: rw(43, 0), VMID: rw(57, 44), MODE: warl(63, 60, VIRTUAL_MODES) },
    reset: 0n,
  },
  hgeip: {
    address: 0xe12,
    access: "HRO",
    title: "hypervisor guest external interrupt pending",
    spec: "norm:hgeip_sz_acc_op",
    fields: { guests: ro(GUEST_EXTERNAL_LINES, 1) },
    reset: 0n,
  },
} as const satisfies Record<string, Csr>;

/** Fields of `sstatus`, and of `vsstatus`, which has the same format. @spec norm:vsstatus_sz_acc_op */
export const SUPERVISOR_STATUS = {
  SIE: rw(1),
  SPIE: rw(5),
  UBE: ro(6), // norm:vsstatus_ube
  SPP: rw(8),
  VS: ro(10, 9), // norm:vsstatus_vs_op
  FS: rw(14, 13),
  XS: ro(16, 15),
  SUM: rw(18),
  MXR: rw(19),
  UXL: ro(33, 32), // norm:vsstatus_uxl_op
  SD: ro(63),
} as const;

/** A guest's supervisor CSRs. */
const VIRTUAL_SUPERVISOR = {
  vsstatus: {
    address: 0x200,
    access: "HRW",
    title: "virtual supervisor status",
    spec: "norm:vsstatus_sz_acc_op",
    fields: SUPERVISOR_STATUS,
    reset: UXL_64,
  },
  /** @spec norm:vsip_vsie_sz_acc_op */
  vsie: {
    address: 0x204,
    access: "HRW",
    title: "virtual supervisor interrupt enable",
    spec: "norm:vsie_img",
    fields: { SSIE: rw(1), STIE: rw(5), SEIE: rw(9) },
    reset: 0n,
  },
  /** @spec norm:vstvec_sz_acc_op */
  vstvec: {
    address: 0x205,
    access: "HRW",
    title: "virtual supervisor trap vector",
    spec: "norm:vstvec_img",
    fields: { MODE: warl(1, 0, [0n, 1n]), BASE: rw(63, 2) },
    reset: 0n,
    voidOnIllegal: true,
  },
  vsscratch: {
    address: 0x240,
    access: "HRW",
    title: "virtual supervisor scratch",
    spec: "norm:vsscratch_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:vspec_sz_acc_op */
  vsepc: {
    address: 0x241,
    access: "HRW",
    title: "virtual supervisor exception program counter",
    spec: "norm:vsepc_warl",
    fields: { sepc: rw(63, 1) },
    reset: 0n,
  },
  /** @spec norm:vscause_sz_acc_op */
  vscause: {
    address: 0x242,
    access: "HRW",
    title: "virtual supervisor cause",
    spec: "norm:vscause_wlrl",
    fields: { code: rw(62, 0), interrupt: rw(63) },
    reset: 0n,
  },
  /** @spec norm:vstval_sz_acc_op */
  vstval: {
    address: 0x243,
    access: "HRW",
    title: "virtual supervisor trap value",
    spec: "norm:vstval_warl",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:vsip_vsie_sz_acc_op */
  vsip: {
    address: 0x244,
    access: "HRW",
    title: "virtual supervisor interrupt pending",
    spec: "norm:vsip_img",
    fields: { SSIP: rw(1), STIP: ro(5), SEIP: ro(9) },
    reset: 0n,
  },
  /** @spec norm:vstimecmp_exist */
  vstimecmp: {
    address: 0x24d,
    access: "HRW",
    title: "virtual supervisor timer compare",
    spec: "norm:vstimecmp_sz",
    fields: { value: rw(63, 0) },
    reset: NEVER,
  },
  /** @spec norm:vsatp_mode_unsupported_v0 */
  vsatp: {
    address: 0x280,
    access: "HRW",
    title: "virtual supervisor address translation and protection",
    spec: "norm:vsatp_sz_acc_op",
    fields: { PPN: rw(43, 0), ASID: rw(59, 44), MODE: warl(63, 60, VIRTUAL_MODES) },
    reset: 0n,
  },
} as const satisfies Record<string, Csr>;

/** What machine mode gets more. */
const MACHINE = {
  /** @spec norm:mtinst_val */
  mtinst: {
    address: 0x34a,
    access: "MRW",
    title: "machine trap instruction",
    spec: "norm:mtinst_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mtval2_val */
  mtval2: {
    address: 0x34b,
    access: "MRW",
    title: "machine second trap value",
    spec: "norm:mtval2_sz_acc_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
} as const satisfies Record<string, Csr>;

/** All CSRs that exist because of the hypervisor extension. */
export const HYPERVISOR_CSRS = { ...HYPERVISOR, ...VIRTUAL_SUPERVISOR, ...MACHINE } as const;
