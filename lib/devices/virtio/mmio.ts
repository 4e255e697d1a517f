/**
 * Virtio over memory-mapped registers: one slot of the board, empty or with a device in it.
 *
 * Notifications start no work: they set an alarm, and the work, with all its DMA, happens at that instruction. A driver's
 * mistake in a ring ends in DEVICE_NEEDS_RESET, after which the device touches no memory until it is reset.
 *
 * @spec virtio-1.2 §4.2 "Virtio Over MMIO", version 2; the legacy interface is not offered
 */
import type { Alarm, Clock } from "../../bus/clock.ts";
import type { AccessFault, Device, DeviceState, Width } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { IrqLine } from "../../bus/irq-line.ts";
import type { VirtioModel } from "./model.ts";
import { type RingError, SplitQueue } from "./split-queue.ts";

/** Register offsets in bytes. @spec virtio-1.2 §4.2.2 "MMIO Device Register Layout" */
export const MmioOffset = {
  MAGIC: 0x00,
  VERSION: 0x04,
  DEVICE_ID: 0x08,
  VENDOR_ID: 0x0c,
  DEVICE_FEATURES: 0x10,
  DEVICE_FEATURES_SEL: 0x14,
  DRIVER_FEATURES: 0x20,
  DRIVER_FEATURES_SEL: 0x24,
  QUEUE_SEL: 0x30,
  QUEUE_NUM_MAX: 0x34,
  QUEUE_NUM: 0x38,
  QUEUE_READY: 0x44,
  QUEUE_NOTIFY: 0x50,
  INTERRUPT_STATUS: 0x60,
  INTERRUPT_ACK: 0x64,
  STATUS: 0x70,
  QUEUE_DESCRIPTORS: 0x80,
  QUEUE_AVAILABLE: 0x90,
  QUEUE_USED: 0xa0,
  SHM_LENGTH_LOW: 0xb0,
  SHM_BASE_HIGH: 0xbc,
  CONFIG: 0x100,
} as const;

/** Bits of the status register. @spec virtio-1.2 §2.1 "Device Status Field" */
export const Status = { DRIVER_OK: 4, FEATURES_OK: 8, NEEDS_RESET: 0x40 } as const;
/** Bits of the interrupt status. @spec virtio-1.2 §4.2.2 */
export const Interrupt = { USED_BUFFER: 1, CONFIG_CHANGE: 2 } as const;
/** Feature bits that belong to no device type. @spec virtio-1.2 §6 "Reserved Feature Bits" */
export const Feature = {
  INDIRECT_DESC: 1n << 28n,
  EVENT_IDX: 1n << 29n,
  VERSION_1: 1n << 32n,
  ACCESS_PLATFORM: 1n << 33n,
} as const;

const COMMON_FEATURES = Feature.INDIRECT_DESC | Feature.EVENT_IDX | Feature.VERSION_1;
/** What the first registers of each slot say: "virt", version 2, and the vendor: "QEMU", whose board this is. */
export const Identity = { MAGIC: 0x7472_6976, VERSION: 2, VENDOR: 0x554d_4551 } as const;
const MAX_QUEUE_SIZE = 1024;
const ALL_ONES = 0xffff_ffff;
/** A round of work ends behind the chain that reaches one of these; the rest waits for the next round. */
const ROUND_CHAINS = 64;
const ROUND_BYTES = 4 * 1024 * 1024;

/** Everything that a driver can change, but for queues. */
const AT_RESET = {
  status: 0,
  deviceFeaturesSel: 0,
  driverFeaturesSel: 0,
  /** Both halves, as numbers of 32 bits. */
  driverFeaturesLow: 0,
  driverFeaturesHigh: 0,
  queueSel: 0,
  interruptStatus: 0,
  /** Queues with work to do, one bit each. */
  kicked: 0,
  /** When that work is done, in instruction times; −1: there is none. */
  dueAtInsns: -1,
};

/** What a slot is connected to. */
export interface SlotWiring {
  readonly clock: Clock;
  /** Memory as the device sees it. */
  readonly dma: DmaPort;
  /** An IOMMU stands in between: drivers must ask it for addresses. */
  readonly isTranslated?: boolean;
}

