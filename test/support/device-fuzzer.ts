/**
 * A hostile kernel that knows the map: random stores to and loads from every device register, rings that are right, nearly right
 * and nonsense, notifications, time, input. Everything is drawn from one seed.
 */
import type { Board } from "../../lib/board/board.ts";
import { RAM_BASE, VIRT_MAP } from "../../lib/board/memory-map.ts";
import type { Width } from "../../lib/bus/device.ts";
import { seededNumbers } from "./random.ts";

const WIDTHS = [1, 2, 4, 8] as const satisfies Width[];
/** Rings of slot s, queue q lie at RAM + s · 64 KiB + q · 32 KiB; buffers behind them. */
const SLOT_BYTES = 0x1_0000;
const QUEUE_BYTES = 0x8000;
const BUFFERS = 0x8_0000;
const BUFFER_BYTES = 0x4_0000;
/** The IOMMU's directory, its page tables (three pages a stage) and its queues. */
const DIRECTORY = 0xc_0000;
const STAGES = [0xc_4000, 0xd_0000] as const;
const IOMMU_QUEUES = 0xe_0000;
const RAM_PAGES = 256;

/** Draws operations and does them on a board, without running any instruction. */
export class DeviceFuzzer {
  readonly #board: Board;
  readonly #below: (limit: number) => number;
  readonly #ramBytes: number;
  readonly #hasIommu: boolean;
  /** Queue sizes by the address of the rings. */
  readonly #sizes = new Map<number, number>();

  constructor(board: Board, seed: number) {
    this.#board = board;
    this.#below = seededNumbers(seed);
    this.#ramBytes = board.bus.ram.sizeBytes;
    this.#hasIommu = board.bus.regions.some(({ device }) => device.name === "iommu");
  }

  /** One operation; what a guest saw of it. */
  step(): bigint {
    const choice = this.#below(100);
    if (choice < 45) return this.#access();
    if (choice < 55) return this.#transaction();
    if (choice < 57) return this.#ring();
    if (choice < 60) return this.#hasIommu && this.#below(8) === 0 ? this.#confine() : this.#interrupts();
    if (choice < 75) return this.#request(this.#slot(), this.#below(2));
    if (choice < 88) return this.#store(this.#slot() + 0x50, 4, BigInt(this.#below(3)));
    if (choice < 98) return this.#pass();
    return this.#input();
  }

