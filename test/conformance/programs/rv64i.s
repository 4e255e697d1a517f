# RV64I: the base integer instructions. Expected values: the unprivileged manual, "RV32I" and "RV64I Base Integer
# Instruction Set".

.data
  .balign 8
pattern: .dword 0x0123456789abcdef
pattern_end: .dword 0x7766554433221100
.text

.macro load insn, offset, result
  case
  la a1, pattern_end
  li a0, 0x5a5a
  \insn a0, \offset(a1)
  check a0, \result
.endm

.macro store insn, offset, result
  case
  la a1, scratch + 32
  li a2, 0x1111111111111111
  .irp at, -32, -24, -16, -8, 0, 8, 16
  sd a2, \at(a1)
  .endr
  li a0, 0x0123456789abcdef
  \insn a0, \offset(a1)
  ld a3, (\offset >> 3) << 3(a1)
  check a3, \result
  ld a3, ((\offset >> 3) << 3) + 8(a1)
  check a3, 0x1111111111111111
.endm

program lui norm:lui_op_rv64i
  case
  lui a0, 0x12345
  check a0, 0x12345000
  case
  lui a0, 0x80000
  check a0, 0xffffffff80000000

program auipc norm:auipc_op_rv64i
  case
  la a1, 1f
1:
  auipc a0, 0x1
  sub a0, a0, a1
  check a0, 0x1000
  case
  la a1, 1f
1:
  auipc a0, 0xfffff
  sub a0, a0, a1
  check a0, -0x1000

program jal norm:jal_op
  case
  la a1, 1f
  jal a0, 2f
1:
  j 3f
2:
  bne a0, a1, fail
  j 1b
3:
  case
  jal zero, 1f
  j fail
1:
  bnez zero, fail

program jalr norm:jalr_op norm:jalr_target
  case
  la a1, 1f
  la a2, 2f - 5
  jalr a0, 6(a2) # the lowest bit of the target is cleared
1:
  j fail
2:
  bne a0, a1, fail
  case
  la a2, 1f
  la a1, 2f
  jalr a1, 0(a1) # the base is read before the link is written
1:
  j fail
2:
  bne a1, a2, fail

program beq norm:beq_bne_op
  taken beq, 7, 7
  taken beq, -1, -1
  not_taken beq, 7, 6
  not_taken beq, 0, 0x100000000
  not_taken beq, -1, 1

program bne norm:beq_bne_op
  taken bne, 7, 6
  taken bne, 0, 0x100000000
  not_taken bne, -1, -1
  not_taken bne, 0, 0

program blt norm:blt_bltu_op
  taken blt, -1, 1
  taken blt, 0x8000000000000000, 0x7fffffffffffffff
  not_taken blt, 1, -1
  not_taken blt, 5, 5

program bge norm:bge_bgeu_op
  taken bge, 1, -1
  taken bge, 5, 5
  not_taken bge, -1, 1
  not_taken bge, 4, 5

program bltu norm:blt_bltu_op
  taken bltu, 1, -1
  taken bltu, 0x7fffffffffffffff, 0x8000000000000000
  not_taken bltu, -1, 1
  not_taken bltu, 5, 5

program bgeu norm:bge_bgeu_op
  taken bgeu, -1, 1
  taken bgeu, 5, 5
  not_taken bgeu, 1, -1
  not_taken bgeu, 4, 5

program lb norm:lh_lhu_lb_lbu_op_rv64i
  load lb, -8, -17
  load lb, -4, 0x67
  load lb, 1, 0x11

program lbu norm:lh_lhu_lb_lbu_op_rv64i
  load lbu, -8, 0xef
  load lbu, -4, 0x67
  load lbu, 1, 0x11

program lh norm:lh_lhu_lb_lbu_op_rv64i
  load lh, -8, 0xffffffffffffcdef
  load lh, -4, 0x4567
  load lh, 2, 0x3322

program lhu norm:lh_lhu_lb_lbu_op_rv64i
  load lhu, -8, 0xcdef
  load lhu, -4, 0x4567
  load lhu, 2, 0x3322

program lw norm:lw_op_rv64i
  load lw, -8, 0xffffffff89abcdef
  load lw, -4, 0x01234567
  load lw, 4, 0x77665544

