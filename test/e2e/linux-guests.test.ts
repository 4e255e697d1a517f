/** Stock Linux in virtual machines of the reference hypervisor. */
import { expect, it } from "vitest";
import { parseLinuxImage } from "../../lib/board/linux-image.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { initialFileSystem } from "../../lib/host/linux/file-systems.ts";
import { KERNEL_ARGUMENTS } from "../../lib/host/linux/machine.ts";
import { installVmm, printedBy } from "../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../lib/vmm/layout.ts";
import { LINUX_TIMEOUT_MS, linuxFiles, runUntil } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";
import { frameMistakes } from "../unit/vmm/vmm-scene.ts";

const MIB = 1024 * 1024;
/** The shell of the first file system: guests have no disk yet. */
const PROMPT = /# \x1b\[6n$/;

describeWith(["debianLinux"], "two stock kernels side by side", () => {
  it(
    "boot to a shell each, answer, and switch themselves off alone",
    () => {
      const files = linuxFiles();
      const kernel = parseLinuxImage(files.kernel);
      if (kernel.kind === "load-error") throw new Error(kernel.message);
      const initramfs = initialFileSystem(files);
      if (!(initramfs instanceof Uint8Array)) throw new Error(initramfs.message);
      const guest = {
        image: kernel.bytes,
        offset: kernel.textOffset,
        initramfs,
        ramBytes: 96 * MIB,
        commandLine: KERNEL_ARGUMENTS,
      };
      const board = buildBoard({ ramBytes: 512 * MIB, engine: "translator" });
      const vmm = installVmm(board, { guests: [guest, { ...guest, hasTerminal: false }] });
      if (vmm.kind !== "vmm") throw new Error(vmm.message);
      expect(runUntil(board, PROMPT)).toContain("Linux version");
      board.type("echo guest $((6 * 7))\n");
      runUntil(board, "guest 42");
      for (let piece = 0; piece < 300 && !PROMPT.test(printedBy(vmm, 2)); piece++)
        board.run({ instructions: 5_000_000 });
      expect(printedBy(vmm, 2)).toMatch(PROMPT);
      expect(printedBy(vmm, 2)).not.toContain("guest 42");
      board.type("busybox poweroff -f\n");
      for (let piece = 0; piece < 100 && vmm.state.domain(1).state === DomainState.RUNNING; piece++)
        board.run({ instructions: 1_000_000 });
      expect(vmm.state.domain(1).state).toBe(DomainState.OFF);
      expect(vmm.state.domain(2).state).toBe(DomainState.RUNNING);
      expect(frameMistakes({ board, vmm })).toEqual([]);
    },
    LINUX_TIMEOUT_MS,
  );
});
