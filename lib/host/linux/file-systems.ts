/**
 * The two file systems of the boot: the first, in memory, loads the drivers of the disk and hands over; the second, on the
 * disk, is where the shell runs.
 */
import { cpioArchive } from "../../board/disk/cpio-archive.ts";
import {
  type FileEntry,
  type FileTreeError,
  folder,
  link,
  program,
  script,
} from "../../board/disk/file-tree.ts";
import { minixImage } from "../../board/disk/minix-image.ts";
import type { LinuxFiles } from "./packages.ts";

/** Which device somebody types at: the serial port, or a virtio console. */
export type Terminal = "ttyS0" | "hvc0";

/** The console of virtio comes with the bus's driver: before, the kernel had nothing to open for this program. */
const OPEN_CONSOLE = "exec </dev/console >/dev/console 2>&1\n";

/** Loads the modules in order, mounts the disk and makes it the root. The kernel unpacks modules by itself. */
const firstInit = (modules: readonly string[], terminal: Terminal): string => `#!/bin/busybox sh
busybox() { /bin/busybox "$@"; }
busybox mount -t devtmpfs dev /dev
for module in ${modules.join(" ")}; do
  busybox insmod /modules/$module.ko.xz || echo "init: $module cannot be loaded"
done
${terminal === "hvc0" ? OPEN_CONSOLE : ""}busybox mount -t minix -o noatime /dev/vda /disk || exec /bin/busybox sh
busybox mount -o move /dev /disk/dev
exec /bin/busybox switch_root /disk /sbin/init
`;

/** Runs once; then a shell on the terminal, again whenever it ends. Ctrl-Alt-Del and shutdown leave no file system dirty. */
const inittab = (terminal: Terminal): string => `::sysinit:/etc/start
${terminal}::respawn:-/bin/sh
::shutdown:/bin/umount -a -r
`;

/** The line with which the shell begins. */
export const WELCOME = "Linux on the board of Escape from dom0. poweroff ends it, and so does Ctrl-A x.";

/** Mounts what programs expect; then the commands that were given beforehand, or a greeting. */
const START = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
hostname dom0
[ -x /etc/commands ] && exec /etc/commands
echo '${WELCOME}'
`;

/** Lines that enclose the output of commands that were given beforehand. */
export const OUTPUT_BEGINS = "==== output ====";
export const OUTPUT_ENDS = "==== end ====";

/** Sends the commands' output between two lines, and switches off with their exit code lost, as machines do. */
const commandScript = (command: string): string => `#!/bin/sh
echo '${OUTPUT_BEGINS}'
(
${command}
)
echo '${OUTPUT_ENDS}'
poweroff -f
`;

/** What the console ends with when the shell waits: its prompt, and busybox's question where the cursor is. */
export const PROMPT = "\n# \x1b[6n";

const PROFILE = `export PS1='# ' HOME=/root PATH=/bin:/sbin:/usr/bin
cd
`;

/** Programs that the disk has a name for; busybox has more, and `busybox --list` names them. */
const APPLETS =
  `ash awk basename cat chmod cp cut date dd df dmesg du echo env expr false find free grep head hexdump hostname
id init insmod kill less ln ls lsmod mkdir mknod more mount mv nproc od poweroff printf ps pwd reboot rm rmdir sed seq sh
sha256sum sleep sort stat stty sync tail tee test time top touch tr true tty umount uname uniq uptime vi wc which xxd yes`
    .split(/\s+/)
    .filter((name) => name !== "");

/** The first file system, which the boot loader puts into RAM. */
export function initialFileSystem(
  { busybox, modules }: LinuxFiles,
  terminal: Terminal = "ttyS0",
): Uint8Array | FileTreeError {
  return cpioArchive([
    ...["bin", "dev", "disk", "modules"].map(folder),
    { path: "dev/console", permissions: 0o600, kind: "device", type: "character", major: 5, minor: 1 },
    program("bin/busybox", busybox),
    ...modules.map(({ name, bytes }) => program(`modules/${name}.ko.xz`, bytes)),
    script(
      "init",
      firstInit(
        modules.map(({ name }) => name),
        terminal,
      ),
    ),
  ]);
}

/** What goes onto the disk besides busybox. */
export interface RootDiskOptions {
  /** Shell commands to run instead of a shell on the terminal. */
  readonly command?: string;
  /** Where the shell is; the serial port when left out. */
  readonly terminal?: Terminal;
  /** More files, from a folder of the host's for example. */
  readonly files?: readonly FileEntry[];
}

const DISK_BYTES = 16 * 1024 * 1024;

/** The root disk: a MINIX file system, because its driver is loaded thirty times faster than ext4's. */
export function rootDisk({ busybox }: LinuxFiles, options: RootDiskOptions = {}): Uint8Array | FileTreeError {
  const { command, terminal = "ttyS0", files = [] } = options;
  const own: FileEntry[] = [
    ...["bin", "dev", "etc", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin"].map(folder),
    program("bin/busybox", busybox),
    ...APPLETS.map((name) => link(`bin/${name}`, "busybox")),
    link("sbin/init", "../bin/busybox"),
    script("etc/inittab", inittab(terminal)),
    script("etc/start", START),
    script("etc/profile", PROFILE),
    ...(command === undefined ? [] : [script("etc/commands", commandScript(command))]),
  ];
  const given = new Set(files.map(({ path }) => path));
  const entries = [...own.filter(({ path }) => !given.has(path)), ...files];
  const smallest = minixImage(entries);
  return smallest instanceof Uint8Array && smallest.length < DISK_BYTES
    ? minixImage(entries, { sizeBytes: DISK_BYTES })
    : smallest;
}
