/** The boot loader's part: the guest's image and device tree, in what will be its RAM. */
import type { Board } from "../../board/board.ts";
import { deviceTreeAddress } from "../../board/boot-rom.ts";
import { virtTree } from "../../board/device-tree.ts";
import { parseElf } from "../../board/elf.ts";
import { flattenTree, type TreeNode } from "../../board/flattened-tree.ts";
import { isaStringOf } from "../../board/isa-string.ts";
import { type LoadError, loadError } from "../../board/load-error.ts";
import { type ClassicView, GUEST_OFFSET, GUEST_RAM, hostAddress, PAGE_BYTES } from "./layout.ts";

/** A guest. */
export interface ClassicGuest {
  /** An ELF file, or bytes that are put at the beginning of its RAM as they are. It begins in machine mode. */
  readonly image: Uint8Array;
  /** Bytes of RAM: a multiple of 4096. 4 MiB when left out. */
  readonly ramBytes?: number;
}

const DEFAULT_RAM = 4 * 1024 * 1024;
const MMU = "riscv,sv48";
/** Nodes of devices that the guest does not have. */
const ABSENT = /^virtio_mmio@/;

/** Puts a guest where it belongs, and tells the monitor. */
export function loadGuest(board: Board, state: ClassicView, guest: ClassicGuest): LoadError | undefined {
  const { image, ramBytes = DEFAULT_RAM } = guest;
  const room = board.bus.ram.sizeBytes - Number(GUEST_OFFSET);
  if (!(ramBytes > 0) || ramBytes % PAGE_BYTES !== 0 || ramBytes > room)
    return loadError(
      "no-room",
      `The guest can have up to ${room} bytes of RAM in whole pages, not ${ramBytes}.`,
    );
  const base = Number(GUEST_RAM);
  const isElf = [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => image[index] === byte);
  const elf = isElf ? parseElf(image, { base, sizeBytes: ramBytes }) : undefined;
  if (elf?.kind === "load-error") return elf;
  const pieces = elf?.segments ?? [{ paddr: base, bytes: image }];
  const tree = guestTree(ramBytes);
  const treeAddress = deviceTreeAddress({ base, sizeBytes: ramBytes }, tree.length);
  if (pieces.some(({ paddr, bytes }) => paddr + bytes.length > treeAddress))
    return loadError("larger-than-ram", `The guest needs more than its ${ramBytes} bytes of RAM.`);
  board.memory.write(hostAddress(GUEST_RAM), new Uint8Array(ramBytes));
  for (const { paddr, bytes } of pieces) board.memory.write(hostAddress(BigInt(paddr)), bytes);
  board.memory.write(hostAddress(BigInt(treeAddress)), tree);
  state.ramBytes = BigInt(ramBytes);
  state.entry = BigInt(elf?.entry ?? base);
  state.tree = BigInt(treeAddress);
  return undefined;
}

/** The board's tree without what the guest does not have. */
function guestTree(ramBytes: number): Uint8Array {
  const isa = isaStringOf({ hypervisor: false, leaks: [] });
  const prune = (node: TreeNode): TreeNode => ({
    ...node,
    children: node.children.filter(({ name }) => !ABSENT.test(name)).map(prune),
  });
  return flattenTree(prune(virtTree({ ramBytes, hartCount: 1, isa, mmuType: MMU })));
}
