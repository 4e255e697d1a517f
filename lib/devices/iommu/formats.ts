/**
 * The numbers of the RISC-V IOMMU: registers, fields of structures in memory, commands, causes. No other file has one.
 *
 * @spec RISC-V IOMMU Architecture Specification 1.0, chapters "Data Structures", "In-memory queue interface", "Memory-mapped register interface"
 */
import { type BitField, bits, fieldMask } from "../../bits/field.ts";

/** Offsets of registers in bytes. */
export const IommuOffset = {
  CAPABILITIES: 0,
  FCTL: 8,
  DDTP: 16,
  CQB: 24,
  CQH: 32,
  CQT: 36,
  FQB: 40,
  FQH: 48,
  FQT: 52,
  CQCSR: 72,
  FQCSR: 76,
  IPSR: 84,
  TR_REQ_IOVA: 600,
  TR_REQ_CTL: 608,
  TR_RESPONSE: 616,
  ICVEC: 760,
} as const;

/** Bit numbers of `capabilities`: what this IOMMU has. Absent: ATS, MSI translation, performance counters, big-endian tables. */
const CAPABILITY_BITS = {
  Sv39: 9,
  Sv48: 10,
  Svpbmt: 15,
  Sv39x4: 17,
  Sv48x4: 18,
  AMO_HWAD: 24,
  DBG: 31,
  PD8: 38,
  PD17: 39,
  PD20: 40,
} as const;
const VERSION = 0x10n;
/** Interrupts by wire only. */
const IGS_WIRES = 1n << 28n;
const PHYSICAL_ADDRESS_BITS = 56n << 32n;

/** The `capabilities` register. */
export const CAPABILITIES: bigint = Object.values(CAPABILITY_BITS).reduce(
  (word, bit) => word | (1n << BigInt(bit)),
  VERSION | IGS_WIRES | PHYSICAL_ADDRESS_BITS,
);
/** The `fctl` register: wires, little-endian, no 32-bit guests; nothing of it can be changed. */
export const FCTL = 2n;

/** Modes of `ddtp`. */
export const DirectoryMode = { OFF: 0n, BARE: 1n, ONE_LEVEL: 2n, TWO_LEVELS: 3n, THREE_LEVELS: 4n } as const;
/** Fields of `ddtp`. */
export const DDTP = { MODE: bits(3, 0), PPN: bits(53, 10) } as const satisfies Record<string, BitField>;

/** Fields of `cqb` and `fqb`. */
export const QUEUE_BASE = { LOG2SZ_1: bits(4, 0), PPN: bits(53, 10) } as const satisfies Record<
  string,
  BitField
>;
/** Largest `LOG2SZ-1`: queues of 4096 entries, so that no store makes the IOMMU work without end. */
export const MAX_LOG2SZ_1 = 11n;

/** Bits of `cqcsr`. */
export const Cqcsr = {
  CQEN: 1n << 0n,
  CIE: 1n << 1n,
  CQMF: 1n << 8n,
  CMD_TO: 1n << 9n,
  CMD_ILL: 1n << 10n,
  FENCE_W_IP: 1n << 11n,
  CQON: 1n << 16n,
} as const;
/** Bits of `fqcsr`. */
export const Fqcsr = {
  FQEN: 1n << 0n,
  FIE: 1n << 1n,
  FQMF: 1n << 8n,
  FQOF: 1n << 9n,
  FQON: 1n << 16n,
} as const;
/** Bits of `ipsr`; the field of `icvec` that chooses its wire has the same index. */
export const Ipsr = { CIP: 1n << 0n, FIP: 1n << 1n } as const;
/** Wires: four, so two bits of each field of `icvec` can be written. Those of causes that do not exist read zero. */
export const WIRES = 4;
export const ICVEC_WRITABLE = 0x33n;

/** Fields of `tr_req_ctl`. */
export const TR_REQ_CTL = {
  GO: bits(0),
  PRIV: bits(1),
  EXE: bits(2),
  NW: bits(3),
  PID: bits(31, 12),
  PV: bits(32),
  DID: bits(63, 40),
} as const satisfies Record<string, BitField>;
/** Fields of `tr_response`. */
export const TR_RESPONSE = {
  FAULT: bits(0),
  PBMT: bits(8, 7),
  S: bits(9),
  PPN: bits(53, 10),
} as const satisfies Record<string, BitField>;

/** An entry of a directory that points on: of devices or of processes. */
export const DIRECTORY_ENTRY = { V: bits(0), PPN: bits(53, 10) } as const satisfies Record<string, BitField>;
export const DIRECTORY_ENTRY_RESERVED: bigint = fieldMask(bits(9, 1)) | fieldMask(bits(63, 54));

