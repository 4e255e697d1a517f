# What every program of this folder begins with. One program tests one instruction or one rule family by itself and tells
# its verdict twice: as the riscv-tests do, in `tohost` (1: passed; else twice the number of the failed case, plus one), and
# by the test finisher of QEMU's `virt` board, so that QEMU's exit status says the same.
#
# Registers: gp = number of the case that runs. s1 = where a trap goes on; 0: no trap is expected. After a trap s2 = mcause,
# s3 = mtval, s4 = mepc, s5 = mstatus. s11 = where `sign` writes next. t4 to t6 belong to the macros.
#
# Every single instruction may be broken when such a program runs, so no broken one may lead to a pass: the passing
# path is reached by one jump and stores a 1 that is made right there, and what stands before it is no instruction.

.option norvc
.option norelax
.equ FINISHER, 0x100000
.equ FS_DIRTY, 0x6000
# RAM that is zero at first and holds nothing of the program: for page tables.
.equ PAGES, 0x80100000

# Conditions and causes.
.equ ILLEGAL_INSTRUCTION, 2
.equ BREAKPOINT, 3
.equ ECALL_FROM_U, 8
.equ ECALL_FROM_S, 9
.equ ECALL_FROM_VS, 10
.equ ECALL_FROM_M, 11
.equ FETCH_PAGE_FAULT, 12
.equ LOAD_PAGE_FAULT, 13
.equ STORE_PAGE_FAULT, 15
.equ FETCH_GUEST_PAGE_FAULT, 20
.equ LOAD_GUEST_PAGE_FAULT, 21
.equ VIRTUAL_INSTRUCTION, 22
.equ STORE_GUEST_PAGE_FAULT, 23

# Flags of fcsr.
.equ NX, 1
.equ UF, 2
.equ OF, 4
.equ DZ, 8
.equ NV, 16

.set case_number, 1

# Begins the next case; the first is number 2.
.macro case
  .set case_number, case_number + 1
  li gp, case_number
.endm

.macro check reg, value
  li t6, \value
  bne \reg, t6, fail
.endm

# Writes a register to the signature.
.macro sign reg
  sd \reg, 0(s11)
  addi s11, s11, 8
.endm

# rd = insn(rs1, rs2)
.macro rr insn, a, b, result
  case
  li a1, \a
  li a2, \b
  li a0, 0x5a5a
  \insn a0, a1, a2
  check a0, \result
.endm

# rd = insn(rs1, immediate)
.macro ri insn, a, immediate, result
  case
  li a1, \a
  li a0, 0x5a5a
  \insn a0, a1, \immediate
  check a0, \result
.endm

# rd = insn(rs1), for instructions without a second operand
.macro unary insn, a, result
  case
  li a1, \a
  li a0, 0x5a5a
  \insn a0, a1
  check a0, \result
.endm

# A conditional branch that must be taken, forwards and backwards; one that must not.
.macro taken insn, a, b
  case
  li a1, \a
  li a2, \b
  \insn a1, a2, 1f
  j fail
1:
  j 3f
2:
  j 4f
  j fail
3:
  \insn a1, a2, 2b
  j fail
4:
.endm
.macro not_taken insn, a, b
  case
  li a1, \a
  li a2, \b
  li a3, 0
  \insn a1, a2, 1f
  li a3, 1
1:
  li t6, 1
  beq a3, t6, 2f
  j fail
2:
.endm

# The instruction must trap, with this cause.
.macro traps cause, insn:vararg
  case
  la s1, 1f
  \insn
  j fail
1:
  check s2, \cause
.endm

# Everything is open to every mode below M: one PMP region over all of memory.
.macro open_memory
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
.endm

# Goes on in another mode behind this line. `virtual` 1: with V=1. Memory must be open. By way of SRET, because not every
# machine lets M-mode write MPV; SPV is 0 unless a guest trapped to HS-mode.
.equ U_MODE, 0
.equ S_MODE, 1
.macro enter mode, virtual=0
  li t0, 1 << 8
  .if \mode
  csrs mstatus, t0
  .else
  csrc mstatus, t0
  .endif
  .if \virtual
  li t0, 1 << 7
  csrs hstatus, t0
  .endif
  la t0, 90f
  csrw sepc, t0
  sret
  j fail
90:
.endm
# The same by way of MRET, to modes without a guest.
.macro enter_by_mret mode
  li t0, 0x1800
  csrc mstatus, t0
  .if \mode
  li t0, \mode << 11
  csrs mstatus, t0
  .endif
  la t0, 90f
  csrw mepc, t0
  mret
  j fail
90:
.endm

# Back to M-mode: the environment call of the present mode.
.macro leave cause
  la s1, 1f
  ecall
  j fail
1:
  check s2, \cause
.endm

.section .text
.globl _start
_start:
  la t0, trap
  csrw mtvec, t0
  li t0, FS_DIRTY
  csrs mstatus, t0
  li gp, 1
  li s1, 0
  la s11, begin_signature
  j program
  .word 0

  .balign 4
trap:
  csrr s2, mcause
  csrr s3, mtval
  csrr s4, mepc
  csrr s5, mstatus
  beqz s1, fail
  mv t5, s1
  li s1, 0
  jr t5
  .word 0

fail:
  add a0, gp, gp
  addi a0, a0, 1
  li t0, 1
  bne a0, t0, 1f
  li a0, -1
1:
  la t0, tohost
  sd a0, 0(t0)
  li t0, FINISHER
  slli t1, gp, 16 # QEMU's exit status: the number of the case
  li t2, 0x3333
  or t1, t1, t2
  sw t1, 0(t0)
2:
  j 2b
  .word 0

pass:
  li a0, 1
  la t0, tohost
  sd a0, 0(t0)
  li t0, FINISHER
  li t1, 0x5555
  sw t1, 0(t0)
2:
  j 2b
  .word 0

.data
.balign 8
.globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0
scratch:
  .rept 16
  .dword 0x1111111111111111
  .endr

.text
program:
