/** The bits of `hstatus` by name. */
import { type BitField, fieldMask, getField, setField } from "../bits/field.ts";
import { CSRS } from "../isa/csr-map.ts";
import type { HartState } from "./state.ts";

/** Name of a field of `hstatus`. */
export type HypervisorStatusField = keyof typeof CSRS.hstatus.fields;

const FIELDS: Readonly<Record<HypervisorStatusField, BitField>> = CSRS.hstatus.fields;

/** Whether a one-bit field is set. */
export const hypervisorBit = (state: HartState, name: HypervisorStatusField): boolean =>
  (state.stored("hstatus") & fieldMask(FIELDS[name])) !== 0n;

/** The value of a field, unsigned. */
export const hypervisorField = (state: HartState, name: HypervisorStatusField): bigint =>
  getField(state.stored("hstatus"), FIELDS[name]);

/** Replaces fields. */
export function setHypervisorStatus(
  state: HartState,
  values: { readonly [F in HypervisorStatusField]?: bigint },
): void {
  let hstatus = state.stored("hstatus");
  for (const name of Object.keys(values) as HypervisorStatusField[])
    hstatus = setField(hstatus, FIELDS[name], values[name] ?? 0n);
  state.setStored("hstatus", hstatus);
}
