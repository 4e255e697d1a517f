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
const Feature = {
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

/** A disk. */
export class VirtioBlock implements VirtioModel {
  readonly deviceId = 2;
  readonly queueCount = 1;
  readonly maxChainBytes = MAX_CHAIN_BYTES;
  readonly delayInsns = DELAY_INSNS;
  readonly features: bigint;
  readonly #store: BlockStore;

  constructor(store: BlockStore) {
    this.#store = store;
    const { SEG_MAX, RO, BLK_SIZE, FLUSH, DISCARD, WRITE_ZEROES } = Feature;
    this.features = SEG_MAX | BLK_SIZE | FLUSH | (store.isReadOnly ? RO : DISCARD | WRITE_ZEROES);
  }

  connect(): void {}

  /** @spec virtio-1.2 §5.2.4 "Device configuration layout" */
  config(): Uint8Array {
    const bytes = new Uint8Array(60);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(this.#store.sizeBytes / SECTOR_BYTES), true);
    view.setUint32(12, MAX_SEGMENTS, true);
    view.setUint32(20, SECTOR_BYTES, true);
    if (this.#store.isReadOnly) return bytes;
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

  configure(): void {}

  serve(_queue: number, chain: Chain, dma: DmaPort): number | RingError {
    const writableBytes = bytesOf(chain.writable);
    if (writableBytes === 0) return ringError("a request without room for its status");
    const request = gather(dma, chain.readable);
    if (!(request instanceof Uint8Array)) return request;
    if (request.length < HEADER_BYTES) return ringError("a request without a whole header");
    const { status, data } = this.#answer(request, writableBytes - 1);
    const refused =
      scatter(dma, chain.writable, data) ??
      scatter(dma, chain.writable, Uint8Array.of(status), writableBytes - 1);
    // The status stands at the end: bytes in front of it that no data reached do not count as written.
    return refused ?? (data.length === writableBytes - 1 ? writableBytes : data.length);
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

  #answer(request: Uint8Array, roomBytes: number): { status: number; data: Uint8Array } {
    const view = new DataView(request.buffer, request.byteOffset);
    const type = view.getUint32(0, true);
    const sector = view.getBigUint64(8, true);
    const payload = request.subarray(HEADER_BYTES);
    const done = (isOk: boolean) => ({ status: isOk ? Answer.OK : Answer.IO_ERROR, data: NO_BYTES });
    switch (type) {
      case Request.IN: {
        const offset = this.#offsetOf(sector, roomBytes);
        return offset === undefined
          ? done(false)
          : { status: Answer.OK, data: this.#store.read(offset, roomBytes) };
      }
      case Request.OUT:
        return done(this.#write(sector, payload));
      case Request.FLUSH:
        return done(true);
      case Request.GET_ID:
        return {
          status: Answer.OK,
          data: new TextEncoder().encode(ID.padEnd(ID_BYTES, "\0")).subarray(0, roomBytes),
        };
      case Request.DISCARD:
      case Request.WRITE_ZEROES:
        return done(this.#clear(payload));
      default:
        return { status: Answer.UNSUPPORTED, data: NO_BYTES };
    }
  }

  #write(sector: bigint, payload: Uint8Array): boolean {
    const offset = this.#offsetOf(sector, payload.length);
    if (offset === undefined || this.#store.isReadOnly) return false;
    this.#store.write(offset, payload);
    return true;
  }

  /** A discarded sector reads as zeros, like a cleared one. One range a request. */
  #clear(payload: Uint8Array): boolean {
    if (payload.length !== RANGE_BYTES || this.#store.isReadOnly) return false;
    const view = new DataView(payload.buffer, payload.byteOffset);
    const sectors = view.getUint32(8, true);
    if (sectors > MAX_RANGE_SECTORS) return false;
    const offset = this.#offsetOf(view.getBigUint64(0, true), sectors * SECTOR_BYTES);
    if (offset === undefined) return false;
    this.#store.clear(offset, sectors * SECTOR_BYTES);
    return true;
  }

  /** Where a transfer starts, if it has whole sectors and lies on the disk. */
  #offsetOf(sector: bigint, lengthBytes: number): number | undefined {
    if (lengthBytes % SECTOR_BYTES !== 0) return undefined;
    const end = sector * BigInt(SECTOR_BYTES) + BigInt(lengthBytes);
    return end <= BigInt(this.#store.sizeBytes) ? Number(sector) * SECTOR_BYTES : undefined;
  }
}

const NO_BYTES = new Uint8Array(0);
