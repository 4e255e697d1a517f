/**
 * Split virtqueue, the device's side: three rings in guest memory, reached by DMA alone.
 *
 * The guest may write anything there. Whatever breaks the rules ends in a {@link RingError}, which the transport turns into
 * DEVICE_NEEDS_RESET. No chain has more than 1024 buffers or more bytes than its device allows, so a chain of any shape costs
 * bounded work.
 *
 * @spec virtio-1.2 §2.7 "Split Virtqueues"
 */
import type { DeviceState } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";

/** Bits of a descriptor's flags. @spec virtio-1.2 §2.7.5 */
const DescriptorFlag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
const DESCRIPTOR_BYTES = 16;
/** Bit of the available ring's flags: no interrupt, please. @spec virtio-1.2 §2.7.6 */
const NO_INTERRUPT = 1;
/** Most buffers of a chain, whichever tables they stand in. */
const MAX_CHAIN_BUFFERS = 1024;

/** The guest broke a rule of the ring. The queue is not to be touched again before a reset. */
export interface RingError {
  readonly kind: "ring-error";
  /** Which rule, for people who debug a driver. */
  readonly message: string;
}

/** A buffer in guest memory. */
export interface Buffer {
  /** Device address, unsigned 64 bits. */
  readonly address: bigint;
  /** At least 1. */
  readonly lengthBytes: number;
}

/** What the driver made available under one number: buffers to read, then buffers to write. */
export interface Chain {
  readonly kind: "chain";
  /** Number of its first descriptor, by which it is given back. */
  readonly head: number;
  readonly readable: readonly Buffer[];
  readonly writable: readonly Buffer[];
  /** Bytes of all its buffers. */
  readonly lengthBytes: number;
}

/** What a driver tells of a queue before it makes it ready. */
export interface QueueSetup {
  size: number;
  /** Device addresses of descriptor table, available ring and used ring, unsigned 64 bits. */
  descriptors: bigint;
  available: bigint;
  used: bigint;
}

/** What a device puts up with. */
export interface QueueLimits {
  /** Largest size of the queue. */
  readonly maxSize: number;
  /** Most bytes of a chain. Drivers stay far below. */
  readonly maxChainBytes: number;
}

const NOT_SET_UP: QueueSetup = { size: 0, descriptors: 0n, available: 0n, used: 0n };

/** One queue. */
export class SplitQueue {
  /** The largest size that the device offers. */
  readonly maxSize: number;
  readonly #maxChainBytes: number;
  readonly setup: QueueSetup = { ...NOT_SET_UP };
  isReady = false;
  /** The driver agreed to VIRTIO_F_EVENT_IDX, or to VIRTIO_F_INDIRECT_DESC. */
  hasEventIndex = false;
  hasIndirect = false;
  readonly #dma: DmaPort;
  /** Positions in the available and used ring, counted modulo 65,536. */
  #taken = 0;
  #given = 0;

  constructor({ maxSize, maxChainBytes }: QueueLimits, dma: DmaPort) {
    this.maxSize = maxSize;
    this.#maxChainBytes = maxChainBytes;
    this.#dma = dma;
  }

  /** Chains given back since the queue was started, modulo 65,536. */
  get given(): number {
    return this.#given;
  }

  /** Starts from the beginning of both rings. */
  start(): void {
    this.isReady = true;
    this.#taken = 0;
    this.#given = 0;
  }

  reset(): void {
    Object.assign(this.setup, NOT_SET_UP);
    this.start();
    this.isReady = false;
  }

