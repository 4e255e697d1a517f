/** The second question of a CSR access: what is read? Reading has no side effect. */
import { bits, fieldMask, getField } from "../bits/field.ts";
import { asU64 } from "../bits/int64.ts";
import { CSRS, type CsrName, visibleCsr } from "../isa/csr-map.ts";
import { isVirtual } from "../isa/mode.ts";
import { INTERRUPT } from "../isa/trap.ts";
import { presentBits } from "../isa/variant.ts";
import type { Hart } from "./hart.ts";
import { HS_VIEW, pendingBits, S_INTERRUPTS, VS_INTERRUPTS } from "./interrupts.ts";
import { storedCsrSlot } from "./layout.ts";
import type { HartState } from "./state.ts";
import { SSTATUS_MASK } from "./status.ts";
import { guestTime } from "./supervisor-timer.ts";

/** The bit of `mcountinhibit` that stops `mcycle`. */
export const INHIBIT_CY = 1n;
/** The bit that stops `minstret`. */
export const INHIBIT_IR = 4n;

const SEIP = 1n << BigInt(INTERRUPT.supervisorExternal);

/** Model cycles: this hart takes one per instruction. @spec norm:mcycle_op @spec norm:zicntr_rdcycle_op */
function mcycle({ state }: Hart): bigint {
  const stopped = (state.stored("mcountinhibit") & INHIBIT_CY) !== 0n;
  return asU64((stopped ? 0n : state.instret) + state.mcycleBias);
}

/** @spec norm:minstret_op @spec norm:zicntr_rdinstret_op */
function minstret({ state }: Hart): bigint {
  const stopped = (state.stored("mcountinhibit") & INHIBIT_IR) !== 0n;
  return asU64((stopped ? 0n : state.instret) + state.minstretBias);
}

/** Where the two views of `fcsr` lie in it. @spec norm:fflags_frm_op_sz_acc */
export const FCSR_FIELDS = { fflags: bits(4, 0), frm: bits(7, 5) } as const;

/**
 * The interrupts that a guest sees in `vsip` and `vsie`, one bit to the right: those that `hideleg` passes on.
 * @spec norm:vsip_vsie_ssi
 * @spec norm:vsip_vsie_sti
 * @spec norm:vsip_vsie_sei
 */
export const guestInterrupts = (state: HartState): bigint => state.stored("hideleg") & VS_INTERRUPTS;

/**
 * Fields of `henvcfg` that are zero while the field of `menvcfg` is.
 * @spec norm:henvcfg_stce
 * @spec norm:henvcfg_adue_op
 * @spec norm:menvcfg_pbmte_henvcfg_pbmte_rdonly0
 */
const GIVEN_BY_MACHINE =
  fieldMask(CSRS.henvcfg.fields.ADUE) |
  fieldMask(CSRS.henvcfg.fields.PBMTE) |
  fieldMask(CSRS.henvcfg.fields.STCE);

/** The bits of `henvcfg` that machine mode leaves to the hypervisor. */
export const environmentMask = (state: HartState): bigint => state.stored("menvcfg") | ~GIVEN_BY_MACHINE;

/** CSRs whose value is put together when they are read. */
const READERS: { readonly [N in CsrName]?: (hart: Hart) => bigint } = {
  fflags: ({ state }) => getField(state.stored("fcsr"), FCSR_FIELDS.fflags),
  frm: ({ state }) => getField(state.stored("fcsr"), FCSR_FIELDS.frm),
  sstatus: ({ state }) => state.stored("mstatus") & SSTATUS_MASK, // norm:sstatus
  sie: ({ state }) => state.stored("mie") & state.stored("mideleg") & S_INTERRUPTS,
  sip: ({ state }) => pendingBits(state) & state.stored("mideleg") & S_INTERRUPTS,
  mip: ({ state }) => pendingBits(state),
  hie: ({ state }) => state.stored("mie") & HS_VIEW, // norm:hie_op norm:mip_mie_alias
  hip: ({ state }) => pendingBits(state) & HS_VIEW, // norm:hip_op norm:mip_mie_alias
  hvip: ({ state }) => state.softwarePending & VS_INTERRUPTS,
  vsie: ({ state }) => (state.stored("mie") & guestInterrupts(state)) >> 1n,
  vsip: ({ state }) => (pendingBits(state) & guestInterrupts(state)) >> 1n,
  hgeip: ({ state }) => state.guestExternal, // norm:hgeip_hgeie_fields
  henvcfg: ({ state }) => state.stored("henvcfg") & environmentMask(state),
  mhartid: ({ id }) => BigInt(id),
  mcycle,
  minstret,
  cycle: mcycle,
  instret: minstret,
  time: ({ clock }) => clock.mtime, // norm:time_op_rdonly norm:zicntr_rdtime_op norm:zicntr_time_hart_sync
};

/** Whether reading is looking at the stored word and nothing else. */
export const isReadAsStored = (name: CsrName): boolean =>
  READERS[name] === undefined && storedCsrSlot(name) !== undefined;

/** The value of a CSR, 64 bits unsigned. Permission is another question. */
export function readCsr(hart: Hart, name: CsrName): bigint {
  const value = readFully(hart, name);
  return hart.isa.hypervisor ? value : value & presentBits(hart.isa, name);
}

function readFully(hart: Hart, name: CsrName): bigint {
  const reader = READERS[name];
  if (reader !== undefined) return reader(hart);
  const slot = storedCsrSlot(name);
  return slot === undefined ? CSRS[name].reset : (hart.state.csrs[slot] ?? 0n);
}

/**
 * What CSRRS and CSRRC start from. It differs from what they return in one bit: a supervisor external interrupt that only
 * the wire asserts must not be written back as if software had set it.
 * @spec norm:mip_seip_rdcsr
 * @spec norm:mip_seip_wrcsr
 */
export function readCsrToModify(hart: Hart, name: CsrName): bigint {
  if (name !== "mip") return readVisibleCsr(hart, name);
  return hart.state.softwarePending | (hart.state.wiresPending & ~SEIP);
}

/**
 * The value that an instruction reads in the present mode: in a guest, that of the VS twin, and the guest's own time.
 * @spec norm:H_vscsrs_v1
 * @spec norm:htimedelta_sz_acc_op
 */
export function readVisibleCsr(hart: Hart, name: CsrName): bigint {
  const virtual = isVirtual(hart.state.modeNumber);
  // norm:time_htimedelta_req
  if (virtual && name === "time") return guestTime(hart.state, hart.clock);
  return readCsr(hart, visibleCsr(name, virtual));
}
