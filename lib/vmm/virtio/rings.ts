/**
 * A device's queues. The rings lie in the guest's RAM, where it may write anything at any time; what was read of them is a copy. The board's
 * own devices have the same rings to follow, and the same code does it here: it keeps its place in this domain's structure between traps.
 */
import { VIRT_IRQ } from "../../board/memory-map.ts";
import { Feature, Interrupt, Status } from "../../devices/virtio/mmio.ts";
import { type RingError, SplitQueue } from "../../devices/virtio/split-queue.ts";
import { setLine } from "../interrupts.ts";
import type { VirtioDeviceView, VirtioQueueView } from "../layout.ts";
import { isParavirtual } from "../paravirtual/roots.ts";
import { GuestMemory, type Owner } from "./guest-memory.ts";
import { MODELS, type Model } from "./models.ts";

/** Entries of a queue at most: so many descriptors a chain can have. */
export const MAX_QUEUE_SIZE = 32;
/** Loads and stores, about, behind which the guest has to ask again for the rest. */
const ENOUGH = 8_000;

/** A device in its slot. */
export interface Slot {
  readonly number: number;
  readonly device: VirtioDeviceView;
  readonly model: Model;
}

/** What a domain has in a slot. A paravirtualized one has no guest-physical addresses that a device could go by. */
export function slotAt({ domain }: Pick<Owner, "domain">, number: number): Slot | undefined {
  const model = MODELS[number];
  if (model === undefined) return undefined;
  const device = domain.virtio.devices.get(number);
  return device.present === 1 && !isParavirtual(domain) ? { number, device, model } : undefined;
}

/** Whether the device may work: the driver is ready and has made no mistake. */
const isRunning = ({ device: { status } }: Slot): boolean =>
  (status & (Status.DRIVER_OK | Status.NEEDS_RESET)) === Status.DRIVER_OK;

/** Serves the chains of a queue. "again": there is more to do, and it was enough for once. */
export function serveQueue(owner: Owner, slot: Slot, index: number): "done" | "again" {
  const { device, model } = slot;
  if (index >= model.queueCount || !isRunning(slot)) return "done";
  const view = device.queues.get(index);
  if (view.ready === 0) return "done";
  const memory = new GuestMemory(owner);
  const queue = openQueue(view, slot, memory);
  const round = serveRound(owner, slot, index, queue, memory);
  const { taken, given } = queue.save() as { readonly taken: number; readonly given: number };
  view.taken = taken;
  view.given = given;
  if (typeof round !== "string") {
    fail(owner, slot);
    return "done";
  }
  return round;
}

/** The queue, at the place in its rings where the last visit has left it. */
function openQueue(view: VirtioQueueView, { device, model }: Slot, memory: GuestMemory): SplitQueue {
  const { size, descriptors, available, used, taken, given } = view;
  const queue = new SplitQueue({ maxSize: MAX_QUEUE_SIZE, maxChainBytes: model.maxChainBytes }, memory);
  queue.restore({ size, descriptors, available, used, taken, given, isReady: true });
  queue.hasEventIndex = (device.driverFeatures & Feature.EVENT_IDX) !== 0n;
  return queue;
}

function serveRound(
  owner: Owner,
  slot: Slot,
  index: number,
  queue: SplitQueue,
  memory: GuestMemory,
): "done" | "again" | RingError {
  const before = queue.given;
  let round: "done" | "again" = "done";
  for (;;) {
    if (memory.cost >= ENOUGH) {
      round = "again";
      break;
    }
    const chain = queue.take();
    if (chain === undefined) break;
    if (chain.kind === "ring-error") return chain;
    const written = slot.model.serve(owner, index, chain, memory);
    if (written === "later") {
      queue.putBack();
      break;
    }
    if (typeof written !== "number") return written;
    const refused = queue.give(chain, written);
    if (refused !== undefined) return refused;
  }
  const wantsInterrupt = queue.endRound(before);
  if (typeof wantsInterrupt !== "boolean") return wantsInterrupt;
  if (wantsInterrupt) interrupt(owner, slot, Interrupt.USED_BUFFER);
  return round;
}

/** The driver has broken a rule: its device touches nothing more until it is reset. @spec virtio-1.2 §2.1.2 "Device Requirements: Device Status Field" */
export function fail(owner: Owner, slot: Slot): void {
  const { status } = slot.device;
  slot.device.status = status | Status.NEEDS_RESET;
  if ((status & Status.DRIVER_OK) !== 0) interrupt(owner, slot, Interrupt.CONFIG_CHANGE);
}

function interrupt(owner: Owner, slot: Slot, reason: number): void {
  slot.device.interruptStatus |= reason;
  driveSlot(owner, slot);
}

/** Sets the slot's interrupt line to what its registers say. */
export const driveSlot = (owner: Owner, { number, device }: Slot): void =>
  setLine(owner, VIRT_IRQ.virtio + number, device.interruptStatus !== 0);
