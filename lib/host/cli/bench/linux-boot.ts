/** `linux-boot`: a stock Debian kernel from the first instruction to a command and to power-off, with QEMU beside us. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { buildBoard } from "../../../board/virt.ts";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { initialFileSystem, OUTPUT_ENDS, rootDisk } from "../../linux/file-systems.ts";
import { DEFAULT_RAM_BYTES, KERNEL_ARGUMENTS, linuxMachine } from "../../linux/machine.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { QEMU, qemuName, timedQemu } from "./qemu-peer.ts";
import { type Bench, type BenchRow, processorTimed, rounded } from "./row.ts";

/** More than a boot takes. */
const BUDGET = 5e9;
const HARTS = [1, 2] as const;
/** What the shell runs before the machine switches itself off. */
export const BOOT_COMMAND = "cat /proc/cpuinfo";
const QEMU_LIMIT_MS = 10 * 60_000;
/** Where the kernel is, once it was fetched. */
export const LINUX_PACKAGES = path.join(DEBIAN_CACHE, LINUX_FOLDER);

/** One timed boot. Throws unless the machine printed what the last command prints and switched itself off. */
function boot(harts: 1 | 2, firmware: "opensbi" | "typescript"): { retired: number; seconds: number } {
  const machine = linuxMachine(readLinuxFiles(LINUX_PACKAGES), { harts, firmware, command: BOOT_COMMAND });
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board } = machine;
  const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
  if (result.reason !== "poweroff" || !board.console.text.includes(OUTPUT_ENDS))
    throw new Error(`Linux ended with ${result.reason} after:\n${board.console.text.slice(-2000)}`);
  return { retired: result.retired, seconds };
}

/**
 * Processor seconds of the boot on one hart on QEMU: the same firmware, kernel, command line, file systems and device tree.
 * Throws unless it printed what the last command prints.
 */
export function bootOnQemu(program = QEMU): number {
  const files = readLinuxFiles(LINUX_PACKAGES);
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-bench-"));
  const put = (name: string, bytes: ReturnType<typeof rootDisk>): string => {
    if (!(bytes instanceof Uint8Array)) throw new Error(bytes.message);
    writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };
  const disk = rootDisk(files, { command: BOOT_COMMAND });
  if (!(disk instanceof Uint8Array)) throw new Error(disk.message);
  const { deviceTree } = buildBoard({ ramBytes: DEFAULT_RAM_BYTES, disk });
  const serial = path.join(folder, "console");
  try {
    // Our device tree names Svpbmt and Svnapot, so this hart must have them: a kernel that believes it hangs without.
    const machine = `-M virt -m ${DEFAULT_RAM_BYTES >> 20}M -cpu rv64,h=true,svpbmt=true,svnapot=true -display none -monitor none`;
    const { seconds } = timedQemu(
      [
        ...machine.split(" "),
        ...["-serial", `file:${serial}`, "-dtb", put("board.dtb", deviceTree)],
        ...[
          "-bios",
          path.join(LINUX_PACKAGES, "fw_dynamic.bin"),
          "-kernel",
          path.join(LINUX_PACKAGES, "vmlinux"),
        ],
        ...["-initrd", put("initramfs", initialFileSystem(files)), "-append", KERNEL_ARGUMENTS],
        ...["-drive", `file=${put("disk.img", disk)},format=raw,id=d,if=none`],
        ...["-device", "virtio-blk-device,drive=d,bus=virtio-mmio-bus.0"],
        ...["-global", "virtio-mmio.force-legacy=false"],
      ],
      QEMU_LIMIT_MS,
      program,
    );
    const text = readFileSync(serial, "latin1");
    if (!text.includes(OUTPUT_ENDS)) throw new Error(`Linux on QEMU ended with:\n${text.slice(-2000)}`);
    return seconds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The benchmark, for `npm run bench`. Without the packages it says so and has no row. */
export const bench: Bench = {
  about: "boot of a stock Debian kernel to a command and to power-off, on QEMU too; processor time",
  async run() {
    if (!existsSync(LINUX_PACKAGES)) {
      process.stderr.write("linux-boot: left out; npx dom0 fetch linux brings the kernel.\n");
      return [];
    }
    const peer = qemuName();
    return HARTS.map((harts): BenchRow => {
      const { retired, seconds } = boot(harts, harts === 1 ? "opensbi" : "typescript");
      const beside =
        harts === 1 && peer !== undefined ? { peer, ratio: rounded(bootOnQemu() / seconds) } : {};
      return {
        bench: harts === 1 ? "linux-opensbi" : "linux-ts-2-harts",
        engine: "reference",
        mips: rounded(retired / seconds / 1e6),
        seconds: rounded(seconds),
        unit: "instructions",
        value: retired,
        ...beside,
      };
    });
  },
};
