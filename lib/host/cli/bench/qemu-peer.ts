/** QEMU beside us: the same bytes on `-M virt`, timed in the same run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { timedProcess } from "./timed-process.ts";

/** Bytes to put at a physical address. */
export interface Blob {
  readonly paddr: bigint;
  readonly bytes: Uint8Array;
}

/** How a run on QEMU ended. */
export interface QemuRun {
  /** Processor seconds of the whole process, start-up included. */
  readonly seconds: number;
  /** What the guest wrote to the test finisher, as far as a process can say it: the low 8 bits. */
  readonly exitCode: number;
}

/** The system's own QEMU. */
export const QEMU = "qemu-system-riscv64";
const LIMIT_MS = 60_000;
const MACHINE = "-M virt -m 16M -bios none -display none -serial null -monitor none".split(" ");

/** QEMU's name and version, or `undefined` when it is not installed. */
export function qemuName(): string | undefined {
  const { status, stdout } = spawnSync(QEMU, ["--version"], { encoding: "utf8" });
  const version = /version ([\d.]+)/.exec(stdout ?? "")?.[1];
  return status === 0 && version !== undefined ? `qemu ${version} TCG` : undefined;
}

/** Runs QEMU until the guest switches it off. Throws when it does not. */
export function timedQemu(args: readonly string[], limitMs: number, program = QEMU): QemuRun {
  return timedProcess(program, args, limitMs);
}

/** Runs the blobs from the start of RAM until the guest switches off. Throws when it does not: that is our bug. */
export function runOnQemu(blobs: readonly Blob[]): QemuRun {
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-bench-"));
  try {
    const loaders = blobs.flatMap(({ paddr, bytes }, index) => {
      const file = path.join(folder, `${index}.bin`);
      writeFileSync(file, bytes);
      return ["-device", `loader,file=${file},addr=0x${paddr.toString(16)},force-raw=on`];
    });
    return timedQemu([...MACHINE, ...loaders], LIMIT_MS);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
