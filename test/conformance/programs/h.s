# H: the hypervisor extension; one program for each instruction and for each family of rules. Expected values: the privileged
# manual, "H Extension for Hypervisor Support"; each program's line names its rules.

.equ HSTATUS_GVA, 1 << 6
.equ HSTATUS_SPV, 1 << 7
.equ HSTATUS_SPVP, 1 << 8
.equ HSTATUS_HU, 1 << 9
.equ HSTATUS_VTVM, 1 << 20
.equ HSTATUS_VTW, 1 << 21
.equ HSTATUS_VTSR, 1 << 22
.equ MSTATUS_GVA, 1 << 38
.equ MSTATUS_MPV, 1 << 39
.equ SUM, 1 << 18
.equ MXR, 1 << 19
.equ TVM, 1 << 20
.equ SPP, 1 << 8
.equ MODE_SV39, 8 << 60
.equ ADUE, 1 << 61

# PTE flags: V R W X U A D.
.equ LEAF, 0xcf
.equ USER_LEAF, 0xdf

# Two tables of 1 GiB pages. Guest-virtual 0x40000000 is guest-physical 0x40000000 is physical 0x80000000, so what the
# program calls X the guest finds at X - 0x40000000. The program's own addresses are mapped to themselves.
.equ G_TABLE, PAGES
.equ VS_TABLE, PAGES + 0x4000
.equ OFFSET, 0x40000000
.equ READ_ONLY_WINDOW, 0x80000000 # guest-virtual 0xc0000000: like 0x40000000, but not executable
.equ EXECUTE_WINDOW, 0xc0000000 # guest-virtual 0x100000000: executable only
.equ USER_WINDOW, 0x100000000 # guest-virtual 0x140000000: user mode's
.macro pte table, index, address, flags
  li t0, (\address >> 12 << 10) | \flags
  li t1, \table + 8 * \index
  sd t0, 0(t1)
.endm
.macro guest_memory
  open_memory
  pte G_TABLE, 1, 0x80000000, USER_LEAF
  pte G_TABLE, 2, 0x80000000, USER_LEAF
  pte VS_TABLE, 1, 0x40000000, LEAF
  pte VS_TABLE, 2, 0x80000000, LEAF
  pte VS_TABLE, 3, 0x40000000, 0xc7
  pte VS_TABLE, 4, 0x40000000, 0xc9
  pte VS_TABLE, 5, 0x40000000, USER_LEAF
  li t0, MODE_SV39 | (G_TABLE >> 12)
  csrw hgatp, t0
  li t0, MODE_SV39 | (VS_TABLE >> 12)
  csrw vsatp, t0
  hfence.gvma
  hfence.vvma
  li t0, HSTATUS_SPVP
  csrs hstatus, t0
.endm
.macro guest_address register, offset=-OFFSET
  la \register, scratch
  li t0, \offset
  add \register, \register, t0
.endm
.macro pattern
  la t0, scratch
  li t1, 0x0123456789abcdef
  sd t1, 0(t0)
.endm

# The rights to execute: a guest has none, user mode none without HU.
# The program's own code is not the guest's user mode's, so its first stage is off for a while.
.macro refused insn:vararg
  csrrw a6, vsatp, zero
  hfence.vvma
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, \insn
  enter U_MODE, 1
  traps VIRTUAL_INSTRUCTION, \insn
  enter U_MODE
  traps ILLEGAL_INSTRUCTION, \insn
  csrw vsatp, a6
  hfence.vvma
.endm

.macro hlv_case insn, offset, result
  case
  guest_address a1
  addi a1, a1, \offset
  li a0, 0x5a5a
  \insn a0, (a1)
  check a0, \result
.endm
# What is readable but not executable, and the other way round.
.macro hlv_rights insn, readable, executable
  guest_address a1, READ_ONLY_WINDOW - 0x80000000 + 0x40000000
  guest_address a2, EXECUTE_WINDOW - 0x80000000 + 0x40000000
  guest_address a3, USER_WINDOW - 0x80000000 + 0x40000000
  .if \readable
  case
  \insn a0, (a1)
  traps LOAD_PAGE_FAULT, \insn a0, (a2)
  .else
  case
  \insn a0, (a2)
  traps LOAD_PAGE_FAULT, \insn a0, (a1)
  .endif
  # SPVP = 0: with the rights of the guest's user mode
  traps LOAD_PAGE_FAULT, \insn a0, (a3)
  li t0, HSTATUS_SPVP
  csrc hstatus, t0
  case
  \insn a0, (a3)
  refused \insn a0, (a3)
  li t0, HSTATUS_HU
  csrs hstatus, t0
  enter U_MODE
  case
  \insn a0, (a3)
  leave ECALL_FROM_U
.endm

