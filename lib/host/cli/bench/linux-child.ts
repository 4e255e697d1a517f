/** One boot of stock Linux to power-off, in a process of its own. Argument: a {@link LinuxOrder}; answer: a {@link LinuxAnswer}. */
import path from "node:path";
import process from "node:process";
import type { EngineName } from "../../../board/engine-choice.ts";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { OUTPUT_ENDS } from "../../linux/file-systems.ts";
import { linuxMachine } from "../../linux/machine.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { answerOrder } from "./child-answer.ts";

/** What to boot. */
export interface LinuxOrder {
  readonly engine: EngineName;
  /** What the shell runs before the machine switches itself off. */
  readonly command: string;
}

/** How it went. */
export interface LinuxAnswer {
  readonly retired: number;
  /** From the board's construction to power-off. */
  readonly wallSeconds: number;
  /** Resident memory of the process at power-off, and the most there was, in MB (10^6 bytes). */
  readonly residentMb: number;
  readonly mostResidentMb: number;
}

/** More than a boot takes. */
const BUDGET = 5e9;

function boot({ engine, command }: LinuxOrder): LinuxAnswer {
  const files = readLinuxFiles(path.join(DEBIAN_CACHE, LINUX_FOLDER));
  const began = performance.now();
  const machine = linuxMachine(files, { command, engine });
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board } = machine;
  const stop = board.run({ instructions: BUDGET });
  if (stop.reason !== "poweroff" || !board.console.text.includes(OUTPUT_ENDS))
    throw new Error(`Linux ended with ${stop.reason} after:\n${board.console.text.slice(-300)}`);
  return {
    retired: stop.retired,
    wallSeconds: (performance.now() - began) / 1000,
    residentMb: process.memoryUsage.rss() / 1e6,
    mostResidentMb: (process.resourceUsage().maxRSS * 1024) / 1e6,
  };
}

answerOrder(boot);
