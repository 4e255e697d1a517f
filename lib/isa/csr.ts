/**
 * What a control and status register is: its address, its fields, and what a write may leave in each of them.
 */
import { type BitField, fieldMask, getField, setField } from "../bits/field.ts";
import type { SpecReference } from "./insn.ts";

/**
 * What a write does to a field.
 * - `rw`: every value sticks
 * - `ro`: the field keeps its reset value, whatever is written
 * - legal values (WARL): another value leaves the field as it was
 */
export type FieldRule = "rw" | "ro" | { readonly legal: readonly bigint[] };

/** A field of a CSR. */
export interface CsrField extends BitField {
  readonly rule: FieldRule;
}

/** The manual's access class: lowest privilege mode (H is HS-mode), and read–write or read-only. */
export type CsrAccess = "URO" | "URW" | "SRW" | "SRO" | "HRW" | "HRO" | "MRW" | "MRO";

/** One control and status register. */
export interface Csr {
  /** 12 bits. Bits 11:10 say read-only, bits 9:8 the lowest mode: the access class repeats them for readers. */
  readonly address: number;
  readonly access: CsrAccess;
  readonly title: string;
  readonly spec: SpecReference;
  /** By the manual's names, from bit 0 up. Bits in no field read as zero. */
  readonly fields: Readonly<Record<string, CsrField>>;
  /** Value after reset, 64 bits. */
  readonly reset: bigint;
  /** One illegal field makes the whole write void. */
  readonly voidOnIllegal?: true;
}

/** A field in which every value sticks. */
export const rw = (msb: number, lsb = msb): CsrField => ({ lsb, width: msb - lsb + 1, rule: "rw" });
/** A field that never changes. */
export const ro = (msb: number, lsb = msb): CsrField => ({ lsb, width: msb - lsb + 1, rule: "ro" });
/** A field that takes only some values. */
export const warl = (msb: number, lsb: number, legal: readonly bigint[]): CsrField => ({
  lsb,
  width: msb - lsb + 1,
  rule: { legal },
});

/** All bits of a CSR in which every value sticks. */
export function writableMask(csr: Csr): bigint {
  let mask = 0n;
  for (const field of Object.values(csr.fields)) if (field.rule === "rw") mask |= fieldMask(field);
  return mask;
}

/** Fields with legal values of their own, of each CSR that was written. */
const LIMITED = new Map<Csr, readonly { readonly field: CsrField; readonly legal: readonly bigint[] }[]>();

function limitedFields(csr: Csr) {
  const known = LIMITED.get(csr);
  if (known !== undefined) return known;
  const found = Object.values(csr.fields).flatMap((field) =>
    typeof field.rule === "string" ? [] : [{ field, legal: field.rule.legal }],
  );
  LIMITED.set(csr, found);
  return found;
}

/**
 * What a CSR holds after a write. @spec norm:Zicsr_warl @spec norm:Zicsr_write_ro
 *
 * @param old      Value before, 64 bits.
 * @param written  Value that software writes, 64 bits.
 * @param writable {@link writableMask} of the CSR, for callers that have it.
 */
export function legalize(
  csr: Csr,
  old: bigint,
  written: bigint,
  writable: bigint = writableMask(csr),
): bigint {
  let value = (old & ~writable) | (written & writable);
  for (const { field, legal } of limitedFields(csr)) {
    const wanted = getField(written, field);
    if (legal.includes(wanted)) value = setField(value, field, wanted);
    else if (csr.voidOnIllegal) return old;
  }
  return value;
}

/** Whether writes raise an exception: the two highest address bits are ones. @spec norm:Zicsr_rw */
export const isReadOnlyCsr = (address: number): boolean => address >>> 10 === 3;

/** The lowest privilege mode that may use the CSR, as a mode number (2 is the hypervisor's: HS with the H extension). @spec norm:Zicsr_access */
export const lowestMode = (address: number): number => (address >>> 8) & 3;
