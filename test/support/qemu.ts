/** The other machine: Debian's QEMU, `virt` board, same ELF. */
import { spawnSync } from "node:child_process";

/** What a guest did on QEMU. */
export interface QemuRun {
  readonly console: string;
  /** QEMU's own exit status, which the test finisher sets. */
  readonly exitCode: number | null;
}

/** Runs an ELF file on QEMU until the guest switches it off. Throws when it does not within a minute. */
export function runOnQemu(elfPath: string, ramMebibytes = 16): QemuRun {
  const machine = ["-M", "virt", "-bios", "none", "-m", `${ramMebibytes}M`];
  const terminal = ["-display", "none", "-monitor", "none", "-serial", "stdio"];
  const { stdout, status, error } = spawnSync(
    "qemu-system-riscv64",
    [...machine, ...terminal, "-kernel", elfPath],
    {
      encoding: "utf8",
      input: "",
      timeout: 60_000,
    },
  );
  if (error !== undefined) throw error;
  return { console: stdout, exitCode: status };
}
