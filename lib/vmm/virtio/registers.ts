/**
 * The registers of a domain's virtio slots. A notification is work: it is done at once, while the guest waits in its store, and a store
 * that has not done all of it is executed again.
 *
 * @spec virtio-1.2 §4.2 "Virtio Over MMIO", version 2
 */
import { VIRT_MAP, VIRTIO_SLOTS } from "../../board/memory-map.ts";
import { ConsoleQueue } from "../../devices/virtio/console.ts";
import { Feature, Identity, MmioOffset, QUEUE_ADDRESSES, Status } from "../../devices/virtio/mmio.ts";
import { gpa } from "../../hs/address.ts";
import { goesOn } from "../domain.ts";
import type { Visit } from "../host.ts";
import { VIRTIO_QUEUES, type VirtioDeviceView, type VirtioQueueView, VirtioSlot } from "../layout.ts";
import { typedCount } from "../terminal.ts";
import type { Owner } from "./guest-memory.ts";
import { driveSlot, fail, MAX_QUEUE_SIZE, type Slot, serveQueue, slotAt } from "./rings.ts";

/** Where the slots are. */
export const VIRTIO_RANGE: { readonly base: number; readonly sizeBytes: number } = {
  base: VIRT_MAP.virtio.base,
  sizeBytes: VIRTIO_SLOTS * VIRT_MAP.virtio.sizeBytes,
};

/** Bytes of a slot that it answers for. */
const SLOT_BYTES = 0x200;
const WORD = 0xffff_ffffn;
const COMMON_FEATURES = Feature.EVENT_IDX | Feature.VERSION_1;
const ALL_ONES = 0xffff_ffff;

function placeOf(owner: Owner, offset: number) {
  const number = Math.floor(offset / VIRT_MAP.virtio.sizeBytes);
  return { register: offset % VIRT_MAP.virtio.sizeBytes, slot: slotAt(owner, number) };
}

/** A load. Registers are words, configuration space is bytes; eight bytes at once are two words. */
export function loadVirtio(visit: Visit, offset: number, width: number): bigint | undefined {
  const { register, slot } = placeOf(visit, offset);
  if (register >= SLOT_BYTES) return undefined;
  const word = (at: number, bytes: number): bigint =>
    at >= MmioOffset.CONFIG
      ? configAt(visit, slot, at - MmioOffset.CONFIG, bytes)
      : bytes === 4
        ? BigInt(read(slot, at) >>> 0)
        : 0n;
  return width === 8 ? word(register, 4) | (word(register + 4, 4) << 32n) : word(register, width);
}

/** A store. Nothing in the configuration spaces of these devices can be written. */
export function storeVirtio(
  visit: Visit,
  offset: number,
  width: number,
  value: bigint,
): "done" | "again" | undefined {
  const { register, slot } = placeOf(visit, offset);
  if (register >= SLOT_BYTES) return undefined;
  if (slot === undefined || register >= MmioOffset.CONFIG || width < 4) return "done";
  const outcome = write(visit, slot, register, Number(value & WORD));
  if (width === 4 || outcome === "again") return outcome;
  return write(visit, slot, register + 4, Number(value >> 32n));
}

/** Behind its end, configuration space reads as ones, as on the board. */
function configAt(owner: Owner, slot: Slot | undefined, offset: number, width: number): bigint {
  if (slot === undefined) return 0n;
  const bytes = slot.model.config(owner);
  let value = 0n;
  for (let at = width - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[offset + at] ?? 0xff);
  return value;
}

function read(slot: Slot | undefined, offset: number): number {
  if (offset === MmioOffset.MAGIC) return Identity.MAGIC;
  if (offset === MmioOffset.VERSION) return Identity.VERSION;
  if (offset === MmioOffset.VENDOR_ID) return Identity.VENDOR;
  if (slot === undefined) return 0;
  const { device, model } = slot;
  switch (offset) {
    case MmioOffset.DEVICE_ID:
      return model.deviceId;
    case MmioOffset.DEVICE_FEATURES:
      return featuresAt(slot, device.deviceFeaturesSel);
    case MmioOffset.QUEUE_NUM_MAX:
      return selected(slot) === undefined ? 0 : MAX_QUEUE_SIZE;
    case MmioOffset.QUEUE_READY:
      return selected(slot)?.ready ?? 0;
    case MmioOffset.INTERRUPT_STATUS:
      return device.interruptStatus;
    case MmioOffset.STATUS:
      return device.status;
    default:
      return offset >= MmioOffset.SHM_LENGTH_LOW && offset <= MmioOffset.SHM_BASE_HIGH ? ALL_ONES : 0;
  }
}

