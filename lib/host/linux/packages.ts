/**
 * The stock Linux that `npm run linux` boots: three packages of Debian 13, pinned, and of them the few files that a boot
 * needs.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import {
  DEBIAN_CACHE,
  type DebianPackage,
  type Fetched,
  type FetchOptions,
  unpackDebianPackages,
} from "../debian-packages.ts";

const RELEASE = "6.12.107+deb13-riscv64";

/** Exact versions: the same bytes everywhere, so that runs can be compared. */
const PACKAGES: readonly DebianPackage[] = [
  {
    file: `pool/main/l/linux/linux-image-${RELEASE}_6.12.107-1_riscv64.deb`,
    sha256: "abe9f65d74b434692149482b031db7a2aaf832921e09f69f775293c0e0c5799c",
  },
  {
    file: "pool/main/b/busybox/busybox-static_1.37.0-6+b9_riscv64.deb",
    sha256: "4add476d2b185c5b487c285b38d790f0881a7e4a8e2ddde835f917e770eb8633",
  },
  {
    file: "pool/main/o/opensbi/opensbi_1.6-1_all.deb",
    sha256: "dc4a43bd21a0ca11771ed8b19ee6fa8476d1d0f4976bd0b27c0357c699d27e1e",
  },
];

/** Kernel modules in the order in which they are loaded: the bus of the disk, the disk, and its file system. */
export const MODULES = ["virtio_mmio", "virtio_blk", "minix"] as const;

const MODULE_FOLDERS = {
  virtio_mmio: "drivers/virtio",
  virtio_blk: "drivers/block",
  minix: "fs/minix",
} as const satisfies Record<(typeof MODULES)[number], string>;

/** Names of the files in the folder that `fetchLinux` fills. */
const KERNEL = "vmlinux";
const BUSYBOX = "busybox";
const OPENSBI = "fw_dynamic.bin";

const moduleFile = (name: string): string => `${name}.ko.xz`;
const FILES = [KERNEL, BUSYBOX, OPENSBI, ...MODULES.map(moduleFile)];

/** Name of the folder below `.cache/debian`. */
export const LINUX_FOLDER = "linux";

/** What a boot needs, read into memory. */
export interface LinuxFiles {
  readonly kernel: Uint8Array;
  readonly busybox: Uint8Array;
  readonly opensbi: Uint8Array;
  /** Compressed as Debian ships them, in the order of {@link MODULES}. */
  readonly modules: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Fetches the packages, unless they are there, and gives the folder with the files. */
export async function fetchLinux(options: FetchOptions = {}): Promise<Fetched> {
  dropIncomplete(path.join(options.cache ?? DEBIAN_CACHE, LINUX_FOLDER));
  const fetched = await unpackDebianPackages(LINUX_FOLDER, PACKAGES, { ...options, finish: keepWhatBoots });
  if (fetched.kind === "path") return fetched;
  const message = `${fetched.message} Without a network, copy .cache/debian from a clone that has it. A package that is gone for good: put its file from snapshot.debian.org into .cache/debian/packages.`;
  return { kind: "refused", message };
}

/** A folder that an earlier version of this kit filled, with other files, is filled again. */
function dropIncomplete(folder: string): void {
  if (!FILES.every((name) => existsSync(path.join(folder, name))))
    rmSync(folder, { recursive: true, force: true });
}

/** Keeps six files of a hundred megabytes. */
function keepWhatBoots(folder: string): void {
  const kept = `${folder}.kept`;
  mkdirSync(kept, { recursive: true });
  const keep = (from: string, name: string): void =>
    renameSync(path.join(folder, from), path.join(kept, name));
  keep(`boot/vmlinux-${RELEASE}`, KERNEL);
  keep("usr/bin/busybox", BUSYBOX);
  keep("usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin", OPENSBI);
  for (const name of MODULES)
    keep(`usr/lib/modules/${RELEASE}/kernel/${MODULE_FOLDERS[name]}/${name}.ko.xz`, moduleFile(name));
  rmSync(folder, { recursive: true });
  renameSync(kept, folder);
}

/** Reads the files of a folder that `fetchLinux` filled. */
export function readLinuxFiles(folder: string): LinuxFiles {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(folder, name)));
  return {
    kernel: read(KERNEL),
    busybox: read(BUSYBOX),
    opensbi: read(OPENSBI),
    modules: MODULES.map((name) => ({ name, bytes: read(moduleFile(name)) })),
  };
}
