# Programs that check nothing themselves: they leave the results of every instruction of an extension for corner values in the
# signature. What must stand there is in NAME.reference_output, which QEMU wrote.

.section .signature, "aw"
.balign 16
.globl begin_signature, end_signature
.text

# Six values that are corners of something.
.macro corner number, register
  .if \number == 0
  li \register, 0
  .endif
  .if \number == 1
  li \register, 1
  .endif
  .if \number == 2
  li \register, -1
  .endif
  .if \number == 3
  li \register, 0x8000000000000000
  .endif
  .if \number == 4
  li \register, 0x7fffffff80000001
  .endif
  .if \number == 5
  li \register, 0x0123456789abcdef
  .endif
.endm
# insn(a, b) for all pairs
.macro sign_pairs insns:vararg
  .irp insn, \insns
  .irp a, 0, 1, 2, 3, 4, 5
  corner \a, a1
  .irp b, 0, 1, 2, 3, 4, 5
  corner \b, a2
  \insn a0, a1, a2
  sign a0
  .endr
  .endr
  .endr
.endm
.macro sign_each insns:vararg
  .irp insn, \insns
  .irp a, 0, 1, 2, 3, 4, 5
  corner \a, a1
  \insn a0, a1
  sign a0
  .endr
  .endr
.endm
.macro sign_shifts insns:vararg
  .irp insn, \insns
  .irp a, 0, 1, 2, 3, 4, 5
  corner \a, a1
  .irp amount, 0, 1, 7, 31
  \insn a0, a1, \amount
  sign a0
  .endr
  .endr
  .endr
.endm
# Both precisions: a value and its neighbours, an infinity, both kinds of NaN.
.macro float_corner number, register
  li t4, 0xffffffff00000000
  .if \number == 0
  li t4, 0x3ff0000000000000
  .endif
  .if \number == 1
  li t4, 0xbfd5555555555555
  .endif
  .if \number == 2
  li t4, 0x7ff0000000000000
  .endif
  .if \number == 3
  li t4, 0x7ff0000000000001
  .endif
  .if \number == 4
  li t4, 0x000fffffffffffff
  .endif
  .if \number == 5
  li t4, 0xffffffff3f800001
  .endif
  .if \number == 6
  li t4, 0xffffffff80000001
  .endif
  .if \number == 7
  li t4, 0xffffffff7f800001
  .endif
  fmv.d.x \register, t4
.endm
.macro sign_float_pairs insns:vararg
  .irp insn, \insns
  .irp a, 0, 1, 2, 3, 4, 5, 6, 7
  float_corner \a, fa1
  .irp b, 0, 1, 2, 3, 4, 5, 6, 7
  float_corner \b, fa2
  csrw fcsr, zero
  \insn fa0, fa1, fa2
  fmv.x.d a0, fa0
  csrr a1, fflags
  slli a1, a1, 32
  xor a0, a0, a1
  sign a0
  .endr
  .endr
  .endr
.endm

program signature-integers norm:add_op
  sign_pairs add, sub, sll, slt, sltu, xor, srl, sra, or, and, addw, subw, sllw, srlw, sraw
  sign_shifts slli, srli, srai, slliw, srliw, sraiw, addi, slti, sltiu, xori, ori, andi, addiw
  .section .signature
  .skip 8 * (15 * 36 + 13 * 24)
  .text

program signature-multiplication norm:mul_op norm:div_divu_op
  sign_pairs mul, mulh, mulhsu, mulhu, div, divu, rem, remu, mulw, divw, divuw, remw, remuw
  .section .signature
  .skip 8 * 13 * 36
  .text

program signature-bits norm:rol_op
  sign_pairs add.uw, sh1add, sh2add, sh3add, sh1add.uw, sh2add.uw, sh3add.uw, andn, orn, xnor, max, maxu, min, minu, rol, rolw, ror, rorw, bclr, bext, binv, bset
  sign_each clz, clzw, ctz, cpop, cpopw, sext.b, sext.h, zext.h, orc.b, rev8
  sign_shifts slli.uw, rori, roriw, bclri, bexti, binvi, bseti
  .section .signature
  .skip 8 * (22 * 36 + 10 * 6 + 7 * 24)
  .text

program signature-floats norm:D_computational_instrs
  sign_float_pairs fadd.d, fsub.d, fmul.d, fdiv.d, fmin.d, fmax.d, fsgnj.d, fsgnjn.d, fsgnjx.d
  sign_float_pairs fadd.s, fsub.s, fmul.s, fdiv.s, fmin.s, fmax.s, fsgnj.s, fsgnjn.s, fsgnjx.s
  .section .signature
  .skip 8 * 18 * 64
  .text