function write(visit: Visit, slot: Slot, offset: number, word: number): "done" | "again" {
  const { device } = slot;
  switch (offset) {
    case MmioOffset.DEVICE_FEATURES_SEL:
      device.deviceFeaturesSel = word;
      break;
    case MmioOffset.DRIVER_FEATURES_SEL:
      device.driverFeaturesSel = word;
      break;
    case MmioOffset.DRIVER_FEATURES:
      setDriverFeatures(device, BigInt(word));
      break;
    case MmioOffset.QUEUE_SEL:
      device.queueSel = word;
      break;
    case MmioOffset.QUEUE_READY:
      setReady(visit, slot, (word & 1) === 1);
      break;
    case MmioOffset.QUEUE_NOTIFY:
      return serveQueue(visit, slot, word);
    case MmioOffset.INTERRUPT_ACK:
      device.interruptStatus &= ~word;
      driveSlot(visit, slot);
      break;
    case MmioOffset.STATUS:
      setStatus(visit, slot, word & 0xff);
      break;
    default:
      setUpQueue(slot, offset, word);
  }
  return "done";
}

const offeredBy = ({ model }: Slot): bigint => model.features | COMMON_FEATURES;

const featuresAt = (slot: Slot, half: number): number =>
  half > 1 ? 0 : Number((offeredBy(slot) >> BigInt(32 * half)) & WORD);

/** Features are settled once the driver has set FEATURES_OK. */
function setDriverFeatures(device: VirtioDeviceView, word: bigint): void {
  const half = device.driverFeaturesSel;
  if (half > 1 || (device.status & Status.FEATURES_OK) !== 0) return;
  const shift = BigInt(32 * half);
  device.driverFeatures = (device.driverFeatures & ~(WORD << shift)) | (word << shift);
}

/** Bits are set and not cleared, but by a reset. FEATURES_OK stays clear for features that nobody offered. @spec virtio-1.2 §3.1.1 */
function setStatus(visit: Visit, slot: Slot, byte: number): void {
  const { device } = slot;
  if (byte === 0) {
    resetDevice(visit, slot);
    return;
  }
  const features = device.driverFeatures;
  const isAcceptable = (features & ~offeredBy(slot)) === 0n && (features & Feature.VERSION_1) !== 0n;
  device.status |= (isAcceptable ? byte : byte & ~Status.FEATURES_OK) & ~Status.NEEDS_RESET;
}

function resetDevice(visit: Visit, slot: Slot): void {
  const { device } = slot;
  device.status = 0;
  device.interruptStatus = 0;
  device.deviceFeaturesSel = 0;
  device.driverFeaturesSel = 0;
  device.driverFeatures = 0n;
  device.queueSel = 0;
  for (let index = 0; index < VIRTIO_QUEUES; index++) {
    const queue = device.queues.get(index);
    queue.ready = 0;
    queue.size = 0;
    queue.taken = 0;
    queue.given = 0;
    for (const [, name] of QUEUE_ADDRESSES) queue[name] = gpa(0n);
  }
  driveSlot(visit, slot);
}

function selected({ device, model }: Slot): VirtioQueueView | undefined {
  const index = device.queueSel;
  return index < model.queueCount ? device.queues.get(index) : undefined;
}

/** A queue's size and places; they are fixed while it is ready. */
function setUpQueue(slot: Slot, offset: number, word: number): void {
  const queue = selected(slot);
  if (queue === undefined || queue.ready === 1) return;
  if (offset === MmioOffset.QUEUE_NUM) queue.size = word;
  for (const [register, name] of QUEUE_ADDRESSES) {
    const address = queue[name];
    if (offset === register) queue[name] = gpa(((address >> 32n) << 32n) | BigInt(word));
    if (offset === register + 4) queue[name] = gpa((address & WORD) | (BigInt(word) << 32n));
  }
}

/** A size that is no power of two, or larger than offered, makes no queue. */
function setReady(visit: Visit, slot: Slot, isReady: boolean): void {
  const queue = selected(slot);
  if (queue === undefined || (queue.ready === 1) === isReady) return;
  if (!isReady) {
    queue.ready = 0;
    return;
  }
  const { size } = queue;
  if (size === 0 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0) {
    fail(visit, slot);
    return;
  }
  queue.ready = 1;
  queue.taken = 0;
  queue.given = 0;
}

/**
 * What was typed goes to the console's driver, if there is one that waits for it. Of a domain that stands still nothing changes, for
 * somebody may be copying it: it is fed when it goes on. There is nobody who could ask again, so all of it is done at once; each round gives
 * chains back, each chain takes a byte, and no more bytes are there than a serial port holds.
 */
export function feedConsole(owner: Owner): void {
  const slot = slotAt(owner, VirtioSlot.CONSOLE);
  if (slot === undefined || typedCount(owner.domain) === 0 || !goesOn(owner, owner.domain)) return;
  let round: "done" | "again";
  do round = serveQueue(owner, slot, ConsoleQueue.RECEIVE);
  while (round === "again");
}
