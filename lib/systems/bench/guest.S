/*
 * A guest under a hypervisor of one handler: machine mode sets both up and enters VS-mode; each call of the guest goes to
 * HS-mode, which saves and restores 31 registers as hypervisors do, and goes back by SRET.
 */
#define PMP_NAPOT_RWX 0x1f
#define MSTATUS_MPP_CLEAR 0x1000
#define MSTATUS_MPP_S 0x0800
#define SSTATUS_SPP 0x100
#define HSTATUS_SPV 0x80
#define CAUSE_VS_ECALL_BIT 10
#define HSTATUS 0x600
#define HGATP 0x680
#define VSATP 0x280

    .macro all_but_sp, access
    .irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \access x\n, 8 * \n(sp)
    .endr
    .endm

    .text
    .globl in_guest
in_guest: /* a0 work, a1 argument, a2 vsatp, a3 hgatp */
    addi    sp, sp, -32
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    la      t0, machine_sp
    sd      sp, 0(t0)
    csrw    VSATP, a2
    csrw    HGATP, a3
    .word   0x62000073      /* hfence.gvma: binutils of this age know it only by number */
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, PMP_NAPOT_RWX
    csrw    pmpcfg0, t0
    li      t0, 1 << CAUSE_VS_ECALL_BIT
    csrw    medeleg, t0
    la      t0, back
    csrw    mtvec, t0
    la      t0, handler
    csrw    stvec, t0
    la      t0, frame_end
    csrw    sscratch, t0
    li      t0, MSTATUS_MPP_CLEAR
    csrc    mstatus, t0
    li      t0, MSTATUS_MPP_S
    csrs    mstatus, t0
    la      t0, in_hypervisor
    csrw    mepc, t0
    mret
/* Not from machine mode by mstatus.MPV: QEMU 10.0 ignores that bit in writes. */
in_hypervisor:
    li      t0, HSTATUS_SPV
    csrs    HSTATUS, t0
    li      t0, SSTATUS_SPP
    csrs    sstatus, t0
    la      t0, in_there
    csrw    sepc, t0
    sret
in_there:
    mv      s0, a0
    mv      a0, a1
    jalr    s0
    li      a7, -1
    ecall

    .balign 4
handler:
    csrrw   sp, sscratch, sp
    addi    sp, sp, -256
    all_but_sp sd
    li      t0, -1
    beq     a7, t0, finished
    slli    t1, a0, 5
    sub     t1, t1, a0
    add     t1, t1, a1
    sd      t1, 8 * 10(sp)
    csrr    t0, sepc
    addi    t0, t0, 4
    csrw    sepc, t0
    all_but_sp ld
    addi    sp, sp, 256
    csrrw   sp, sscratch, sp
    sret
finished:
    ecall

    .balign 4
back:
    la      t0, machine_sp
    ld      sp, 0(t0)
    ld      s0, 8(sp)
    ld      ra, 0(sp)
    addi    sp, sp, 32
    ret

/* a0 sum, a1 word: asks the hypervisor for sum * 31 + word. */
    .globl hypercall
hypercall:
    li      a7, 0
    ecall
    ret

    .bss
    .balign 16
machine_sp: .space 16
    .space 256
frame_end:
    .space 16
