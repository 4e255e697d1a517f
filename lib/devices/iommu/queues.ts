/**
 * The two queues in memory through which software and IOMMU talk: commands go in, fault records come out.
 *
 * @spec RISC-V IOMMU 1.0, "In-memory queue interface"
 */
import { getField, setField } from "../../bits/field.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { obey } from "./commands.ts";
import { faultRecord, type IommuFault, type Transaction } from "./fault.ts";
import { COMMAND_BYTES, Cqcsr, FAULT_RECORD_BYTES, Fqcsr, MAX_LOG2SZ_1, QUEUE_BASE } from "./formats.ts";
import { readWords, writeWords } from "./table-memory.ts";

const PAGE_SHIFT = 12n;

/** Entries of a queue. */
const entriesOf = (base: bigint): bigint => 2n << getField(base, QUEUE_BASE.LOG2SZ_1);

/** What a written queue base reads as: unused bits are zero, and the size is at most what the IOMMU supports. */
function legalQueueBase(value: bigint): bigint {
  const asked = getField(value, QUEUE_BASE.LOG2SZ_1);
  const size = asked > MAX_LOG2SZ_1 ? MAX_LOG2SZ_1 : asked;
  return setField(setField(0n, QUEUE_BASE.LOG2SZ_1, size), QUEUE_BASE.PPN, getField(value, QUEUE_BASE.PPN));
}

/** Registers of one queue, as numbers without a sign. */
export interface QueueState {
  base: bigint;
  head: bigint;
  tail: bigint;
  csr: bigint;
}

/** A queue after reset. */
export const emptyQueue = (): QueueState => ({ base: 0n, head: 0n, tail: 0n, csr: 0n });

/** What a written index reads as: it stays inside the queue. */
export const legalIndex = (queue: QueueState, value: bigint): bigint => value & (entriesOf(queue.base) - 1n);

const entryAddress = (base: bigint, index: bigint, entryBytes: number): bigint =>
  (getField(base, QUEUE_BASE.PPN) << PAGE_SHIFT) + index * BigInt(entryBytes);

const COMMAND_ERRORS = Cqcsr.CQMF | Cqcsr.CMD_TO | Cqcsr.CMD_ILL;
/** What of `cqcsr` makes `ipsr.cip` pending. */
export const COMMAND_CONDITIONS: bigint = COMMAND_ERRORS | Cqcsr.FENCE_W_IP;

/**
 * Obeys the commands that wait, in order, until there are none or one is wrong: then `head` stays at it.
 *
 * @cost  At most one pass over the queue: only this function moves `head`, and `tail` does not move meanwhile.
 */
export function obeyCommands(memory: DmaPort, queue: QueueState, directoryMode: bigint): void {
  while (
    (queue.csr & Cqcsr.CQON) !== 0n &&
    (queue.csr & COMMAND_ERRORS) === 0n &&
    queue.head !== queue.tail
  ) {
    const words = readWords(memory, entryAddress(queue.base, queue.head, COMMAND_BYTES), 2);
    const outcome = words === undefined ? "memory-fault" : obey(memory, words, directoryMode);
    if (outcome === "memory-fault") queue.csr |= Cqcsr.CQMF;
    else if (outcome === "illegal") queue.csr |= Cqcsr.CMD_ILL;
    else queue.head = legalIndex(queue, queue.head + 1n);
    if (outcome === "done-and-signal") queue.csr |= Cqcsr.FENCE_W_IP;
  }
}

/** What of `fqcsr` stops records and keeps `ipsr.fip` pending. */
export const FAULT_CONDITIONS: bigint = Fqcsr.FQMF | Fqcsr.FQOF;

/**
 * Appends a fault record. Records that do not fit, or that memory refuses, are lost, and so are all that follow until
 * software has cleared the error.
 *
 * @returns  Whether something happened that software may want to hear of.
 */
export function appendFault(
  memory: DmaPort,
  queue: QueueState,
  fault: IommuFault,
  transaction: Transaction,
): boolean {
  if ((queue.csr & Fqcsr.FQON) === 0n || (queue.csr & FAULT_CONDITIONS) !== 0n) return false;
  const next = legalIndex(queue, queue.tail + 1n);
  if (next === queue.head) {
    queue.csr |= Fqcsr.FQOF;
    return true;
  }
  const at = entryAddress(queue.base, queue.tail, FAULT_RECORD_BYTES);
  if (writeWords(memory, at, faultRecord(fault, transaction))) queue.tail = next;
  else queue.csr |= Fqcsr.FQMF;
  return true;
}

/** Bits of a queue's control register: which one switches it on, which one says that it is, which ones are cleared by writing 1. */
export interface QueueControl {
  readonly enable: bigint;
  readonly on: bigint;
  readonly interruptEnable: bigint;
  readonly clearable: bigint;
  /** The index that starts over when the queue is switched on: the one that the IOMMU moves. */
  readonly restarts: "head" | "tail";
}

export const COMMAND_QUEUE: QueueControl = {
  enable: Cqcsr.CQEN,
  on: Cqcsr.CQON,
  interruptEnable: Cqcsr.CIE,
  clearable: COMMAND_CONDITIONS,
  restarts: "head",
};
export const FAULT_QUEUE: QueueControl = {
  enable: Fqcsr.FQEN,
  on: Fqcsr.FQON,
  interruptEnable: Fqcsr.FIE,
  clearable: FAULT_CONDITIONS,
  restarts: "tail",
};

/** A write to `cqcsr` or `fqcsr`. Switching on takes no time, so `busy` is always 0. */
export function writeQueueControl(queue: QueueState, control: QueueControl, value: bigint): void {
  const wasOn = (queue.csr & control.enable) !== 0n;
  const isOn = (value & control.enable) !== 0n;
  let pending = queue.csr & control.clearable & ~value;
  if (isOn && !wasOn) {
    queue[control.restarts] = 0n;
    pending = 0n;
  }
  queue.csr = (value & (control.enable | control.interruptEnable)) | pending | (isOn ? control.on : 0n);
}

/** A write to a queue's base; ignored while the queue is on. The software's index is brought inside. */
export function writeQueueBase(queue: QueueState, control: QueueControl, value: bigint): void {
  if ((queue.csr & control.on) !== 0n) return;
  queue.base = legalQueueBase(value);
  queue.head = legalIndex(queue, queue.head);
  queue.tail = legalIndex(queue, queue.tail);
}
