/*
 * What C, assembly and user programs agree on. Numbers of the board are in board.h, which is generated.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define PAGE_SIZE 4096

/* Machine mode keeps the first two pages of RAM, one of code and one of data; PMP closes them to everybody else. */
#define MACHINE_BYTES (2 * PAGE_SIZE)

/* Virtual addresses of a process. The kernel has the same addresses in every process, out of reach of U-mode. */
#define USER_BASE 0x40000000
#define USER_STACK_TOP 0x50000000

#define KERNEL_STACK_BYTES (2 * PAGE_SIZE)
#define HEAP_BYTES (128 * PAGE_SIZE)
#define PROCESS_COUNT 5

/* One timer interrupt every 2 ms. */
#define TICK_LENGTH (TIMEBASE_HERTZ / 500)

/* System calls: number in a7, arguments in a0 and a1, result in a0. */
#define SYS_WRITE 1 /* write(text, length): bytes written, or -1 */
#define SYS_TICKS 2 /* ticks(): timer interrupts since the kernel started */
#define SYS_YIELD 3 /* yield(): let the next process run */
#define SYS_EXIT 4  /* exit(code): never returns */

/* Offsets into struct frame: x1 is first, the program counter stands where x0 would. */
#define FRAME_PC 0
#define FRAME_X(n) (8 * (n))

#endif
