/** DMA without an IOMMU: device addresses are physical addresses, and all of RAM is open. */
import type { Clock } from "./clock.ts";
import { ACCESS_FAULT, type AccessFault } from "./device.ts";
import { digestWord } from "./digest-word.ts";
import type { DmaPort } from "./dma.ts";
import { EventKind, type EventSink } from "./event-sink.ts";
import type { Ram } from "./ram.ts";

/** Reaches RAM and nothing else: a device cannot read another device's registers. Writes are events of the trace. */
export class DirectDma implements DmaPort {
  readonly #ram: Ram;
  readonly #clock: Clock;
  readonly #events: EventSink;

  constructor(ram: Ram, clock: Clock, events: EventSink) {
    this.#ram = ram;
    this.#clock = clock;
    this.#events = events;
  }

  read(address: bigint, lengthBytes: number): Uint8Array | AccessFault {
    const offset = this.#offsetOf(address, lengthBytes);
    return offset === undefined ? ACCESS_FAULT : this.#ram.bytes(offset, lengthBytes);
  }

  write(address: bigint, bytes: Uint8Array): AccessFault | undefined {
    const offset = this.#offsetOf(address, bytes.length);
    if (offset === undefined) return ACCESS_FAULT;
    if (bytes.length === 0) return undefined;
    const length = BigInt(bytes.length);
    this.#events.record(EventKind.DMA_WRITE, 0, 0, this.#clock.retired, address, length, digestWord(bytes));
    this.#ram.write(offset, bytes);
    return undefined;
  }

  #offsetOf(address: bigint, lengthBytes: number): number | undefined {
    const offset = address - BigInt(this.#ram.base);
    return offset >= 0n && offset + BigInt(lengthBytes) <= BigInt(this.#ram.sizeBytes)
      ? Number(offset)
      : undefined;
  }
}
