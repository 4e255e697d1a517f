/** `linux-in-chromium`: a stock Debian kernel to its shell in a tab of Chromium, seconds on the wall beside what is promised. */
import process from "node:process";
import { OPTIONAL_PARTS } from "../../bootstrap-modules.ts";
import { bootInChromium } from "../../linux/chromium-boot.ts";
import { WELCOME } from "../../linux/file-systems.ts";
import { readLinuxFiles } from "../../linux/packages.ts";
import { LINUX_PACKAGES } from "./linux-boot.ts";
import { isLinuxHere } from "./linux-contest.ts";
import { type Bench, rounded } from "./row.ts";
import { LINUX_IN_CHROMIUM_SECONDS } from "./targets.ts";

const LIMIT_MS = 10 * 60_000;

/** The benchmark, for `npm run bench`. Without the packages or Chromium it says so and has no row. */
export const bench: Bench = {
  about: "boot of a stock Debian kernel to its shell in a tab, sources and files loaded; seconds on the wall",
  async run() {
    const program = OPTIONAL_PARTS.chromium.find();
    if (program === undefined || !isLinuxHere()) {
      const lacking = program === undefined ? OPTIONAL_PARTS.chromium.get : "npx dom0 fetch linux";
      process.stderr.write(`linux-in-chromium: left out; ${lacking} brings what it needs.\n`);
      return [];
    }
    const { found, seconds, bootSeconds } = await bootInChromium(
      program,
      readLinuxFiles(LINUX_PACKAGES),
      LIMIT_MS,
    );
    if (!found.text.includes(WELCOME))
      throw new Error(`Linux in Chromium never reached its shell:\n${found.text.slice(-2000)}`);
    return [
      {
        bench: "linux-in-chromium",
        engine: "translator",
        mips: rounded(found.retired / bootSeconds / 1e6),
        seconds: rounded(seconds),
        unit: "instructions",
        value: found.retired,
        peer: `target: ${LINUX_IN_CHROMIUM_SECONDS} s`,
        ratio: rounded(LINUX_IN_CHROMIUM_SECONDS / seconds),
      },
    ];
  },
};
