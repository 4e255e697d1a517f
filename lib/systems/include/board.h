/* Generated from lib/board/memory-map.ts by `dom0 images build`. Change it there. */
#ifndef BOARD_H
#define BOARD_H

#define RAM_BASE 0x80000000
#define UART_BASE 0x10000000
#define CLINT_MTIMECMP 0x2004000
#define CLINT_MTIME 0x200bff8
#define FINISHER_BASE 0x100000
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333
#define TIMEBASE_HERTZ 0x989680

#endif
