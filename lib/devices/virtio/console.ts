/**
 * Virtio console with one port: bytes both ways, no control queues.
 *
 * @spec virtio-1.2 §5.3 "Console Device"
 */
import type { DeviceState } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import type { VirtioModel, Waker } from "./model.ts";
import { bytesOf, type Chain, gather, type RingError, ringError, scatter } from "./split-queue.ts";

/** @spec virtio-1.2 §5 "Device Types" */
export const CONSOLE_DEVICE = 3;
export const ConsoleQueue = { RECEIVE: 0, TRANSMIT: 1 } as const;
/** @spec virtio-1.2 §5.3.3 "Feature bits" */
export const ConsoleFeature = { SIZE: 1n << 0n, EMERG_WRITE: 1n << 2n } as const;
const COLUMNS = 80;
const ROWS = 25;
/** Offset of the word through which a driver prints before it has queues. */
const EMERGENCY_OFFSET = 8;
const CONFIG_BYTES = 12;
const DELAY_INSNS = 200;
const MAX_CHAIN_BYTES = 256 * 1024;

/** Who hears what the guest prints. */
export interface ConsoleOutlet {
  print(byte: number): void;
  /** The machine went back to when it had printed this many bytes. */
  truncate(length: number): void;
}

/** @spec virtio-1.2 §5.3.4 "Device configuration layout" */
export function consoleConfig(): Uint8Array {
  const bytes = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, COLUMNS, true);
  view.setUint16(2, ROWS, true);
  view.setUint32(4, 1, true); // max_nr_ports
  return bytes;
}

/** A terminal. */
export class VirtioConsole implements VirtioModel {
  readonly deviceId = CONSOLE_DEVICE;
  readonly queueCount = 2;
  readonly features = ConsoleFeature.SIZE | ConsoleFeature.EMERG_WRITE;
  readonly maxChainBytes = MAX_CHAIN_BYTES;
  readonly delayInsns = DELAY_INSNS;
  readonly #outlet: ConsoleOutlet;
  #waker: Waker | undefined;
  /** Typed and not yet read. */
  #typed: number[] = [];
  #printed = 0;

  constructor(outlet: ConsoleOutlet) {
    this.#outlet = outlet;
  }

  connect(waker: Waker): void {
    this.#waker = waker;
  }

  /** Sends bytes to the guest from outside; they wait until it offers buffers. */
  receive(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#typed.push(byte & 0xff);
    this.#waker?.wake(ConsoleQueue.RECEIVE);
  }

  config(): Uint8Array {
    return consoleConfig();
  }

  configure(offset: number, byte: number): void {
    if (offset === EMERGENCY_OFFSET) this.#print(byte);
  }

  serve(queue: number, chain: Chain, dma: DmaPort): number | "later" | RingError {
    return queue === ConsoleQueue.RECEIVE ? this.#fill(chain, dma) : this.#transmit(chain, dma);
  }

  reset(): void {}

  powerOn(): void {
    this.#typed = [];
    this.#printed = 0;
    this.#outlet.truncate(0);
  }

  save(): DeviceState {
    return { typed: [...this.#typed], printed: this.#printed };
  }

  restore(state: DeviceState): void {
    this.#typed = [...(state["typed"] as number[])];
    this.#printed = state["printed"] as number;
    this.#outlet.truncate(this.#printed);
  }

  #fill(chain: Chain, dma: DmaPort): number | "later" | RingError {
    const room = bytesOf(chain.writable);
    if (room === 0) return ringError("a receive buffer that cannot be written");
    if (this.#typed.length === 0) return "later";
    const bytes = Uint8Array.from(this.#typed.slice(0, room));
    this.#typed = this.#typed.slice(room);
    return scatter(dma, chain.writable, bytes) ?? bytes.length;
  }

  #transmit(chain: Chain, dma: DmaPort): number | RingError {
    const bytes = gather(dma, chain.readable);
    if (!(bytes instanceof Uint8Array)) return bytes;
    for (const byte of bytes) this.#print(byte);
    return 0;
  }

  #print(byte: number): void {
    this.#printed++;
    this.#outlet.print(byte);
  }
}
