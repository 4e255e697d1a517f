/**
 * The CSR map: one record per register. What reading and writing *do* is the CSR file's business (lib/hart); this is
 * the manual's table.
 */
import { type BitField, getField, setField } from "../bits/field.ts";
import { type Csr, ro, rw, warl } from "./csr.ts";
import { HYPERVISOR_CSRS, SUPERVISOR_STATUS, UXL_64 } from "./csr-hypervisor.ts";
import { NUMBERED_CSRS } from "./csr-numbered.ts";

/** `satp.MODE` values that this hart supports. @spec norm:satp_mode_sxlen64 */
export const BARE = 0n;
/** Three levels of 4 KiB tables. */
export const SV39 = 8n;
/** Four levels. */
export const SV48 = 9n;

const SXL_64 = 2n << 34n;
const MXL_64 = 2n << 62n;

/** Direct or vectored. @spec norm:mtvec_mode_enc */
const VECTOR_MODE = warl(1, 0, [0n, 1n]);
/** Compressed instructions begin at every even address, so only the lowest bit is always zero. @spec norm:mepc_align @spec norm:sepc */
const EPC = rw(63, 1);

/** A time that no machine reaches: no timer interrupt is pending before somebody asks for one. */
const NEVER = 2n ** 64n - 1n;

/** Interrupts for guests and about guests always go to HS-mode, which may pass them on. @spec norm:mideleg_hroz @spec norm:mideleg_acc_h */
const GUEST_INTERRUPTS = 0x1444n;

/** `misa` bits of single-letter extensions: A is bit 0. @spec norm:misa_extensions_enc_tbl */
function extensions(letters: string): bigint {
  let bits = 0n;
  for (const letter of letters) bits |= 1n << BigInt(letter.charCodeAt(0) - "A".charCodeAt(0));
  return bits;
}

/** Debuggers look for triggers here and find none. */
const noTrigger = (address: number, title: string) =>
  ({
    address,
    access: "MRW",
    title,
    spec: 'priv §"CSR Listing"',
    fields: { value: ro(63, 0) },
    reset: 0n,
  }) as const;

