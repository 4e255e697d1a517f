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

/** Translation modes by number; those of `hgatp` are the same with "x4". */
const SCHEME_WORDS: Readonly<Record<string, string>> = {
  "0": "Bare: no translation",
  "8": "Sv39",
  "9": "Sv48",
};
const scheme =
  (suffix: string): Meaning =>
  (value) =>
    value === 0n || SCHEME_WORDS[`${value}`] === undefined
      ? SCHEME_WORDS[`${value}`]
      : `${SCHEME_WORDS[`${value}`]}${suffix}`;
const root =
  (words: string): Meaning =>
  (value) =>
    `the root table is at ${words}${groupedHex(value << 12n, 8)}`;

const ENVIRONMENT: Readonly<Record<string, Meaning>> = {
  ADUE: (value) => (value === 0n ? "page faults ask software to set A and D" : "hardware sets A and D"),
  PBMTE: whenSet("PTEs may name a memory type"),
  STCE: whenSet("the timer below has its compare register"),
};

const HYPERVISOR: Readonly<Record<string, Meaning>> = {
  GVA: whenSet("the trap value is a guest's address"),
  SPV: (value) => `SRET goes ${value === 0n ? "to no guest" : "to the guest"}`,
  SPVP: (value) => `HLV and HSV have ${value === 0n ? "VU" : "VS"}-mode's rights`,
  HU: whenSet("U-mode may use HLV and HSV"),
  VGEIN: (value) => (value === 0n ? undefined : `line ${value} of hgeip is the guest's`),
  VTVM: whenSet("the guest's satp and SFENCE.VMA trap"),
  VTW: whenSet("the guest's WFI traps"),
  VTSR: whenSet("the guest's SRET traps"),
  VSXL: width,
};

const MEANINGS: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  mstatus: {
    ...STATUS,
    MPV: whenSet("MRET goes to a guest"),
    GVA: whenSet("the trap value is a guest's address"),
  },
  sstatus: STATUS,
  vsstatus: STATUS,
  hstatus: HYPERVISOR,
  menvcfg: ENVIRONMENT,
  henvcfg: ENVIRONMENT,
  satp: { MODE: scheme(""), PPN: root("") },
  vsatp: { MODE: scheme(""), PPN: root("guest-physical ") },
  hgatp: { MODE: scheme("x4"), PPN: root("") },
};

/** Words for the value of a field, or `undefined` when there is nothing to add. */
export const fieldMeaning = (csr: string, field: string, value: bigint): string | undefined =>
  MEANINGS[csr]?.[field]?.(value);
