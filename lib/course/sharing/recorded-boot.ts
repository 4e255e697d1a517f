/** A boot of the stock kernel with the reference's own parts, as `bootLinux` saw it. A test compares it with a new one. */
import type { BootFacts } from "./stock-linux.ts";

export const RECORDED_BOOT: BootFacts = {
  lines: [
    "[    0.000000] Linux version 6.12.107+deb13-riscv64 (debian-kernel@li\u2026",
    "[    0.000000] SBI specification v2.0 detected",
    "[    0.000000] SBI implementation ID=0x646f6d30 Version=0x1",
    "[    0.000004] sched_clock: 64 bits at 10MHz, resolution 100ns, wraps\u2026",
    "[    0.276646] Memory: 25144K/98304K available (10706K kernel code, 5\u2026",
    "[    1.586705] clocksource: Switched to clocksource riscv_clocksource",
    "[    5.787453] 10000000.serial: ttyS0 at MMIO 0x10000000 (irq = 12, b\u2026",
    "[   12.760722] Freeing unused kernel image (initmem) memory: 2684K",
    "[   12.779622] Run /init as init process",
    "init: hello from a stock Linux, in a virtual machine",
    "[   12.795899] reboot: Power down",
  ],
  ticks: 149000000,
  switches: 748,
  share: 75,
};