/** A slot. */
export class VirtioMmio implements Device {
  readonly name: string;
  readonly sizeBytes = 0x200;
  /** Interrupt request: high while the interrupt status is not zero. */
  readonly line: IrqLine;
  readonly #clock: Clock;
  readonly #dma: DmaPort;
  /** What is in the slot. */
  readonly #model: VirtioModel | undefined;
  /** Feature bits that are offered. */
  readonly #features: bigint;
  readonly #alarm: Alarm;
  readonly #queues: readonly SplitQueue[];
  #registers = { ...AT_RESET };

  constructor(slot: number, { clock, dma, isTranslated = false }: SlotWiring, model?: VirtioModel) {
    this.name = `virtio${slot}`;
    this.line = new IrqLine(this.name);
    this.#clock = clock;
    this.#dma = dma;
    this.#model = model;
    this.#features =
      COMMON_FEATURES | (model?.features ?? 0n) | (isTranslated ? Feature.ACCESS_PLATFORM : 0n);
    this.#alarm = clock.alarm(() => this.#work());
    const limits = { maxSize: MAX_QUEUE_SIZE, maxChainBytes: model?.maxChainBytes ?? 0 };
    this.#queues = Array.from({ length: model?.queueCount ?? 0 }, () => new SplitQueue(limits, dma));
    model?.connect({ wake: (queue) => this.#kick(queue) });
  }

  /** Registers are words, configuration space is bytes; eight bytes at once are two words, as on QEMU. */
  load(offset: number, width: Width): bigint | AccessFault {
    if (width === 8) return this.#load(offset, 4) | (this.#load(offset + 4, 4) << 32n);
    return this.#load(offset, width);
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (this.#model === undefined) return undefined;
    if (offset >= MmioOffset.CONFIG) {
      for (let at = 0; at < width; at++)
        this.#model.configure(offset - MmioOffset.CONFIG + at, Number((value >> BigInt(8 * at)) & 0xffn));
    } else if (width >= 4) {
      this.#write(offset, Number(value & 0xffff_ffffn));
      if (width === 8) this.#write(offset + 4, Number(value >> 32n));
    }
    return undefined;
  }

  reset(): void {
    this.#resetByDriver();
    this.#model?.powerOn();
  }

  save(): DeviceState {
    const queues = this.#queues.map((queue) => queue.save());
    return { ...this.#registers, queues, model: this.#model?.save() ?? {} };
  }

  restore(state: DeviceState): void {
    const { queues, model, ...registers } = state;
    this.#registers = registers as typeof AT_RESET;
    for (const [index, queue] of this.#queues.entries())
      queue.restore((queues as DeviceState[])[index] ?? {});
    this.#agree();
    this.#model?.restore(model as DeviceState);
    if (this.#registers.dueAtInsns >= 0) this.#alarm.set(this.#registers.dueAtInsns);
    else this.#alarm.cancel();
    this.#drive();
  }

  #load(offset: number, width: 1 | 2 | 4): bigint {
    if (offset >= MmioOffset.CONFIG) return this.#loadConfig(offset - MmioOffset.CONFIG, width);
    return width === 4 ? BigInt(this.#read(offset) >>> 0) : 0n;
  }

  /** Behind its end, configuration space reads as ones, as on QEMU. */
  #loadConfig(offset: number, width: 1 | 2 | 4): bigint {
    if (this.#model === undefined) return 0n;
    const bytes = this.#model.config();
    let value = 0n;
    for (let at = width - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[offset + at] ?? 0xff);
    return value;
  }

  #read(offset: number): number {
    const registers = this.#registers;
    switch (offset) {
      case MmioOffset.MAGIC:
        return Identity.MAGIC;
      case MmioOffset.VERSION:
        return Identity.VERSION;
      case MmioOffset.DEVICE_ID:
        return this.#model?.deviceId ?? 0;
      case MmioOffset.VENDOR_ID:
        return Identity.VENDOR;
      case MmioOffset.DEVICE_FEATURES:
        return this.#deviceFeatures();
      case MmioOffset.QUEUE_NUM_MAX:
        return this.#selected()?.maxSize ?? 0;
      case MmioOffset.QUEUE_READY:
        return this.#selected()?.isReady === true ? 1 : 0;
      case MmioOffset.INTERRUPT_STATUS:
        return registers.interruptStatus;
      case MmioOffset.STATUS:
        return registers.status;
      default:
        return this.#model !== undefined && isSharedMemory(offset) ? ALL_ONES : 0;
    }
  }

  #write(offset: number, word: number): void {
    const registers = this.#registers;
    switch (offset) {
      case MmioOffset.DEVICE_FEATURES_SEL:
        registers.deviceFeaturesSel = word;
        break;
      case MmioOffset.DRIVER_FEATURES_SEL:
        registers.driverFeaturesSel = word;
        break;
      case MmioOffset.DRIVER_FEATURES:
        this.#setDriverFeatures(word);
        break;
      case MmioOffset.QUEUE_SEL:
        registers.queueSel = word;
        break;
      case MmioOffset.QUEUE_READY:
        this.#setReady((word & 1) === 1);
        break;
      case MmioOffset.QUEUE_NOTIFY:
        this.#kick(word);
        break;
      case MmioOffset.INTERRUPT_ACK:
        registers.interruptStatus &= ~word;
        this.#drive();
        break;
      case MmioOffset.STATUS:
        this.#setStatus(word & 0xff);
        break;
      default:
        this.#setUpQueue(offset, word);
    }
  }

  #deviceFeatures(): number {
    if (this.#model === undefined) return 0;
    const { deviceFeaturesSel } = this.#registers;
    if (deviceFeaturesSel > 1) return 0;
    return Number((this.#features >> (deviceFeaturesSel === 1 ? 32n : 0n)) & 0xffff_ffffn);
  }

  /** Features are settled once the driver has set FEATURES_OK. */
  #setDriverFeatures(word: number): void {
    const registers = this.#registers;
    if ((registers.status & Status.FEATURES_OK) !== 0) return;
    if (registers.driverFeaturesSel === 0) registers.driverFeaturesLow = word;
    if (registers.driverFeaturesSel === 1) registers.driverFeaturesHigh = word;
  }

  #driverFeatures(): bigint {
    return (BigInt(this.#registers.driverFeaturesHigh) << 32n) | BigInt(this.#registers.driverFeaturesLow);
  }

  /** Bits are set and not cleared, but by a reset. FEATURES_OK stays clear for features that nobody offered. @spec virtio-1.2 §3.1.1 */
  #setStatus(byte: number): void {
    if (byte === 0) {
      this.#resetByDriver();
      return;
    }
    const registers = this.#registers;
    const features = this.#driverFeatures();
    const isAcceptable = (features & ~this.#features) === 0n && (features & Feature.VERSION_1) !== 0n;
    registers.status |= (isAcceptable ? byte : byte & ~Status.FEATURES_OK) & ~Status.NEEDS_RESET;
    this.#agree();
  }

  /** Tells the queues what was agreed on. */
  #agree(): void {
    const isSettled = (this.#registers.status & Status.FEATURES_OK) !== 0;
    const features = isSettled ? this.#driverFeatures() : 0n;
    for (const queue of this.#queues) {
      queue.hasEventIndex = (features & Feature.EVENT_IDX) !== 0n;
      queue.hasIndirect = (features & Feature.INDIRECT_DESC) !== 0n;
    }
  }

  #resetByDriver(): void {
    this.#registers = { ...AT_RESET };
    for (const queue of this.#queues) queue.reset();
    this.#agree();
    this.#alarm.cancel();
    this.#model?.reset();
    this.#drive();
  }

  #selected(): SplitQueue | undefined {
    return this.#queues[this.#registers.queueSel];
  }

  /** A queue's size and places; they are fixed while it is ready. */
  #setUpQueue(offset: number, word: number): void {
    const queue = this.#selected();
    if (queue === undefined || queue.isReady) return;
    if (offset === MmioOffset.QUEUE_NUM) queue.setup.size = word;
    for (const [register, name] of QUEUE_ADDRESSES) {
      const address = queue.setup[name];
      if (offset === register) queue.setup[name] = ((address >> 32n) << 32n) | BigInt(word);
      if (offset === register + 4) queue.setup[name] = (address & 0xffff_ffffn) | (BigInt(word) << 32n);
    }
  }

  /** A size that is no power of two, or larger than offered, makes no queue. */
  #setReady(isReady: boolean): void {
    const queue = this.#selected();
    if (queue === undefined || queue.isReady === isReady) return;
    if (!isReady) {
      queue.isReady = false;
      return;
    }
    const { size } = queue.setup;
    if (size > 0 && size <= queue.maxSize && (size & (size - 1)) === 0) queue.start();
    else this.#fail();
  }

  /** A queue has work: done after the device's delay, together with what is noticed until then. */
  #kick(index: number): void {
    const registers = this.#registers;
    const isRunning = (registers.status & (Status.DRIVER_OK | Status.NEEDS_RESET)) === Status.DRIVER_OK;
    if (!isRunning || this.#queues[index]?.isReady !== true) return;
    registers.kicked |= 1 << index;
    if (registers.dueAtInsns >= 0) return;
    registers.dueAtInsns = this.#clock.now + (this.#model?.delayInsns ?? 0);
    this.#alarm.set(registers.dueAtInsns);
  }

  #work(): void {
    const { kicked } = this.#registers;
    this.#registers.kicked = 0;
    this.#registers.dueAtInsns = -1;
    for (const [index, queue] of this.#queues.entries()) {
      if ((kicked & (1 << index)) === 0 || !queue.isReady) continue;
      const outcome = this.#round(index, queue);
      if (typeof outcome !== "boolean") {
        this.#fail();
        return;
      }
      if (outcome) this.#registers.interruptStatus |= Interrupt.USED_BUFFER;
    }
    this.#drive();
  }

  /** Serves chains until there are none, or enough for now. Returns whether the driver wants an interrupt. */
  #round(index: number, queue: SplitQueue): boolean | RingError {
    const before = queue.given;
    let bytes = 0;
    for (let chains = 0; ; chains++) {
      if (chains === ROUND_CHAINS || bytes >= ROUND_BYTES) {
        this.#kick(index);
        break;
      }
      const chain = queue.take();
      if (chain === undefined) break;
      if (chain.kind === "ring-error") return chain;
      const written = this.#model?.serve(index, chain, this.#dma) ?? "later";
      if (written === "later") {
        queue.putBack();
        break;
      }
      if (typeof written !== "number") return written;
      bytes += chain.lengthBytes;
      const refused = queue.give(chain, written);
      if (refused !== undefined) return refused;
    }
    return queue.endRound(before);
  }

  /** The error state. @spec virtio-1.2 §2.1.2 "Device Requirements: Device Status Field" */
  #fail(): void {
    const registers = this.#registers;
    registers.status |= Status.NEEDS_RESET;
    registers.kicked = 0;
    registers.dueAtInsns = -1;
    this.#alarm.cancel();
    if ((registers.status & Status.DRIVER_OK) !== 0) registers.interruptStatus |= Interrupt.CONFIG_CHANGE;
    this.#drive();
  }

  #drive(): void {
    this.line.set(this.#registers.interruptStatus !== 0);
  }
}

/** The queue registers that hold an address: its low word, and the high word behind it. */
export const QUEUE_ADDRESSES = [
  [MmioOffset.QUEUE_DESCRIPTORS, "descriptors"],
  [MmioOffset.QUEUE_AVAILABLE, "available"],
  [MmioOffset.QUEUE_USED, "used"],
] as const;

/** Registers of shared memory regions, of which no device here has one: length and base read as ones. */
function isSharedMemory(offset: number): boolean {
  return offset >= MmioOffset.SHM_LENGTH_LOW && offset <= MmioOffset.SHM_BASE_HIGH;
}
