# C: compressed instructions, 16 bits each. Expected values: the unprivileged manual, "C Extension for Compressed Instructions".

# One compressed instruction in uncompressed surroundings. What comes behind it is checked by running on.
.macro c insn:vararg
  .option push
  .option rvc
  \insn
  .option pop
.endm
# a0 = insn(a0, b)
.macro in_place insn, a, b, result
  case
  li a0, \a
  li a1, \b
  c \insn a0, a1
  check a0, \result
.endm
.macro in_place_imm insn, a, b, result
  case
  li a0, \a
  c \insn a0, \b
  check a0, \result
.endm
# A base register that points into the scratch area, refilled.
.macro base register
  la \register, scratch
  li t4, 0x0123456789abcdef
  sd t4, 16(\register)
  li t4, 0x1111111111111111
  sd t4, 8(\register)
  sd t4, 24(\register)
.endm

program c.addi4spn norm:c-addi4spn_op
  case
  li sp, 0x1000
  c c.addi4spn a0, sp, 1020
  check a0, 0x13fc
  c c.addi4spn a0, sp, 4
  check a0, 0x1004
program c.fld norm:c-fld_op
  case
  base a1
  c c.fld fa0, 16(a1)
  fmv.x.d a0, fa0
  check a0, 0x0123456789abcdef
program c.lw norm:c-lw_op
  case
  base a1
  c c.lw a0, 16(a1)
  check a0, 0xffffffff89abcdef
  c c.lw a0, 20(a1)
  check a0, 0x01234567
program c.ld norm:c-ld_op
  case
  base a1
  c c.ld a0, 16(a1)
  check a0, 0x0123456789abcdef
program c.fsd norm:c-fsd_op
  case
  base a1
  li a0, 0x7766554433221100
  fmv.d.x fa0, a0
  c c.fsd fa0, 8(a1)
  ld a2, 8(a1)
  check a2, 0x7766554433221100
program c.sw norm:c-sw_op
  case
  base a1
  li a0, 0x7766554433221100
  c c.sw a0, 12(a1)
  ld a2, 8(a1)
  check a2, 0x3322110011111111
  ld a2, 16(a1)
  check a2, 0x0123456789abcdef
program c.sd norm:c-sd_op
  case
  base a1
  li a0, 0x7766554433221100
  c c.sd a0, 8(a1)
  ld a2, 8(a1)
  check a2, 0x7766554433221100
program c.nop norm:c-nop_op
  case
  la a1, 1f
  li a0, 0x5a5a
1:
  c c.nop
  auipc a2, 0
  sub a2, a2, a1
  check a2, 2
  check a0, 0x5a5a
program c.addi norm:c-addi_op
  in_place_imm c.addi, 5, 31, 36
  in_place_imm c.addi, 5, -32, -27
  in_place_imm c.addi, 0x7fffffff, 1, 0x80000000
program c.addiw norm:c-addiw_op
  in_place_imm c.addiw, 0x7fffffff, 1, 0xffffffff80000000
  in_place_imm c.addiw, 0x1234567800000001, -1, 0
program c.li norm:c-li_op
  in_place_imm c.li, 7, 31, 31
  in_place_imm c.li, 7, -32, -32
program c.addi16sp norm:c-addi16sp_op
  case
  li sp, 0x1000
  c c.addi16sp sp, 496
  check sp, 0x11f0
  c c.addi16sp sp, -512
  check sp, 0xff0
program c.lui norm:c-lui_op
  in_place_imm c.lui, 7, 31, 0x1f000
  in_place_imm c.lui, 7, 0xfffe0, -0x20000
program c.srli norm:c-srli_op
  in_place_imm c.srli, 0x8000000180000001, 1, 0x40000000c0000000
  in_place_imm c.srli, 0x8000000180000001, 63, 1
program c.srai norm:c-srai_op
  in_place_imm c.srai, 0x8000000180000001, 1, 0xc0000000c0000000
  in_place_imm c.srai, 0x8000000180000001, 63, -1
