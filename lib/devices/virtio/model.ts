/** What a virtio device is apart from its transport: features, configuration space, and an answer to each chain. */
import type { DeviceState } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import type { Chain, RingError } from "./split-queue.ts";

/** How a model tells its transport that a queue has work again: something came in from outside. */
export interface Waker {
  wake(queue: number): void;
}

/**
 * A kind of virtio device.
 *
 * Lifecycle: constructed → `connect` once → any mix of `serve`, `configure`, `reset` → `powerOn` or `restore`. Nothing
 * throws for what a driver does.
 */
export interface VirtioModel {
  /** @spec virtio-1.2 §5 "Device Types" */
  readonly deviceId: number;
  /** Feature bits of the device type, bits 0 to 23. */
  readonly features: bigint;
  readonly queueCount: number;
  /** Most bytes of a chain; a longer one is the driver's mistake. */
  readonly maxChainBytes: number;
  /** Instruction times between a notification and the work for it. */
  readonly delayInsns: number;
  /** The transport introduces itself. */
  connect(waker: Waker): void;
  /** The device's configuration space as it reads now. */
  config(): Uint8Array;
  /** The driver wrote a byte of it. */
  configure(offset: number, byte: number): void;
  /**
   * Does what a chain asks for.
   *
   * @returns  Number of bytes written into its writable buffers; "later": there is nothing for it yet; or why it is no chain
   *           for this queue.
   */
  serve(queue: number, chain: Chain, dma: DmaPort): number | "later" | RingError;
  /** The driver reset the device. What is stored or still coming in stays. */
  reset(): void;
  /** The board was switched off and on. */
  powerOn(): void;
  save(): DeviceState;
  restore(state: DeviceState): void;
}
