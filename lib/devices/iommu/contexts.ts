/**
 * Which address space a device works in: the device directory, and for devices with several address spaces the process
 * directory behind it. Both are radix trees in memory.
 *
 * @spec RISC-V IOMMU 1.0, "Process to locate the Device-context", "Process to locate the Process-context"
 */
import { getField } from "../../bits/field.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { type IommuFault, iommuFault } from "./fault.ts";
import {
  DDTP,
  DEVICE_CONTEXT_BYTES,
  DEVICE_TA_RESERVED,
  DIRECTORY_ENTRY,
  DIRECTORY_ENTRY_RESERVED,
  DirectoryMode,
  FIRST_STAGE,
  FIRST_STAGE_RESERVED,
  IOHGATP,
  IommuCause,
  PROCESS_CONTEXT_BYTES,
  PROCESS_TA_RESERVED,
  ProcessAttributes,
  ProcessDirectoryMode,
  TC_RESERVED,
  TranslationControl as Tc,
} from "./formats.ts";
import { readWord, readWords } from "./table-memory.ts";

/** What `tc` and its companions say about a device. */
export interface DeviceContext {
  readonly kind: "device-context";
  readonly tc: bigint;
  readonly iohgatp: bigint;
  /** `iosatp`, or with `tc.PDTV` the root of the process directory. */
  readonly fsc: bigint;
}

/** What a process of a device may do, and its tables. */
export interface ProcessContext {
  readonly kind: "process-context";
  readonly ta: bigint;
  /** `iosatp`. */
  readonly fsc: bigint;
}

const PAGE_SHIFT = 12n;
const BITS_OF_DDI = [7, 9, 8] as const;
const BITS_OF_PDI = [8, 9, 3] as const;

/** Parts of a number from the lowest bits up. */
function indices(id: number, widths: readonly number[]): number[] {
  let rest = id;
  return widths.map((width) => {
    const index = rest % 2 ** width;
    rest = Math.floor(rest / 2 ** width);
    return index;
  });
}

/** Whether a device number has a place in a directory of this mode. */
export function isDeviceInReach(mode: bigint, deviceId: number): boolean {
  const [, middle = 0, top = 0] = indices(deviceId, BITS_OF_DDI);
  if (mode === DirectoryMode.ONE_LEVEL) return middle === 0 && top === 0;
  return mode !== DirectoryMode.TWO_LEVELS || top === 0;
}

/** Finds a device's context; `ddtp` says where, and how deep. */
export function locateDevice(memory: DmaPort, ddtp: bigint, deviceId: number): DeviceContext | IommuFault {
  const path = indices(deviceId, BITS_OF_DDI);
  let table = getField(ddtp, DDTP.PPN) << PAGE_SHIFT;
  const levels = Number(getField(ddtp, DDTP.MODE) - DirectoryMode.BARE);
  for (let level = levels - 1; level > 0; level--) {
    const entry = readWord(memory, table + BigInt(path[level] ?? 0) * 8n);
    if (entry === undefined) return iommuFault(IommuCause.DDT_ACCESS_FAULT);
    if (getField(entry, DIRECTORY_ENTRY.V) === 0n) return iommuFault(IommuCause.DDT_NOT_VALID);
    if ((entry & DIRECTORY_ENTRY_RESERVED) !== 0n) return iommuFault(IommuCause.DDT_MISCONFIGURED);
    table = getField(entry, DIRECTORY_ENTRY.PPN) << PAGE_SHIFT;
  }
  const words = readWords(
    memory,
    table + BigInt((path[0] ?? 0) * DEVICE_CONTEXT_BYTES),
    DEVICE_CONTEXT_BYTES / 8,
  );
  if (words === undefined) return iommuFault(IommuCause.DDT_ACCESS_FAULT);
  const [tc = 0n, iohgatp = 0n, ta = 0n, fsc = 0n] = words;
  if ((tc & Tc.V) === 0n) return iommuFault(IommuCause.DDT_NOT_VALID);
  return isMisconfigured(tc, iohgatp, ta, fsc)
    ? iommuFault(IommuCause.DDT_MISCONFIGURED)
    : { kind: "device-context", tc, iohgatp, fsc };
}

