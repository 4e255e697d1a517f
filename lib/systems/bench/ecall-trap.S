/* User mode asks for its sum to be added to; the handler saves and restores 31 registers, as kernels do. */
#define PMP_NAPOT_RWX 0x1f
#define MSTATUS_MPP 0x1800

    .macro save_all, store
    .irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \store x\n, 8 * \n(sp)
    .endr
    .endm

    .text
    .globl in_user_mode
in_user_mode:
    addi    sp, sp, -32
    sd      ra, 0(sp)
    la      t0, machine_sp
    sd      sp, 0(t0)
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, PMP_NAPOT_RWX
    csrw    pmpcfg0, t0
    la      t0, frame_end
    csrw    mscratch, t0
    la      t0, trap
    csrw    mtvec, t0
    li      t0, MSTATUS_MPP
    csrc    mstatus, t0
    la      t0, user_loop
    csrw    mepc, t0
    li      a1, 0
    mret

user_loop: /* a0 rounds, a1 sum */
    mv      a2, a0
    ecall
    addi    a0, a0, -1
    bnez    a0, user_loop
    li      a2, -1
    ecall
    j       user_loop

    .balign 4
trap:
    csrrw   sp, mscratch, sp
    addi    sp, sp, -256
    save_all sd
    li      t0, -1
    beq     a2, t0, finished
    slli    t1, a1, 5
    sub     t1, t1, a1
    add     t1, t1, a2
    sd      t1, 8 * 11(sp)
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0
    save_all ld
    addi    sp, sp, 256
    csrrw   sp, mscratch, sp
    mret

finished:
    mv      a0, a1
    la      t0, machine_sp
    ld      sp, 0(t0)
    ld      ra, 0(sp)
    addi    sp, sp, 32
    ret

    .bss
    .balign 16
machine_sp: .space 16
    .space 256
frame_end:
    .space 16
