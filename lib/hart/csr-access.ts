/** The first question of a CSR access: may it happen? */
import { isReadOnlyCsr, lowestMode } from "../isa/csr.ts";
import { CSRS, csrAt } from "../isa/csr-map.ts";
import { isVirtual, MODE_NUMBER, type ModeNumber, privilegeOf } from "../isa/mode.ts";
import type { ExceptionName } from "../isa/trap.ts";
import { type IsaVariant, lacksCsr } from "../isa/variant.ts";
import type { Hart } from "./hart.ts";
import { hypervisorBit } from "./hypervisor-status.ts";
import type { HartState } from "./state.ts";
import { isFloatOn, statusBit } from "./status.ts";
import { isGuestTimerOn, isTimerOn } from "./supervisor-timer.ts";

const { U, S, M } = MODE_NUMBER;

/** First and last of the counters that user mode may see: `cycle` to `hpmcounter31`. */
const FIRST_COUNTER = CSRS.cycle.address;
const LAST_COUNTER = CSRS.hpmcounter31.address;
const SATP = CSRS.satp.address;
const HGATP = CSRS.hgatp.address;
const STIMECMP = CSRS.stimecmp.address;
const VSTIMECMP = CSRS.vstimecmp.address;
const FCSR = CSRS.fcsr.address;
/** `time` among the counters. */
const TIME = BigInt(CSRS.time.address - FIRST_COUNTER);
/** What CSR addresses call the hypervisor's level: HS-mode, which is S-mode outside a guest. */
const HYPERVISOR_LEVEL = 2;

/**
 * The exception that using a CSR raises here and now, or `undefined` when it may be used.
 *
 * @param csr     12-bit address.
 * @param writes  Whether the instruction writes it.
 * @spec priv §"CSR Address Mapping Conventions"
 * @spec norm:H_csrs_hs_not_vs
 */
export function csrDenied({ state, isa }: Hart, csr: number, writes: boolean): ExceptionName | undefined {
  const missing = csrAt(csr) === undefined || lacksCsr(isa, csr); // norm:H_illegal_high_half
  const readOnly = writes && isReadOnlyCsr(csr); // norm:Zicsr_illegal_acc
  if (missing || readOnly) return "illegalInstruction";
  if (isVirtual(state.modeNumber)) return deniedToGuest(state, csr);
  if (isLeak(isa, state.modeNumber, csr)) return undefined;
  // norm:H_vscsrs_acc_m_hs
  const level = state.modeNumber === S ? HYPERVISOR_LEVEL : state.modeNumber;
  // norm:H_vscsrs_acc_u norm:Zicsr_illegal_mode norm:Zicsr_higher_priv norm:M_access_all_lower_priv_CSRs norm:non_priv_exc
  const isRefused = level < lowestMode(csr) || isWithheld(state, csr) || isTrapped(state, csr);
  return isRefused ? "illegalInstruction" : undefined;
}

/** Whether user mode names a CSR that should have trapped and does not. */
export function isLeak({ leaks }: IsaVariant, mode: ModeNumber, csr: number): boolean {
  const name = mode === U && leaks.length > 0 ? csrAt(csr) : undefined;
  return name !== undefined && leaks.includes(name);
}

/** CSRs that a more privileged mode has taken away from this one. */
function isTrapped(state: HartState, csr: number): boolean {
  const mode = state.modeNumber;
  // norm:mstatus_tvm_warl_op
  const hasTvm = mode === S && statusBit(state.stored("mstatus"), "TVM");
  if (csr === SATP || csr === HGATP) return hasTvm; // norm:hgatp_tvm_illegal norm:mstatus_tvm_hs
  // norm:scounteren_op
  return isCounter(csr) && mode === U && !isOpen(state, "scounteren", counterOf(csr));
}

/**
 * CSRs that are off for everybody below machine mode, in a guest or not, with the floating-point unit for all.
 * @spec norm:mstatus_fs_vs_xs_off_op
 * @spec norm:menvcfg_stce_op2
 * @spec norm:mcounteren_clr_ill_inst_exc
 */
function isWithheld(state: HartState, csr: number): boolean {
  if (csr <= FCSR) return !isFloatOn(state);
  if (state.modeNumber === M) return false;
  // norm:mcounteren_tm_clr norm:mcounteren_tm_set
  if (csr === STIMECMP || csr === VSTIMECMP) return !(isTimerOn(state) && isOpen(state, "mcounteren", TIME));
  // norm:mcounteren_set_nxt_priv
  return isCounter(csr) && !isOpen(state, "mcounteren", counterOf(csr));
}

/**
 * In a guest, what HS-mode may do (whatever TVM says) is refused so that its hypervisor can emulate it; the rest does not
 * exist for anybody.
 * @spec norm:H_virtinst_vu_vs_nonhigh_allowedhs_tvm0
 * @spec norm:H_virtinst_vu_nonhigh_supervisor_allowedhs_tvm0
 */
function deniedToGuest(state: HartState, csr: number): ExceptionName | undefined {
  const level = lowestMode(csr);
  if (level === M || isWithheld(state, csr)) return "illegalInstruction";
  const isTooLow = privilegeOf(state.modeNumber) < level; // norm:H_vscsrs_acc_vs
  return isTooLow || isTrappedByHypervisor(state, csr) ? "virtualInstruction" : undefined;
}

/**
 * CSRs that the hypervisor, or the guest's own supervisor, has taken away.
 * @spec norm:H_virtinst_vs_sfence_sinval_satp_vtvm1
 * @spec norm:H_virtinst_vs_nonhighctr_h0_m1
 * @spec norm:H_virtinst_vu_nonhighctr_h0_s0_m1
 * @spec norm:hstatus_vtvm_op
 */
function isTrappedByHypervisor(state: HartState, csr: number): boolean {
  if (csr === SATP) return hypervisorBit(state, "VTVM");
  // norm:hcounteren_acc
  if (csr === STIMECMP) return !(isGuestTimerOn(state) && isOpen(state, "hcounteren", TIME));
  if (!isCounter(csr)) return false;
  const counter = counterOf(csr);
  const isUser = privilegeOf(state.modeNumber) === U;
  // norm:hcounteren_op norm:H_scsrs_nomatch
  return !isOpen(state, "hcounteren", counter) || (isUser && !isOpen(state, "scounteren", counter));
}

const isCounter = (csr: number): boolean => csr >= FIRST_COUNTER && csr <= LAST_COUNTER;
const counterOf = (csr: number): bigint => BigInt(csr - FIRST_COUNTER);

/** Machine mode opens counters to supervisor mode, the hypervisor to its guest, and supervisor modes to their user modes. */
const isOpen = (
  state: HartState,
  register: "mcounteren" | "hcounteren" | "scounteren",
  counter: bigint,
): boolean => ((state.stored(register) >> counter) & 1n) === 1n;
