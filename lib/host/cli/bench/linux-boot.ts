/** `linux-boot`: a stock Debian kernel from the first instruction to its shell and to power-off, with QEMU beside us. */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { DEBIAN_CACHE } from "../../debian-packages.ts";
import { OUTPUT_ENDS } from "../../linux/file-systems.ts";
import { linuxMachine } from "../../linux/machine.ts";
import { LINUX_FOLDER, readLinuxFiles } from "../../linux/packages.ts";
import { type Bench, type BenchRow, processorTimed, rounded } from "./row.ts";

/** More than a boot takes. */
const BUDGET = 5e9;
const HARTS = [1, 2] as const;

/** One timed boot. Throws unless the machine printed what the last command prints and switched itself off. */
function boot(harts: 1 | 2, firmware: "opensbi" | "typescript"): { retired: number; seconds: number } {
  const files = readLinuxFiles(path.join(DEBIAN_CACHE, LINUX_FOLDER));
  const machine = linuxMachine(files, { harts, firmware, command: "cat /proc/cpuinfo" });
  if (machine.kind === "refused") throw new Error(machine.message);
  const { board } = machine;
  const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
  if (result.reason !== "poweroff" || !board.console.text.includes(OUTPUT_ENDS))
    throw new Error(`Linux ended with ${result.reason} after:\n${board.console.text.slice(-2000)}`);
  return { retired: result.retired, seconds };
}

/** The benchmark, for `npm run bench`. Without the packages it says so and has no row. */
export const bench: Bench = {
  about: "boot of a stock Debian kernel to a command and to power-off; processor time",
  async run() {
    if (!existsSync(path.join(DEBIAN_CACHE, LINUX_FOLDER))) {
      process.stderr.write("linux-boot: left out; npx dom0 fetch linux brings the kernel.\n");
      return [];
    }
    return HARTS.map((harts): BenchRow => {
      const { retired, seconds } = boot(harts, harts === 1 ? "opensbi" : "typescript");
      return {
        bench: harts === 1 ? "linux-opensbi" : "linux-ts-2-harts",
        engine: "reference",
        mips: rounded(retired / seconds / 1e6),
        seconds: rounded(seconds),
        unit: "instructions",
        value: retired,
      };
    });
  },
};
