/** Whose rights an access has. */
import type { ModeNumber } from "../isa/mode.ts";
import type { HartState } from "./state.ts";
import { statusBit, statusField } from "./status.ts";

/** What an access does. */
export type AccessKind = "fetch" | "load" | "store";

/**
 * The mode whose rights count: under MPRV loads and stores have those of `MPP`; fetches never do.
 * @spec norm:mstatus_mprv_ldst_op
 * @spec norm:mstatus_mprv_inst_xlat_op
 */
export function effectiveMode(state: HartState, kind: AccessKind): ModeNumber {
  if (kind === "fetch") return state.modeNumber;
  const mstatus = state.stored("mstatus");
  return statusBit(mstatus, "MPRV") ? (Number(statusField(mstatus, "MPP")) as ModeNumber) : state.modeNumber;
}
