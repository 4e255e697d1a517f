/** The board's numbers for C and assembly, made from the same tables that wire the board. */

import { RAM_BASE, VIRT_MAP } from "../board/memory-map.ts";
import { TICKS_PER_SECOND } from "../bus/clock.ts";
import { ClintOffset } from "../devices/clint.ts";
import { FinisherCommand } from "../devices/test-finisher.ts";

/** Macros of `board.h`, by name. Each fits a C `int` constant or is an unsigned address below 2^32. */
const MACROS = {
  RAM_BASE,
  UART_BASE: VIRT_MAP.uart.base,
  CLINT_MTIMECMP: VIRT_MAP.clint.base + ClintOffset.MTIMECMP,
  CLINT_MTIME: VIRT_MAP.clint.base + ClintOffset.MTIME,
  FINISHER_BASE: VIRT_MAP.testFinisher.base,
  FINISHER_PASS: FinisherCommand.PASS,
  FINISHER_FAIL: FinisherCommand.FAIL,
  TIMEBASE_HERTZ: TICKS_PER_SECOND,
} as const;

/** Text of `include/board.h`. */
export function boardHeader(): string {
  const lines = Object.entries(MACROS).map(([name, value]) => `#define ${name} 0x${value.toString(16)}`);
  return [
    "/* Generated from lib/board/memory-map.ts by `dom0 images build`. Change it there. */",
    "#ifndef BOARD_H",
    "#define BOARD_H",
    "",
    ...lines,
    "",
    "#endif",
    "",
  ].join("\n");
}