.macro hsv_case insn, offset, result
  guest_memory
  case
  guest_address a1
  li a2, 0x0123456789abcdef
  addi a1, a1, \offset
  \insn a2, (a1)
  la a3, scratch
  ld a0, 0(a3)
  check a0, \result
  ld a0, 8(a3)
  check a0, 0x1111111111111111
  guest_address a1, EXECUTE_WINDOW - 0x80000000 + 0x40000000
  traps STORE_PAGE_FAULT, \insn a2, (a1)
  guest_address a1
  refused \insn a2, (a1)
.endm

.macro swap_case own, twin
  case
  li a1, 0x14
  csrw \own, a1
  csrw \twin, zero
  enter S_MODE, 1
  li a2, 0x18
  csrw \own, a2
  leave ECALL_FROM_VS
  csrr a0, \twin
  check a0, 0x18
  csrr a0, \own
  check a0, 0x14
.endm

# Nothing is mapped at the guest-physical address: mtval2 has it, divided by four; GVA says that mtval is the guest's.
.macro guest_fault_facts
  guest_address a3
  bne s3, a3, fail
  csrr a0, 0x34b # mtval2
  srli a3, a3, 2
  bne a0, a3, fail
  srli a0, s5, 38
  andi a0, a0, 1
  check a0, 1
.endm

program hlv.b norm:hlsv_op norm:hlsv_mode norm:hlsv_priv
  guest_memory
  pattern
  hlv_case hlv.b, 0, -17
  hlv_case hlv.b, 4, 0x67
  hlv_rights hlv.b, 1, 0
program hlv.bu norm:hlsv_u_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.bu, 0, 0xef
  hlv_case hlv.bu, 4, 0x67
  hlv_rights hlv.bu, 1, 0
program hlv.h norm:hlsv_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.h, 0, 0xffffffffffffcdef
  hlv_case hlv.h, 4, 0x4567
  hlv_rights hlv.h, 1, 0
program hlv.hu norm:hlsv_u_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.hu, 0, 0xcdef
  hlv_case hlv.hu, 4, 0x4567
  hlv_rights hlv.hu, 1, 0
program hlvx.hu norm:hlsv_u_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlvx.hu, 0, 0xcdef
  hlv_case hlvx.hu, 4, 0x4567
  hlv_rights hlvx.hu, 0, 1
program hlv.w norm:hlsv_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.w, 0, 0xffffffff89abcdef
  hlv_case hlv.w, 4, 0x01234567
  hlv_rights hlv.w, 1, 0
program hlv.wu norm:hlsv_u_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.wu, 0, 0x89abcdef
  hlv_case hlv.wu, 4, 0x01234567
  hlv_rights hlv.wu, 1, 0
program hlvx.wu norm:hlsv_u_op norm:hlvx-wu_valid32
  guest_memory
  pattern
  hlv_case hlvx.wu, 0, 0x89abcdef
  hlv_case hlvx.wu, 4, 0x01234567
  hlv_rights hlvx.wu, 0, 1
program hlv.d norm:hlsv_op norm:hlsv_mode
  guest_memory
  pattern
  hlv_case hlv.d, 0, 0x0123456789abcdef
  hlv_case hlv.d, 8, 0x1111111111111111
  hlv_rights hlv.d, 1, 0

program hsv.b norm:hlsv_op norm:hlsv_mode
  hsv_case hsv.b, 1, 0x111111111111ef11
program hsv.h norm:hlsv_op norm:hlsv_mode
  hsv_case hsv.h, 2, 0x11111111cdef1111
program hsv.w norm:hlsv_op norm:hlsv_mode
  hsv_case hsv.w, 4, 0x89abcdef11111111
program hsv.d norm:hlsv_op norm:hlsv_mode
  hsv_case hsv.d, 0, 0x0123456789abcdef

# The guest's own stage changes; with the fence the next access sees it.
program hfence.vvma norm:hfence-vvma_hfence-gvma_op norm:hfence-vvma_hfence-gvma_exceptions norm:hfence-vvma_tvm
  guest_memory
  guest_address a1
  case
  hlv.d a0, (a1)
  check a0, 0x1111111111111111
  li t1, VS_TABLE + 8
  sd zero, 0(t1)
  hfence.vvma
  traps LOAD_PAGE_FAULT, hlv.d a0, (a1)
  pte VS_TABLE, 1, 0x40000000, LEAF
  hfence.vvma a1, zero
  case
  hlv.d a0, (a1)
  check a0, 0x1111111111111111
  csrw vsatp, zero
  csrw hgatp, zero
  hfence.gvma
  refused hfence.vvma
  li t0, TVM
  csrs mstatus, t0
  enter S_MODE
  case
  hfence.vvma
  leave ECALL_FROM_S

