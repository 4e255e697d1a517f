/**
 * From a device's address to a physical one: the device's context, its process's, the first stage, the second stage.
 *
 * The formats of the page tables are the hart's, and so is the walk. What differs is who asks (a device, with user mode's
 * rights unless it says otherwise), that hardware sets A and D where the device's context wants it, and that no PMP is in
 * the way.
 *
 * @spec RISC-V IOMMU 1.0, "Process to translate an IOVA"
 */
import { getField } from "../../bits/field.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { type DeviceContext, isDeviceInReach, locateDevice, locateProcess } from "./contexts.ts";
import { type IommuFault, iommuFault, type Transaction } from "./fault.ts";
import {
  DDTP,
  FIRST_STAGE,
  IommuCause,
  PROCESS_ID_BITS,
  ProcessAttributes,
  ProcessDirectoryMode,
  TranslationControl as Tc,
} from "./formats.ts";
import { PageTables } from "./page-tables.ts";

/** Where a transaction may go. */
export interface IoTranslation {
  readonly kind: "io-translation";
  /** Physical address of the byte that was asked for. */
  readonly paddr: bigint;
  /** Bytes around it that are mapped alike: the smaller page of the two stages. */
  readonly pageBytes: bigint;
  /** Memory type, two bits: the first stage's if it says one. */
  readonly pbmt: bigint;
}

/** The outcome, and whether the device's context keeps its translation faults out of the fault queue. */
export interface Outcome {
  readonly result: IoTranslation | IommuFault;
  readonly hidesFaults: boolean;
}

/** The first stage of a transaction. */
interface FirstStage {
  /** `iosatp`; 0 is Bare. */
  readonly iosatp: bigint;
  readonly sum: boolean;
}

const NO_FIRST_STAGE: FirstStage = { iosatp: 0n, sum: false };

/** Translates a transaction by the directory that `ddtp` points at. */
export function translateTransaction(memory: DmaPort, ddtp: bigint, transaction: Transaction): Outcome {
  const refused = (fault: IommuFault, hidesFaults = false): Outcome => ({ result: fault, hidesFaults });
  if (!isDeviceInReach(getField(ddtp, DDTP.MODE), transaction.deviceId))
    return refused(iommuFault(IommuCause.TRANSACTION_DISALLOWED));
  const device = locateDevice(memory, ddtp, transaction.deviceId);
  if (device.kind === "iommu-fault") return refused(device);
  const hidesFaults = (device.tc & Tc.DTF) !== 0n;
  if (!isProcessAllowed(device, transaction.processId))
    return refused(iommuFault(IommuCause.TRANSACTION_DISALLOWED), hidesFaults);
  const tables = new PageTables(memory, device, transaction);
  const first = firstStageOf(memory, device, transaction, tables);
  if ("kind" in first) return refused(first, hidesFaults);
  return { result: tables.translate(first.iosatp, first.sum), hidesFaults };
}

/** A process number is for devices that have several, and must have a place in their directory. */
function isProcessAllowed({ tc, fsc }: DeviceContext, processId: number | undefined): boolean {
  if (processId === undefined) return true;
  if ((tc & Tc.PDTV) === 0n) return false;
  const mode = getField(fsc, FIRST_STAGE.MODE);
  if (mode === ProcessDirectoryMode.BARE) return true;
  return processId < 2 ** (PROCESS_ID_BITS[Number(mode)] ?? 0);
}

function firstStageOf(
  memory: DmaPort,
  { tc, fsc }: DeviceContext,
  { processId, isPrivileged }: Transaction,
  tables: PageTables,
): FirstStage | IommuFault {
  if ((tc & Tc.PDTV) === 0n) return { iosatp: fsc, sum: false };
  const process = processId ?? ((tc & Tc.DPE) === 0n ? undefined : 0);
  if (process === undefined || getField(fsc, FIRST_STAGE.MODE) === ProcessDirectoryMode.BARE)
    return NO_FIRST_STAGE;
  const context = locateProcess(memory, fsc, process, (gpa) => tables.passDirectory(gpa));
  if (context.kind === "iommu-fault") return context;
  if (isPrivileged && (context.ta & ProcessAttributes.ENS) === 0n)
    return iommuFault(IommuCause.TRANSACTION_DISALLOWED);
  return { iosatp: context.fsc, sum: (context.ta & ProcessAttributes.SUM) !== 0n };
}
