/** Virtio devices that are not there: a disk and a console for each domain. */
import { array, guestPointer, struct, u8, u16, u32, u64, type ViewOf } from "../../hs/struct.ts";

/** Which slot has which device, as on the board; the network's, between them, is empty. */
export const VirtioSlot = { DISK: 0, CONSOLE: 2 } as const;
/** Slots up to the last that may have one. */
export const VIRTIO_DEVICES = 3;
/** Queues that a device has at most. */
export const VIRTIO_QUEUES = 2;

/** A queue: what the driver has said of it, and how far the device is in its rings, modulo 65,536. */
export const VirtioQueue = struct("virtio_queue", {
  ready: u32,
  size: u32,
  taken: u16,
  given: u16,
  descriptors: guestPointer,
  available: guestPointer,
  used: guestPointer,
});
export type VirtioQueueView = ViewOf<typeof VirtioQueue>;

/** What a driver can change of a device. */
export const VirtioDevice = struct("virtio_device", {
  /** 1: it is in its slot. */
  present: u8,
  status: u8,
  interruptStatus: u16,
  deviceFeaturesSel: u32,
  driverFeaturesSel: u32,
  queueSel: u32,
  driverFeatures: u64,
  queues: array(VirtioQueue, VIRTIO_QUEUES),
});
export type VirtioDeviceView = ViewOf<typeof VirtioDevice>;

/** A domain's devices. */
export const Virtio = struct("virtio", {
  devices: array(VirtioDevice, VIRTIO_DEVICES),
  /** Bytes of the disk: whole sectors. */
  diskBytes: u64,
});
