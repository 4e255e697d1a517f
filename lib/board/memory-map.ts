/**
 * Where everything is: the physical memory map of QEMU's `virt` board, as far as ours has it.
 * Device tree, wiring, C headers and pictures read this table; no other file holds one of its numbers.
 *
 * @spec QEMU 7.2 "hw/riscv/virt.c", virt_memmap
 */

/** A range of physical addresses. */
export interface MapEntry {
  /** First byte. */
  readonly base: number;
  /** Bytes that the board sets aside; the device may answer for fewer. */
  readonly sizeBytes: number;
}

/** Devices of the board, by address. */
export const VIRT_MAP = {
  bootRom: { base: 0x1000, sizeBytes: 0xf000 },
  testFinisher: { base: 0x10_0000, sizeBytes: 0x1000 },
  rtc: { base: 0x10_1000, sizeBytes: 0x1000 },
  clint: { base: 0x200_0000, sizeBytes: 0x1_0000 },
  plic: { base: 0xc00_0000, sizeBytes: 0x60_0000 },
  uart: { base: 0x1000_0000, sizeBytes: 0x100 },
  // The first of eight slots, one after the other.
  virtio: { base: 0x1000_1000, sizeBytes: 0x1000 },
  // Only on boards that ask for it; there QEMU 10 has it, too. @spec QEMU 10.0 "hw/riscv/virt.c", VIRT_IOMMU_SYS
  iommu: { base: 0x301_0000, sizeBytes: 0x1000 },
} as const satisfies Record<string, MapEntry>;

/** Name of a device in the map. */
export type MapName = keyof typeof VIRT_MAP;

/** Which source of the PLIC each device's interrupt line is. @spec QEMU 7.2 "include/hw/riscv/virt.h" */
export const VIRT_IRQ = { virtio: 1, uart: 10, rtc: 11, iommu: 36 } as const;
/** Virtio slots; slot n is at `virtio.base + n · virtio.sizeBytes` and interrupts through source `VIRT_IRQ.virtio + n`. */
export const VIRTIO_SLOTS = 8;

/** Physical address of the first byte of RAM. */
export const RAM_BASE = 0x8000_0000;
/** Bytes of RAM when nobody says otherwise. */
export const DEFAULT_RAM_BYTES = 16 * 1024 * 1024;
