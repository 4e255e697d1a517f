/**
 * Direct memory access: how a device reads and writes memory by itself. A device is handed a port and never RAM, so that
 * an IOMMU can stand in between without the device knowing.
 */
import { ACCESS_FAULT, type AccessFault } from "./device.ts";

/**
 * What a device that masters the bus sees of memory.
 *
 * A transfer is all or nothing: it succeeds for every byte or changes none. Nothing throws for what a guest programmed.
 */
export interface DmaPort {
  /**
   * Reads bytes.
   *
   * @param address  Device address, unsigned 64 bits: physical where nothing translates it.
   * @returns        A copy, or {@link ACCESS_FAULT} when a byte of the range is refused or no RAM.
   */
  read(address: bigint, lengthBytes: number): Uint8Array | AccessFault;
  /** Writes bytes, after telling everybody who watches the pages. */
  write(address: bigint, bytes: Uint8Array): AccessFault | undefined;
}
