/** A board with stock Linux in it, ready to run. */
import type { Board } from "../../board/board.ts";
import type { FileEntry } from "../../board/disk/file-tree.ts";
import type { EngineName } from "../../board/engine-choice.ts";
import { loadLinux } from "../../board/linux-boot.ts";
import { buildBoard, type HartCount, type TranslatingOptions } from "../../board/virt.ts";
import { installFirmware } from "../../firmware/firmware.ts";
import { useNativeDigests } from "../native-digest.ts";
import { initialFileSystem, rootDisk, type Terminal } from "./file-systems.ts";
import type { LinuxFiles } from "./packages.ts";

/** Who runs in machine mode. */
export const FIRMWARES = ["opensbi", "typescript"] as const;
/** One of {@link FIRMWARES}. */
export type FirmwareName = (typeof FIRMWARES)[number];

/** What may differ between boots. */
export interface LinuxOptions {
  readonly firmware?: FirmwareName;
  readonly harts?: HartCount;
  readonly ramBytes?: number;
  readonly seed?: number;
  /** Which engine the harts have; the board's own choice when left out. */
  readonly engine?: EngineName;
  /** How soon and how that engine translates, if it does. */
  readonly translating?: TranslatingOptions;
  /** Shell commands to run instead of a shell; then the machine switches itself off. */
  readonly command?: string;
  /** More files for the root disk. */
  readonly files?: readonly FileEntry[];
  /** Added to the kernel's command line. */
  readonly kernelArguments?: string;
  /** Device tree overlays. */
  readonly overlays?: readonly Uint8Array[];
}

/** RAM when nobody says otherwise. */
export const DEFAULT_RAM_BYTES = 256 * 1024 * 1024;

/**
 * The kernel's command line. All but the first are there for time, and halve a boot: no self-tests of ciphers, no entropy
 * from the jitter of a clock that has none here, no check of a certificate's signature that no file needs, and no watchdog
 * that would never see anything.
 */
export const kernelArguments = (terminal: Terminal): string =>
  [
    `console=${terminal}`,
    "cryptomgr.notests",
    "initcall_blacklist=jent_mod_init,load_system_certificate_list",
    "nowatchdog",
  ].join(" ");

/** The same, with the serial port. */
export const KERNEL_ARGUMENTS: string = kernelArguments("ttyS0");

/** A board, or why there is none, in one line. */
export type LinuxMachine =
  | { readonly kind: "machine"; readonly board: Board }
  | { readonly kind: "refused"; readonly message: string };

/** Builds the board and loads everything; the next instruction is the firmware's first. */
export function linuxMachine(files: LinuxFiles, options: LinuxOptions = {}): LinuxMachine {
  useNativeDigests();
  const { firmware = "opensbi", harts = 1, ramBytes = DEFAULT_RAM_BYTES, seed = 0, command } = options;
  const initramfs = initialFileSystem(files);
  if (!(initramfs instanceof Uint8Array)) return { kind: "refused", message: initramfs.message };
  const disk = rootDisk(files, {
    ...(command === undefined ? {} : { command }),
    ...(options.files === undefined ? {} : { files: options.files }),
  });
  if (!(disk instanceof Uint8Array)) return { kind: "refused", message: disk.message };
  const engine = options.engine === undefined ? {} : { engine: options.engine };
  const translating = options.translating === undefined ? {} : { translating: options.translating };
  const board = buildBoard({ ramBytes, harts, seed, disk, ...engine, ...translating });
  const layout = loadLinux(board, {
    kernel: files.kernel,
    initramfs,
    bootArguments: `${KERNEL_ARGUMENTS} ${options.kernelArguments ?? ""}`.trimEnd(),
    ...(firmware === "opensbi" ? { firmware: files.opensbi } : {}),
    ...(options.overlays === undefined ? {} : { overlays: options.overlays }),
  });
  if (layout.kind === "load-error") return { kind: "refused", message: layout.message };
  if (firmware === "opensbi") return { kind: "machine", board };
  const installed = installFirmware(board, { payloadEntry: BigInt(layout.entry), deviceTree: layout.tree });
  return installed.kind === "load-error"
    ? { kind: "refused", message: installed.message }
    : { kind: "machine", board };
}
