/**
 * The reset vector. QEMU's `virt` starts each hart in a ROM whose six instructions load the hart number, the address of
 * the device tree and the address of a firmware description, and jump to RAM. We keep the ROM, which guests can read, and
 * start harts in the state in which it leaves them.
 *
 * @spec QEMU 7.2 "hw/riscv/boot.c", riscv_setup_rom_reset_vec; OpenSBI "FW_DYNAMIC"
 */
import type { RegisterName } from "../isa/register.ts";
import { VIRT_MAP } from "./memory-map.ts";

/** Where the ROM sends a hart, and what it tells the first program. */
export interface BootTarget {
  /** Physical address of the first instruction outside the ROM. */
  readonly entry: number;
  /** Physical address of the device tree. */
  readonly deviceTree: number;
}

const INSTRUCTIONS = [
  0x0000_0297, // auipc t0, 0
  0x0282_8613, // addi  a2, t0, 40: the firmware description
  0xf140_2573, // csrr  a0, mhartid
  0x0202_b583, // ld    a1, 32(t0): the device tree
  0x0182_b283, // ld    t0, 24(t0): the entry
  0x0002_8067, // jr    t0
] as const;

const ENTRY_OFFSET = 24;
const TREE_OFFSET = 32;
const FIRMWARE_OFFSET = 40;
/** Words of the firmware description: magic "OSBI", version, next address, next mode (S), options, boot hart. */
const FIRMWARE_MAGIC = 0x4942_534fn;
const FIRMWARE_VERSION = 2n;
const NEXT_MODE = 1n;

/** The contents of the ROM. */
export function bootRom({ entry, deviceTree }: BootTarget): Uint8Array {
  const firmware = firmwareDescription(entry);
  const bytes = new Uint8Array(FIRMWARE_OFFSET + firmware.length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of INSTRUCTIONS.entries()) view.setUint32(4 * index, word, true);
  view.setBigUint64(ENTRY_OFFSET, BigInt(entry), true);
  view.setBigUint64(TREE_OFFSET, BigInt(deviceTree), true);
  bytes.set(firmware, FIRMWARE_OFFSET);
  return bytes;
}

/** What firmware that can start anything is told in `a2`: where to go, and in which mode. */
export function firmwareDescription(next: number): Uint8Array {
  const words = [FIRMWARE_MAGIC, FIRMWARE_VERSION, BigInt(next), NEXT_MODE, 0n, 0n];
  const bytes = new Uint8Array(8 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setBigUint64(8 * index, word, true);
  return bytes;
}

/** Registers of a hart that comes out of the ROM; the others are zero. */
export function registersAfterRom(
  hart: number,
  { entry, deviceTree }: BootTarget,
): readonly [RegisterName, bigint][] {
  return [
    ["t0", BigInt(entry)],
    ["a0", BigInt(hart)],
    ["a1", BigInt(deviceTree)],
    ["a2", BigInt(VIRT_MAP.bootRom.base + FIRMWARE_OFFSET)],
  ];
}

const TREE_ALIGNMENT = 2 * 1024 * 1024;
/** No device tree above this, so that 32-bit firmware finds it. */
const TREE_LIMIT = 3 * 1024 * 1024 * 1024;

/**
 * Where QEMU puts a device tree: as high as it fits, on a 2 MiB border. In a RAM too small for that: in its last pages.
 *
 * @returns  Physical address.
 */
export function deviceTreeAddress(ram: { base: number; sizeBytes: number }, treeBytes: number): number {
  const highest = Math.min(ram.base + ram.sizeBytes, TREE_LIMIT) - treeBytes;
  const aligned = highest - (highest % TREE_ALIGNMENT);
  return aligned > ram.base ? aligned : highest - (highest % 4096);
}