program lwu norm:lwu_op
  load lwu, -8, 0x89abcdef
  load lwu, -4, 0x01234567
  load lwu, 4, 0x77665544

program ld norm:ld_op_rv64i
  load ld, -8, 0x0123456789abcdef
  load ld, 0, 0x7766554433221100

program sb norm:sd_sw_sh_sb_op_rv64i
  store sb, 1, 0x111111111111ef11
  store sb, -1, 0xef11111111111111

program sh norm:sd_sw_sh_sb_op_rv64i
  store sh, 2, 0x11111111cdef1111
  store sh, -2, 0xcdef111111111111

program sw norm:sd_sw_sh_sb_op_rv64i
  store sw, 4, 0x89abcdef11111111
  store sw, -8, 0x1111111189abcdef

program sd norm:sd_sw_sh_sb_op_rv64i
  store sd, 0, 0x0123456789abcdef
  store sd, -16, 0x0123456789abcdef

program addi norm:addi_op
  ri addi, 1, 2, 3
  ri addi, 0x7fffffff, 1, 0x80000000
  ri addi, 0, -2048, -2048
  ri addi, 0x7fffffffffffffff, 2047, 0x80000000000007fe
  case
  addi zero, zero, 1
  bnez zero, fail

program slti norm:slti_sltiu_op
  ri slti, -1, 0, 1
  ri slti, 0, -1, 0
  ri slti, 5, 5, 0
  ri slti, 0x8000000000000000, -2048, 1

program sltiu norm:slti_sltiu_op
  ri sltiu, -1, 0, 0
  ri sltiu, 0, -1, 1
  ri sltiu, 5, 5, 0
  ri sltiu, 0, 1, 1

program xori norm:andi_ori_xori_op
  ri xori, 0xff00, 0x0f0, 0xfff0
  ri xori, 0x0f0f, -1, ~0x0f0f
  ri xori, 0x30, 0x50, 0x60

program ori norm:andi_ori_xori_op
  ri ori, 0xff00, 0x0f0, 0xfff0
  ri ori, 0x30, 0x50, 0x70
  ri ori, 0x100000000, -2048, -2048

program andi norm:andi_ori_xori_op
  ri andi, 0xff00, 0x0f0, 0
  ri andi, 0x30, 0x50, 0x10
  ri andi, 0x123456789abcdef0, -256, 0x123456789abcde00

program slli norm:sll_srl_sra_sh_amt_rv64i
  ri slli, 0x8000000180000001, 0, 0x8000000180000001
  ri slli, 0x8000000180000001, 1, 0x0000000300000002
  ri slli, 3, 63, 0x8000000000000000
  case # what li itself does not need SLLI for
  li a1, 1
  slli a0, a1, 32
  srli a0, a0, 31
  check a0, 2

program srli norm:sll_srl_sra_sh_amt_rv64i
  ri srli, 0x8000000180000001, 0, 0x8000000180000001
  ri srli, 0x8000000180000001, 1, 0x40000000c0000000
  ri srli, 0x8000000180000001, 63, 1

program srai norm:sll_srl_sra_sh_amt_rv64i
  ri srai, 0x8000000180000001, 0, 0x8000000180000001
  ri srai, 0x8000000180000001, 1, 0xc0000000c0000000
  ri srai, 0x8000000180000001, 63, -1
  ri srai, 0x4000000000000000, 62, 1

program add norm:add_op
  rr add, 1, 2, 3
  rr add, 0x7fffffffffffffff, 1, 0x8000000000000000
  rr add, -1, 1, 0
  rr add, 0x80000000, 0x80000000, 0x100000000

program sub norm:sub_op
  rr sub, 1, 2, -1
  rr sub, 0x8000000000000000, 1, 0x7fffffffffffffff
  rr sub, 0x100000000, 1, 0xffffffff

program sll norm:sll_srl_sra_sh_amt_rv64i
  rr sll, 0x8000000180000001, 1, 0x0000000300000002
  rr sll, 3, 63, 0x8000000000000000
  rr sll, 3, 64, 3 # only six bits count
  rr sll, 3, -1, 0x8000000000000000

program slt norm:slt_sltu_op
  rr slt, 1, 5, 1
  rr slt, -1, 0, 1
  rr slt, 0, -1, 0
  rr slt, 5, 5, 0
  rr slt, 0x8000000000000000, 0x7fffffffffffffff, 1

