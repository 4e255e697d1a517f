/**
 * Atomic accesses: aligned words of RAM and nothing else.
 *
 * Harts take turns between whole instructions, so an instruction that reads and writes at once needs no lock.
 */
import type { Bus } from "../../bus/bus.ts";
import { effectiveMode } from "../../hart/effective-mode.ts";
import { type Reservations, reservationWord } from "../../hart/reservations.ts";
import type { HartState } from "../../hart/state.ts";
import { vaddr } from "../../isa/address.ts";
import { isVirtual } from "../../isa/mode.ts";
import { type ExceptionName, exception, inGuest, type Trap } from "../../isa/trap.ts";
import type { AddressSpace } from "../../mmu/address-space.ts";

type AtomicWidth = 4 | 8;
type AtomicKind = "load" | "store";

const MISALIGNED = {
  load: "loadAddressMisaligned",
  store: "storeAddressMisaligned",
} as const satisfies Record<AtomicKind, ExceptionName>;

/** Atomic accesses of one hart. Faults are values; nothing throws for what a guest does. */
export class AtomicMemory {
  readonly #state: HartState;
  readonly #reservations: Reservations;
  readonly #bus: Bus;
  readonly #space: AddressSpace;

  constructor(state: HartState, reservations: Reservations, bus: Bus, space: AddressSpace) {
    this.#state = state;
    this.#reservations = reservations;
    this.#bus = bus;
    this.#space = space;
  }

  /** Reads a word, signed, and reserves it. @spec norm:lr_w_op @spec norm:lr_sc_rv64 */
  loadReserved(address: bigint, widthBytes: AtomicWidth): bigint | Trap {
    const at = this.#locate(address, widthBytes, "load");
    if (typeof at !== "number") return at;
    this.#state.reservation = this.#reservationOf(at, widthBytes); // norm:sc_pairs_latest_lr
    this.#reservations.watch(this.#state);
    return this.#read(at, widthBytes);
  }

  /**
   * Writes a word if it is the one that the last LR reserved, with the same width; whatever happens, no reservation is left.
   * A store that would not be allowed traps, reserved or not.
   *
   * @returns Whether it was written.
   * @spec norm:lrsc_same_address_and_size
   */
  storeConditional(address: bigint, value: bigint, widthBytes: AtomicWidth): boolean | Trap {
    const at = this.#locate(address, widthBytes, "store"); // norm:sc_retire_permission
    if (typeof at !== "number") return at;
    const holds = this.#state.reservation === this.#reservationOf(at, widthBytes); // norm:sc_addr_not_in_reservation_fail norm:constrained_lrsc_forward_progress_intro norm:constrained_lrsc_forward_progress_sc
    this.#state.reservation = 0n; // norm:sc_reservation_invalidate norm:sc_intervening_sc_fail
    // norm:sc_w_failure norm:sc_w_success
    if (holds) this.#bus.ram.store(at, widthBytes, value);
    return holds;
  }

  /** Replaces a word; what was there before, signed. All its faults are those of stores. @spec norm:mcause_exccode_st_sc_amo */
  modify(address: bigint, widthBytes: AtomicWidth, change: (old: bigint) => bigint): bigint | Trap {
    const at = this.#locate(address, widthBytes, "store");
    if (typeof at !== "number") return at;
    const old = this.#read(at, widthBytes);
    this.#bus.ram.store(at, widthBytes, change(old));
    return old;
  }

  #read(at: number, widthBytes: AtomicWidth): bigint {
    return BigInt.asIntN(widthBytes * 8, this.#bus.ram.load(at, widthBytes));
  }

  #reservationOf(at: number, widthBytes: AtomicWidth): bigint {
    return reservationWord(this.#bus.ram.base + at, widthBytes);
  }

  /** Offset in RAM. Devices take no atomic accesses. @spec norm:amo_alignment @spec norm:lr_sc_alignment @spec norm:mcause_exccode_ld_ldrsv */
  #locate(address: bigint, widthBytes: AtomicWidth, kind: AtomicKind): number | Trap {
    const known =
      kind === "load"
        ? this.#space.cache.locateLoad(address, widthBytes)
        : this.#space.cache.locateStore(address, widthBytes);
    if (known >= 0) return known;
    const virtual = vaddr(address);
    if (virtual % BigInt(widthBytes) !== 0n)
      return inGuest(exception(MISALIGNED[kind], virtual), isVirtual(effectiveMode(this.#state, kind)));
    const found = this.#space.translate(virtual, kind, widthBytes);
    if (found.kind !== "translation") return this.#space.refusal(found, kind, virtual);
    const { base, sizeBytes } = this.#bus.ram;
    const offset = Number(found.paddr) - base;
    return offset >= 0 && offset < sizeBytes ? offset : this.#space.refusal(undefined, kind, virtual);
  }
}
