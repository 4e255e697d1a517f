/** Whose rights an access has. */
import { isVirtual, MODE_NUMBER, type ModeNumber, modeOf, type PrivilegeNumber } from "../isa/mode.ts";
import { hypervisorBit } from "./hypervisor-status.ts";
import type { HartState } from "./state.ts";
import { statusBit, statusField } from "./status.ts";

/** What an access does. */
export type AccessKind = "fetch" | "load" | "store";

/**
 * The mode whose rights count: under MPRV loads and stores have those of `MPP` and `MPV`; fetches never do.
 * @spec norm:mstatus_mprv_ldst_op
 * @spec norm:mstatus_mprv_inst_xlat_op
 * @spec norm:mstatus_mprv_hypervisor
 */
export function effectiveMode(state: HartState, kind: AccessKind): ModeNumber {
  if (kind === "fetch") return state.modeNumber;
  const mstatus = state.stored("mstatus");
  if (!statusBit(mstatus, "MPRV")) return state.modeNumber;
  return modeOf(Number(statusField(mstatus, "MPP")) as PrivilegeNumber, statusBit(mstatus, "MPV"));
}

/** The guest's mode as which HLV and HSV access memory, whatever MPRV says. @spec norm:hstatus_spvp_op @spec norm:mstatus_mprv_hlsv */
export const guestMode = (state: HartState): ModeNumber =>
  hypervisorBit(state, "SPVP") ? MODE_NUMBER.VS : MODE_NUMBER.VU;

/** The `…status` register whose SUM and MXR count in a mode's own stage of translation. @spec norm:hlsv_trans */
export const statusOf = (state: HartState, mode: ModeNumber): bigint =>
  state.stored(isVirtual(mode) ? "vsstatus" : "mstatus");