program hfence.gvma norm:hfence-gvma_op norm:hfence-vvma_hfence-gvma_exceptions norm:mstatus_tvm_hs
  guest_memory
  guest_address a1
  case
  hlv.d a0, (a1)
  check a0, 0x1111111111111111
  li t1, G_TABLE + 8
  sd zero, 0(t1)
  hfence.gvma
  traps LOAD_GUEST_PAGE_FAULT, hlv.d a0, (a1)
  pte G_TABLE, 1, 0x80000000, USER_LEAF
  srli a2, a1, 2
  hfence.gvma a2, zero
  case
  hlv.d a0, (a1)
  check a0, 0x1111111111111111
  csrw vsatp, zero
  csrw hgatp, zero
  hfence.gvma
  refused hfence.gvma
  enter S_MODE
  case
  hfence.gvma
  leave ECALL_FROM_S
  li t0, TVM
  csrs mstatus, t0
  enter S_MODE
  traps ILLEGAL_INSTRUCTION, hfence.gvma

program h-misa norm:misa_h_op
  case
  csrr a0, misa
  srli a0, a0, 7
  andi a0, a0, 1
  check a0, 1

program h-hstatus norm:hstatus_sz_acc_op norm:hstatus_vsxl_64 norm:hstatus_vtsr_op norm:hstatus_vtw_op norm:hstatus_vtvm_op norm:hstatus_hu_op norm:hstatus_spvp_op norm:hstatus_spv_op norm:hstatus_gva_op
  .irp bit, 6, 7, 8, 9, 20, 21, 22
  case
  li a1, 1 << \bit
  csrs hstatus, a1
  csrr a0, hstatus
  and a0, a0, a1
  bne a0, a1, fail
  csrc hstatus, a1
  csrr a0, hstatus
  and a0, a0, a1
  bnez a0, fail
  .endr
  case # the guest's XLEN is 64
  csrr a0, hstatus
  srli a0, a0, 32
  andi a0, a0, 3
  check a0, 2
  open_memory
  enter S_MODE
  case
  csrr a0, hstatus
  leave ECALL_FROM_S
  enter U_MODE
  traps ILLEGAL_INSTRUCTION, csrr a0, hstatus
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, hstatus

program h-csr-access norm:H_vscsrs_acc_m_hs norm:H_vscsrs_acc_vs norm:H_vscsrs_acc_u norm:H_virtinst_vu_vs_nonhigh_allowedhs_tvm0 norm:H_virtinst_vu_nonhigh_supervisor_allowedhs_tvm0
  open_memory
  .irp csr, hedeleg, hideleg, hie, hip, hvip, hcounteren, htimedelta, henvcfg, htval, htinst, hgatp, vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsip, vsatp
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, \csr
  enter U_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, \csr
  enter S_MODE
  case
  csrr a0, \csr
  leave ECALL_FROM_S
  .endr
  # VU-mode and the supervisor's registers; VS-mode and machine mode's
  .irp csr, sstatus, sie, stvec, sscratch, sepc, scause, stval, sip, satp
  enter U_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, \csr
  enter U_MODE
  traps ILLEGAL_INSTRUCTION, csrr a0, \csr
  .endr
  .irp csr, mstatus, mtval2, mtinst
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, csrr a0, \csr
  enter S_MODE
  traps ILLEGAL_INSTRUCTION, csrr a0, \csr
  .endr

program h-vs-registers norm:H_vscsrs_sub norm:H_vscsrs_v1 norm:H_vscsrs_v0 norm:vsscratch_sz_acc_op norm:vsepc_warl norm:vstval_sz_acc_op norm:vstvec_sz_acc_op
  open_memory
  # Each supervisor register of the guest is the vs register of its hypervisor, and not the hypervisor's own.
  .irp pair, "sscratch, vsscratch", "stval, vstval", "stvec, vstvec", "scause, vscause"
  swap_case \pair
  .endr
  case # sepc, which the way to the guest uses
  enter S_MODE, 1
  li a2, 0x18
  csrw sepc, a2
  leave ECALL_FROM_VS
  csrr a0, vsepc
  check a0, 0x18
  csrr a0, sepc
  beq a0, a2, fail
  case # sstatus: SUM
  li a1, SUM
  csrc sstatus, a1
  enter S_MODE, 1
  li a1, SUM
  csrs sstatus, a1
  leave ECALL_FROM_VS
  csrr a0, vsstatus
  and a0, a0, a1
  bne a0, a1, fail
  csrr a0, sstatus
  and a0, a0, a1
  bnez a0, fail

program h-trap-to-m norm:mstatus_modes norm:mstatus_mpv_op norm:H_cause_ecall norm:mstatus_gva_op norm:mret_h
  open_memory
  enter S_MODE, 1
  leave ECALL_FROM_VS
  srli a0, s5, 39
  andi a0, a0, 1
  check a0, 1
  srli a0, s5, 11
  andi a0, a0, 3
  check a0, 1
  enter U_MODE, 1
  leave ECALL_FROM_U
  srli a0, s5, 39
  andi a0, a0, 1
  check a0, 1
  enter S_MODE
  leave ECALL_FROM_S
  srli a0, s5, 39
  andi a0, a0, 1
  check a0, 0

