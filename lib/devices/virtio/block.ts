/**
 * Virtio block device: requests of a header, data and a status byte, over a {@link BlockStore}.
 *
 * @spec virtio-1.2 §5.2 "Block Device"
 */
import type { DeviceState } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { type BlockStore, type BlockVersion, SECTOR_BYTES } from "./block-store.ts";
import type { VirtioModel } from "./model.ts";
import { bytesOf, type Chain, gather, type RingError, ringError, scatter } from "./split-queue.ts";

/** @spec virtio-1.2 §5.2.3 "Feature bits" */
export const BlockFeature = {
  SIZE_MAX: 1n << 1n,
  SEG_MAX: 1n << 2n,
  RO: 1n << 5n,
  BLK_SIZE: 1n << 6n,
  FLUSH: 1n << 9n,
  DISCARD: 1n << 13n,
  WRITE_ZEROES: 1n << 14n,
} as const;
/** @spec virtio-1.2 §5.2.6 "Device Operation" */
const Request = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 } as const;
const Answer = { OK: 0, IO_ERROR: 1, UNSUPPORTED: 2 } as const;

/** @spec virtio-1.2 §5 "Device Types" */
export const BLOCK_DEVICE = 2;
const CONFIG_BYTES = 60;
const HEADER_BYTES = 16;
/** A range to discard or clear: first sector (u64), number of sectors (u32), flags (u32). */
const RANGE_BYTES = 16;
const ID_BYTES = 20;
const ID = "dom0-disk";
/** Data buffers of a request: the queue's descriptors without header and status. */
const MAX_SEGMENTS = 254;
/** Largest range to discard or clear at once. */
const MAX_RANGE_SECTORS = 32_768;
/** Ten microseconds of guest time. */
const DELAY_INSNS = 1000;
const MAX_CHAIN_BYTES = 4 * 1024 * 1024;

/** What requests work on. What cannot be done is an I/O error to the driver. */
export interface BlockStorage {
  /** A multiple of {@link SECTOR_BYTES}. */
  readonly sizeBytes: number;
  readonly isReadOnly: boolean;
  /** Copies bytes out. The range lies on the disk. */
  read(offset: number, length: number): Uint8Array | undefined;
  /** Copies bytes in. The range lies on the disk. */
  write(offset: number, bytes: Uint8Array): boolean;
  /** Fills a range with zeros; a disk without it offers neither to discard nor to clear sectors. */
  clear?(offset: number, length: number): boolean;
}

/** What a driver may ask for at once. */
export interface BlockLimits {
  /** Data buffers of a request. */
  readonly segments: number;
  /** Bytes of each; no limit when left out. */
  readonly segmentBytes?: number;
}

/** @spec virtio-1.2 §5.2.4 "Device configuration layout" */
export function blockConfig(storage: BlockStorage, { segments, segmentBytes = 0 }: BlockLimits): Uint8Array {
  const bytes = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(storage.sizeBytes / SECTOR_BYTES), true);
  view.setUint32(8, segmentBytes, true);
  view.setUint32(12, segments, true);
  view.setUint32(20, SECTOR_BYTES, true);
  if (storage.isReadOnly || storage.clear === undefined) return bytes;
  for (const [offset, value] of [
    [36, MAX_RANGE_SECTORS], // max_discard_sectors
    [40, 1], // max_discard_seg
    [44, 1], // discard_sector_alignment
    [48, MAX_RANGE_SECTORS], // max_write_zeroes_sectors
    [52, 1], // max_write_zeroes_seg
    [56, 1], // write_zeroes_may_unmap
  ] as const)
    view.setUint32(offset, value, true);
  return bytes;
}

/**
 * Does what a request asks for: a header, data, and a status byte at the end.
 *
 * @returns  Bytes written into the chain's buffers, or why it is no request.
 */
export function serveBlock(storage: BlockStorage, chain: Chain, dma: DmaPort): number | RingError {
  const writableBytes = bytesOf(chain.writable);
  if (writableBytes === 0) return ringError("a request without room for its status");
  const request = gather(dma, chain.readable);
  if (!(request instanceof Uint8Array)) return request;
  if (request.length < HEADER_BYTES) return ringError("a request without a whole header");
  const { status, data } = answerRequest(storage, request, writableBytes - 1);
  const refused =
    scatter(dma, chain.writable, data) ??
    scatter(dma, chain.writable, Uint8Array.of(status), writableBytes - 1);
  // The status stands at the end: bytes in front of it that no data reached do not count as written.
  return refused ?? (data.length === writableBytes - 1 ? writableBytes : data.length);
}

