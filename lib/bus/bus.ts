/**
 * Physical addresses → RAM or a device. Regions are sorted and never overlap; RAM is looked at first.
 *
 * Physical addresses are numbers. They have 56 bits and a number is exact to 53, which is enough: nothing is ever mapped
 * so high, and a rounded high address is still high.
 */
import type { Clock } from "./clock.ts";
import { ACCESS_FAULT, type AccessFault, type Device, type Width } from "./device.ts";
import { EventKind, type EventSink } from "./event-sink.ts";
import type { Ram } from "./ram.ts";

/** A device at a place. `end` is exclusive. */
export interface Region {
  readonly base: number;
  readonly end: number;
  readonly device: Device;
}

/** Why a device could not be attached: the board's wiring list is wrong. */
export type AttachError =
  | { readonly kind: "empty"; readonly message: string }
  | { readonly kind: "overlap"; readonly message: string };

/** The bus of a board. */
export class Bus {
  readonly ram: Ram;
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #regions: Region[] = [];

  /** @param events  Hears of every device access, never of RAM accesses. */
  constructor(ram: Ram, clock: Clock, events: EventSink) {
    this.ram = ram;
    this.#clock = clock;
    this.#events = events;
  }

  /** Devices by address. */
  get regions(): readonly Region[] {
    return this.#regions;
  }

  /** Puts a device at `base`. */
  attach(base: number, device: Device): AttachError | undefined {
    const end = base + device.sizeBytes;
    if (!(device.sizeBytes > 0)) return { kind: "empty", message: `${device.name} has no bytes to map` };
    const ram = { name: "RAM", base: this.ram.base, end: this.ram.base + this.ram.sizeBytes };
    const taken = this.#regions.map((region) => ({
      name: region.device.name,
      base: region.base,
      end: region.end,
    }));
    const other = [ram, ...taken].find((range) => base < range.end && range.base < end);
    if (other !== undefined) {
      const message = `${device.name} at ${span(base, end)} overlaps ${other.name} at ${span(other.base, other.end)}`;
      return { kind: "overlap", message };
    }
    this.#regions.push({ base, end, device });
    this.#regions.sort((left, right) => left.base - right.base);
    return undefined;
  }

  /**
   * Reads physical memory for a hart.
   *
   * @param paddr  Physical byte address; RAM takes any alignment, devices only their natural one.
   * @param hart   Who asks, for the trace.
   * @returns      Zero-extended value, or {@link ACCESS_FAULT} where nobody answers.
   */
  load(paddr: number, width: Width, hart = 0): bigint | AccessFault {
    const offset = paddr - this.ram.base;
    if (offset >= 0 && offset + width <= this.ram.sizeBytes) return this.ram.load(offset, width);
    const region = this.#regionAt(paddr, width);
    if (region === undefined) return ACCESS_FAULT;
    const value = region.device.load(paddr - region.base, width);
    if (typeof value === "bigint") {
      this.#events.record(EventKind.DEVICE_LOAD, hart, width, this.#clock.retired, BigInt(paddr), value, 0n);
    }
    return value;
  }

  /**
   * Reads 16 bits of an instruction: from RAM, or from a device that holds code. Fetches are no events.
   *
   * @returns  16 bits, unsigned, or {@link ACCESS_FAULT} where there is no code.
   */
  fetch(paddr: number): bigint | AccessFault {
    const width = 2;
    const offset = paddr - this.ram.base;
    if (offset >= 0 && offset + width <= this.ram.sizeBytes) return this.ram.load(offset, width);
    const region = this.#regionAt(paddr, width);
    return region?.device.holdsCode === true ? region.device.load(paddr - region.base, width) : ACCESS_FAULT;
  }

  /**
   * Writes physical memory for a hart.
   *
   * @param value  Signed or unsigned; its low `width` bytes are written.
   */
  store(paddr: number, width: Width, value: bigint, hart = 0): AccessFault | undefined {
    const offset = paddr - this.ram.base;
    if (offset >= 0 && offset + width <= this.ram.sizeBytes) {
      this.ram.store(offset, width, value);
      return undefined;
    }
    const region = this.#regionAt(paddr, width);
    if (region === undefined) return ACCESS_FAULT;
    const low = BigInt.asUintN(width * 8, value);
    this.#events.record(EventKind.DEVICE_STORE, hart, width, this.#clock.retired, BigInt(paddr), low, 0n);
    return region.device.store(paddr - region.base, width, low);
  }

  #regionAt(paddr: number, width: Width): Region | undefined {
    if (paddr % width !== 0) return undefined;
    for (const region of this.#regions) {
      if (paddr < region.base) return undefined;
      if (paddr + width <= region.end) return region;
    }
    return undefined;
  }
}

function span(base: number, end: number): string {
  return `0x${base.toString(16)}–0x${(end - 1).toString(16)}`;
}
