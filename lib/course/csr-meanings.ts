/** What field values of control and status registers mean, in a few words; only those a chapter talks about. */
import { groupedHex } from "../bits/hex.ts";

type Meaning = (value: bigint) => string | undefined;

const modeWords: readonly (string | undefined)[] = ["U-mode", "S-mode", undefined, "M-mode"];
const modeOf = (value: bigint): string => modeWords[Number(value)] ?? "a reserved mode";
const whenSet =
  (words: string): Meaning =>
  (value) =>
    value === 0n ? undefined : words;
const width: Meaning = (value) => (value === 2n ? "64 bits wide" : undefined);

const STATUS: Readonly<Record<string, Meaning>> = {
  MPP: (value) => `MRET goes to ${modeOf(value)}`,
  SPP: (value) => `SRET goes to ${value === 0n ? "U-mode" : "S-mode"}`,
  MPIE: whenSet("MRET turns M-mode interrupts on"),
  SPIE: whenSet("SRET turns S-mode interrupts on"),
  MIE: whenSet("M-mode interrupts are on"),
  SIE: whenSet("S-mode interrupts are on"),
  SUM: whenSet("S-mode may use U pages"),
  MXR: whenSet("loads may read pages that only execute"),
  UXL: width,
  SXL: width,
};

const MEANINGS: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  mstatus: STATUS,
  sstatus: STATUS,
  satp: {
    MODE: (value) => (value === 8n ? "Sv39" : value === 0n ? "Bare: no translation" : undefined),
    PPN: (value) => `the root table is at ${groupedHex(value << 12n, 8)}`,
  },
};

/** Words for the value of a field, or `undefined` when there is nothing to add. */
export const fieldMeaning = (csr: string, field: string, value: bigint): string | undefined =>
  MEANINGS[csr]?.[field]?.(value);
