/**
 * Guests that drive virtio devices: a program of twenty instructions that executes a script of loads and stores, which a test has put
 * into its RAM together with rings and buffers. It is written from the specification and knows nothing of the devices.
 */
import { GUEST_BASE, guestBytes, recount, type VmmScene } from "./vmm-scene.ts";

/** Where things lie in the guest's RAM. */
const SCRIPT = 0x1000;
const RESULTS = 0x5000;
/** Tests may use what is behind. */
export const FREE = 0x6000;
export const DRIVER_RAM = 256 * 1024;
const BASE = Number(GUEST_BASE);

/** Registers of slot n, as virtio 1.2 §4.2.2 numbers them. */
export const register = (slot: number, offset: number): number => 0x1000_1000 + slot * 0x1000 + offset;

const PROGRAM = guestBytes(`li s0, ${BASE + SCRIPT}\n li s1, ${BASE + RESULTS}\n li s2, 1
  next: ld t0, (s0)\n ld t1, 8(s0)\n ld t2, 16(s0)\n addi s0, s0, 24\n beqz t0, end\n beq t0, s2, store
  li t3, 2\n bne t0, t3, wait\n lwu t4, (t1)\n sd t4, (s1)\n addi s1, s1, 8\n j next
  store: sw t2, (t1)\n j next
  wait: li t3, 4\n beq t0, t3, pass\n li t3, 5\n beq t0, t3, wide\n again: lhu t4, (t1)\n bne t4, t2, again\n j next
  wide: sd t2, (t1)\n j next
  pass: addi t1, t1, -1\n bnez t1, pass\n j next
  end: li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)\n forever: j forever`);

/** A descriptor. */
export interface Descriptor {
  readonly address: number;
  readonly length: number;
  /** 1: another follows; 2: the device writes; 4: indirect. */
  readonly flags: number;
  readonly next: number;
}

/** Where a queue's rings are. */
export interface Rings {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
}

/** Builds the RAM of a guest that drives devices. */
export class DriverImage {
  readonly bytes = new Uint8Array(DRIVER_RAM / 2);
  readonly #view = new DataView(this.bytes.buffer);
  #steps = 0;
  #reads = 0;

  constructor() {
    this.bytes.set(PROGRAM);
  }

  /** Bytes at a guest-physical address. */
  put(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, address - BASE);
  }

  #step(kind: number, address: number, value = 0): void {
    for (const [index, word] of [kind, address, value].entries())
      this.#view.setBigUint64(SCRIPT + 24 * this.#steps + 8 * index, BigInt(word), true);
    this.#steps += 1;
    if (SCRIPT + 24 * this.#steps >= RESULTS) throw new Error("the script is too long");
  }

  /** Stores a word. */
  write(address: number, word: number): void {
    this.#step(1, address, word >>> 0);
  }

  /** Stores eight bytes. */
  writeWide(address: number, value: number): void {
    this.#step(5, address, value);
  }

  /** Loads a word; the n-th load is result n. */
  read(address: number): number {
    this.#step(2, address);
    this.#reads += 1;
    return this.#reads - 1;
  }

  /** Waits until a half word is what it shall be. */
  await(address: number, half: number): void {
    this.#step(3, address, half);
  }

  /** Does nothing for so many rounds of two instructions. */
  pass(rounds: number): void {
    this.#step(4, rounds);
  }

  /** Everything before a driver may use its queues: acknowledge, features (low and high word), and which queue has which rings. */
  begin(
    slot: number,
    queues: readonly Rings[],
    features: readonly [number, number] = [0, 1],
    status = 15,
  ): void {
    const write = (offset: number, word: number): void => this.write(register(slot, offset), word);
    write(0x70, 0);
    write(0x70, 3);
    for (const [half, word] of features.entries()) {
      write(0x24, half);
      write(0x20, word);
    }
    write(0x70, 11);
    for (const [index, { size, descriptors, available, used }] of queues.entries()) {
      write(0x30, index);
      write(0x38, size);
      for (const [offset, address] of [
        [0x80, descriptors],
        [0x90, available],
        [0xa0, used],
      ] as const) {
        write(offset, address);
        write(offset + 4, 0);
      }
      write(0x44, 1);
    }
    write(0x70, status);
  }

  describe({ descriptors }: Rings, index: number, { address, length, flags, next }: Descriptor): void {
    const at = descriptors - BASE + 16 * index;
    this.#view.setBigUint64(at, BigInt(address), true);
    this.#view.setUint32(at + 8, length, true);
    this.#view.setUint16(at + 12, flags, true);
    this.#view.setUint16(at + 14, next, true);
  }

  /** Heads of chains, in the available ring; its index says that all are there. */
  offer({ available }: Rings, heads: readonly number[], index = heads.length): void {
    this.#view.setUint16(available - BASE + 2, index, true);
    for (const [place, head] of heads.entries())
      this.#view.setUint16(available - BASE + 4 + 2 * place, head, true);
  }

  /** A block request of three descriptors from `first` on; its buffers lie one behind the other from an address on. */
  request(
    rings: Rings,
    first: number,
    at: number,
    { type, sector, data }: { readonly type: number; readonly sector: number; readonly data: number },
  ): void {
    this.#view.setUint32(at - BASE, type, true);
    this.#view.setBigUint64(at - BASE + 8, BigInt(sector), true);
    this.bytes[at - BASE + 16 + data] = 0xee;
    const isWrite = type === 1;
    this.describe(rings, first, { address: at, length: 16, flags: 1, next: first + 1 });
    this.describe(rings, first + 1, {
      address: at + 16,
      length: data,
      flags: isWrite ? 1 : 3,
      next: first + 2,
    });
    this.describe(rings, first + 2, { address: at + 16 + data, length: 1, flags: 2, next: 0 });
  }
}

/** Address of something in the part that tests may use. */
export const place = (offset: number): number => BASE + FREE + offset;

/** Rings of a queue, at an offset of the free part. */
export const ringsAt = (offset: number, size = 16): Rings => ({
  size,
  descriptors: place(offset),
  available: place(offset + 0x400),
  used: place(offset + 0x600),
});

/** Bytes of a guest's RAM, by its second stage as an onlooker walks it. */
export function ramOf(scene: VmmScene, domain: number, address: number, length: number): Uint8Array {
  const pages = new Map(
    recount(scene)
      .leaves.filter((leaf) => leaf.domain === domain)
      .map(({ page, frame }) => [Number(page), frame]),
  );
  return Uint8Array.from({ length }, (_, index) => {
    const at = address + index;
    const frame = pages.get(at - (at % 4096));
    if (frame === undefined) return 0;
    return Number(scene.board.memory.load(GUEST_BASE + BigInt(frame * 4096 + (at % 4096)), 1));
  });
}

/** What the script's loads gave. */
export function results(scene: VmmScene, count: number, domain = 1): number[] {
  const bytes = ramOf(scene, domain, BASE + RESULTS, 8 * count);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, index) => view.getUint32(8 * index, true));
}

/** A half word of a guest's RAM. */
export function halfOf(scene: VmmScene, address: number, domain = 1): number {
  const [low = 0, high = 0] = ramOf(scene, domain, address, 2);
  return low | (high << 8);
}
