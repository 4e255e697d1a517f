/**
 * Who breaks a reservation that LR made: a store of another hart, or of a device, to a byte of it. A hart's own stores do
 * not. Pages with reservations are flagged, so that all other stores cost what they cost.
 */
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../bus/ram.ts";
import type { HartState } from "./state.ts";

/** The state block's `reservation` for a word that LR reserved: its physical address, and which width it has in the two lowest bits. */
export const reservationWord = (paddr: number, widthBytes: 4 | 8): bigint =>
  BigInt(paddr + (widthBytes === 4 ? 1 : 2));

const widthOf = (word: bigint): 4 | 8 => ((word & 1n) !== 0n ? 4 : 8);
const addressOf = (word: bigint): number => Number(word & ~3n);

/** The reservations of all harts of a board. */
export class Reservations {
  /** The hart whose instructions run now. Engines set it; undefined between their runs, when only devices store. */
  storing: HartState | undefined;
  readonly #ram: Ram;
  readonly #harts: HartState[] = [];

  constructor(ram: Ram) {
    this.#ram = ram;
    ram.onStore(PageFlag.HOLDS_RESERVATION, (page, offset, length) =>
      this.#beforeStore(page, offset, length),
    );
  }

  /** A hart that takes part. */
  join(state: HartState): void {
    this.#harts.push(state);
  }

  /** Watches the page of a hart's reservation: after LR, and after the state was replaced. */
  watch(state: HartState): void {
    const { reservation } = state;
    if (reservation !== 0n)
      this.#ram.flagPage(this.#offsetOf(reservation) >>> PAGE_SHIFT, PageFlag.HOLDS_RESERVATION);
  }

  #beforeStore(page: number, offset: number, length: number): void {
    let isStillHeld = false;
    for (const state of this.#harts) {
      const { reservation } = state;
      if (reservation === 0n) continue;
      const start = this.#offsetOf(reservation);
      // norm:lr_reservation_set_size
      const overlaps = start < offset + length && offset < start + widthOf(reservation);
      // norm:sc_other_hart_store_fail norm:sc_other_device_write_fail norm:sc_device_write_failure norm:sc_success_conditions
      if (overlaps && state !== this.storing) state.reservation = 0n;
      else if (start >>> PAGE_SHIFT === page) isStillHeld = true;
    }
    if (!isStillHeld) this.#ram.unflagPage(page, PageFlag.HOLDS_RESERVATION);
  }

  #offsetOf(reservation: bigint): number {
    return addressOf(reservation) - this.#ram.base;
  }
}