# QEMU 10.0 lets nobody write MPV.
program h-mpv norm:mstatus_mpv_op norm:mret_h
  open_memory
  case
  li t0, 0x1800
  csrc mstatus, t0
  li t0, MSTATUS_MPV | (S_MODE << 11)
  csrs mstatus, t0
  la t0, 1f
  csrw mepc, t0
  mret
  j fail
1:
  traps VIRTUAL_INSTRUCTION, csrr a0, hstatus
  case # MPV without effect when MPP is M: V stays 0, mscratch can be read
  li t0, 0x1800
  csrs mstatus, t0
  li t0, MSTATUS_MPV
  csrs mstatus, t0
  la t0, 1f
  csrw mepc, t0
  mret
  j fail
1:
  csrr a0, mscratch

# A trap of the guest goes to HS-mode when medeleg says so, to VS-mode when hedeleg says so too.
program h-delegation norm:H_trap_deleg norm:H_trap_hs_csrwrites norm:H_trap_vs_csrwrites norm:hedeleg_op norm:hstatus_spv_op norm:hstatus_spvp_op
  open_memory
  li t0, 1 << BREAKPOINT
  csrw medeleg, t0
  csrw hedeleg, zero
  la t0, supervisor
  csrw stvec, t0
  csrw vstvec, t0
  case # to HS
  la a5, 1f
  enter S_MODE, 1
90:
  ebreak
  j fail
1: # HS-mode: hstatus can be read
  csrr a0, hstatus
  andi a1, a0, HSTATUS_SPV | 0x100
  check a1, HSTATUS_SPV | HSTATUS_SPVP
  csrr a0, scause
  check a0, BREAKPOINT
  csrr a0, sstatus
  andi a0, a0, SPP
  check a0, SPP
  csrr a0, sepc
  la t0, 90b
  bne a0, t0, fail
  leave ECALL_FROM_S
  case # to VS
  li t0, 1 << BREAKPOINT
  csrw hedeleg, t0
  csrw scause, zero
  la a5, 1f
  enter S_MODE, 1
  ebreak
  j fail
1: # VS-mode: scause is vscause, and hstatus is forbidden
  csrr a0, scause
  check a0, BREAKPOINT
  traps VIRTUAL_INSTRUCTION, csrr a0, hstatus
  csrr a0, vscause
  check a0, BREAKPOINT
  csrr a0, scause
  check a0, 0
  j pass
  .balign 4
supervisor:
  jr a5

program h-hedeleg norm:hedeleg_acc norm:hedeleg_sz_acc norm:hideleg_acc norm:mideleg_hroz
  case # calls from VS and HS, and guest-page faults, are never the guest's
  li t0, -1
  csrw hedeleg, t0
  csrr a0, hedeleg
  li a1, (1 << 9) | (1 << 10) | (1 << 11) | (1 << 20) | (1 << 21) | (1 << 22) | (1 << 23)
  and a0, a0, a1
  check a0, 0
  csrr a0, hedeleg
  andi a0, a0, 0x108
  check a0, 0x108
  case
  csrw hideleg, t0
  csrr a0, hideleg
  li a1, 0x1666 # interrupts 1, 5, 9 and 12 are no VS-level interrupts
  and a0, a0, a1
  check a0, 0x444
  case
  csrw mideleg, zero
  csrr a0, mideleg
  andi a0, a0, 0x444
  check a0, 0x444

program h-hvip norm:hvip_sz_op norm:hip_op norm:hip_vssip_vssie_op norm:mip_mie_vs norm:hideleg_trans norm:vsip_vsie_ssi
  open_memory
  case
  li t0, -1
  csrw hvip, t0
  csrr a0, hvip
  li a1, 0x1666
  and a0, a0, a1
  check a0, 0x444
  csrr a0, mip
  andi a0, a0, 0x444
  check a0, 0x444
  csrr a0, hip
  andi a0, a0, 0x444
  check a0, 0x444
  case # vsip shows what is delegated, one place lower
  csrw hideleg, zero
  csrr a0, vsip
  check a0, 0
  li t0, 0x444
  csrw hideleg, t0
  csrr a0, vsip
  check a0, 0x222
  case # the guest takes it with the supervisor's number
  li t0, 4
  csrw hvip, t0
  la t0, supervisor
  csrw vstvec, t0
  csrw stvec, t0
  li t0, 0x444
  csrw hie, t0
  csrr a0, vsie
  check a0, 0x222
  li t0, 2
  csrs vsstatus, t0 # SIE
  la a5, 1f
  enter S_MODE, 1
  j fail
