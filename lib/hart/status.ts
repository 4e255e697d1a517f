/** The bits of `mstatus` by name, and the few that trap entry and return move. */
import { type BitField, fieldMask, getField, setField } from "../bits/field.ts";
import { CSRS } from "../isa/csr-map.ts";
import { isVirtual } from "../isa/mode.ts";
import type { HartState } from "./state.ts";

/** Name of a field of `mstatus`. */
export type StatusField = keyof typeof CSRS.mstatus.fields;

const FIELDS: Readonly<Record<StatusField, BitField>> = CSRS.mstatus.fields;

/** The value of a field, unsigned. */
export const statusField = (mstatus: bigint, name: StatusField): bigint => getField(mstatus, FIELDS[name]);

/** Whether a one-bit field is set. */
export const statusBit = (mstatus: bigint, name: StatusField): boolean =>
  (mstatus & fieldMask(FIELDS[name])) !== 0n;

/** `mstatus` with fields replaced. */
export function withStatus(mstatus: bigint, values: { readonly [F in StatusField]?: bigint }): bigint {
  let result = mstatus;
  for (const name of Object.keys(values) as StatusField[])
    result = setField(result, FIELDS[name], values[name] ?? 0n);
  return result;
}

/** The part of `mstatus` that supervisor mode sees as `sstatus`. @spec norm:sstatus_spp */
export const SSTATUS_MASK: bigint = Object.values(CSRS.sstatus.fields).reduce(
  (mask, field) => mask | fieldMask(field),
  0n,
);

/** FS is Off, Initial, Clean or Dirty: 0 to 3. */
const FS_DIRTY = fieldMask(FIELDS.FS);
/** SD says that some extension's state is dirty, and F is the only one that has a state here. */
const SD = fieldMask(FIELDS.SD);

/** `mstatus` with SD as FS wants it. @spec norm:mstatus_sd_op1 @spec norm:mstatus_fs_vs_xs_enc */
export const withSummary = (mstatus: bigint): bigint =>
  (mstatus & FS_DIRTY) === FS_DIRTY ? mstatus | SD : mstatus & ~SD;

/**
 * Notes that a floating-point register or flag has changed; in a guest, to its own status too.
 * @spec norm:mstatus_fs_vs_xs_dirty_op
 * @spec norm:vsstatus_fs_op
 */
export function markFloatDirty(state: HartState): void {
  state.setStored("mstatus", state.stored("mstatus") | FS_DIRTY | SD);
  if (isVirtual(state.modeNumber)) state.setStored("vsstatus", state.stored("vsstatus") | FS_DIRTY | SD);
}

/**
 * Whether floating-point instructions may run: in a guest, both its own status and its hypervisor's must allow it.
 * @spec norm:mstatus_fs_vs_xs_off_op
 * @spec norm:H_illegalinst_xstatus_fs_vs
 */
export function isFloatOn(state: HartState): boolean {
  const off = (status: bigint): boolean => (status & FS_DIRTY) === 0n;
  return !off(state.stored("mstatus")) && !(isVirtual(state.modeNumber) && off(state.stored("vsstatus")));
}
