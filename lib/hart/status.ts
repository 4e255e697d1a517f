/** The bits of `mstatus` by name, and the few that trap entry and return move. */
import { type BitField, fieldMask, getField, setField } from "../bits/field.ts";
import { CSRS } from "../isa/csr-map.ts";

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
  for (const [name, value] of Object.entries(values))
    result = setField(result, FIELDS[name as StatusField], value);
  return result;
}

/** The part of `mstatus` that supervisor mode sees as `sstatus`. @spec norm:sstatus_spp */
export const SSTATUS_MASK: bigint = Object.values(CSRS.sstatus.fields).reduce(
  (mask, field) => mask | fieldMask(field),
  0n,
);
