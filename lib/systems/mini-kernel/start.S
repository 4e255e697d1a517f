/*
 * Everything that C cannot say: the first instructions after reset, machine mode (which does no more than pass the
 * timer on), and the way in and out of the supervisor.
 *
 * Machine mode, once:  close its own pages with PMP, open the rest, delegate, drop to supervisor mode.
 * Machine mode, later: CLINT timer interrupt -> supervisor timer interrupt; "ecall" from the kernel -> set the timer.
 */
#include "board.h"
#include "layout.h"

#define PMP_NAPOT 0x18
#define PMP_RWX 0x07

#define MSTATUS_MPP_MASK 0x1800
#define MSTATUS_MPP_S 0x0800
#define SSTATUS_SPIE 0x20
#define SSTATUS_SPP 0x100
#define IRQ_STI 0x20 /* bit of the supervisor timer in mip, mie, mideleg */
#define IRQ_MTI 0x80 /* bit of the machine timer */
#define CAUSE_ECALL_FROM_S 9

/* Exceptions that the supervisor handles: all but its own calls to machine mode. */
#define DELEGATED 0xb1ff

    .section .machine.text, "ax"
    .globl machine_start
machine_start: /* a0 = hart, a1 = device tree */
    bnez    a0, park

    /* PMP entry 0: machine mode's pages, no permission below M. Entry 1: everything else, all permissions.
       The lowest matching entry decides. Without entry 1 not even an mret to S-mode would find an instruction. */
    la      t0, machine_start
    srli    t0, t0, 2
    ori     t0, t0, (MACHINE_BYTES / 8) - 1
    csrw    pmpaddr0, t0
    li      t0, -1
    csrw    pmpaddr1, t0
    li      t0, ((PMP_NAPOT | PMP_RWX) << 8) | PMP_NAPOT
    csrw    pmpcfg0, t0

    li      t0, DELEGATED
    csrw    medeleg, t0
    li      t0, IRQ_STI
    csrw    mideleg, t0
    csrw    mie, t0
    la      t0, machine_trap
    csrw    mtvec, t0
    la      t0, machine_saved
    csrw    mscratch, t0

    li      t0, MSTATUS_MPP_MASK
    csrc    mstatus, t0
    li      t0, MSTATUS_MPP_S
    csrs    mstatus, t0
    la      t0, supervisor_trap
    csrw    stvec, t0
    csrw    sscratch, zero
    csrw    satp, zero
    la      sp, kernel_stack_top
    la      t0, kernel_main
    csrw    mepc, t0
    mret    /* to kernel_main(hart, device tree) in S-mode */

park:
    wfi
    j       park

    .balign 4
machine_trap:
    csrrw   sp, mscratch, sp
    sd      t0, 0(sp)
    sd      t1, 8(sp)
    csrr    t0, mcause
    bltz    t0, machine_timer
    li      t1, CAUSE_ECALL_FROM_S
    bne     t0, t1, machine_panic

    /* timer_in(a0): next timer interrupt a0 ticks from now, and none until then */
    li      t0, CLINT_MTIME
    ld      t0, 0(t0)
    add     t0, t0, a0
    li      t1, CLINT_MTIMECMP
    sd      t0, 0(t1)
    li      t0, IRQ_STI
    csrc    mip, t0
    li      t0, IRQ_MTI
    csrs    mie, t0
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    j       machine_return

machine_timer: /* the only interrupt that machine mode takes */
    li      t0, IRQ_MTI
    csrc    mie, t0
    li      t0, IRQ_STI
    csrs    mip, t0

machine_return:
    ld      t0, 0(sp)
    ld      t1, 8(sp)
    csrrw   sp, mscratch, sp
    mret

machine_panic: /* nobody is left to tell but the finisher: exit code = mcause */
    slli    t0, t0, 16
    li      t1, FINISHER_FAIL
    or      t0, t0, t1
    li      t1, FINISHER_BASE
    sw      t0, 0(t1)
    j       park

    .section .machine.data, "aw"
    .balign 8
machine_saved:
    .zero   16

    .section .text
/* void timer_in(ticks): the kernel's one call to machine mode */
    .globl timer_in
timer_in:
    ecall
    ret

/*
 * All traps to S-mode. sscratch points to the running process's frame while in U-mode, and is zero while in the kernel.
 */
    .balign 4
supervisor_trap:
    csrrw   a0, sscratch, a0
    beqz    a0, kernel_trap
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd      x\n, FRAME_X(\n)(a0)
    .endr
    csrrw   t0, sscratch, zero
    sd      t0, FRAME_X(10)(a0)
    csrr    t0, sepc
    sd      t0, FRAME_PC(a0)
    csrr    a1, scause
    csrr    a2, stval
    la      sp, kernel_stack_top
    call    handle_trap /* returns the frame to go on with */

/* void resume(frame): into U-mode */
    .globl resume
resume:
    csrw    sscratch, a0
    ld      t0, FRAME_PC(a0)
    csrw    sepc, t0
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    li      t0, SSTATUS_SPIE
    csrs    sstatus, t0
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      x\n, FRAME_X(\n)(a0)
    .endr
    ld      a0, FRAME_X(10)(a0)
    sret

kernel_trap: /* the kernel keeps interrupts off, so this is a bug of its own */
    la      sp, kernel_stack_top
    la      a0, kernel_trap_text
    tail    panic

    .section .rodata
kernel_trap_text:
    .string "exception in the kernel"

    .section .bss
    .balign 16
    .zero   KERNEL_STACK_BYTES
kernel_stack_top:
