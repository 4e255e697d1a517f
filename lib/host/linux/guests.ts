/** A board with the reference hypervisor in it, and a stock Linux in each of its virtual machines. */
import type { Board } from "../../board/board.ts";
import type { FileEntry } from "../../board/disk/file-tree.ts";
import type { EngineName } from "../../board/engine-choice.ts";
import { parseLinuxImage } from "../../board/linux-image.ts";
import { buildBoard } from "../../board/virt.ts";
import { installVmm, type Vmm } from "../../vmm/hypervisor.ts";
import type { Guest } from "../../vmm/loader.ts";
import { useNativeDigests } from "../native-digest.ts";
import { initialFileSystem, rootDisk, type Terminal } from "./file-systems.ts";
import { kernelArguments } from "./machine.ts";
import type { LinuxFiles } from "./packages.ts";

/** What may differ between such machines. */
export interface GuestsOptions {
  /** Virtual machines; 2 when left out. */
  readonly count?: number;
  /** Where their shells are: a virtio console, when left out, or the serial port. */
  readonly terminal?: Terminal;
  /** Shell commands to run instead of a shell; then each guest switches itself off. */
  readonly command?: string;
  /** More files on the disk of each. */
  readonly files?: readonly FileEntry[];
  readonly engine?: EngineName;
}

/** A board with its hypervisor, or why there is none, in one line. */
export type GuestsMachine =
  | { readonly kind: "machine"; readonly board: Board; readonly vmm: Vmm }
  | { readonly kind: "refused"; readonly message: string };

const MIB = 1024 * 1024;
/** RAM of a guest: a boot uses half of it. */
export const GUEST_RAM_BYTES: number = 96 * MIB;
/** The hypervisor's own, and for each guest its RAM, its tables, its disk, and what the loader has left of kernel and files. */
const ramFor = (count: number): number => (64 + 192 * count) * MIB;

/** Until the driver of the virtio console is loaded the kernel prints by calls of its firmware, which the hypervisor is: a line each. */
const EARLY = "earlycon=sbi";

/** Builds the board and loads everything; the next instruction is the hypervisor's first. The first guest has the terminal. */
export function guestsMachine(files: LinuxFiles, options: GuestsOptions = {}): GuestsMachine {
  useNativeDigests();
  const { count = 2, engine } = options;
  const guest = linuxGuest(files, options);
  if ("kind" in guest) return guest;
  const board = buildBoard({ ramBytes: ramFor(count), ...(engine === undefined ? {} : { engine }) });
  const vmm = installVmm(board, { guests: Array.from({ length: count }, () => guest) });
  if (vmm.kind !== "vmm") return { kind: "refused", message: vmm.message };
  return { kind: "machine", board, vmm };
}

/** A stock Linux with a disk of its own. */
export function linuxGuest(
  files: LinuxFiles,
  { terminal = "hvc0", command, files: more = [] }: GuestsOptions = {},
): Guest | { readonly kind: "refused"; readonly message: string } {
  const kernel = parseLinuxImage(files.kernel);
  const initramfs = initialFileSystem(files, terminal);
  const disk = rootDisk(files, { terminal, files: more, ...(command === undefined ? {} : { command }) });
  if (kernel.kind === "load-error") return { kind: "refused", message: kernel.message };
  if (!(initramfs instanceof Uint8Array)) return { kind: "refused", message: initramfs.message };
  if (!(disk instanceof Uint8Array)) return { kind: "refused", message: disk.message };
  return {
    image: kernel.bytes,
    offset: kernel.textOffset,
    initramfs,
    disk,
    console: terminal === "hvc0" ? "virtio" : "uart",
    ramBytes: GUEST_RAM_BYTES,
    // A third of the faults, and shorter walks: a boot takes three quarters of the time.
    largePages: true,
    commandLine: terminal === "hvc0" ? `${EARLY} ${kernelArguments(terminal)}` : kernelArguments(terminal),
  };
}
