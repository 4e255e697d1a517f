/**
 * CSR families whose names are numbers: PMP entries and hardware performance counters (all read-only zero here).
 */
import { type Csr, type CsrField, ro, rw, warl } from "./csr.ts";

type PmpEntry = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
type HpmLow = 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17;
type HpmHigh = 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31;
type Hpm = HpmLow | HpmHigh;

/** Number of PMP entries. @spec norm:pmp_entry_count */
export const PMP_ENTRIES = 16;

type Family<Name extends string, N extends number, Fields extends Csr["fields"]> = {
  readonly [K in `${Name}${N}`]: Csr & { readonly fields: Fields };
};

function family<Name extends string, N extends number, Fields extends Csr["fields"]>(
  name: Name,
  numbers: readonly number[],
  record: (number: number) => Csr & { readonly fields: Fields },
): Family<Name, N, Fields> {
  const entries = numbers.map((number) => [`${name}${number}`, record(number)] as const);
  return Object.fromEntries(entries) as Family<Name, N, Fields>;
}

const range = (first: number, last: number, step = 1): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);

type Value = { readonly value: CsrField };

const readOnlyZero = (
  address: number,
  access: Csr["access"],
  title: string,
): Csr & { readonly fields: Value } => ({
  address,
  access,
  title,
  spec: "norm:mhpmcounter_mhpmevent_rdonly0",
  fields: { value: ro(63, 0) },
  reset: 0n,
});

type CfgFields = { readonly [K in `entry${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`]: CsrField };

/** Eight entries to a register, one byte each; bits 6:5 of a byte are zero. @spec norm:pmp_cfg_rv64_layout */
const pmpcfg = (number: number): Csr & { readonly fields: CfgFields } => ({
  address: 0x3a0 + number,
  access: "MRW",
  title: `permissions of PMP entries ${number * 4} to ${number * 4 + 7}`,
  spec: "norm:pmp_cfg_rv64_layout",
  fields: Object.fromEntries(
    range(0, 7).map((byte) => [`entry${byte}`, warl(byte * 8 + 7, byte * 8, LEGAL_PMP_BYTES)]),
  ) as CfgFields,
  reset: 0n,
});

/** A PMP byte may not grant writing without reading, and bits 6:5 are zero. @spec norm:pmp_rwx_warl */
const LEGAL_PMP_BYTES: readonly bigint[] = range(0, 255)
  .filter((byte) => (byte & 0x60) === 0 && (byte & 0b11) !== 0b10)
  .map(BigInt);

/** Bits 55:2 of an address. @spec norm:pmp_addr_encoding */
const pmpaddr = (number: number): Csr & { readonly fields: { readonly address: CsrField } } => ({
  address: 0x3b0 + number,
  access: "MRW",
  title: `address of PMP entry ${number}`,
  spec: "norm:pmp_addr_encoding",
  fields: { address: rw(53, 0) },
  reset: 0n,
});

/** The numbered CSRs of this hart. */
export const NUMBERED_CSRS = {
  ...family<"pmpcfg", 0 | 2, CfgFields>("pmpcfg", [0, 2], pmpcfg),
  ...family<"pmpaddr", PmpEntry, { readonly address: CsrField }>(
    "pmpaddr",
    range(0, PMP_ENTRIES - 1),
    pmpaddr,
  ),
  ...family<"mhpmevent", Hpm, Value>("mhpmevent", range(3, 31), (number) =>
    readOnlyZero(0x320 + number, "MRW", `event of counter ${number}`),
  ),
  ...family<"mhpmcounter", Hpm, Value>("mhpmcounter", range(3, 31), (number) =>
    readOnlyZero(0xb00 + number, "MRW", `machine performance counter ${number}`),
  ),
  ...family<"hpmcounter", Hpm, Value>("hpmcounter", range(3, 31), (number) =>
    readOnlyZero(0xc00 + number, "URO", `performance counter ${number}`),
  ),
};