1:
  csrr a0, scause
  slli a0, a0, 1
  check a0, 2 << 0
  traps VIRTUAL_INSTRUCTION, csrr a0, hstatus
  csrr a0, vscause
  li a1, 0x8000000000000001
  bne a0, a1, fail
  case # not delegated: HS takes it with its own number
  csrw hideleg, zero
  la a5, 1f
  enter S_MODE, 1
  j fail
1:
  csrr a0, scause
  li a1, 0x8000000000000002
  bne a0, a1, fail
  csrr a0, hstatus
  andi a0, a0, HSTATUS_SPV
  check a0, HSTATUS_SPV
  leave ECALL_FROM_S
  j pass
  .balign 4
supervisor:
  jr a5

program h-hie norm:hie_acc norm:mip_mie_alias norm:hip_hie_sz_acc norm:vsip_vsie_sz_acc_op norm:sie_hip_hie_mutex
  case # hie and mie are one
  li t0, 0x444
  csrw hie, t0
  csrr a0, mie
  andi a0, a0, 0x444
  check a0, 0x444
  li t0, 0x404
  csrc mie, t0
  csrr a0, hie
  andi a0, a0, 0x444
  check a0, 0x40
  case # and no bit of sie
  csrr a0, sie
  check a0, 0
  li t0, -1
  csrw sie, t0
  csrr a0, hie
  andi a0, a0, 0x444
  check a0, 0x40
  case # vsie is hie where hideleg allows it
  li t0, 0x444
  csrw hideleg, t0
  csrw hie, zero
  li t0, 0x22
  csrw vsie, t0
  csrr a0, hie
  andi a0, a0, 0x444
  check a0, 0x44
  case
  csrw hideleg, zero
  csrr a0, vsie
  check a0, 0

program h-hcounteren norm:hcounteren_op norm:H_virtinst_vs_nonhighctr_h0_m1 norm:H_virtinst_vu_nonhighctr_h0_s0_m1
  open_memory
  csrwi mcounteren, 0
  csrwi hcounteren, 7
  .irp counter, cycle, instret
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, csrr a0, \counter
  .endr
  csrwi mcounteren, 7
  csrwi hcounteren, 0
  .irp counter, cycle, time, instret
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, \counter
  enter S_MODE
  case
  csrr a0, \counter
  leave ECALL_FROM_S
  .endr
  csrwi hcounteren, 7
  csrwi scounteren, 0
  .irp counter, cycle, time, instret
  enter S_MODE, 1
  case
  csrr a0, \counter
  leave ECALL_FROM_VS
  enter U_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, \counter
  .endr
  csrwi scounteren, 7
  enter U_MODE, 1
  case
  csrr a0, time
  leave ECALL_FROM_U

program h-htimedelta norm:htimedelta_sz_acc_op norm:time_htimedelta_req
  open_memory
  csrwi mcounteren, 7
  csrwi hcounteren, 7
  li t0, 1 << 50
  csrw htimedelta, t0
  csrr a1, time
  enter S_MODE, 1
  case
  csrr a2, time
  leave ECALL_FROM_VS
  sub a2, a2, a1
  srli a2, a2, 50
  check a2, 1
  csrr a1, time
  srli a1, a1, 50
  check a1, 0

program h-henvcfg norm:henvcfg_sz_acc_op norm:henvcfg_stce norm:henvcfg_fiom_op
  open_memory
  case
  csrwi henvcfg, 1
  csrr a0, henvcfg
  andi a0, a0, 1
  check a0, 1
  # STCE: the guest's stimecmp
  li t0, 1 << 63
  csrs 0x30a, t0 # menvcfg
  csrc henvcfg, t0
  csrwi mcounteren, 7
  csrwi hcounteren, 7
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, 0x14d
  li t0, 1 << 63
  csrs henvcfg, t0
  case
  enter S_MODE, 1
  li a1, 0x7fffffffffff
  csrw 0x14d, a1 # stimecmp
  leave ECALL_FROM_VS
  csrr a0, 0x24d # vstimecmp
  bne a0, a1, fail
  case # henvcfg.STCE is 0 when menvcfg.STCE is
  li t0, 1 << 63
  csrc 0x30a, t0
  csrr a0, henvcfg
  srli a0, a0, 63
  check a0, 0

# The guest's timer: VSTIP is time + htimedelta >= vstimecmp, or hvip's bit.
program h-vstimecmp norm:hip_vstip_op norm:vstimecmp_sz
  li t0, 1 << 63
  csrs 0x30a, t0
  csrs henvcfg, t0
  case
  li t0, -1
  csrw 0x24d, t0
  csrr a0, hip
  andi a0, a0, 0x40
  check a0, 0
  case
  csrw 0x24d, zero
  csrr a0, hip
  andi a0, a0, 0x40
  check a0, 0x40
  case
  li t0, 1 << 40
  csrw 0x24d, t0
  csrr a0, hip
  andi a0, a0, 0x40
  check a0, 0
  csrw htimedelta, t0
  csrr a0, hip
  andi a0, a0, 0x40
  check a0, 0x40

