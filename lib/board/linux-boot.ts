/**
 * Puts a Linux kernel, its initial file system and its device tree into RAM, where QEMU puts them too, and leaves the harts
 * as the boot ROM would.
 *
 * | Where | What |
 * |---|---|
 * | start of RAM | firmware; an ELF file says where itself |
 * | start of RAM + 2 MiB | the kernel (its header may say another offset) and what it clears behind itself |
 * | kernel + half of RAM, at most 128 MiB | the initial file system |
 * | as high as it fits, on a 2 MiB border | the device tree, then a few words for firmware that wants to be told where to go |
 *
 * @spec QEMU 7.2 "hw/riscv/boot.c", riscv_load_initrd, riscv_compute_fdt_addr; Linux "Documentation/arch/riscv/boot.rst"
 */
import type { Board } from "./board.ts";
import { deviceTreeAddress, firmwareDescription, registersAfterRom } from "./boot-rom.ts";
import { parseElf } from "./elf.ts";
import { cells64, flattenTree, type TreeNode, type TreeValue } from "./flattened-tree.ts";
import { readTree } from "./flattened-tree-reader.ts";
import { type LinuxImage, parseLinuxImage } from "./linux-image.ts";
import { type LoadError, loadError } from "./load-error.ts";
import { applyOverlay } from "./tree-overlay.ts";

/** What a boot is made of. */
export interface LinuxParts {
  /** `Image`, plain or compressed. */
  readonly kernel: Uint8Array;
  /** A cpio archive, compressed or not; the kernel unpacks it. */
  readonly initramfs?: Uint8Array;
  /** The kernel's command line. */
  readonly bootArguments?: string;
  /** Firmware for machine mode: an ELF file, or bytes for the start of RAM. Left out, the harts stand at the kernel, and firmware of another kind may follow. */
  readonly firmware?: Uint8Array;
  /** Compiled overlays for the board's device tree, applied in this order. */
  readonly overlays?: readonly Uint8Array[];
}

/** Bytes in RAM. */
export interface Placed {
  /** What it is, for messages. */
  readonly what: string;
  /** Physical address of the first byte. */
  readonly address: number;
  /** The byte behind the last one. */
  readonly end: number;
}

/** Where everything went. */
export interface LinuxLayout {
  readonly kind: "linux";
  /** Where the kernel is entered, in supervisor mode. */
  readonly entry: number;
  readonly kernel: Placed;
  readonly initramfs: Placed | undefined;
  readonly deviceTree: Placed;
  /** The tree itself, for firmware that hands on one of its own. */
  readonly tree: Uint8Array;
}

const MIB = 1024 * 1024;
const MAX_INITRAMFS_DISTANCE = 128 * MIB;

/** Loads a boot. On an error nothing in RAM has changed. */
export function loadLinux(board: Board, parts: LinuxParts): LinuxLayout | LoadError {
  const { ram } = board.bus;
  const image = parseLinuxImage(parts.kernel);
  if (image.kind === "load-error") return image;
  const entry = ram.base + image.textOffset;
  const kernel = { what: "kernel", address: entry, end: entry + image.memoryBytes };
  const initramfs = initramfsPlace(entry, ram, parts.initramfs);
  const blob = bootTree(board, parts, initramfs);
  if (!(blob instanceof Uint8Array)) return blob;
  const tree = treeWithFirmwareWords(blob, entry);
  const address = deviceTreeAddress(ram, tree.length);
  const deviceTree = { what: "device tree", address, end: address + tree.length };

  const firmware = firmwarePlaces(parts.firmware, ram);
  if ("kind" in firmware) return firmware;
  const refused = collision([...firmware, kernel, ...(initramfs ? [initramfs] : []), deviceTree], ram);
  if (refused !== undefined) return refused;

  write(board, image, kernel, initramfs, parts.initramfs);
  board.memory.write(BigInt(address), tree);
  enter(board, parts.firmware, entry, address, address + align8(blob.length));
  return { kind: "linux", entry, kernel, initramfs, deviceTree, tree: blob };
}

type RamRange = Board["bus"]["ram"];

function initramfsPlace(entry: number, ram: RamRange, bytes: Uint8Array | undefined): Placed | undefined {
  if (bytes === undefined) return undefined;
  const address = entry + Math.min(MAX_INITRAMFS_DISTANCE, ram.sizeBytes / 2);
  return { what: "initial file system", address, end: address + bytes.length };
}

