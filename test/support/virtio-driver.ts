/**
 * A small virtio driver: what an operating system does with a slot, written from the specification, through the same registers
 * and the same rings. It knows nothing of the devices under test.
 */
import { Clock } from "../../lib/bus/clock.ts";
import { DirectDma } from "../../lib/bus/direct-dma.ts";
import { NO_EVENTS } from "../../lib/bus/event-sink.ts";
import { createMachineMemory } from "../../lib/bus/machine-memory.ts";
import { Ram } from "../../lib/bus/ram.ts";
import { VirtioMmio } from "../../lib/devices/virtio/mmio.ts";
import type { VirtioModel } from "../../lib/devices/virtio/model.ts";

export const RAM_BASE = 0x8000_0000;
/** Virtio 1.2, sections 4.2.2 and 2.1, as numbers. */
export const Register = {
  queueSel: 0x30,
  queueNum: 0x38,
  queueReady: 0x44,
  notify: 0x50,
  interruptStatus: 0x60,
  interruptAck: 0x64,
  status: 0x70,
} as const;

/** A buffer that a driver offers. */
export interface Offer {
  readonly address: number;
  readonly length: number;
  readonly isWritable?: boolean;
}

/** A slot with RAM behind it, and time that tests move by hand. */
export class SlotBench {
  readonly clock = new Clock();
  readonly ram: Ram;
  readonly slot: VirtioMmio;

  constructor(model: (clock: Clock) => VirtioModel | undefined, ramBytes = 1 << 20) {
    this.ram = new Ram(createMachineMemory(0, ramBytes), RAM_BASE);
    const dma = new DirectDma(this.ram, this.clock, NO_EVENTS);
    this.slot = new VirtioMmio(0, { clock: this.clock, dma }, model(this.clock));
  }

  read(offset: number): number {
    return Number(this.slot.load(offset, 4));
  }

  write(offset: number, word: number): void {
    this.slot.store(offset, 4, BigInt(word >>> 0));
  }

  /** Lets guest time pass until nothing is due any more, at most this much. */
  pass(insns = 1_000_000): void {
    const end = this.clock.now + insns;
    while (this.clock.alarmAtRetired <= end) {
      this.clock.retired = Math.max(this.clock.retired, this.clock.alarmAtRetired);
      this.clock.ringDue();
    }
    this.clock.retired = end;
  }

  put(address: number, bytes: Iterable<number>): void {
    this.ram.write(address - RAM_BASE, Uint8Array.from(bytes));
  }

  get(address: number, length: number): number[] {
    return [...this.ram.bytes(address - RAM_BASE, length)];
  }

  /** Features as 64 bits. */
  features(): bigint {
    this.write(0x14, 1);
    const high = BigInt(this.read(0x10));
    this.write(0x14, 0);
    return (high << 32n) | BigInt(this.read(0x10));
  }

  /** The steps of section 3.1.1 up to the queues; false when the device does not take the features. */
  negotiate(features: bigint): boolean {
    this.write(Register.status, 0);
    this.write(Register.status, 1);
    this.write(Register.status, 3);
    for (const half of [0, 1]) {
      this.write(0x24, half);
      this.write(0x20, Number((features >> BigInt(32 * half)) & 0xffff_ffffn));
    }
    this.write(Register.status, 0xb);
    return (this.read(Register.status) & 8) !== 0;
  }

  ready(): void {
    this.write(Register.status, 0xf);
  }

  get line(): boolean {
    return this.slot.line.level;
  }

  get needsReset(): boolean {
    return (this.read(Register.status) & 0x40) !== 0;
  }
}

export const VERSION_1 = 1n << 32n;
export const EVENT_IDX = 1n << 29n;
export const INDIRECT = 1n << 28n;

/** The driver's side of one queue. */
export class DriverQueue {
  readonly bench: SlotBench;
  readonly index: number;
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  #nextDescriptor = 0;
  #offered = 0;
  #seen = 0;

  /** Lays the queue out at `base`, and makes it ready. */
  constructor(bench: SlotBench, index: number, size: number, base: number) {
    this.bench = bench;
    this.index = index;
    this.size = size;
    this.descriptors = base;
    this.available = base + 16 * size;
    this.used = base + 16 * size + 8 * Math.ceil((6 + 2 * size) / 8);
    bench.write(Register.queueSel, index);
    bench.write(Register.queueNum, size);
    for (const [offset, address] of [
      [0x80, this.descriptors],
      [0x90, this.available],
      [0xa0, this.used],
    ] as const) {
      bench.write(offset, address);
      bench.write(offset + 4, 0);
    }
    bench.write(Register.queueReady, 1);
  }

  get #view(): DataView {
    return this.bench.ram.view;
  }

  /** Writes a descriptor anywhere. */
  describe(at: number, address: bigint | number, length: number, flags: number, next: number): void {
    const offset = at - RAM_BASE;
    this.#view.setBigUint64(offset, BigInt(address), true);
    this.#view.setUint32(offset + 8, length, true);
    this.#view.setUint16(offset + 12, flags, true);
    this.#view.setUint16(offset + 14, next, true);
  }

  /** Writes a chain into the table; its head. */
  chain(offers: readonly Offer[]): number {
    const head = this.#nextDescriptor % this.size;
    for (const [index, { address, length, isWritable = false }] of offers.entries()) {
      const isLast = index === offers.length - 1;
      const at = (head + index) % this.size;
      const flags = (isLast ? 0 : 1) | (isWritable ? 2 : 0);
      this.describe(this.descriptors + 16 * at, address, length, flags, (at + 1) % this.size);
    }
    this.#nextDescriptor += offers.length;
    return head;
  }

  /** Makes a head available. */
  offerHead(head: number): void {
    this.#view.setUint16(this.available - RAM_BASE + 4 + 2 * (this.#offered % this.size), head, true);
    this.#offered = (this.#offered + 1) & 0xffff;
    this.#view.setUint16(this.available - RAM_BASE + 2, this.#offered, true);
  }

  offer(offers: readonly Offer[]): number {
    const head = this.chain(offers);
    this.offerHead(head);
    return head;
  }

  kick(): void {
    this.bench.write(Register.notify, this.index);
  }

  /** What came back since the last call: head and written length of each. */
  collect(): { head: number; written: number }[] {
    const found = [];
    const index = this.#view.getUint16(this.used - RAM_BASE + 2, true);
    while (this.#seen !== index) {
      const at = this.used - RAM_BASE + 4 + 8 * (this.#seen % this.size);
      found.push({ head: this.#view.getUint32(at, true), written: this.#view.getUint32(at + 4, true) });
      this.#seen = (this.#seen + 1) & 0xffff;
    }
    return found;
  }

  /** `avail.flags`, or with event index `used_event`. */
  setNoInterrupt(value: boolean): void {
    this.#view.setUint16(this.available - RAM_BASE, value ? 1 : 0, true);
  }

  setUsedEvent(value: number): void {
    this.#view.setUint16(this.available - RAM_BASE + 4 + 2 * this.size, value & 0xffff, true);
  }

  availableEvent(): number {
    return this.#view.getUint16(this.used - RAM_BASE + 4 + 8 * this.size, true);
  }
}