program c.andi norm:c-andi_op
  in_place_imm c.andi, 0x30, 0x1f, 0x10
  in_place_imm c.andi, 0x123456789abcdeff, -32, 0x123456789abcdee0
program c.sub norm:c-sub_op
  in_place c.sub, 1, 2, -1
  in_place c.sub, 0x100000000, 1, 0xffffffff
program c.xor norm:c-xor_op
  in_place c.xor, 0x30, 0x50, 0x60
program c.or norm:c-or_op
  in_place c.or, 0x30, 0x50, 0x70
program c.and norm:c-and_op
  in_place c.and, 0x30, 0x50, 0x10
program c.subw norm:c-subw_op
  in_place c.subw, 0x80000000, 1, 0x7fffffff
  in_place c.subw, 0x1234567800000005, 2, 3
program c.addw norm:c-addw_op
  in_place c.addw, 0x7fffffff, 1, 0xffffffff80000000
  in_place c.addw, 0x1234567800000005, 2, 7
program c.j norm:c-j_op
  case
  c c.j 2f
  j fail
1:
  j 3f
2:
  c c.j 1b
  j fail
3:
program c.beqz norm:c-beqz_op
  case
  li a0, 0
  c c.beqz a0, 1f
  j fail
1:
  case
  li a0, 0x100000000
  li a1, 0
  c c.beqz a0, 1f
  li a1, 1
1:
  li t6, 1
  beq a1, t6, 2f
  j fail
2:
program c.bnez norm:c-bnez_op
  case
  li a0, 0x100000000
  c c.bnez a0, 1f
  j fail
1:
  case
  li a0, 0
  li a1, 0
  c c.bnez a0, 1f
  li a1, 1
1:
  check a1, 1
program c.slli norm:c-slli_op
  in_place_imm c.slli, 0x8000000180000001, 1, 0x0000000300000002
  in_place_imm c.slli, 3, 63, 0x8000000000000000
program c.fldsp norm:c-fldsp_op
  case
  base sp
  c c.fldsp fa0, 16(sp)
  fmv.x.d a0, fa0
  check a0, 0x0123456789abcdef
program c.lwsp norm:c-lwsp_op
  case
  base sp
  c c.lwsp a0, 16(sp)
  check a0, 0xffffffff89abcdef
program c.ldsp norm:c-ldsp_op
  case
  base sp
  c c.ldsp a0, 16(sp)
  check a0, 0x0123456789abcdef
program c.jr norm:c-jr_op
  case
  li ra, 0x5a5a
  la a0, 1f + 1 # the lowest bit of the target is cleared
  c c.jr a0
  j fail
1:
  check ra, 0x5a5a
program c.mv norm:c-mv_op
  in_place c.mv, 7, 0x0123456789abcdef, 0x0123456789abcdef
program c.ebreak norm:c-ebreak_op
  case
  la s1, 2f
1:
  c c.ebreak
  j fail
2:
  check s2, BREAKPOINT
  la t6, 1b
  bne s4, t6, fail
program c.jalr norm:c-jalr_op
  case
  la a0, 2f
  la a1, 1f
  c c.jalr a0
1:
  j fail
2:
  bne ra, a1, fail
program c.add norm:c-add_op
  in_place c.add, 1, 2, 3
  in_place c.add, 0x80000000, 0x80000000, 0x100000000
program c.fsdsp norm:c-fsdwsp_op
  case
  base sp
  li a0, 0x7766554433221100
  fmv.d.x fa0, a0
  c c.fsdsp fa0, 8(sp)
  ld a2, 8(sp)
  check a2, 0x7766554433221100
program c.swsp norm:c-swsp_op
  case
  base sp
  li a0, 0x7766554433221100
  c c.swsp a0, 12(sp)
  ld a2, 8(sp)
  check a2, 0x3322110011111111
  ld a2, 16(sp)
  check a2, 0x0123456789abcdef
program c.sdsp norm:c-sdsp_op
  case
  base sp
  li a0, 0x7766554433221100
  c c.sdsp a0, 8(sp)
  ld a2, 8(sp)
  check a2, 0x7766554433221100