/** What a request's status byte says, and what is read for it. */
interface BlockAnswer {
  readonly status: number;
  readonly data: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const done = (isOk: boolean): BlockAnswer => ({
  status: isOk ? Answer.OK : Answer.IO_ERROR,
  data: NO_BYTES,
});

function answerRequest(storage: BlockStorage, request: Uint8Array, roomBytes: number): BlockAnswer {
  const view = new DataView(request.buffer, request.byteOffset);
  const sector = view.getBigUint64(8, true);
  const payload = request.subarray(HEADER_BYTES);
  switch (view.getUint32(0, true)) {
    case Request.IN: {
      const offset = offsetOf(storage, sector, roomBytes);
      const data = offset === undefined ? undefined : storage.read(offset, roomBytes);
      return data === undefined ? done(false) : { status: Answer.OK, data };
    }
    case Request.OUT: {
      const offset = storage.isReadOnly ? undefined : offsetOf(storage, sector, payload.length);
      return done(offset !== undefined && storage.write(offset, payload));
    }
    case Request.FLUSH:
      return done(true);
    case Request.GET_ID:
      return {
        status: Answer.OK,
        data: new TextEncoder().encode(ID.padEnd(ID_BYTES, "\0")).subarray(0, roomBytes),
      };
    case Request.DISCARD:
    case Request.WRITE_ZEROES:
      if (storage.clear !== undefined) return done(clearRange(storage, payload));
      break;
    default:
  }
  return { status: Answer.UNSUPPORTED, data: NO_BYTES };
}

/** A discarded sector reads as zeros, like a cleared one. One range a request. */
function clearRange(storage: BlockStorage, payload: Uint8Array): boolean {
  if (payload.length !== RANGE_BYTES || storage.isReadOnly) return false;
  const view = new DataView(payload.buffer, payload.byteOffset);
  const sectors = view.getUint32(8, true);
  if (sectors > MAX_RANGE_SECTORS) return false;
  const offset = offsetOf(storage, view.getBigUint64(0, true), sectors * SECTOR_BYTES);
  return offset !== undefined && storage.clear?.(offset, sectors * SECTOR_BYTES) === true;
}

/** Where a transfer starts, if it has whole sectors and lies on the disk. */
function offsetOf({ sizeBytes }: BlockStorage, sector: bigint, lengthBytes: number): number | undefined {
  if (lengthBytes % SECTOR_BYTES !== 0) return undefined;
  const end = sector * BigInt(SECTOR_BYTES) + BigInt(lengthBytes);
  return end <= BigInt(sizeBytes) ? Number(sector) * SECTOR_BYTES : undefined;
}

/** A disk. */
export class VirtioBlock implements VirtioModel {
  readonly deviceId = BLOCK_DEVICE;
  readonly queueCount = 1;
  readonly maxChainBytes = MAX_CHAIN_BYTES;
  readonly delayInsns = DELAY_INSNS;
  readonly features: bigint;
  readonly #store: BlockStore;

  constructor(store: BlockStore) {
    this.#store = store;
    const { SEG_MAX, RO, BLK_SIZE, FLUSH, DISCARD, WRITE_ZEROES } = BlockFeature;
    this.features = SEG_MAX | BLK_SIZE | FLUSH | (store.isReadOnly ? RO : DISCARD | WRITE_ZEROES);
  }

  connect(): void {}

  config(): Uint8Array {
    return blockConfig(this.#store, { segments: MAX_SEGMENTS });
  }

  configure(): void {}

  serve(_queue: number, chain: Chain, dma: DmaPort): number | RingError {
    return serveBlock(this.#store, chain, dma);
  }

  reset(): void {}

  /** A disk keeps its contents when the power goes. */
  powerOn(): void {}

  save(): DeviceState {
    return { disk: this.#store.version };
  }

  restore(state: DeviceState): void {
    this.#store.goTo(state["disk"] as BlockVersion);
  }
}
