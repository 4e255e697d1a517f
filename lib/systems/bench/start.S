/* Hart 0 calls run(bench_rounds) in machine mode, with floating point on, leaves the word in bench_result, and switches off. */
#include "board.h"

#define MSTATUS_FS_INITIAL 0x2000

    .section .text.start, "ax"
    .globl bench_start
bench_start:
    csrr    t0, mhartid
    bnez    t0, park
    li      t0, MSTATUS_FS_INITIAL
    csrs    mstatus, t0
    la      sp, stack_top
    la      t0, bench_rounds
    ld      a0, 0(t0)
    call    run
    la      t0, bench_result
    sd      a0, 0(t0)
    call    print_result
    li      t0, FINISHER_BASE
    li      t1, FINISHER_PASS
    sw      t1, 0(t0)
park:
    wfi
    j       park

    .data
    .balign 8
    .globl bench_rounds, bench_result
    .type bench_rounds, @object
    .size bench_rounds, 8
bench_rounds: .dword 1
    .type bench_result, @object
    .size bench_result, 8
bench_result: .dword 0
    .bss
    .balign 16
    .space 16384
stack_top:
