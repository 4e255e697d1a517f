/** The parts that a machine may lack: how each is found, what it enables, how to get it. One table for every command. */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { ROOT } from "./environment.mjs";

/** First of the programs that is on PATH, as an absolute path. */
export function onPath(...programs) {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return programs
    .flatMap((program) => folders.map((folder) => path.join(folder, program)))
    .find((file) => existsSync(file));
}

/** First of the files that exists. */
const firstFile = (...files) => files.find((file) => existsSync(file));

const DEBIAN = (names) => `apt-get install ${names}`;

export const OPTIONAL_PARTS = {
  chromium: {
    title: "Chromium",
    enables: "tests of the book in a browser, of live cells and of exported HTML",
    get: `${DEBIAN("chromium")}, or set CHROMIUM to the path of Chrome`,
    find: () => process.env["CHROMIUM"] ?? onPath("chromium", "chromium-browser", "google-chrome"),
  },
  jupyter: {
    title: "Jupyter",
    enables: "notebooks in JupyterLab, the launcher kernel's tests, nbgrader as a peer",
    get: "npm run lab (needs Python 3.9 or newer)",
    find: () => [path.join(ROOT, ".venv/bin/jupyter")].find((file) => existsSync(file)),
  },
  qemu: {
    title: "QEMU",
    enables: "the same ELF on another machine, compared with ours",
    get: DEBIAN("qemu-system-misc"),
    find: () => onPath("qemu-system-riscv64"),
  },
  newerQemu: {
    title: "QEMU 10",
    enables: "the hypervisor extension on another machine, compared with ours",
    get: "npx dom0 fetch newer-qemu (x86-64 Linux), or set NEWER_QEMU to the path of a QEMU 10",
    find: () =>
      process.env["NEWER_QEMU"] ?? firstFile(path.join(ROOT, ".cache/debian/newer-qemu/qemu-system-riscv64")),
  },
  gcc: {
    title: "RISC-V compiler",
    enables: "rebuilding the guest images and comparing them with the committed ones",
    get: DEBIAN("gcc-riscv64-unknown-elf"),
    find: () => onPath("riscv64-unknown-elf-gcc"),
  },
  opensbi: {
    title: "OpenSBI",
    enables: "the firmware of real RISC-V boards, unchanged, on ours",
    get: DEBIAN("opensbi"),
    find: () => firstFile("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf"),
  },
  uboot: {
    title: "U-Boot",
    enables: "the boot loader of real RISC-V boards, unchanged, on ours",
    get: DEBIAN("u-boot-qemu"),
    find: () => firstFile("/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"),
  },
  gdb: {
    title: "GDB",
    enables: "debugging guests forward and backward: npx dom0 gdb",
    get: DEBIAN("gdb-multiarch"),
    find: () => onPath("gdb-multiarch"),
  },
  debianLinux: {
    title: "Debian's riscv64 kernel and busybox",
    enables:
      "npm run linux without a network, the Linux of notebook 05, and the tests that boot a stock kernel",
    get: "npx dom0 fetch linux (115 MB)",
    find: () => firstFile(path.join(ROOT, ".cache/debian/linux/vmlinux")),
  },
  dtc: {
    title: "device tree compiler",
    enables: "checking the generated device tree with an independent reader",
    get: DEBIAN("device-tree-compiler"),
    find: () => onPath("dtc"),
  },
  fsckMinix: {
    title: "fsck.minix",
    enables: "checking the disk that npm run linux makes with an independent reader",
    get: `${DEBIAN("util-linux")} (util-linux-extra on newer releases)`,
    find: () => onPath("fsck.minix") ?? firstFile("/usr/sbin/fsck.minix", "/sbin/fsck.minix"),
  },
  e2fsprogs: {
    title: "e2fsprogs",
    enables: "checking the disk images that are made from folders with an independent reader",
    get: DEBIAN("e2fsprogs"),
    find: () => onPath("fsck.ext2") ?? firstFile("/usr/sbin/fsck.ext2", "/sbin/fsck.ext2"),
  },
  bwrap: {
    title: "bubblewrap",
    enables: "grading for credit: a sandbox for each submission",
    get: DEBIAN("bubblewrap"),
    find: () => onPath("bwrap"),
  },
};

/** Every part with the path where it was found, or undefined. */
export function foundParts() {
  return Object.entries(OPTIONAL_PARTS).map(([name, part]) => ({ name, ...part, path: part.find() }));
}