/** Every CSR by name, in address order by privilege, then the numbered families. */
export const CSRS = {
  fflags: {
    address: 0x001,
    access: "URW",
    title: "floating-point exception flags",
    spec: "norm:fcsr_fflags_op",
    fields: { NX: rw(0), UF: rw(1), OF: rw(2), DZ: rw(3), NV: rw(4) },
    reset: 0n,
  },
  frm: {
    address: 0x002,
    access: "URW",
    title: "dynamic rounding mode",
    spec: "norm:roundingmode_dynamic",
    fields: { frm: rw(2, 0) },
    reset: 0n,
  },
  fcsr: {
    address: 0x003,
    access: "URW",
    title: "floating-point control and status",
    spec: "norm:fcsr_op_sz_acc",
    fields: { NX: rw(0), UF: rw(1), OF: rw(2), DZ: rw(3), NV: rw(4), frm: rw(7, 5) },
    reset: 0n,
  },
  sstatus: {
    address: 0x100,
    access: "SRW",
    title: "supervisor status",
    spec: "norm:sstatus_spp",
    fields: SUPERVISOR_STATUS,
    reset: UXL_64,
  },
  /** @spec norm:sip_sie */
  sie: {
    address: 0x104,
    access: "SRW",
    title: "supervisor interrupt enable",
    spec: "norm:sie_acc",
    fields: { SSIE: rw(1), STIE: rw(5), SEIE: rw(9) },
    reset: 0n,
  },
  /** @spec norm:stvec */
  stvec: {
    address: 0x105,
    access: "SRW",
    title: "supervisor trap vector",
    spec: "norm:stvec_op",
    fields: { MODE: VECTOR_MODE, BASE: rw(63, 2) },
    reset: 0n,
    voidOnIllegal: true,
  },
  /** @spec norm:scounteren @spec norm:scounteren_acc */
  scounteren: {
    address: 0x106,
    access: "SRW",
    title: "counters that user mode may read",
    spec: "norm:scounteren_op",
    fields: { CY: rw(0), TM: rw(1), IR: rw(2), HPM: ro(31, 3) },
    reset: 0n,
  },
  senvcfg: {
    address: 0x10a,
    access: "SRW",
    title: "supervisor environment configuration",
    spec: "norm:senvcfg",
    fields: { FIOM: rw(0) },
    reset: 0n,
  },
  sscratch: {
    address: 0x140,
    access: "SRW",
    title: "supervisor scratch",
    spec: "norm:sscratch",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  sepc: {
    address: 0x141,
    access: "SRW",
    title: "supervisor exception program counter",
    spec: "norm:sepc_op_trap_write",
    fields: { sepc: EPC },
    reset: 0n,
  },
  /** @spec norm:scause_exception_code_sz */
  scause: {
    address: 0x142,
    access: "SRW",
    title: "supervisor cause",
    spec: "norm:scause",
    fields: { code: rw(62, 0), interrupt: rw(63) },
    reset: 0n,
  },
  /** @spec norm:stval_acc */
  stval: {
    address: 0x143,
    access: "SRW",
    title: "supervisor trap value",
    spec: "norm:stval",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:sip_sie @spec norm:sip_sie_bits_sz */
  sip: {
    address: 0x144,
    access: "SRW",
    title: "supervisor interrupt pending",
    spec: "norm:sip_op",
    fields: { SSIP: rw(1), STIP: ro(5), SEIP: ro(9) },
    reset: 0n,
  },
  /** @spec norm:stimecmp_exist */
  stimecmp: {
    address: 0x14d,
    access: "SRW",
    title: "supervisor timer compare",
    spec: "norm:stimecmp_stimecmph_sz_acc",
    fields: { value: rw(63, 0) },
    reset: NEVER,
  },
  satp: {
    address: 0x180,
    access: "SRW",
    title: "supervisor address translation and protection",
    spec: "norm:satp",
    // norm:H_vm_supported
    fields: { PPN: rw(43, 0), ASID: rw(59, 44), MODE: warl(63, 60, [BARE, SV39, SV48]) },
    reset: 0n,
    voidOnIllegal: true,
  },
  mstatus: {
    address: 0x300,
    access: "MRW",
    title: "machine status",
    spec: "norm:mstatus_sz_acc",
    fields: {
      SIE: rw(1),
      MIE: rw(3),
      SPIE: rw(5),
      UBE: ro(6),
      MPIE: rw(7),
      SPP: rw(8),
      VS: ro(10, 9),
      MPP: warl(12, 11, [0n, 1n, 3n]), // norm:mstatus_xpp_warl norm:mstatus_mpp_sz
      FS: rw(14, 13), // norm:mstatus_fs_vs_warl
      XS: ro(16, 15),
      MPRV: rw(17),
      SUM: rw(18),
      MXR: rw(19),
      TVM: rw(20),
      TW: rw(21),
      TSR: rw(22),
      UXL: ro(33, 32), // norm:mstatus_uxl_rdonly_mxlen64
      SXL: ro(35, 34), // norm:mstatus_sxl_rdonly_mxlen64
      SBE: ro(36),
      MBE: ro(37),
      GVA: rw(38),
      MPV: rw(39),
      SD: ro(63),
    },
    reset: UXL_64 | SXL_64, // norm:mstatus_sxl_uxl_enc
  },
  /** @spec norm:misa_sz @spec norm:misa_always_rd */
  misa: {
    address: 0x301,
    access: "MRW",
    title: "machine ISA",
    spec: "norm:misa_csr_implemented",
    fields: { extensions: ro(25, 0), MXL: ro(63, 62) }, // norm:misa_mxl_acc
    reset: MXL_64 | extensions("ABCDFHIMSU"), // norm:misa_h_op norm:misa_mxl_enc norm:misa_mxl_op_isa norm:misa_i_op norm:misa_m_op norm:misa_b_op norm:misa_s_op norm:misa_u_op
  },
  /** @spec norm:medeleg_sz_acc @spec norm:medeleg_enc_txt */
  medeleg: {
    address: 0x302,
    access: "MRW",
    title: "machine exception delegation",
    spec: "norm:medeleg_enc_img",
    // norm:medeleg_no_rd1 norm:medeleg_when_rd0 norm:medeleg_mideleg_warl
    fields: {
      user: rw(8, 0),
      ecallFromS: rw(9),
      ecallFromVs: rw(10),
      ecallFromM: ro(11),
      instructionPageFault: rw(12),
      loadPageFault: rw(13),
      storePageFault: rw(15),
      instructionGuestPageFault: rw(20),
      loadGuestPageFault: rw(21),
      virtualInstruction: rw(22),
      storeGuestPageFault: rw(23),
    },
    reset: 0n,
  },
  /** @spec norm:mideleg_sz_acc @spec norm:mideleg_enc_txt */
  mideleg: {
    address: 0x303,
    access: "MRW",
    title: "machine interrupt delegation",
    spec: "norm:mideleg_enc_img",
    fields: {
      SSI: rw(1),
      VSSI: ro(2),
      MSI: ro(3),
      STI: rw(5),
      VSTI: ro(6),
      MTI: ro(7),
      SEI: rw(9),
      VSEI: ro(10),
      MEI: ro(11),
      SGEI: ro(12),
    },
    reset: GUEST_INTERRUPTS,
  },
  /** @spec norm:mie_sz_acc */
  mie: {
    address: 0x304,
    access: "MRW",
    title: "machine interrupt enable",
    spec: "norm:mie_std_enc_img",
    // norm:mip_mie_vs norm:mie_bits_rdonly0 norm:mie_bits_wr
    fields: {
      SSIE: rw(1),
      VSSIE: rw(2),
      MSIE: rw(3),
      STIE: rw(5),
      VSTIE: rw(6),
      MTIE: rw(7),
      SEIE: rw(9),
      VSEIE: rw(10),
      MEIE: rw(11),
      SGEIE: rw(12),
    },
    reset: 0n,
  },
  /** @spec norm:mtvec_sz_warl_acc @spec norm:mtvec_mode_enc */
  mtvec: {
    address: 0x305,
    access: "MRW",
    title: "machine trap vector",
    spec: "norm:mtvec_enc",
    fields: { MODE: VECTOR_MODE, BASE: rw(63, 2) },
    reset: 0n,
    voidOnIllegal: true,
  },
  /** @spec norm:mcounteren_enc_img @spec norm:mcounteren_sz */
  mcounteren: {
    address: 0x306,
    access: "MRW",
    title: "counters that supervisor mode may read",
    spec: "norm:mcounteren_op",
    fields: { CY: rw(0), TM: rw(1), IR: rw(2), HPM: ro(31, 3) },
    reset: 0n,
  },
  /** @spec norm:menvcfg_sz_acc */
  menvcfg: {
    address: 0x30a,
    access: "MRW",
    title: "machine environment configuration",
    spec: "norm:menvcfg_enc_img",
    // norm:Svadu_hw_update_a_d_bits norm:stce_bit_exist
    fields: { FIOM: rw(0), ADUE: rw(61), PBMTE: rw(62), STCE: rw(63) },
    reset: 0n,
  },
  /** @spec norm:mcountinhibit_sz_warl_op1 */
  mcountinhibit: {
    address: 0x320,
    access: "MRW",
    title: "counters that stand still",
    spec: "norm:mcountinhibit_enc_img",
    fields: { CY: rw(0), IR: rw(2), HPM: ro(31, 3) },
    reset: 0n,
  },
  /** @spec norm:mscratch_enc_img */
  mscratch: {
    address: 0x340,
    access: "MRW",
    title: "machine scratch",
    spec: "norm:mscratch_sz_acc",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mepc_sz_acc @spec norm:mepc_warl */
  mepc: {
    address: 0x341,
    access: "MRW",
    title: "machine exception program counter",
    spec: "norm:mepc_op",
    fields: { mepc: EPC },
    reset: 0n,
  },
  /** @spec norm:mcause_sz_acc */
  mcause: {
    address: 0x342,
    access: "MRW",
    title: "machine cause",
    spec: "norm:mcause_op",
    fields: { code: rw(62, 0), interrupt: rw(63) },
    reset: 0n,
  },
  /** @spec norm:H_mtval_nrz @spec norm:mtval_sz_acc @spec norm:mtval_warl */
  mtval: {
    address: 0x343,
    access: "MRW",
    title: "machine trap value",
    spec: "norm:mtval_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mip_sz_acc */
  mip: {
    address: 0x344,
    access: "MRW",
    title: "machine interrupt pending",
    spec: "norm:mip_std_enc_img",
    fields: {
      SSIP: rw(1), // norm:mip_ssip_acc
      VSSIP: rw(2),
      MSIP: ro(3), // norm:mip_msip_rdonly
      STIP: rw(5),
      VSTIP: ro(6),
      MTIP: ro(7), // norm:mip_mtip_rdonly
      SEIP: rw(9), // norm:mip_seip_acc
      VSEIP: ro(10),
      MEIP: ro(11), // norm:mip_meip_rdonly
      SGEIP: ro(12),
    },
    reset: 0n,
  },
  tselect: noTrigger(0x7a0, "debug trigger select"),
  tdata1: noTrigger(0x7a1, "debug trigger data 1: type 0, there is no trigger"),
  tdata2: noTrigger(0x7a2, "debug trigger data 2"),
  /** @spec norm:mcycle_minstret_sz */
  mcycle: {
    address: 0xb00,
    access: "MRW",
    title: "machine cycle counter",
    spec: "norm:mcycle_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mcycle_minstret_sz */
  minstret: {
    address: 0xb02,
    access: "MRW",
    title: "machine instructions-retired counter",
    spec: "norm:minstret_op",
    fields: { value: rw(63, 0) },
    reset: 0n,
  },
  /** @spec norm:zicntr_rdcycle_op @spec norm:zihpm_op_sz_mode_acc_priv */
  cycle: {
    address: 0xc00,
    access: "URO",
    title: "cycle counter",
    spec: "norm:cycle_instret_hpmcounter_op_rdonly",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  time: {
    address: 0xc01,
    access: "URO",
    title: "timer",
    spec: "norm:time_op_rdonly",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:zicntr_rdinstret_op @spec norm:zihpm_op_sz_mode_acc_priv */
  instret: {
    address: 0xc02,
    access: "URO",
    title: "instructions-retired counter",
    spec: "norm:cycle_instret_hpmcounter_op_rdonly",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mvendorid_sz_acc_op */
  mvendorid: {
    address: 0xf11,
    access: "MRO",
    title: "vendor",
    spec: "norm:mvendorid_always_rd",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:marchid_sz_acc_op */
  marchid: {
    address: 0xf12,
    access: "MRO",
    title: "architecture",
    spec: "norm:marchid_always_rd",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mimpid_op */
  mimpid: {
    address: 0xf13,
    access: "MRO",
    title: "implementation",
    spec: "norm:mimpid_always_rd",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mhartid_sz_acc_op @spec norm:mhartid_one_is_zero */
  mhartid: {
    address: 0xf14,
    access: "MRO",
    title: "hart number",
    spec: "norm:mhartid_always_rd",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  /** @spec norm:mconfigptr_sz_acc @spec norm:mconfigptr_mandatory @spec norm:mconfigptr_val */
  mconfigptr: {
    address: 0xf15,
    access: "MRO",
    title: "configuration data structure",
    spec: "norm:mconfigptr_op",
    fields: { value: ro(63, 0) },
    reset: 0n,
  },
  ...HYPERVISOR_CSRS,
  ...NUMBERED_CSRS,
} as const satisfies Record<string, Csr>;

/** Name of a CSR. */
export type CsrName = keyof typeof CSRS;

/** All names. */
export const CSR_NAMES = Object.keys(CSRS) as readonly CsrName[];

const BY_ADDRESS: ReadonlyMap<number, CsrName> = new Map(CSR_NAMES.map((name) => [CSRS[name].address, name]));

/** The CSR at an address, or `undefined` where there is none: using that address is an illegal instruction. */
export const csrAt = (address: number): CsrName | undefined => BY_ADDRESS.get(address);

/**
 * The VS CSRs that stand in for S CSRs while V=1: instructions that name the one use the other. `scounteren` and `senvcfg`
 * have no such twin.
 * @spec norm:H_vscsrs_sub
 */
export const VIRTUAL_TWIN = {
  sstatus: "vsstatus",
  sie: "vsie",
  stvec: "vstvec",
  sscratch: "vsscratch",
  sepc: "vsepc",
  scause: "vscause",
  stval: "vstval",
  sip: "vsip",
  stimecmp: "vstimecmp",
  satp: "vsatp",
} as const satisfies { readonly [N in CsrName]?: CsrName };

/** What an instruction that names a CSR uses, in a guest or not. @spec norm:H_vscsrs_v0 */
export const visibleCsr = (name: CsrName, virtual: boolean): CsrName =>
  virtual && Object.hasOwn(VIRTUAL_TWIN, name) ? VIRTUAL_TWIN[name as keyof typeof VIRTUAL_TWIN] : name;

/** The CSR with this name, or `undefined`. */
export const findCsr = (name: string): CsrName | undefined =>
  Object.hasOwn(CSRS, name) ? (name as CsrName) : undefined;

/** Names of a CSR's fields. */
export type CsrFieldName<N extends CsrName> = keyof (typeof CSRS)[N]["fields"] & string;

const fieldsOf = (name: CsrName): Readonly<Record<string, BitField>> => CSRS[name].fields;

/** Splits a CSR value into its fields, from bit 0 up. Each is unsigned. */
export function decodeCsr<N extends CsrName>(name: N, value: bigint): { [F in CsrFieldName<N>]: bigint } {
  const fields = Object.entries(fieldsOf(name)).map(([field, place]) => [field, getField(value, place)]);
  return Object.fromEntries(fields) as { [F in CsrFieldName<N>]: bigint };
}

/** Builds a CSR value out of fields. Fields that are left out come from `base` (zero by default). */
export function encodeCsr<N extends CsrName>(
  name: N,
  values: { readonly [F in CsrFieldName<N>]?: number | bigint },
  base = 0n,
): bigint {
  const places = fieldsOf(name);
  let word = base;
  for (const [field, value] of Object.entries<number | bigint | undefined>(values)) {
    const place = places[field];
    if (place !== undefined && value !== undefined) word = setField(word, place, BigInt(value));
  }
  return word;
}

/** The place of one field, for code that needs it by itself. */
export const csrField = <N extends CsrName>(name: N, field: CsrFieldName<N>): BitField => {
  const place = fieldsOf(name)[field];
  if (place === undefined) throw new RangeError(`${name} has no field ${field}`);
  return place;
};
