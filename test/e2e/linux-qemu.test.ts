/** The same firmware, kernel, files, disk and device tree on QEMU and here: the same kernel log, but for what is listed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { initialFileSystem, rootDisk } from "../../lib/host/linux/file-systems.ts";
import { DEFAULT_RAM_BYTES, KERNEL_ARGUMENTS } from "../../lib/host/linux/machine.ts";
import { LINUX_TIMEOUT_MS, linuxFiles, newLinux, runUntil } from "../support/linux.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { differentLines, talkToQemu } from "../support/qemu-dialog.ts";

const full = process.env["DOM0_TEST_FULL"] === "1";
const COMMAND = "uname -a; mount; cat /proc/cpuinfo; cat /proc/interrupts; ls /sys/bus/virtio/devices; lsmod";

/**
 * What differs for a reason, beside the times, which are taken away: what depends on time; the size of the device tree, to
 * which QEMU adds its command line; what QEMU's hart has that ours has not (counters, triggers, Sv57, a vendor) and how it
 * spells `misa`; the random seed that QEMU puts into the device tree.
 */
const EXPECTED: readonly RegExp[] = [
  /^Boot HART Base ISA +: rv64imafdcb?h$/,
  /^Boot HART ISA Extensions +: /,
  /^Boot HART MHPM Info +: /,
  /^Boot HART Debug Triggers +: /,
  /^Experimental SBI Extensions +: /,
  /^random: crng init done$/,
  /^NODE_DATA\(0\) allocated /,
  /^node 0 deferred pages initialised in \d+ms$/,
  /^Memory: \d+K\/262144K available /,
  /^audit: type=2000 audit\(/,
  /^cpu0: Ratio of byte access time to unaligned word access is /,
  /^Freeing initrd memory: 1\d\d\dK$/,
  /^goldfish_rtc 101000.rtc: setting system clock to /,
  /^riscv-pmu-sbi: 16 firmware and \d+ hardware counters$/,
  /^mmu\t+: sv(48|57)$/,
  /^m(arch|imp)id\t+: /,
  /^dev on \/dev type devtmpfs /,
  /^ *\d+: +\d+ +(RISC-V INTC|SiFive PLIC) /,
];

/** Without times, and without the numbers that count time. */
const tidy = (text: string): string => text.replaceAll("\r", "").replace(/^\[ *\d+\.\d+\] /gm, "");

describeWith(["debianLinux", "qemu"], "the kernel's log", () => {
  it("is compared line by line: one too many, one missing, one moved", () => {
    expect(differentLines("a\nb\nc", "a\nc")).toEqual({ onlyLeft: ["b"], onlyRight: [] });
    expect(differentLines("a\nc", "a\nb\nc")).toEqual({ onlyLeft: [], onlyRight: ["b"] });
    expect(differentLines("m\na\nb", "a\nb\nm")).toEqual({ onlyLeft: ["m"], onlyRight: ["m"] });
  });

  // A boot here and one there: for the long sizes.
  if (!full) return;
  it("is the same here and on QEMU", { timeout: LINUX_TIMEOUT_MS }, async () => {
    const board = newLinux({ command: COMMAND });
    runUntil(board, "reboot: Power down");
    const files = linuxFiles();
    const folder = mkdtempSync(join(tmpdir(), "dom0-linux-"));
    try {
      const put = (name: string, bytes: unknown): string => {
        if (!(bytes instanceof Uint8Array)) throw new Error(JSON.stringify(bytes));
        writeFileSync(join(folder, name), bytes);
        return join(folder, name);
      };
      const packages = dirname(partPath("debianLinux"));
      const qemu = await talkToQemu(
        [
          ...[
            "-m",
            `${DEFAULT_RAM_BYTES >> 20}M`,
            "-cpu",
            "rv64,h=true,svpbmt=true,svnapot=true",
            "-dtb",
            put("board.dtb", board.deviceTree),
          ],
          ...["-bios", join(packages, "fw_dynamic.bin"), "-kernel", join(packages, "vmlinux")],
          ...["-initrd", put("initramfs", initialFileSystem(files)), "-append", KERNEL_ARGUMENTS],
          ...[
            "-drive",
            `file=${put("disk.img", rootDisk(files, { command: COMMAND }))},format=raw,id=d,if=none`,
          ],
          ...["-device", "virtio-blk-device,drive=d,bus=virtio-mmio-bus.0"],
          ...["-global", "virtio-mmio.force-legacy=false"],
        ],
        [],
      );
      const { onlyLeft, onlyRight } = differentLines(tidy(board.console.text), tidy(qemu));
      // A line that both print, at another place: kernel threads run beside each other, and QEMU's time is the wall's.
      const isMoved = (line: string): boolean => onlyLeft.includes(line) && onlyRight.includes(line);
      const isUnexpected = (line: string): boolean =>
        !isMoved(line) && !EXPECTED.some((known) => known.test(line));
      const here = onlyLeft.filter(isUnexpected);
      const onQemu = onlyRight.filter(isUnexpected);
      expect({ here, onQemu }).toEqual({ here: [], onQemu: [] });
      expect(onlyLeft.filter((line) => isMoved(line)).length).toBeLessThan(5);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
