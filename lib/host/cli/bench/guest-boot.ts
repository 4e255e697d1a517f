/** `guest-boot`: the C kernel from its first instruction to power-off, its console compared with what QEMU printed. */
import { readFile } from "node:fs/promises";
import { buildBoard } from "../../../board/virt.ts";
import { assetFile } from "../../node-assets.ts";
import { type Bench, median, processorTimed, rounded } from "./row.ts";

/** One timed boot. */
export interface GuestBoot {
  readonly retired: number;
  /** Processor seconds. */
  readonly seconds: number;
}

const RUNS = 9;
/** More than the kernel takes. */
const BUDGET = 1e8;
const LAST_LINE = "kernel: no process left, powering off\n";

/** Boots the kernel on a fresh board. Throws unless it printed its last line and switched off: that would be our bug. */
export async function benchGuestBoot(): Promise<GuestBoot> {
  const board = buildBoard();
  const image = board.loadElf(new Uint8Array(await readFile(assetFile("images/mini-kernel.elf"))));
  if (image.kind === "load-error") throw new Error(image.message);
  const { seconds, result } = processorTimed(() => board.run({ instructions: BUDGET }));
  if (result.reason !== "poweroff" || !board.console.text.endsWith(LAST_LINE)) {
    throw new Error(`the kernel ended with ${result.reason} after:\n${board.console.text}`);
  }
  return { retired: result.retired, seconds };
}

/** The benchmark, for `npm run bench`. */
export const bench: Bench = {
  about: "boot of the C kernel: machine mode, Sv39, five processes, timer, power-off",
  async run() {
    const boots: GuestBoot[] = [];
    for (let run = 0; run < RUNS; run++) boots.push(await benchGuestBoot());
    const seconds = median(boots.map((boot) => boot.seconds));
    const retired = boots[0]?.retired ?? 0;
    const mips = rounded(retired / seconds / 1e6);
    return [
      {
        bench: "guest-boot",
        engine: "reference",
        mips,
        seconds: rounded(seconds),
        unit: "instructions",
        value: retired,
      },
    ];
  },
};
