/** The other machine: Debian's QEMU, `virt` board, same ELF. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a guest did on QEMU. */
export interface QemuRun {
  readonly console: string;
  /** QEMU's own exit status, which the test finisher sets. */
  readonly exitCode: number | null;
}

/** What it left behind in RAM, besides. */
export interface QemuRam extends QemuRun {
  /** All of RAM, from 0x8000_0000 up, after the guest switched the machine off. */
  readonly ram: Uint8Array;
}

/** Mebibytes of RAM, as our board has by default. */
const RAM_MEBIBYTES = 16;

/** Runs an ELF file on QEMU until the guest switches it off. Throws when it does not within a minute. */
export function runOnQemu(elfPath: string, moreArguments: readonly string[] = []): QemuRun {
  const machine = ["-M", "virt", "-bios", "none", "-m", `${RAM_MEBIBYTES}M`];
  const terminal = ["-display", "none", "-monitor", "none", "-serial", "stdio"];
  const all = [...machine, ...terminal, ...moreArguments, "-kernel", elfPath];
  const { stdout, status, error } = spawnSync("qemu-system-riscv64", all, {
    encoding: "utf8",
    input: "",
    timeout: 60_000,
  });
  if (error !== undefined) throw error;
  return { console: stdout, exitCode: status };
}

/** Runs an ELF file that is given as bytes, and brings RAM back: QEMU keeps it in a file. */
export function ramFromQemu(elfBytes: Uint8Array, moreArguments: readonly string[] = []): QemuRam {
  const folder = mkdtempSync(join(tmpdir(), "dom0-qemu-"));
  try {
    const [elfPath, ramPath] = [join(folder, "guest.elf"), join(folder, "ram")];
    writeFileSync(elfPath, elfBytes);
    const backend = `memory-backend-file,id=ram,size=${RAM_MEBIBYTES}M,mem-path=${ramPath},share=on`;
    const run = runOnQemu(elfPath, ["-object", backend, "-machine", "memory-backend=ram", ...moreArguments]);
    return { ...run, ram: new Uint8Array(readFileSync(ramPath)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