/** The board's tree with overlays, and with what the kernel is to know under `/chosen`. */
function bootTree(
  board: Board,
  { bootArguments, overlays = [] }: LinuxParts,
  initramfs: Placed | undefined,
): Uint8Array | LoadError {
  let blob = board.deviceTree;
  for (const overlay of overlays) {
    const next = applyOverlay(blob, overlay);
    if (!(next instanceof Uint8Array)) return next;
    blob = next;
  }
  const root = readTree(blob);
  if ("kind" in root) return root;
  return flattenTree(
    withChosen(root, {
      ...(bootArguments === undefined ? {} : { bootargs: bootArguments }),
      ...(initramfs === undefined
        ? {}
        : { "linux,initrd-start": cells64(initramfs.address), "linux,initrd-end": cells64(initramfs.end) }),
    }),
  );
}

function withChosen(root: TreeNode, added: { readonly [name: string]: TreeValue }): TreeNode {
  const chosen = root.children.find(({ name }) => name === "chosen") ?? {
    name: "chosen",
    properties: {},
    children: [],
  };
  const others = root.children.filter(({ name }) => name !== "chosen");
  return { ...root, children: [{ ...chosen, properties: { ...chosen.properties, ...added } }, ...others] };
}

const align8 = (length: number): number => Math.ceil(length / 8) * 8;

/** The tree, and behind it the words that OpenSBI's `fw_dynamic` looks for: the ROM's name an address that is not the kernel's. */
function treeWithFirmwareWords(blob: Uint8Array, entry: number): Uint8Array {
  const words = firmwareDescription(entry);
  const whole = new Uint8Array(align8(blob.length) + words.length);
  whole.set(blob);
  whole.set(words, align8(blob.length));
  return whole;
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const isElf = (file: Uint8Array): boolean => ELF_MAGIC.every((byte, index) => file[index] === byte);

function firmwarePlaces(file: Uint8Array | undefined, ram: RamRange): readonly Placed[] | LoadError {
  if (file === undefined) return [];
  if (file.length === 0) return loadError("nothing-to-load", "The firmware is an empty file.");
  if (!isElf(file)) return [{ what: "firmware", address: ram.base, end: ram.base + file.length }];
  const image = parseElf(file, ram);
  if (image.kind === "load-error") return loadError(image.reason, `The firmware: ${image.message}`);
  return image.segments.map(({ paddr, memoryBytes }) => ({
    what: "firmware",
    address: paddr,
    end: paddr + memoryBytes,
  }));
}

/** Why things have no room: the first that leaves RAM or meets its neighbor. */
function collision(places: readonly Placed[], ram: RamRange): LoadError | undefined {
  const end = ram.base + ram.sizeBytes;
  const sorted = places.toSorted((left, right) => left.address - right.address);
  for (const [index, place] of sorted.entries()) {
    const next = sorted[index + 1];
    const isOutside = place.address < ram.base || place.end > end;
    if (!isOutside && (next === undefined || place.end <= next.address)) continue;
    const needs = `The ${place.what} needs ${span(place)}`;
    const why =
      isOutside || next === undefined ? `RAM ends at ${hex(end)}` : `the ${next.what} is at ${span(next)}`;
    const message = `${needs}, and ${why}. Give the board more RAM than ${ram.sizeBytes / MIB} MiB.`;
    return loadError("no-room", message);
  }
  return undefined;
}

const hex = (address: number): string => `0x${address.toString(16)}`;
const span = ({ address, end }: Placed): string => `${hex(address)}–${hex(end - 1)}`;

function write(
  board: Board,
  image: LinuxImage,
  kernel: Placed,
  initramfs: Placed | undefined,
  archive: Uint8Array | undefined,
): void {
  board.memory.write(BigInt(kernel.address), image.bytes);
  if (initramfs !== undefined && archive !== undefined)
    board.memory.write(BigInt(initramfs.address), archive);
}

/** Puts firmware, which has been checked, into RAM. @returns Its entry. */
function loadFirmware(board: Board, firmware: Uint8Array): number {
  const { base } = board.bus.ram;
  if (isElf(firmware)) {
    const image = board.loadElf(firmware);
    return image.kind === "elf" ? image.entry : base;
  }
  board.memory.write(BigInt(base), firmware);
  return base;
}

/** Sends every hart to the firmware, or to the kernel where there is none. */
function enter(
  board: Board,
  firmware: Uint8Array | undefined,
  kernelEntry: number,
  deviceTree: number,
  firmwareWords: number,
): void {
  const entry = firmware === undefined ? kernelEntry : loadFirmware(board, firmware);
  for (const hart of board.harts) {
    hart.pc = BigInt(entry);
    hart.state.waiting = false;
    for (const [register, value] of registersAfterRom(hart.id, { entry, deviceTree }))
      hart.write(register, value);
    hart.write("a2", BigInt(firmwareWords));
    hart.stateReplaced();
  }
}