program h-hgatp norm:hgatp_sz_acc_op norm:hgatp_mode_sv39x4 norm:hgatp_mode_warl norm:hgatp_ppn_op norm:hgatp_tvm_illegal
  open_memory
  case
  li a1, MODE_SV39 | (5 << 44) | (G_TABLE >> 12)
  csrw hgatp, a1
  csrr a0, hgatp
  bne a0, a1, fail
  case # the table is 16 KiB: the two lowest bits are zero
  li t0, MODE_SV39 | (G_TABLE >> 12) | 3
  csrw hgatp, t0
  csrr a0, hgatp
  andi a0, a0, 3
  check a0, 0
  csrw hgatp, zero
  li t0, TVM
  csrs mstatus, t0
  enter S_MODE
  traps ILLEGAL_INSTRUCTION, csrr a0, hgatp
  case
  li t0, TVM
  csrc mstatus, t0
  enter S_MODE
  csrr a0, hgatp
  leave ECALL_FROM_S

program h-two-stage norm:H_vm_twostage norm:H_vm_gpatrans norm:vsatp_v0 norm:hgatp_mode_bare_trans
  guest_memory
  enter S_MODE, 1
  case
  guest_address a1
  ld a0, 0(a1)
  check a0, 0x1111111111111111
  li a2, 77
  sd a2, 0(a1)
  leave ECALL_FROM_VS
  la a1, scratch
  ld a0, 0(a1)
  check a0, 77
  case # the first stage alone
  csrw hgatp, zero
  hfence.gvma
  pte VS_TABLE, 1, 0x80000000, LEAF
  hfence.vvma
  enter S_MODE, 1
  guest_address a1
  ld a0, 0(a1)
  check a0, 77
  leave ECALL_FROM_VS
  case # the second stage alone
  li t0, MODE_SV39 | (G_TABLE >> 12)
  csrw hgatp, t0
  csrw vsatp, zero
  hfence.gvma
  hfence.vvma
  enter S_MODE, 1
  guest_address a1
  ld a0, 0(a1)
  check a0, 77
  leave ECALL_FROM_VS
  case # vsatp has no effect while V = 0
  li t0, MODE_SV39 | (VS_TABLE >> 12)
  csrw vsatp, t0
  la a1, scratch
  enter S_MODE
  ld a0, 0(a1)
  check a0, 77
  leave ECALL_FROM_S

program h-guest-page-fault norm:H_guest_page_fault norm:mtval2_val norm:mtval2_trapval norm:mstatus_gva_op norm:mtinst_val norm:H_trap_xtinst_val
  guest_memory
  li t1, G_TABLE + 8
  sd zero, 0(t1)
  hfence.gvma
  guest_address a1
  enter S_MODE, 1
  traps LOAD_GUEST_PAGE_FAULT, ld a0, 0(a1)
  guest_fault_facts
  csrr a0, 0x34a # mtinst: zero, or ld a0 without its address register
  beqz a0, 1f
  check a0, 0x00003503
1:
  enter S_MODE, 1
  traps STORE_GUEST_PAGE_FAULT, sd a0, 0(a1)
  guest_fault_facts
  csrr a0, 0x34a
  beqz a0, 1f
  check a0, 0x00a03023
1:
  enter S_MODE, 1
  case
  la s1, 1f
  jr a1
  j fail
1:
  check s2, FETCH_GUEST_PAGE_FAULT
  guest_fault_facts
  csrr a0, 0x34a
  check a0, 0

# The guest's own table is what is not mapped: an access for the translation's sake.
program h-guest-page-fault-in-walk norm:mtval2_trapval_vstrans norm:H_trap_xtinst_guestpage norm:H_trap_xtinst_guestpage_rw
  guest_memory
  pte VS_TABLE, 1, 0x140000000, 1 # the next level's table, at a guest-physical address without a page
  hfence.vvma
  guest_address a1
  enter S_MODE, 1
  traps LOAD_GUEST_PAGE_FAULT, ld a0, 0(a1)
  bne s3, a1, fail
  csrr a0, 0x34b
  srli a2, a1, 21
  andi a2, a2, 0x1ff
  slli a2, a2, 3
  li a3, 0x140000000
  add a2, a2, a3
  srli a2, a2, 2
  bne a0, a2, fail
  csrr a0, 0x34a # a 64-bit read
  check a0, 0x3000