  /** The next chain, undefined when the driver offers none. A chain that was taken must be given or put back. */
  take(): Chain | RingError | undefined {
    const { size, available } = this.setup;
    const index = this.#read16(available + 2n);
    if (index === undefined) return ringError("the available ring is not in memory");
    const waiting = (index - this.#taken) & 0xffff;
    if (waiting === 0) return undefined;
    if (waiting > size) return ringError(`${waiting} chains available in a queue of ${size}`);
    const head = this.#read16(available + 4n + 2n * BigInt(this.#taken % size));
    if (head === undefined) return ringError("the available ring is not in memory");
    const chain = this.#chainAt(head);
    if (chain.kind === "chain") this.#taken = (this.#taken + 1) & 0xffff;
    return chain;
  }

  /** Undoes the last `take`: the chain is still available. */
  putBack(): void {
    this.#taken = (this.#taken - 1) & 0xffff;
  }

  /** Gives a chain back as used. @param writtenBytes  How much of its writable buffers was written, from the first on. */
  give(chain: Chain, writtenBytes: number): RingError | undefined {
    const { size, used } = this.setup;
    const element = new Uint8Array(8);
    const view = new DataView(element.buffer);
    view.setUint32(0, chain.head, true);
    view.setUint32(4, writtenBytes, true);
    const next = (this.#given + 1) & 0xffff;
    const isWritten =
      this.#write(used + 4n + 8n * BigInt(this.#given % size), element) && this.#write16(used + 2n, next);
    if (!isWritten) return ringError("the used ring is not in memory");
    this.#given = next;
    return undefined;
  }

  /**
   * Ends a round of work: tells the driver from where on it must notify, and finds out whether it wants an interrupt for what
   * was given in it.
   *
   * @param before  {@link given} when the round began.
   * @spec virtio-1.2 §2.7.7 "Used Buffer Notification Suppression"
   */
  endRound(before: number): boolean | RingError {
    const { size, available, used } = this.setup;
    if (!this.hasEventIndex) {
      const flags = this.#read16(available);
      if (flags === undefined) return ringError("the available ring is not in memory");
      return before !== this.#given && (flags & NO_INTERRUPT) === 0;
    }
    const event = this.#read16(available + 4n + 2n * BigInt(size));
    if (event === undefined || !this.#write16(used + 4n + 8n * BigInt(size), this.#taken))
      return ringError("an event index is not in memory");
    return ((this.#given - event - 1) & 0xffff) < ((this.#given - before) & 0xffff);
  }

  save(): DeviceState {
    const { isReady } = this;
    return { ...this.setup, isReady, taken: this.#taken, given: this.#given };
  }

  restore(state: DeviceState): void {
    this.setup.size = state["size"] as number;
    this.setup.descriptors = state["descriptors"] as bigint;
    this.setup.available = state["available"] as bigint;
    this.setup.used = state["used"] as bigint;
    this.isReady = state["isReady"] as boolean;
    this.#taken = state["taken"] as number;
    this.#given = state["given"] as number;
  }

  /** Follows a chain from its head. @spec virtio-1.2 §2.7.5 "The Virtqueue Descriptor Table" */
  #chainAt(head: number): Chain | RingError {
    const chain = new ChainBuilder(head, this.#maxChainBytes);
    let table = { address: this.setup.descriptors, size: this.setup.size, isIndirect: false };
    let index = head;
    for (let steps = 0; ; steps++) {
      if (index >= table.size) return ringError(`descriptor ${index} in a table of ${table.size}`);
      if (steps >= table.size) return ringError("the chain comes back to itself");
      const descriptor = this.#descriptor(table.address + BigInt(DESCRIPTOR_BYTES * index));
      if (descriptor === undefined) return ringError("a descriptor is not in memory");
      const { address, lengthBytes, flags, next } = descriptor;
      if ((flags & DescriptorFlag.INDIRECT) !== 0) {
        const refusal = this.#refusedIndirect(descriptor, table.isIndirect);
        if (refusal !== undefined) return ringError(refusal);
        table = { address, size: lengthBytes / DESCRIPTOR_BYTES, isIndirect: true };
        index = 0;
        steps = -1;
        continue;
      }
      const refusal = chain.add({ address, lengthBytes }, (flags & DescriptorFlag.WRITE) !== 0);
      if (refusal !== undefined) return ringError(refusal);
      if ((flags & DescriptorFlag.NEXT) === 0) return chain;
      index = next;
    }
  }

  /** @spec virtio-1.2 §2.7.5.3 "Indirect Descriptors" */
  #refusedIndirect({ lengthBytes, flags }: Descriptor, isIndirect: boolean): string | undefined {
    if (!this.hasIndirect) return "an indirect descriptor that was not agreed on";
    if (isIndirect) return "an indirect descriptor in an indirect table";
    if ((flags & DescriptorFlag.NEXT) !== 0) return "an indirect descriptor that goes on";
    const descriptors = lengthBytes / DESCRIPTOR_BYTES;
    const isWhole = Number.isInteger(descriptors) && descriptors > 0;
    return isWhole && descriptors <= 65_536 ? undefined : `an indirect table of ${lengthBytes} bytes`;
  }

  #descriptor(at: bigint): Descriptor | undefined {
    const bytes = this.#dma.read(BigInt.asUintN(64, at), DESCRIPTOR_BYTES);
    if (!(bytes instanceof Uint8Array)) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return {
      address: view.getBigUint64(0, true),
      lengthBytes: view.getUint32(8, true),
      flags: view.getUint16(12, true),
      next: view.getUint16(14, true),
    };
  }

  #read16(address: bigint): number | undefined {
    const bytes = this.#dma.read(BigInt.asUintN(64, address), 2);
    return bytes instanceof Uint8Array ? (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) : undefined;
  }

  #write(address: bigint, bytes: Uint8Array): boolean {
    return this.#dma.write(BigInt.asUintN(64, address), bytes) === undefined;
  }

  #write16(address: bigint, value: number): boolean {
    return this.#write(address, Uint8Array.of(value & 0xff, value >> 8));
  }
}

interface Descriptor extends Buffer {
  readonly flags: number;
  readonly next: number;
}

/** Collects the buffers of a chain and refuses what no driver may build. */
class ChainBuilder implements Chain {
  readonly kind = "chain";
  readonly head: number;
  readonly readable: Buffer[] = [];
  readonly writable: Buffer[] = [];
  lengthBytes = 0;
  readonly #maxBytes: number;

