/** Faults of the IOMMU as values, and as the records that software finds in the fault queue. */
import { getField, setField } from "../../bits/field.ts";
import { hex } from "../../bits/hex.ts";
import type { AccessKind } from "../../hart/effective-mode.ts";
import { CAUSE_NAMES, FAULT_RECORD, TransactionType } from "./formats.ts";

/** Why a transaction was refused. */
export interface IommuFault {
  readonly kind: "iommu-fault";
  /** Number of the cause: of page tables as in `scause`, of the IOMMU itself from 256 up. */
  readonly cause: number;
  /** Of a guest-page fault: the guest-physical address, bit 0 for an access to the device's own tables, bit 1 if that was a store. */
  readonly iotval2: bigint;
}

/** Makes a fault. */
export const iommuFault = (cause: number, iotval2 = 0n): IommuFault => ({
  kind: "iommu-fault",
  cause,
  iotval2,
});

/** What a device asks for. */
export interface Transaction {
  /** 24 bits. */
  readonly deviceId: number;
  /** 20 bits; `undefined` for devices with one address space. */
  readonly processId: number | undefined;
  /** Whether it asks with supervisor mode's rights; only with a process number. */
  readonly isPrivileged: boolean;
  /** The address, unsigned 64 bits. */
  readonly iova: bigint;
  readonly kind: AccessKind;
}

/** The four words of a fault record. @spec RISC-V IOMMU 1.0, "Fault-queue record" */
export function faultRecord(fault: IommuFault, transaction: Transaction): readonly bigint[] {
  const { deviceId, processId, isPrivileged, iova, kind } = transaction;
  let word = setField(0n, FAULT_RECORD.CAUSE, BigInt(fault.cause));
  word = setField(word, FAULT_RECORD.TTYP, TransactionType[kind]);
  word = setField(word, FAULT_RECORD.DID, BigInt(deviceId));
  if (processId !== undefined) {
    word = setField(word, FAULT_RECORD.PV, 1n);
    word = setField(word, FAULT_RECORD.PID, BigInt(processId));
    word = setField(word, FAULT_RECORD.PRIV, isPrivileged ? 1n : 0n);
  }
  return [word, 0n, iova, fault.iotval2];
}

/** A fault record, read. */
export interface FaultReport {
  readonly cause: number;
  /** The cause in words. */
  readonly name: string;
  readonly deviceId: number;
  readonly processId: number | undefined;
  readonly access: AccessKind | undefined;
  readonly iova: bigint;
  /** Of a guest-page fault, else `undefined`. */
  readonly gpa: bigint | undefined;
  /** All of it for people. */
  readonly sentence: string;
}

const ACCESS_OF: readonly (AccessKind | undefined)[] = [undefined, "fetch", "load", "store"];
const WANTED = { fetch: "fetch from", load: "read", store: "write" } as const satisfies Record<
  AccessKind,
  string
>;
const GUEST_PAGE_FAULTS: ReadonlySet<number> = new Set([20, 21, 23]);

/** Reads the four words of a fault record. */
export function readFaultRecord(words: readonly bigint[]): FaultReport {
  const [head = 0n, , iova = 0n, iotval2 = 0n] = words;
  const cause = Number(getField(head, FAULT_RECORD.CAUSE));
  const name = CAUSE_NAMES.get(cause) ?? `cause ${cause}`;
  const deviceId = Number(getField(head, FAULT_RECORD.DID));
  const processId =
    getField(head, FAULT_RECORD.PV) === 1n ? Number(getField(head, FAULT_RECORD.PID)) : undefined;
  const access = ACCESS_OF[Number(getField(head, FAULT_RECORD.TTYP))];
  const gpa = GUEST_PAGE_FAULTS.has(cause) ? iotval2 & ~3n : undefined;
  const who = `Device ${deviceId}${processId === undefined ? "" : `, process ${processId},`}`;
  const wanted = access === undefined ? "did something at" : `wanted to ${WANTED[access]}`;
  const second = gpa === undefined ? "" : `, guest-physical ${hex(gpa)}`;
  const sentence = `${who} ${wanted} ${hex(iova)}${second}: ${name}.`;
  return { cause, name, deviceId, processId, access, iova, gpa, sentence };
}
