/** Which interrupt, if any, a hart takes now. */

import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import { INTERRUPT, type InterruptName } from "../isa/trap.ts";
import type { HartState } from "./state.ts";
import { statusBit } from "./status.ts";

/** Highest priority first. @spec norm:intr_M_mode_pri */
export const INTERRUPT_PRIORITY = [
  "machineExternal",
  "machineSoftware",
  "machineTimer",
  "supervisorExternal",
  "supervisorSoftware",
  "supervisorTimer",
] as const satisfies readonly InterruptName[];

/** `mip`: what software and wires together make pending. */
export const pendingBits = (state: HartState): bigint => state.softwarePending | state.wiresPending;

/** Pending and enabled in `mie`, whatever the mode and the global enables say: what ends a WFI. @spec norm:wfi_intr_dis */
export const enabledPending = (state: HartState): bigint => pendingBits(state) & state.stored("mie");

/** Whether interrupts that go to `target` are taken in the present mode. @spec norm:mstatus_xie_intr_en_dis */
function takenFor(state: HartState, target: ModeNumber): boolean {
  if (state.modeNumber !== target) return state.modeNumber < target;
  return statusBit(state.stored("mstatus"), target === MODE_NUMBER.M ? "MIE" : "SIE");
}

/**
 * The code of the interrupt to take before the next instruction, or `undefined`.
 * Those that go to machine mode come before all delegated ones.
 * @spec norm:intr_mip_mie_op
 */
export function interruptToTake(state: HartState): number | undefined {
  const candidates = enabledPending(state);
  if (candidates === 0n) return undefined;
  const delegated = state.stored("mideleg");
  const toMachine = takenFor(state, MODE_NUMBER.M) ? candidates & ~delegated : 0n;
  if (toMachine !== 0n) return firstByPriority(toMachine);
  const toSupervisor = takenFor(state, MODE_NUMBER.S) ? candidates & delegated : 0n;
  return toSupervisor === 0n ? undefined : firstByPriority(toSupervisor);
}

function firstByPriority(bits: bigint): number | undefined {
  const name = INTERRUPT_PRIORITY.find((candidate) => ((bits >> BigInt(INTERRUPT[candidate])) & 1n) === 1n);
  return name === undefined ? undefined : INTERRUPT[name];
}
