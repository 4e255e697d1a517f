/** The rights of accesses as numbers: translations remembered under one number hold whenever the hart has it again. */
import { effectiveMode, statusOf } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import { statusBit } from "../hart/status.ts";
import { isVirtual, MODE_NUMBER, privilegeOf } from "../isa/mode.ts";

/** Fetches differ by mode only; loads and stores also by SUM and MXR, of which a guest's differ from its hypervisor's. */
export const FETCH_CONTEXTS = 8;
export const DATA_CONTEXTS = 32;
/** Set in the numbers of contexts whose translations are a guest's. */
export const GUEST_FETCHES = 4;
export const GUEST_DATA = 16;

/** Number of the rights that fetches have now: the mode's. */
export const fetchContext = (state: HartState): number => state.modeNumber;

/**
 * Number of the rights that loads and stores have now: the privilege level in two bits, SUM, MXR, and V. A guest has no
 * machine mode, so in its contexts bit 1 of the level is free for the hypervisor's MXR.
 */
export function dataContext(state: HartState): number {
  const mode = effectiveMode(state, "load");
  const privilege = privilegeOf(mode);
  const mstatus = state.stored("mstatus");
  const status = statusOf(state, mode);
  const sum = privilege === MODE_NUMBER.S && statusBit(status, "SUM") ? 4 : 0;
  const mxr = privilege !== MODE_NUMBER.M && statusBit(status, "MXR") ? 8 : 0;
  const hypervisorMxr = isVirtual(mode) && statusBit(mstatus, "MXR") ? 2 : 0;
  return privilege | sum | mxr | hypervisorMxr | (isVirtual(mode) ? GUEST_DATA : 0);
}