program sltu norm:slt_sltu_op
  rr sltu, -1, 0, 0
  rr sltu, 0, -1, 1
  rr sltu, 5, 5, 0
  rr sltu, 0x7fffffffffffffff, 0x8000000000000000, 1

program xor norm:and_or_xor_op
  rr xor, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0xf0f0f0f0f0f0f0f0
  rr xor, 0x30, 0x50, 0x60

program srl norm:sll_srl_sra_sh_amt_rv64i
  rr srl, 0x8000000180000001, 1, 0x40000000c0000000
  rr srl, 0x8000000180000001, 63, 1
  rr srl, 0x8000000180000001, 65, 0x40000000c0000000

program sra norm:sll_srl_sra_sh_amt_rv64i
  rr sra, 0x8000000180000001, 1, 0xc0000000c0000000
  rr sra, 0x8000000180000001, 63, -1
  rr sra, 0x8000000180000001, 65, 0xc0000000c0000000
  rr sra, 0x4000000000000000, 62, 1

program or norm:and_or_xor_op
  rr or, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0xfff0fff0fff0fff0
  rr or, 0x30, 0x50, 0x70

program and norm:and_or_xor_op
  rr and, 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0x0f000f000f000f00
  rr and, 0x30, 0x50, 0x10

program addiw norm:addiw_op
  ri addiw, 0x7fffffff, 1, 0xffffffff80000000
  ri addiw, 0x1234567800000001, 2, 3
  ri addiw, 0xffffffff, 0, -1

program slliw norm:slliw_srliw_sraiw_op
  ri slliw, 0x40000001, 1, 0xffffffff80000002
  ri slliw, 0x1234567800000003, 30, 0xffffffffc0000000
  ri slliw, 0xff80000001, 0, 0xffffffff80000001

program srliw norm:slliw_srliw_sraiw_op
  ri srliw, 0xffffffff80000001, 1, 0x40000000
  ri srliw, 0x0000000180000001, 0, 0xffffffff80000001
  ri srliw, 0x0000000f80000001, 31, 1

program sraiw norm:slliw_srliw_sraiw_op
  ri sraiw, 0x0000000080000001, 1, 0xffffffffc0000000
  ri sraiw, 0x0000000f40000001, 1, 0x20000000
  ri sraiw, 0x80000001, 31, -1

program addw norm:addw_subw_op
  rr addw, 0x7fffffff, 1, 0xffffffff80000000
  rr addw, 0x1234567800000001, 2, 3
  rr addw, 0xffffffff, 1, 0

program subw norm:addw_subw_op
  rr subw, 1, 2, -1
  rr subw, 0x80000000, 1, 0x7fffffff
  rr subw, 0x1234567800000005, 2, 3

program sllw norm:sllw_srlw_sraw_op
  rr sllw, 0x40000001, 1, 0xffffffff80000002
  rr sllw, 3, 32, 3 # only five bits count
  rr sllw, 0x1234567800000003, 63, 0xffffffff80000000

program srlw norm:sllw_srlw_sraw_op
  rr srlw, 0xffffffff80000001, 1, 0x40000000
  rr srlw, 0x0000000180000001, 32, 0xffffffff80000001
  rr srlw, 0x0000000f80000001, 63, 1

program sraw norm:sllw_srlw_sraw_op
  rr sraw, 0x0000000080000001, 1, 0xffffffffc0000000
  rr sraw, 0x0000000f40000001, 33, 0x20000000
  rr sraw, 0x80000001, 31, -1

program fence norm:fence_op
  case
  la a1, scratch
  li a0, 42
  sd a0, 0(a1)
  fence rw, rw
  ld a2, 0(a1)
  check a2, 42
  case
  li a0, 0x5a5a
  fence w, r
  fence iorw, iorw
  check a0, 0x5a5a

program ecall norm:ecall_op2
  traps ECALL_FROM_M, ecall
  check s3, 0
  open_memory
  enter S_MODE
  leave ECALL_FROM_S
  enter U_MODE
  leave ECALL_FROM_U

program ebreak norm:ebreak_op2
  case
  la s1, 2f
1:
  ebreak
  j fail
2:
  check s2, BREAKPOINT
  la t6, 1b
  bne s4, t6, fail