program h-g-stage-rights norm:H_vm_gpapriv norm:H_vm_gstagetrans
  guest_memory
  guest_address a1
  case # the second stage takes every access as user mode's
  pte G_TABLE, 1, 0x80000000, LEAF
  hfence.gvma
  enter S_MODE, 1
  traps LOAD_GUEST_PAGE_FAULT, ld a0, 0(a1)
  pte G_TABLE, 1, 0x80000000, 0xd3 # V R U A D
  hfence.gvma
  enter S_MODE, 1
  case
  ld a0, 0(a1)
  traps STORE_GUEST_PAGE_FAULT, sd a0, 0(a1)
  pte G_TABLE, 1, 0x80000000, USER_LEAF
  hfence.gvma
  pte VS_TABLE, 1, 0x40000000, 0xc3 # the first stage's: the guest's own fault
  hfence.vvma
  enter S_MODE, 1
  case
  ld a0, 0(a1)
  traps STORE_PAGE_FAULT, sd a0, 0(a1)

program h-virtual-instruction norm:H_cause_virtual_instruction norm:H_virtinst_vs_sret_vtsr1 norm:H_virtinst_wfi_vtw1_tw0 norm:H_virtinst_vs_sfence_sinval_satp_vtvm1 norm:H_virtinst_vu_wfi_tw0 norm:H_virtinst_vu_sret_sfence norm:H_virtinst_vu_vs_hinst
  open_memory
  .irp insn, sret, wfi, sfence.vma
  enter U_MODE, 1
  traps VIRTUAL_INSTRUCTION, \insn
  .endr
  li t0, HSTATUS_VTSR
  csrs hstatus, t0
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, sret
  li t0, HSTATUS_VTVM
  csrs hstatus, t0
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, sfence.vma
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrw satp, zero
  li t0, HSTATUS_VTVM
  csrc hstatus, t0
  enter S_MODE, 1
  case
  sfence.vma
  csrw satp, zero
  leave ECALL_FROM_VS
  li t0, 1 << 21 # mstatus.TW goes before
  csrs mstatus, t0
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, wfi
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, mret

program h-sret norm:sret_v0 norm:sret_v1 norm:hstatus_spv_sret norm:sret_h
  open_memory
  case # HS with SPV = 1: to the guest, and SPV becomes 0
  li t0, HSTATUS_SPV
  csrs hstatus, t0
  li t0, SPP
  csrs sstatus, t0
  la t0, 1f
  csrw sepc, t0
  enter_by_mret S_MODE
  sret
  j fail
1:
  traps VIRTUAL_INSTRUCTION, csrr a0, hstatus
  csrr a0, hstatus
  andi a0, a0, HSTATUS_SPV
  check a0, 0
  case # VS: by vsstatus.SPP, and V stays 1
  li t0, SPP
  csrc vsstatus, t0
  csrs sstatus, t0
  la t0, 1f
  csrw vsepc, t0
  csrw sepc, zero
  enter S_MODE, 1
  sret
  j fail
1:
  leave ECALL_FROM_U
  srli a0, s5, 39
  andi a0, a0, 1
  check a0, 1

program h-mprv norm:mstatus_mprv_hypervisor norm:mstatus_mprv_hlsv
  guest_memory
  guest_address a1
  case
  li t0, 0x1800
  csrc mstatus, t0
  li t0, MSTATUS_MPV | (S_MODE << 11)
  csrs mstatus, t0
  li t0, 1 << 17
  csrs mstatus, t0
  ld a0, 0(a1)
  csrc mstatus, t0
  check a0, 0x1111111111111111

program h-vsstatus norm:vsstatus_sz_acc_op norm:vsstatus_v0 norm:vsstatus_mxr_vm norm:sstatus_mxr_vm norm:vsstatus_uxl_op
  guest_memory
  guest_address a1, USER_WINDOW - 0x80000000 + 0x40000000
  guest_address a2, EXECUTE_WINDOW - 0x80000000 + 0x40000000
  enter S_MODE, 1
  traps LOAD_PAGE_FAULT, ld a0, 0(a1)
  li t0, SUM
  csrs vsstatus, t0
  enter S_MODE, 1
  case
  ld a0, 0(a1)
  traps LOAD_PAGE_FAULT, ld a0, 0(a2)
  li t0, MXR
  csrs vsstatus, t0
  enter S_MODE, 1
  case
  ld a0, 0(a2)
  leave ECALL_FROM_VS
  case # the guest's MXR is about its own stage alone
  pte G_TABLE, 1, 0x80000000, 0xd9 # V X U A D
  hfence.gvma
  enter S_MODE, 1
  traps LOAD_GUEST_PAGE_FAULT, ld a0, 0(a2)
  li t0, MXR
  csrs sstatus, t0
  enter S_MODE, 1
  case
  ld a0, 0(a2)
  leave ECALL_FROM_VS
  case # the guest's user mode has 64 bits
  csrr a0, vsstatus
  srli a0, a0, 32
  andi a0, a0, 3
  check a0, 2

