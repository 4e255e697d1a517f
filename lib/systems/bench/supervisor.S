/* A call into supervisor mode: mret there, ecall back. */
#define PMP_NAPOT_RWX 0x1f
#define MSTATUS_MPP_CLEAR 0x1000
#define MSTATUS_MPP_S 0x0800

    .text
    .globl in_supervisor_mode
in_supervisor_mode: /* a0 work, a1 argument */
    addi    sp, sp, -32
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, PMP_NAPOT_RWX
    csrw    pmpcfg0, t0
    la      t0, back
    csrw    mtvec, t0
    li      t0, MSTATUS_MPP_CLEAR
    csrc    mstatus, t0
    li      t0, MSTATUS_MPP_S
    csrs    mstatus, t0
    la      t0, in_there
    csrw    mepc, t0
    mret
in_there:
    mv      s0, a0
    mv      a0, a1
    jalr    s0
    ecall
    .balign 4
back:
    ld      s0, 8(sp)
    ld      ra, 0(sp)
    addi    sp, sp, 32
    ret