/** Bits of `tc` for what this IOMMU does not have: ATS and its kin, big-endian tables, 32-bit guests. */
const TC_UNSUPPORTED = Tc.EN_ATS | Tc.EN_PRI | Tc.T2GPA | Tc.PRPR | Tc.SBE | Tc.SXL;
/** Page-table modes of either stage: Bare, Sv39 and Sv48. */
const PAGING_MODES: ReadonlySet<bigint> = new Set([0n, 8n, 9n]);
const ROOT_ALIGNMENT_PPN = 3n;

/** @spec RISC-V IOMMU 1.0, "Device-context configuration checks" */
function isMisconfigured(tc: bigint, iohgatp: bigint, ta: bigint, fsc: bigint): boolean {
  const guestMode = getField(iohgatp, IOHGATP.MODE);
  const rules = [
    (tc & (TC_RESERVED | TC_UNSUPPORTED)) !== 0n,
    (tc & Tc.PDTV) === 0n && (tc & Tc.DPE) !== 0n,
    (ta & DEVICE_TA_RESERVED) !== 0n,
    !PAGING_MODES.has(guestMode),
    guestMode !== 0n && (getField(iohgatp, IOHGATP.PPN) & ROOT_ALIGNMENT_PPN) !== 0n,
    (fsc & FIRST_STAGE_RESERVED) !== 0n,
    (tc & Tc.PDTV) === 0n
      ? !PAGING_MODES.has(getField(fsc, FIRST_STAGE.MODE))
      : getField(fsc, FIRST_STAGE.MODE) > ProcessDirectoryMode.PD20,
  ];
  return rules.includes(true);
}

/** A step through the second stage: the guest's directory stands at guest-physical addresses. */
export type PassSecondStage = (gpa: bigint) => bigint | IommuFault;

/**
 * Finds the context of a process.
 *
 * @param pass  Takes each address of the directory through the second stage.
 */
export function locateProcess(
  memory: DmaPort,
  pdtp: bigint,
  processId: number,
  pass: PassSecondStage,
): ProcessContext | IommuFault {
  const path = indices(processId, BITS_OF_PDI);
  let table = getField(pdtp, FIRST_STAGE.PPN) << PAGE_SHIFT;
  for (let level = Number(getField(pdtp, FIRST_STAGE.MODE)) - 1; level > 0; level--) {
    const at = pass(table + BigInt(path[level] ?? 0) * 8n);
    if (typeof at !== "bigint") return at;
    const entry = readWord(memory, at);
    if (entry === undefined) return iommuFault(IommuCause.PDT_ACCESS_FAULT);
    if (getField(entry, DIRECTORY_ENTRY.V) === 0n) return iommuFault(IommuCause.PDT_NOT_VALID);
    if ((entry & DIRECTORY_ENTRY_RESERVED) !== 0n) return iommuFault(IommuCause.PDT_MISCONFIGURED);
    table = getField(entry, DIRECTORY_ENTRY.PPN) << PAGE_SHIFT;
  }
  const at = pass(table + BigInt((path[0] ?? 0) * PROCESS_CONTEXT_BYTES));
  if (typeof at !== "bigint") return at;
  const words = readWords(memory, at, PROCESS_CONTEXT_BYTES / 8);
  if (words === undefined) return iommuFault(IommuCause.PDT_ACCESS_FAULT);
  const [ta = 0n, fsc = 0n] = words;
  if ((ta & ProcessAttributes.V) === 0n) return iommuFault(IommuCause.PDT_NOT_VALID);
  const isBroken =
    (ta & PROCESS_TA_RESERVED) !== 0n ||
    (fsc & FIRST_STAGE_RESERVED) !== 0n ||
    !PAGING_MODES.has(getField(fsc, FIRST_STAGE.MODE));
  return isBroken ? iommuFault(IommuCause.PDT_MISCONFIGURED) : { kind: "process-context", ta, fsc };
}