  #store(address: number, width: Width, value: bigint): bigint {
    return this.#board.bus.store(address, width, value) === undefined ? 0n : -1n;
  }

  /** Any register of any device, any width, any value. */
  #access(): bigint {
    const { regions } = this.#board.bus;
    const { base, device } = regions[this.#below(regions.length)]!;
    const width = WIDTHS[this.#below(4)]!;
    const span = this.#below(2) === 0 ? Math.min(device.sizeBytes, 0x200) : device.sizeBytes;
    const offset = Math.floor(this.#below(span) / width) * width;
    if (this.#below(2) === 0)
      return this.#store(base + offset, width, BigInt.asUintN(8 * width, this.#value()));
    const value = this.#board.bus.load(base + offset, width);
    return typeof value === "bigint" ? value : -1n;
  }

  #value(): bigint {
    switch (this.#below(6)) {
      case 0:
        return BigInt(this.#below(4));
      case 1:
        return 1n << BigInt(this.#below(64));
      case 2:
        return 2n ** 64n - 1n;
      case 3:
        return BigInt(RAM_BASE + this.#below(this.#ramBytes));
      default:
        return (BigInt(this.#below(2 ** 32)) << 32n) | BigInt(this.#below(2 ** 32));
    }
  }

  /** One of the slots that have a device. */
  #slot(): number {
    return VIRT_MAP.virtio.base + VIRT_MAP.virtio.sizeBytes * this.#below(4);
  }

  #rings(slot: number, queue: number): number {
    return SLOT_BYTES * ((slot - VIRT_MAP.virtio.base) / VIRT_MAP.virtio.sizeBytes) + QUEUE_BYTES * queue;
  }

  /** Brings a device up as a driver would, with now and then a step left out. */
  #driverStep(slot: number): void {
    const write = (offset: number, value: number) => {
      if (this.#below(300) !== 0) this.#store(slot + offset, 4, BigInt(value >>> 0));
    };
    if (this.#below(4) !== 0) write(0x70, 0);
    write(0x70, 3);
    write(0x24, 0);
    write(0x20, this.#below(4) << 28);
    write(0x24, 1);
    write(0x20, 1 + (this.#hasIommu ? 2 : 0));
    write(0x70, 0xb);
    for (const queue of [0, 1]) {
      const rings = RAM_BASE + this.#rings(slot, queue);
      write(0x30, queue);
      const size = 1 << this.#below(7);
      this.#sizes.set(rings, size);
      write(0x38, size);
      write(0x80, rings);
      write(0x90, rings + 0x2000);
      write(0xa0, rings + 0x4000);
      for (const high of [0x84, 0x94, 0xa4]) write(high, 0);
      write(0x44, 1);
    }
    write(0x70, 0xf);
  }

  /** A device from its reset to some work done, as it is meant to be. */
  #transaction(): bigint {
    const slot = this.#slot();
    const ram = this.#board.bus.ram;
    this.#driverStep(slot);
    for (const queue of [0, 1]) {
      ram.store(this.#rings(slot, queue) + 0x2000, 8, 0n);
      for (let requests = this.#below(4); requests > 0; requests--) this.#request(slot, queue);
      this.#store(slot + 0x50, 4, BigInt(queue));
    }
    return this.#pass();
  }

  /** Nonsense into a ring or a descriptor table. */
  #ring(): bigint {
    const ram = this.#board.bus.ram;
    const rings = this.#rings(this.#slot(), this.#below(2));
    switch (this.#below(4)) {
      case 0: {
        this.#describe(
          rings + 16 * this.#below(64),
          this.#value(),
          this.#below(2 ** this.#below(33)),
          this.#below(8),
        );
        return 0n;
      }
      case 1:
        ram.store(
          rings + 0x2004 + 2 * this.#below(64),
          2,
          BigInt(this.#below(this.#below(2) === 0 ? 64 : 65_536)),
        );
        return 0n;
      case 2: {
        const index = ram.load(rings + 0x2002, 2) + BigInt(this.#below(4));
        ram.store(rings + 0x2002, 2, index);
        return 0n;
      }
      default:
        if (this.#below(20) === 0) ram.store(rings + 0x2000 + 2 * this.#below(3), 2, this.#value());
        return 0n;
    }
  }

  #describe(offset: number, address: bigint, length: number, flags: number): void {
    const ram = this.#board.bus.ram;
    ram.store(offset, 8, address);
    ram.store(offset + 8, 4, BigInt(length));
    ram.store(offset + 12, 2, BigInt(flags));
    ram.store(offset + 14, 2, BigInt(this.#below(this.#below(10) === 0 ? 65_536 : 64)));
  }

  /** A well-formed chain at a random place of the table: header, data, status. */
  #request(slot: number, queue: number): bigint {
    const ram = this.#board.bus.ram;
    const rings = this.#rings(slot, queue);
    const size = this.#sizes.get(RAM_BASE + rings) ?? 1;
    const head = this.#below(Math.max(1, size - 2));
    const buffer = () => BigInt(RAM_BASE + BUFFERS + 8 * this.#below(BUFFER_BYTES / 8));
    const header = buffer();
    const place = Number(header) - RAM_BASE;
    ram.store(place, 8, BigInt([0, 1, 4, 8, 11, 13, this.#below(2 ** 16)][this.#below(7)]!));
    ram.store(place + 8, 8, BigInt(this.#below(600)));
    const isRead = this.#below(2) === 0;
    // What receives wants buffers to fill; what sends wants them full.
    const isWritable = this.#below(3) === 0;
    this.#describe(rings + 16 * head, header, 16, isWritable ? 3 : 1);
    ram.store(rings + 16 * head + 14, 2, BigInt(head + 1));
    this.#describe(rings + 16 * (head + 1), buffer(), 512 * this.#below(5) + this.#below(16), isRead ? 3 : 1);
    ram.store(rings + 16 * (head + 1) + 14, 2, BigInt(head + 2));
    this.#describe(rings + 16 * (head + 2), buffer(), 1 + this.#below(2), 2);
    const index = Number(ram.load(rings + 0x2002, 2));
    ram.store(rings + 0x2004 + 2 * (index % size), 2, BigInt(head));
    ram.store(rings + 0x2002, 2, BigInt(index + 1));
    return 0n;
  }

  /** What a handler and its set-up do at the interrupt controller. */
  #interrupts(): bigint {
    const { base } = VIRT_MAP.plic;
    const context = this.#below(4);
    this.#store(base + 4 * this.#below(40), 4, BigInt(this.#below(8)));
    this.#store(base + 0x2000 + 0x80 * context + 4 * this.#below(2), 4, BigInt(this.#below(2 ** 32)));
    const claimed = this.#board.bus.load(base + 0x20_0004 + 0x1000 * context, 4);
    if (typeof claimed !== "bigint") return -1n;
    if (this.#below(4) !== 0) this.#store(base + 0x20_0004 + 0x1000 * context, 4, claimed);
    return claimed;
  }

  /**
   * Puts the devices behind page tables that map RAM to itself, with a few pages missing or without a right, in one stage, the
   * other or both; queues for commands and faults, and a command or two.
   */
  #confine(): bigint {
    const { ram, regions } = this.#board.bus;
    const base = regions.find(({ device }) => device.name === "iommu")?.base ?? 0;
    const page = (offset: number): bigint => BigInt((RAM_BASE + offset) / 4096);
    for (const root of STAGES) {
      // The second stage's root has four pages; the tables below it come behind.
      ram.store(root + 8 * 2, 8, (page(root + 0x4000) << 10n) | 1n);
      ram.store(root + 0x4000, 8, (page(root + 0x5000) << 10n) | 1n);
      for (let index = 0; index < RAM_PAGES; index++) {
        const flags = this.#below(60) === 0 ? BigInt(this.#below(256)) : 0xdfn;
        ram.store(root + 0x5000 + 8 * index, 8, (page(4096 * index) << 10n) | flags);
      }
    }
    for (let device = 0; device < 9; device++) {
      const context = DIRECTORY + 32 * device;
      const tc = this.#below(20) === 0 ? this.#value() : 1n | (BigInt(this.#below(4)) << 7n);
      ram.store(context, 8, tc);
      ram.store(context + 8, 8, this.#below(2) === 0 ? 0n : (8n << 60n) | page(STAGES[0]));
      ram.store(context + 16, 8, 0n);
      ram.store(context + 24, 8, this.#below(2) === 0 ? 0n : (8n << 60n) | page(STAGES[1]));
    }
    for (let word = 0; word < 8; word++) ram.store(IOMMU_QUEUES + 8 * word, 8, this.#value());
    ram.store(IOMMU_QUEUES, 8, 1n);
    this.#store(base + 24, 8, (page(IOMMU_QUEUES) << 10n) | 3n);
    this.#store(base + 40, 8, (page(IOMMU_QUEUES + 0x1000) << 10n) | 3n);
    this.#store(base + 72, 4, 3n);
    this.#store(base + 76, 4, 3n);
    this.#store(base + 36, 4, BigInt(this.#below(4)));
    this.#store(base + 48, 4, BigInt(this.#below(16)));
    return this.#store(base + 16, 8, (page(DIRECTORY) << 10n) | 2n);
  }

  #pass(): bigint {
    const { clock } = this.#board;
    clock.retired += this.#below(2 ** this.#below(16));
    clock.ringDue();
    return clock.mtime;
  }

  #input(): bigint {
    const bytes = Uint8Array.from({ length: 1 + this.#below(40) }, () => this.#below(256));
    const port = ["uart", "virtio-console", "network"][this.#below(3)]!;
    // A host that types without end is no guest's doing: drop what the guest never reads.
    if (this.#below(4) === 0) this.#board.receive(port, bytes);
    return 0n;
  }
}