  constructor(head: number, maxBytes: number) {
    this.head = head;
    this.#maxBytes = maxBytes;
  }

  add(buffer: Buffer, isWritable: boolean): string | undefined {
    if (buffer.lengthBytes === 0) return "a buffer of no bytes";
    if (!isWritable && this.writable.length > 0) return "a readable buffer behind a writable one";
    (isWritable ? this.writable : this.readable).push(buffer);
    if (this.readable.length + this.writable.length > MAX_CHAIN_BUFFERS)
      return `a chain of more than ${MAX_CHAIN_BUFFERS} buffers`;
    this.lengthBytes += buffer.lengthBytes;
    return this.lengthBytes > this.#maxBytes ? `a chain of more than ${this.#maxBytes} bytes` : undefined;
  }
}

/** Makes a {@link RingError}. */
export function ringError(message: string): RingError {
  return { kind: "ring-error", message };
}

/** Number of bytes in buffers. */
export function bytesOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** Copies what the driver wrote for the device out of memory. */
export function gather(dma: DmaPort, buffers: readonly Buffer[]): Uint8Array | RingError {
  const bytes = new Uint8Array(bytesOf(buffers));
  let at = 0;
  for (const { address, lengthBytes } of buffers) {
    const part = dma.read(address, lengthBytes);
    if (!(part instanceof Uint8Array)) return ringError(`nothing to read at 0x${address.toString(16)}`);
    bytes.set(part, at);
    at += lengthBytes;
  }
  return bytes;
}

/** Copies bytes into buffers, from their first byte on or from `skipBytes` on. What does not fit is left out. */
export function scatter(
  dma: DmaPort,
  buffers: readonly Buffer[],
  bytes: Uint8Array,
  skipBytes = 0,
): RingError | undefined {
  let start = -skipBytes;
  for (const { address, lengthBytes } of buffers) {
    const from = Math.max(0, start);
    const part = bytes.subarray(from, Math.max(from, start + lengthBytes));
    const within = from - start;
    if (part.length > 0 && dma.write(BigInt.asUintN(64, address + BigInt(within)), part) !== undefined)
      return ringError(`nothing to write at 0x${address.toString(16)}`);
    start += lengthBytes;
  }
  return undefined;
}