/** Base format of a device context: four words. */
export const DEVICE_CONTEXT_BYTES = 32;
/** Bits of `tc`. */
export const TranslationControl = {
  V: 1n << 0n,
  EN_ATS: 1n << 1n,
  EN_PRI: 1n << 2n,
  T2GPA: 1n << 3n,
  DTF: 1n << 4n,
  PDTV: 1n << 5n,
  PRPR: 1n << 6n,
  GADE: 1n << 7n,
  SADE: 1n << 8n,
  DPE: 1n << 9n,
  SBE: 1n << 10n,
  SXL: 1n << 11n,
} as const;
export const TC_RESERVED: bigint = fieldMask(bits(23, 12)) | fieldMask(bits(63, 32));
/** `ta` of a device: nothing but PSCID, for there are no quality-of-service identifiers. */
export const DEVICE_TA_RESERVED: bigint = ~fieldMask(bits(31, 12)) & fieldMask(bits(63, 0));
/** `iohgatp`. */
export const IOHGATP = {
  PPN: bits(43, 0),
  GSCID: bits(59, 44),
  MODE: bits(63, 60),
} as const satisfies Record<string, BitField>;
/** `iosatp`, and `pdtp` alike. */
export const FIRST_STAGE = { PPN: bits(43, 0), MODE: bits(63, 60) } as const satisfies Record<
  string,
  BitField
>;
export const FIRST_STAGE_RESERVED: bigint = fieldMask(bits(59, 44));
/** Modes of `pdtp`: levels of the process directory, or none. */
export const ProcessDirectoryMode = { BARE: 0n, PD8: 1n, PD17: 2n, PD20: 3n } as const;
/** Bits of a process number that a directory of so many levels tells apart; the index is the mode. */
export const PROCESS_ID_BITS = [0, 8, 17, 20] as const;

/** A process context: two words, `ta` and `fsc`. */
export const PROCESS_CONTEXT_BYTES = 16;
/** Bits of its `ta`. */
export const ProcessAttributes = { V: 1n << 0n, ENS: 1n << 1n, SUM: 1n << 2n } as const;
export const PROCESS_TA_RESERVED: bigint = fieldMask(bits(11, 3)) | fieldMask(bits(63, 32));

/** Bytes of a command and of a fault record. */
export const COMMAND_BYTES = 16;
export const FAULT_RECORD_BYTES = 32;

/** Fields of the first word of a fault record; the third is the address that was wanted, the fourth is `iotval2`. */
export const FAULT_RECORD = {
  CAUSE: bits(11, 0),
  PID: bits(31, 12),
  PV: bits(32),
  PRIV: bits(33),
  TTYP: bits(39, 34),
  DID: bits(63, 40),
} as const satisfies Record<string, BitField>;

/** Causes of faults that are the IOMMU's own; those of page tables have the numbers that they have in a hart. */
export const IommuCause = {
  ALL_DISALLOWED: 256,
  DDT_ACCESS_FAULT: 257,
  DDT_NOT_VALID: 258,
  DDT_MISCONFIGURED: 259,
  TRANSACTION_DISALLOWED: 260,
  PDT_ACCESS_FAULT: 265,
  PDT_NOT_VALID: 266,
  PDT_MISCONFIGURED: 267,
} as const;

/** What each cause says, in the specification's words. @spec IOMMU 1.0, "Fault record CAUSE field encodings" */
export const CAUSE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "instruction access fault"],
  [5, "read access fault"],
  [7, "write access fault"],
  [12, "instruction page fault"],
  [13, "read page fault"],
  [15, "write page fault"],
  [20, "instruction guest-page fault"],
  [21, "read guest-page fault"],
  [23, "write guest-page fault"],
  [IommuCause.ALL_DISALLOWED, "all inbound transactions disallowed"],
  [IommuCause.DDT_ACCESS_FAULT, "device directory entry cannot be read"],
  [IommuCause.DDT_NOT_VALID, "device directory entry not valid"],
  [IommuCause.DDT_MISCONFIGURED, "device directory entry misconfigured"],
  [IommuCause.TRANSACTION_DISALLOWED, "transaction type disallowed"],
  [IommuCause.PDT_ACCESS_FAULT, "process directory entry cannot be read"],
  [IommuCause.PDT_NOT_VALID, "process directory entry not valid"],
  [IommuCause.PDT_MISCONFIGURED, "process directory entry misconfigured"],
]);

/** Causes that are told although the device's context says that translation faults are not (`tc.DTF`). */
export const TOLD_DESPITE_DTF: ReadonlySet<number> = new Set([
  IommuCause.ALL_DISALLOWED,
  IommuCause.DDT_ACCESS_FAULT,
  IommuCause.DDT_NOT_VALID,
  IommuCause.DDT_MISCONFIGURED,
]);

/** `TTYP`: what the transaction was. */
export const TransactionType = { fetch: 1n, load: 2n, store: 3n } as const;
