/** The first question of a CSR access: may it happen? */
import { isReadOnlyCsr, lowestMode } from "../isa/csr.ts";
import { CSRS, csrAt } from "../isa/csr-map.ts";
import { MODE_NUMBER } from "../isa/mode.ts";
import type { ExceptionName } from "../isa/trap.ts";
import type { Hart } from "./hart.ts";
import type { HartState } from "./state.ts";
import { isFloatOn, statusBit } from "./status.ts";
import { isTimerOn } from "./supervisor-timer.ts";

const { U, S, M } = MODE_NUMBER;

/** First and last of the counters that user mode may see: `cycle` to `hpmcounter31`. */
const FIRST_COUNTER = CSRS.cycle.address;
const LAST_COUNTER = CSRS.hpmcounter31.address;
const SATP = CSRS.satp.address;
const STIMECMP = CSRS.stimecmp.address;
const FCSR = CSRS.fcsr.address;
/** `time` among the counters. */
const TIME = BigInt(CSRS.time.address - FIRST_COUNTER);

/**
 * The exception that using a CSR raises here and now, or `undefined` when it may be used.
 *
 * @param csr     12-bit address.
 * @param writes  Whether the instruction writes it.
 * @spec priv §"CSR Address Mapping Conventions"
 */
export function csrDenied({ state }: Hart, csr: number, writes: boolean): ExceptionName | undefined {
  const missing = csrAt(csr) === undefined;
  const readOnly = writes && isReadOnlyCsr(csr);
  const tooLow = state.modeNumber < lowestMode(csr);
  return missing || readOnly || tooLow || isTrapped(state, csr) ? "illegalInstruction" : undefined;
}

/**
 * CSRs that a more privileged mode has taken away from this one.
 * @spec norm:mstatus_fs_vs_xs_off_op
 * @spec norm:menvcfg_stce_op2
 */
function isTrapped(state: HartState, csr: number): boolean {
  const mode = state.modeNumber;
  if (csr <= FCSR) return !isFloatOn(state);
  if (csr === SATP) return mode === S && statusBit(state.stored("mstatus"), "TVM");
  if (csr === STIMECMP) return mode !== M && !(isTimerOn(state) && counterIsOpen(state, TIME));
  if (csr < FIRST_COUNTER || csr > LAST_COUNTER) return false;
  return !counterIsOpen(state, BigInt(csr - FIRST_COUNTER));
}

/** Machine mode opens counters to supervisor mode, and both to user mode. @spec norm:mcounteren_clr_ill_inst_exc */
function counterIsOpen(state: HartState, counter: bigint): boolean {
  const mode = state.modeNumber;
  const bit = (name: "mcounteren" | "scounteren"): boolean => ((state.stored(name) >> counter) & 1n) === 1n;
  if (mode === M) return true;
  return bit("mcounteren") && (mode !== U || bit("scounteren"));
}
