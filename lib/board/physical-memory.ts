/**
 * Guest RAM as an onlooker sees it: no translation, no protection, no side effects. Only RAM is here: looking at a device
 * register could change it. What an onlooker writes is an input to the machine and is recorded as one.
 */
import { ACCESS_FAULT, type AccessFault, type Width } from "../bus/device.ts";
import type { Ram } from "../bus/ram.ts";

/** RAM by physical address. Addresses are unsigned; outside RAM every answer is {@link ACCESS_FAULT}. */
export class PhysicalMemory {
  readonly #ram: Ram;
  readonly #onWrite: (paddr: number, bytes: Uint8Array) => void;

  /** @param onWrite  Hears of what is written, after the fact. */
  constructor(ram: Ram, onWrite: (paddr: number, bytes: Uint8Array) => void) {
    this.#ram = ram;
    this.#onWrite = onWrite;
  }

  /** Reads `width` bytes, little-endian, zero-extended. */
  load(paddr: bigint, width: Width): bigint | AccessFault {
    const offset = this.#offset(paddr, width);
    return offset === undefined ? ACCESS_FAULT : this.#ram.load(offset, width);
  }

  /** Writes the low `width` bytes of `value`. */
  store(paddr: bigint, width: Width, value: bigint): AccessFault | undefined {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    return this.write(paddr, bytes.subarray(0, width));
  }

  /** Copies `length` bytes out. */
  bytes(paddr: bigint, length: number): Uint8Array | AccessFault {
    const offset = this.#offset(paddr, length);
    return offset === undefined ? ACCESS_FAULT : this.#ram.bytes(offset, length);
  }

  /** Copies bytes in. */
  write(paddr: bigint, bytes: Uint8Array): AccessFault | undefined {
    const offset = this.#offset(paddr, bytes.length);
    if (offset === undefined) return ACCESS_FAULT;
    this.#ram.write(offset, bytes);
    this.#onWrite(Number(paddr), bytes);
    return undefined;
  }

  #offset(paddr: bigint, length: number): number | undefined {
    const offset = Number(paddr) - this.#ram.base;
    return offset >= 0 && length >= 0 && offset + length <= this.#ram.sizeBytes ? offset : undefined;
  }
}
