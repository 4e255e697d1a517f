/** Who takes part: our engine and each QEMU that is installed, the same ELF on all of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { EngineName } from "../../../board/engine-choice.ts";
import type { BenchGuestName } from "../../../systems/bench-guests.ts";
import { OPTIONAL_PARTS } from "../../bootstrap-modules.ts";
import type { GuestAnswer, GuestOrder } from "./guest-child.ts";
import { withRounds } from "./guest-image.ts";
import { timedProcess, timedScript } from "./timed-process.ts";

/** One run of a guest on one machine. */
export interface GuestRun {
  /** Processor seconds of the whole process. */
  readonly seconds: number;
  /** The guest's result, 16 hexadecimal digits. */
  readonly result: string;
}

/** A run on our engine, which can say more. */
export interface OurRun extends GuestRun {
  readonly retired: number;
  readonly second?: { readonly retired: number; readonly processorMs: number };
}

/** A QEMU. */
export interface Peer {
  /** Short: `qemu 7.2.22`. */
  readonly name: string;
  readonly program: string;
}

/** No run of a benchmark takes longer than this. */
const LIMIT_MS = 30 * 60_000;
const MACHINE = "-M virt -cpu rv64,h=true -m 16M -bios none -display none -monitor none -serial stdio".split(
  " ",
);

/** The QEMUs that are here: the system's first, then a fetched one. */
export function findPeers(): Peer[] {
  return [OPTIONAL_PARTS.qemu.find(), OPTIONAL_PARTS.newerQemu.find()]
    .filter((program) => program !== undefined)
    .map((program) => {
      const { output } = timedProcess(program, ["--version"], LIMIT_MS);
      return { name: `qemu ${/version ([\d.]+)/.exec(output)?.[1] ?? "?"}`, program };
    });
}

/** Runs the guest on a QEMU. */
export function runOnPeer(peer: Peer, guest: BenchGuestName, rounds: number): GuestRun {
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-bench-"));
  try {
    const file = path.join(folder, "guest.elf");
    writeFileSync(file, withRounds(guest, rounds));
    const { seconds, output } = timedProcess(peer.program, [...MACHINE, "-kernel", file], LIMIT_MS);
    return { seconds, result: output.trim() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the guest on our engine, in a process of its own. */
export function runOnOurs(order: GuestOrder): OurRun {
  const { seconds, answer } = timedScript<GuestAnswer>("guest-child", order, LIMIT_MS);
  return { seconds, ...answer };
}

/** The name of our engine in tables. */
export const ourName = (engine: EngineName): string => `dom0 ${engine}`;
