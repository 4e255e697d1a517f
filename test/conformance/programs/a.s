# A: atomic memory operations. Expected values: the unprivileged manual, "A Extension for Atomic Instructions". The upper half of a
# doubleword must survive an operation on its lower half.

.macro amo_w insn, memory, operand, after
  case
  la a1, scratch
  li a2, 0x5a5a5a5a00000000 + \memory
  sd a2, 0(a1)
  li a2, 0x7777777700000000 + \operand
  li a0, 0x5a5a
  \insn a0, a2, (a1)
  li t6, \memory
  sext.w t6, t6
  bne a0, t6, fail
  ld a3, 0(a1)
  check a3, 0x5a5a5a5a00000000 + \after
.endm
.macro amo_d insn, memory, operand, after
  case
  la a1, scratch
  li a2, \memory
  sd a2, 0(a1)
  li a2, \operand
  li a0, 0x5a5a
  \insn a0, a2, (a1)
  check a0, \memory
  ld a3, 0(a1)
  check a3, \after
.endm

# The load gives the value and the reservation: the store behind it succeeds.
.macro reserves load, store, result
  case
  la a1, scratch
  li a2, 0x7654321089abcdef
  sd a2, 0(a1)
  li a0, 0x5a5a
  li a4, 0x5a5a
  \load a0, (a1)
  \store a4, a0, (a1)
  check a0, \result
  bnez a4, fail
.endm

# The first store succeeds and uses the reservation up; the second one fails and stores nothing.
.macro stores load, store, result
  case
  la a1, scratch
  li a2, 0x7654321089abcdef
  sd a2, 0(a1)
  li a2, 0x1111111111111111
  li a0, 0x5a5a
  li a5, 0x5a5a
  \load a4, (a1)
  \store a0, a2, (a1)
  \store a5, a4, (a1)
  check a0, 0
  ld a3, 0(a1)
  check a3, \result
  snez a5, a5
  check a5, 1
.endm

program amoswap.w amoswap.w.aq amoswap.w.rl amoswap.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x81234567, 0x0fedcba9, 0x0fedcba9
  amo_w INSN, 5, 3, 3
  amo_w INSN, 3, 5, 5
program amoadd.w amoadd.w.aq amoadd.w.rl amoadd.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x81234567, 0x8edcba99, 0x10000000
  amo_w INSN, 5, 3, 8
program amoxor.w amoxor.w.aq amoxor.w.rl amoxor.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x81234567, 0xffff0000, 0x7edc4567
  amo_w INSN, 5, 3, 6
program amoand.w amoand.w.aq amoand.w.rl amoand.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x81234567, 0xffff0000, 0x81230000
  amo_w INSN, 5, 3, 1
program amoor.w amoor.w.aq amoor.w.rl amoor.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x81234567, 0xffff0000, 0xffff4567
  amo_w INSN, 5, 3, 7
program amomin.w amomin.w.aq amomin.w.rl amomin.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x80000000, 1, 0x80000000
  amo_w INSN, 1, 0x80000000, 0x80000000
  amo_w INSN, 7, 6, 6
program amomax.w amomax.w.aq amomax.w.rl amomax.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x80000000, 1, 1
  amo_w INSN, 1, 0x80000000, 1
  amo_w INSN, 6, 7, 7
program amominu.w amominu.w.aq amominu.w.rl amominu.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x80000000, 1, 1
  amo_w INSN, 1, 0x80000000, 1
  amo_w INSN, 7, 6, 6
program amomaxu.w amomaxu.w.aq amomaxu.w.rl amomaxu.w.aqrl norm:amo_operand_size
  amo_w INSN, 0x80000000, 1, 0x80000000
  amo_w INSN, 1, 0x80000000, 0x80000000
  amo_w INSN, 6, 7, 7

program amoswap.d amoswap.d.aq amoswap.d.rl amoswap.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8123456789abcdef, 0x0fedcba987654321, 0x0fedcba987654321
  amo_d INSN, 5, 3, 3
  amo_d INSN, 3, 5, 5
program amoadd.d amoadd.d.aq amoadd.d.rl amoadd.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x80000000ffffffff, 0x8000000000000001, 0x100000000
  amo_d INSN, 5, 3, 8
program amoxor.d amoxor.d.aq amoxor.d.rl amoxor.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8123456789abcdef, 0xffffffff00000000, 0x7edcba9889abcdef
  amo_d INSN, 5, 3, 6
program amoand.d amoand.d.aq amoand.d.rl amoand.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8123456789abcdef, 0xffffffff00000000, 0x8123456700000000
  amo_d INSN, 5, 3, 1
program amoor.d amoor.d.aq amoor.d.rl amoor.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8123456789abcdef, 0xffffffff00000000, 0xffffffff89abcdef
  amo_d INSN, 5, 3, 7
program amomin.d amomin.d.aq amomin.d.rl amomin.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8000000000000000, 1, 0x8000000000000000
  amo_d INSN, 1, 0x8000000000000000, 0x8000000000000000
  amo_d INSN, 7, 6, 6
program amomax.d amomax.d.aq amomax.d.rl amomax.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8000000000000000, 1, 1
  amo_d INSN, 1, 0x8000000000000000, 1
  amo_d INSN, 6, 7, 7
program amominu.d amominu.d.aq amominu.d.rl amominu.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8000000000000000, 1, 1
  amo_d INSN, 1, 0x8000000000000000, 1
  amo_d INSN, 7, 6, 6
program amomaxu.d amomaxu.d.aq amomaxu.d.rl amomaxu.d.aqrl norm:amo_operand_size
  amo_d INSN, 0x8000000000000000, 1, 0x8000000000000000
  amo_d INSN, 1, 0x8000000000000000, 0x8000000000000000
  amo_d INSN, 6, 7, 7

program lr.w lr.w.aq lr.w.rl lr.w.aqrl norm:lr_w_op
  reserves INSN, sc.w, 0xffffffff89abcdef
program lr.d lr.d.aq lr.d.rl lr.d.aqrl norm:lr_w_op
  reserves INSN, sc.d, 0x7654321089abcdef

program sc.w sc.w.aq sc.w.rl sc.w.aqrl norm:sc_w_success
  stores lr.w, INSN, 0x7654321011111111
program sc.d sc.d.aq sc.d.rl sc.d.aqrl norm:sc_w_success
  stores lr.d, INSN, 0x1111111111111111