program h-vsstatus-fs norm:vsstatus_fs_op norm:vsstatus_mstatus_FS_off_hypervisor_V_fp_ill norm:vsstatus_mstatus_FS_dirty_hypervisor_V_fp
  open_memory
  li t0, FS_DIRTY
  csrc vsstatus, t0
  csrs mstatus, t0
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, fmv.x.d a0, fa0
  li t0, 0x2000
  csrs vsstatus, t0
  li t0, FS_DIRTY
  csrc mstatus, t0
  enter S_MODE, 1
  traps ILLEGAL_INSTRUCTION, fmv.x.d a0, fa0
  li t0, 0x2000
  csrs mstatus, t0
  enter S_MODE, 1
  case # both become dirty
  fmv.d.x fa0, zero
  leave ECALL_FROM_VS
  li a1, FS_DIRTY
  csrr a0, vsstatus
  and a0, a0, a1
  bne a0, a1, fail
  and a0, s5, a1
  bne a0, a1, fail

program h-htval norm:htval_val norm:htval_trapval norm:htinst_val norm:hstatus_gva_op norm:H_trap_xtinst_guestpage
  guest_memory
  li t1, G_TABLE + 8
  sd zero, 0(t1)
  hfence.gvma
  li t0, (1 << LOAD_GUEST_PAGE_FAULT)
  csrw medeleg, t0
  la t0, supervisor
  csrw stvec, t0
  guest_address a1
  la a5, 1f
  enter S_MODE, 1
  case
  ld a0, 0(a1)
  j fail
1:
  csrr a0, scause
  check a0, LOAD_GUEST_PAGE_FAULT
  csrr a0, stval
  bne a0, a1, fail
  csrr a0, htval
  srli a2, a1, 2
  bne a0, a2, fail
  csrr a0, hstatus
  andi a0, a0, HSTATUS_GVA
  check a0, HSTATUS_GVA
  csrr a0, htinst
  beqz a0, 2f
  check a0, 0x00003503
2:
  leave ECALL_FROM_S
  j pass
  .balign 4
supervisor:
  jr a5

program h-pmp norm:H_pmp
  guest_memory
  guest_address a1
  case # PMP is about the physical address, behind both stages
  la t0, scratch
  srli t0, t0, 2
  csrw pmpaddr0, t0
  csrwi pmpcfg0, 0
  li t0, 0x1f1000 # region 1: all; region 0, four bytes, none
  li t1, -1
  csrw pmpaddr1, t1
  li t0, 0x1f10
  csrw pmpcfg0, t0
  sfence.vma
  hfence.gvma
  enter S_MODE, 1
  traps 5, lw a0, 0(a1)
  bne s3, a1, fail
  enter S_MODE, 1
  case
  lw a0, 4(a1)
  leave ECALL_FROM_VS

program h-hgei norm:hgeie_sz_acc_op norm:hgeip_sz_acc_op norm:hgeip_hgeie_fields
  open_memory
  case # bit 0 is no guest's
  li t0, -1
  csrw hgeie, t0
  csrr a0, hgeie
  andi a0, a0, 1
  check a0, 0
  traps ILLEGAL_INSTRUCTION, csrw hgeip, zero
  case # the same guests in both
  csrr a0, hgeie
  csrr a1, hgeip
  not a0, a0
  and a0, a0, a1
  check a0, 0
  enter S_MODE, 1
  traps VIRTUAL_INSTRUCTION, csrr a0, hgeip

# Who sets A and D: hardware, where menvcfg allows it for the second stage and henvcfg for the guest's own.
program h-adue norm:henvcfg_adue_op norm:Svadu_hypervisor_adue_writable
  guest_memory
  guest_address a1
  li a2, VS_TABLE + 8
  li a3, G_TABLE + 8
  pte VS_TABLE, 1, 0x40000000, 0x0f
  hfence.vvma
  li t0, ADUE
  csrc 0x30a, t0 # menvcfg
  csrc henvcfg, t0
  enter S_MODE, 1
  traps LOAD_PAGE_FAULT, ld a0, 0(a1)
  li t0, ADUE
  csrs 0x30a, t0
  csrs henvcfg, t0
  enter S_MODE, 1
  case
  ld a0, 0(a1)
  leave ECALL_FROM_VS
  ld a0, 0(a2)
  andi a0, a0, 0xff
  check a0, 0x4f
  enter S_MODE, 1
  case
  sd zero, 0(a1)
  leave ECALL_FROM_VS
  ld a0, 0(a2)
  andi a0, a0, 0xff
  check a0, 0xcf
  case # henvcfg.ADUE is 0 when menvcfg.ADUE is; then the second stage faults too
  li t0, ADUE
  csrc 0x30a, t0
  csrr a0, henvcfg
  and a0, a0, t0
  check a0, 0
  pte G_TABLE, 1, 0x80000000, 0x1f
  hfence.gvma
  enter S_MODE, 1
  traps LOAD_GUEST_PAGE_FAULT, ld a0, 0(a1)
