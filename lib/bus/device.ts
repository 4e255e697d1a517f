/**
 * What a device is to the rest of the machine: registers at offsets. It does not know where on the bus it sits, whose
 * hart is asking, or what time it is outside the guest; lines, clock and outlets are handed to its constructor.
 */

/** Number of bytes that one access moves. */
export type Width = 1 | 2 | 4 | 8;

/**
 * "Nobody answers here": the bus error that the hart turns into an access-fault exception.
 * A value, compared by identity; nothing on the bus throws for what a guest does.
 */
export const ACCESS_FAULT = Object.freeze({ kind: "access-fault" as const });
/** The type of {@link ACCESS_FAULT}. */
export type AccessFault = typeof ACCESS_FAULT;

/** What device states are made of. Lists and bytes are never changed in place, so states may share them. */
export type StateValue =
  | undefined
  | number
  | bigint
  | boolean
  | Uint8Array
  | readonly StateValue[]
  | { readonly [field: string]: StateValue };

/** Plain data that describes a device completely; what a snapshot keeps and what `restore` takes back. */
export interface DeviceState {
  readonly [field: string]: StateValue;
}

/**
 * A memory-mapped device.
 *
 * Lifecycle: constructed (as after reset) → any mix of `load` and `store` → `reset` or `restore` at an instruction
 * boundary. No method throws for any offset, width or value that a guest can produce.
 */
export interface Device {
  /** Lower-case name for traces and messages, unique on a board. */
  readonly name: string;
  /** Bytes of address space that the device answers for. */
  readonly sizeBytes: number;
  /** Whether instructions may be fetched from it, as from a ROM. Registers are not code, and reading some has effects. */
  readonly holdsCode?: boolean;
  /**
   * Reads a register, side effects included.
   *
   * @param offset  Bytes from the device's base, aligned to `width`, with `offset + width <= sizeBytes`.
   * @returns       Zero-extended value of `width` bytes, or {@link ACCESS_FAULT}.
   */
  load(offset: number, width: Width): bigint | AccessFault;
  /**
   * Writes a register, side effects included.
   *
   * @param value  Unsigned; only the low `width` bytes are given.
   */
  store(offset: number, width: Width, value: bigint): AccessFault | undefined;
  /** Puts every register to its power-on value, lowers its lines, cancels its alarms. */
  reset(): void;
  /** Everything guest-visible, as plain data that later changes of the device leave alone. */
  save(): DeviceState;
  /**
   * Takes back what `save` returned, and drives lines and alarms to match.
   * The clock has been put back before; alarms set earlier are gone.
   */
  restore(state: DeviceState): void;
}
