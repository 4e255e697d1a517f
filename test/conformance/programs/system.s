# CSR instructions, fences, and the privileged instructions of the base.

.macro csr_case csr, before, after, insn:vararg
  case
  li a1, \before
  csrw \csr, a1
  li a0, 0x5a5a
  \insn
  csrr a3, \csr
  check a3, \after
.endm

program csrrw norm:csrrw_op
  li a2, 0x123456789
  csr_case mscratch, 0x987654321, 0x123456789, csrrw a0, mscratch, a2
  check a0, 0x987654321
  csr_case mscratch, 7, 0, csrrw a0, mscratch, zero
  traps ILLEGAL_INSTRUCTION, csrrw zero, cycle, zero # writes even so

program csrrs norm:csrrs_op norm:csrrs_csrrc_rs1_x0
  li a2, 0x0ff0
  csr_case mscratch, 0xff00, 0xfff0, csrrs a0, mscratch, a2
  check a0, 0xff00
  case
  csrrs a0, cycle, zero # does not write
  li a2, 0
  traps ILLEGAL_INSTRUCTION, csrrs zero, cycle, a2 # does

program csrrc norm:csrrc_op norm:csrrs_csrrc_rs1_x0
  li a2, 0x0ff0
  csr_case mscratch, 0xff00, 0xf000, csrrc a0, mscratch, a2
  check a0, 0xff00
  case
  csrrc a0, cycle, zero
  li a2, 0
  traps ILLEGAL_INSTRUCTION, csrrc zero, cycle, a2

program csrrwi norm:csrrwi_csrrsi_csrrci_ops
  csr_case mscratch, 0x987654321, 21, csrrwi a0, mscratch, 21
  check a0, 0x987654321
  traps ILLEGAL_INSTRUCTION, csrrwi zero, cycle, 0

program csrrsi norm:csrrwi_csrrsi_csrrci_ops norm:csrrsi_csrrci_uimm_zero
  csr_case mscratch, 0xff0a, 0xff1f, csrrsi a0, mscratch, 21
  check a0, 0xff0a
  case
  csrrsi a0, cycle, 0
  traps ILLEGAL_INSTRUCTION, csrrsi zero, cycle, 1

program csrrci norm:csrrwi_csrrsi_csrrci_ops norm:csrrsi_csrrci_uimm_zero
  csr_case mscratch, 0xff1f, 0xff0a, csrrci a0, mscratch, 21
  check a0, 0xff1f
  case
  csrrci a0, cycle, 0
  traps ILLEGAL_INSTRUCTION, csrrci zero, cycle, 1

# A store to code, and the fence that makes it seen.
program fence.i norm:fence_i_op
  case
  la a1, 1f
  lw a2, 2f
  li a0, 1
  jal t2, 1f
  check a0, 1
  sw a2, 0(a1)
  fence.i
  jal t2, 1f
  check a0, 42
  j 3f
1:
  nop
  jr t2
2:
  li a0, 42
3:

program mret norm:xret_op norm:xret_in_higher_mode
  open_memory
  case
  li t0, 0x88
  csrs mstatus, t0
  csrci mstatus, 8 # MPIE = 1, MIE = 0
  enter_by_mret U_MODE
  leave ECALL_FROM_U
  andi a0, s5, 0x88 # MIE came from MPIE and went back there
  check a0, 0x80
  srli a0, s5, 11
  andi a0, a0, 3
  check a0, 0
  csrci mstatus, 8
  enter_by_mret S_MODE
  traps ILLEGAL_INSTRUCTION, mret

program sret norm:xret_op norm:mstatus_tsr_op
  open_memory
  case
  li t0, 0x100 # SPP
  csrs mstatus, t0
  la t0, 1f
  csrw sepc, t0
  sret
  j fail
1:
  leave ECALL_FROM_S
  case
  li t0, 0x100
  csrc mstatus, t0
  la t0, 1f
  csrw sepc, t0
  enter_by_mret S_MODE
  sret
  j fail
1:
  leave ECALL_FROM_U
  enter_by_mret U_MODE
  traps ILLEGAL_INSTRUCTION, sret
  li t0, 1 << 22 # TSR
  csrs mstatus, t0
  enter_by_mret S_MODE
  traps ILLEGAL_INSTRUCTION, sret

# A pending interrupt that is enabled in mie ends the wait, though MIE is 0: no trap.
program wfi norm:wfi_op norm:mstatus_tw_op
  open_memory
  case
  li a1, 0x2000000 # hart 0's software interrupt
  li a0, 1
  sw a0, 0(a1)
  csrwi mie, 8
  wfi
  sw zero, 0(a1)
  csrwi mie, 0
  li t0, 1 << 21 # TW
  csrs mstatus, t0
  enter S_MODE
  traps ILLEGAL_INSTRUCTION, wfi

program sfence.vma norm:sfence_vma_op norm:mstatus_tvm_warl_op
  open_memory
  # One gigabyte page: 0x40000000 is where RAM is.
  li a1, PAGES
  li a2, (0x80000000 >> 12 << 10) | 0xcf
  sd a2, 8(a1) # virtual 0x40000000
  sd a2, 16(a1) # virtual 0x80000000: this code
  srli a3, a1, 12
  li t0, 8 << 60
  or a3, a3, t0
  csrw satp, a3
  li a1, PAGES
  la a5, scratch
  li a4, 0x40000000
  sub a4, a5, a4
  enter S_MODE
  sfence.vma
  case
  ld a0, 0(a4)
  check a0, 0x1111111111111111
  case
  sd zero, 8(a1)
  sfence.vma
  traps LOAD_PAGE_FAULT, ld a0, 0(a4)
  bne s3, a4, fail
  sd a2, 8(a1)
  enter S_MODE
  sfence.vma a4, zero
  case
  ld a0, 0(a4)
  check a0, 0x1111111111111111
  leave ECALL_FROM_S
  case # the code is not user mode's
  la s1, 1f
  enter U_MODE
  j fail
1:
  check s2, FETCH_PAGE_FAULT
  csrw satp, zero
  enter U_MODE
  traps ILLEGAL_INSTRUCTION, sfence.vma
  li t0, 1 << 20 # TVM
  csrs mstatus, t0
  enter S_MODE
  traps ILLEGAL_INSTRUCTION, sfence.vma

# Our own instruction, in custom-0: illegal where nobody registered a handler. So it is on every other machine.
program hx unpriv:custom-0
  traps ILLEGAL_INSTRUCTION, .insn i 0x0b, 0, x0, x0, 7
  check s3, 0x0070000b
  open_memory
  enter U_MODE
  traps ILLEGAL_INSTRUCTION, .insn i 0x0b, 0, x0, x0, 7
