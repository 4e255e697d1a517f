/** Which interrupt, if any, a hart takes now. */

import { isVirtual, MODE_NUMBER } from "../isa/mode.ts";
import { INTERRUPT, type InterruptName } from "../isa/trap.ts";
import { hypervisorField } from "./hypervisor-status.ts";
import type { HartState } from "./state.ts";
import { statusBit } from "./status.ts";

/** Highest priority first, for each mode that handles them. @spec norm:intr_M_mode_pri @spec norm:hsint_priority @spec norm:sip_sie_priority_bit_order */
export const INTERRUPT_PRIORITY = [
  "machineExternal",
  "machineSoftware",
  "machineTimer",
  "supervisorExternal",
  "supervisorSoftware",
  "supervisorTimer",
  "supervisorGuestExternal",
  "virtualSupervisorExternal",
  "virtualSupervisorSoftware",
  "virtualSupervisorTimer",
] as const satisfies readonly InterruptName[];

const bitsOf = (...names: InterruptName[]): bigint =>
  names.reduce((mask, name) => mask | (1n << BigInt(INTERRUPT[name])), 0n);

/** The interrupts of a guest: VSSI, VSTI and VSEI. */
export const VS_INTERRUPTS: bigint = bitsOf(
  "virtualSupervisorSoftware",
  "virtualSupervisorTimer",
  "virtualSupervisorExternal",
);
/** What `hie` and `hip` show: the guest's interrupts, and SGEI, which is about guests. @spec norm:sie_hip_hie_mutex */
export const HS_VIEW: bigint = VS_INTERRUPTS | bitsOf("supervisorGuestExternal");
/** What `sie` and `sip` show. */
export const S_INTERRUPTS: bigint = bitsOf("supervisorSoftware", "supervisorTimer", "supervisorExternal");

const SGEIP = bitsOf("supervisorGuestExternal");
const VSEIP = bitsOf("virtualSupervisorExternal");

/**
 * What the guest external lines make pending: SGEIP for lines that HS-mode wants to hear of, VSEIP for the line that
 * `hstatus.VGEIN` gives to the present guest.
 * @spec norm:hip_sgeip_sgeie_acc_op
 * @spec norm:hip_vseip_vseie_op
 * @spec norm:hstatus_vgein_op
 */
function guestExternalBits(state: HartState): bigint {
  const { guestExternal } = state;
  if (guestExternal === 0n) return 0n;
  // norm:hgeie_op
  const forHypervisor = (guestExternal & state.stored("hgeie")) !== 0n ? SGEIP : 0n;
  const forGuest = ((guestExternal >> hypervisorField(state, "VGEIN")) & 1n) !== 0n ? VSEIP : 0n;
  return forHypervisor | forGuest;
}

/** `mip`: what software and wires together make pending. */
export const pendingBits = (state: HartState): bigint =>
  state.softwarePending | state.wiresPending | guestExternalBits(state); // norm:intr_sei_op

/** Pending and enabled in `mie`, whatever the mode and the global enables say: what ends a WFI. @spec norm:wfi_intr_dis */
export const enabledPending = (state: HartState): bigint => pendingBits(state) & state.stored("mie");

/** Whether machine mode's interrupts are taken in the present mode. @spec norm:mstatus_xie_intr_en_dis @spec norm:mstatus_mie_sie_op2 */
const isMachineInterruptible = (state: HartState): boolean =>
  state.modeNumber !== MODE_NUMBER.M || statusBit(state.stored("mstatus"), "MIE");

/** Whether supervisor mode's are: always in less privileged modes, of which a guest's are two. @spec norm:sstatus_sie @spec norm:sie_sip_supervisor_strap */
function isSupervisorInterruptible(state: HartState): boolean {
  const mode = state.modeNumber;
  if (mode === MODE_NUMBER.S) return statusBit(state.stored("mstatus"), "SIE");
  return mode !== MODE_NUMBER.M;
}

/** Whether a guest's own are: only while it runs. @spec norm:hideleg_op */
function isGuestInterruptible(state: HartState): boolean {
  const mode = state.modeNumber;
  if (mode === MODE_NUMBER.VS) return statusBit(state.stored("vsstatus"), "SIE");
  return isVirtual(mode);
}

/**
 * The code of the interrupt to take before the next instruction, or `undefined`.
 * Those that go to machine mode come before all delegated ones, and those of supervisor mode before a guest's.
 * @spec norm:intr_mip_mie_op
 */
export function interruptToTake(state: HartState): number | undefined {
  const candidates = enabledPending(state);
  if (candidates === 0n) return undefined;
  const delegated = state.stored("mideleg");
  const toMachine = candidates & ~delegated; // norm:trap_del_intr_priv_lvl
  // norm:intr_M_mode_highest_pri
  if (toMachine !== 0n && isMachineInterruptible(state)) return firstByPriority(toMachine);
  const passedOn = state.stored("hideleg");
  const toSupervisor = candidates & delegated & ~passedOn; // norm:hideleg_hs
  if (toSupervisor !== 0n && isSupervisorInterruptible(state)) return firstByPriority(toSupervisor);
  const toGuest = candidates & delegated & passedOn; // norm:hip_vstip_enable
  return toGuest !== 0n && isGuestInterruptible(state) ? firstByPriority(toGuest) : undefined;
}

function firstByPriority(bits: bigint): number | undefined {
  const name = INTERRUPT_PRIORITY.find((candidate) => ((bits >> BigInt(INTERRUPT[candidate])) & 1n) === 1n);
  return name === undefined ? undefined : INTERRUPT[name];
}
