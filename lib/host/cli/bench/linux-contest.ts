/** A boot of a stock Debian kernel to a command and to power-off, on our engine and on each QEMU in turns. */
import { existsSync } from "node:fs";
import type { EngineName } from "../../../board/engine-choice.ts";
import { DEFAULT_RAM_BYTES } from "../../linux/machine.ts";
import { middle, ratioToFastest } from "./arithmetic.ts";
import type { Peer } from "./contestants.ts";
import { BOOT_COMMAND, bootOnQemu, LINUX_PACKAGES } from "./linux-boot.ts";
import type { LinuxAnswer, LinuxOrder } from "./linux-child.ts";
import { timedScript } from "./timed-process.ts";

/** Medians over the turns. Seconds are processor time of whole processes. */
export interface LinuxFigures {
  readonly retired: number;
  readonly seconds: number;
  readonly wallSeconds: number;
  readonly peers: readonly { readonly name: string; readonly seconds: number }[];
  /** The fastest QEMU's processor time over ours. */
  readonly ratio: number;
  /** Resident memory at power-off, in MB (10^6 bytes), the guest's RAM included, and that RAM. */
  readonly residentMb: number;
  readonly mostResidentMb: number;
  readonly ramMb: number;
  readonly turns: number;
}

const LIMIT_MS = 10 * 60_000;

/** Whether the kernel was fetched. */
export const isLinuxHere = (): boolean => existsSync(LINUX_PACKAGES);

/** Measures it; undefined when the kernel is not here. */
export function linuxContest(
  engine: EngineName,
  peers: readonly Peer[],
  turns: number,
): LinuxFigures | undefined {
  if (!isLinuxHere()) return undefined;
  const order: LinuxOrder = { engine, command: BOOT_COMMAND };
  const ours: { seconds: number; answer: LinuxAnswer }[] = [];
  const theirs = peers.map(({ name, program }) => ({ name, program, seconds: [] as number[] }));
  for (let turn = 0; turn < turns; turn++) {
    ours.push(timedScript<LinuxAnswer>("linux-child", order, LIMIT_MS));
    for (const peer of theirs) peer.seconds.push(bootOnQemu(peer.program));
  }
  const seconds = middle(ours.map((run) => run.seconds));
  const peerSeconds = theirs.map((peer) => ({ name: peer.name, seconds: middle(peer.seconds) }));
  return {
    retired: ours[0]?.answer.retired ?? 0,
    seconds,
    wallSeconds: middle(ours.map((run) => run.answer.wallSeconds)),
    peers: peerSeconds,
    ratio: ratioToFastest(
      1 / seconds,
      peerSeconds.map((peer) => 1 / peer.seconds),
    ),
    residentMb: middle(ours.map((run) => run.answer.residentMb)),
    mostResidentMb: Math.max(...ours.map((run) => run.answer.mostResidentMb)),
    ramMb: DEFAULT_RAM_BYTES / 1e6,
    turns,
  };
}
