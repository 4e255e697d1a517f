# F and D: floating point. Expected values: the unprivileged manual, "F Extension" and "D Extension", and IEEE 754. Single-precision numbers are
# written as their 32 bits and must come out boxed: with ones above (norm:nan_boxing).

.equ BOX, 0xffffffff00000000
.equ S_NAN, 0x7fc00000
.equ S_SIGNALING, 0x7f800001
.equ S_INF, 0x7f800000
.equ D_NAN, 0x7ff8000000000000
.equ D_SIGNALING, 0x7ff0000000000001
.equ D_INF, 0x7ff0000000000000

# A register by its bits; `d`: 64 of them, `s`: 32, boxed by FMV.W.X, `x`: an integer register.
.macro put format, number, bits
  li t4, \bits
  .ifc \format, s
  fmv.w.x fa\number, t4
  .endif
  .ifc \format, d
  fmv.d.x fa\number, t4
  .endif
  .ifc \format, x
  mv a\number, t4
  .endif
.endm
# What is in the result register.
.macro get format, bits, flags
  csrr a5, fflags
  .ifc \format, s
  fmv.x.d a4, fa0
  check a4, BOX + \bits
  .endif
  .ifc \format, d
  fmv.x.d a4, fa0
  check a4, \bits
  .endif
  .ifc \format, x
  check a0, \bits
  .endif
  check a5, \flags
.endm
.macro begin_float
  case
  csrw fcsr, zero
  li a0, 0x5a5a
  fmv.d.x fa0, a0
.endm

.macro f1 insn, to, from, a, rounding, result, flags
  begin_float
  put \from, 1, \a
  .ifc \to, x
  \insn a0, fa1, \rounding
  .else
  .ifc \from, x
  \insn fa0, a1, \rounding
  .else
  \insn fa0, fa1, \rounding
  .endif
  .endif
  get \to, \result, \flags
.endm
# Without a rounding mode.
.macro f1n insn, to, from, a, result, flags=0
  begin_float
  put \from, 1, \a
  .ifc \to, x
  \insn a0, fa1
  .else
  .ifc \from, x
  \insn fa0, a1
  .else
  \insn fa0, fa1
  .endif
  .endif
  get \to, \result, \flags
.endm
.macro f2 insn, format, a, b, rounding, result, flags
  begin_float
  put \format, 1, \a
  put \format, 2, \b
  \insn fa0, fa1, fa2, \rounding
  get \format, \result, \flags
.endm
.macro f2n insn, format, a, b, result, flags=0
  begin_float
  put \format, 1, \a
  put \format, 2, \b
  \insn fa0, fa1, fa2
  get \format, \result, \flags
.endm
.macro fcmp insn, format, a, b, result, flags=0
  begin_float
  put \format, 1, \a
  put \format, 2, \b
  \insn a0, fa1, fa2
  get x, \result, \flags
.endm
.macro f3 insn, format, a, b, c, rounding, result, flags
  begin_float
  put \format, 1, \a
  put \format, 2, \b
  put \format, 3, \c
  \insn fa0, fa1, fa2, fa3, \rounding
  get \format, \result, \flags
.endm

.data
  .balign 8
word: .dword 0x1234567840490fdb
.text

program flw norm:fsw_flw_op
  begin_float
  la a1, word + 4
  flw fa0, -4(a1)
  get s, 0x40490fdb, 0
  begin_float
  flw fa0, 0(a1)
  get s, 0x12345678, 0
program fsw norm:fsw_flw_op
  case
  put d, 1, 0x8765432140490fdb
  la a1, scratch
  fsw fa1, 4(a1)
  ld a0, 0(a1)
  check a0, 0x40490fdb11111111
  ld a0, 8(a1)
  check a0, 0x1111111111111111
program fld norm:fld_op
  begin_float
  la a1, word + 8
  fld fa0, -8(a1)
  get d, 0x1234567840490fdb, 0
program fsd norm:fsd_op
  case
  put d, 1, 0x8765432140490fdb
  la a1, scratch
  fsd fa1, 8(a1)
  ld a0, 8(a1)
  check a0, 0x8765432140490fdb
  ld a0, 0(a1)
  check a0, 0x1111111111111111

program fadd.s norm:fadd-s_fmul-s_op
  f2 fadd.s, s, 0x3f800000, 0x40000000, rne, 0x40400000, 0
  f2 fadd.s, s, 0x3f800000, 0x33800000, rne, 0x3f800000, NX # half a unit: to even
  f2 fadd.s, s, 0x3f800000, 0x33800000, rmm, 0x3f800001, NX
  f2 fadd.s, s, 0x3f800000, 0x33800000, rup, 0x3f800001, NX
  f2 fadd.s, s, 0xbf800000, 0xb3800000, rdn, 0xbf800001, NX
  f2 fadd.s, s, 0xbf800000, 0xb3800000, rtz, 0xbf800000, NX
  f2 fadd.s, s, 0x7f7fffff, 0x7f7fffff, rne, S_INF, OF | NX
  f2 fadd.s, s, 0x7f7fffff, 0x7f7fffff, rtz, 0x7f7fffff, OF | NX
  f2 fadd.s, s, S_INF, 0xff800000, rne, S_NAN, NV
  f2 fadd.s, s, S_SIGNALING, 0x3f800000, rne, S_NAN, NV
  begin_float # the rounding mode of fcsr, and flags that stay
  put s, 1, 0x3f800000
  put s, 2, 0x33800000
  csrwi frm, 3
  csrwi fflags, DZ
  fadd.s fa0, fa1, fa2, dyn
  get s, 0x3f800001, DZ | NX
  begin_float # without its box an operand is a NaN
  put s, 1, 0x3f800000
  put d, 2, 0x3f800000
  fadd.s fa0, fa1, fa2
  get s, S_NAN, 0
  csrwi frm, 5 # no rounding mode
  traps ILLEGAL_INSTRUCTION, fadd.s fa0, fa1, fa2, dyn
  li t0, FS_DIRTY
  csrc mstatus, t0
  traps ILLEGAL_INSTRUCTION, fadd.s fa0, fa1, fa2, rne
program fsub.s norm:fsub-s_op
  f2 fsub.s, s, 0x40400000, 0x40000000, rne, 0x3f800000, 0
  f2 fsub.s, s, 0x3f800000, 0x3f800000, rdn, 0x80000000, 0
  f2 fsub.s, s, S_INF, S_INF, rne, S_NAN, NV
program fmul.s norm:fadd-s_fmul-s_op
  f2 fmul.s, s, 0x3fc00000, 0x40000000, rne, 0x40400000, 0
  f2 fmul.s, s, 0x00800000, 0x3f000000, rne, 0x00400000, 0 # subnormal and exact
  f2 fmul.s, s, 0x00000001, 0x3f000000, rne, 0, UF | NX
  f2 fmul.s, s, 0x00000001, 0x3f000000, rup, 1, UF | NX
  f2 fmul.s, s, S_INF, 0, rne, S_NAN, NV
program fdiv.s norm:fdiv-s_op
  f2 fdiv.s, s, 0x3f800000, 0x40400000, rne, 0x3eaaaaab, NX
  f2 fdiv.s, s, 0x3f800000, 0x40400000, rtz, 0x3eaaaaaa, NX
  f2 fdiv.s, s, 0xbf800000, 0, rne, 0xff800000, DZ
  f2 fdiv.s, s, 0, 0, rne, S_NAN, NV
program fsqrt.s norm:fsqrt-s_op
  f1 fsqrt.s, s, s, 0x40800000, rne, 0x40000000, 0
  f1 fsqrt.s, s, s, 0x40000000, rne, 0x3fb504f3, NX
  f1 fsqrt.s, s, s, 0x40000000, rup, 0x3fb504f4, NX
  f1 fsqrt.s, s, s, 0x80000000, rne, 0x80000000, 0
  f1 fsqrt.s, s, s, 0xbf800000, rne, S_NAN, NV
program fmadd.s norm:fmadd-s_op
  f3 fmadd.s, s, 0x40000000, 0x40400000, 0x3f800000, rne, 0x40e00000, 0
  f3 fmadd.s, s, 0x3f800800, 0x3f800800, 0xbf801000, rne, 0x33800000, 0 # rounded once
  f3 fmadd.s, s, S_INF, 0, S_NAN, rne, S_NAN, NV
program fmsub.s norm:fmsub-s_op
  f3 fmsub.s, s, 0x40000000, 0x40400000, 0x3f800000, rne, 0x40a00000, 0
  f3 fmsub.s, s, 0x3f800800, 0x3f800800, 0x3f801000, rne, 0x33800000, 0
program fnmsub.s norm:fnmsub-s_op
  f3 fnmsub.s, s, 0x40000000, 0x40400000, 0x3f800000, rne, 0xc0a00000, 0
  f3 fnmsub.s, s, 0x3f800800, 0x3f800800, 0x3f801000, rne, 0xb3800000, 0
program fnmadd.s norm:fnmadd-s_op
  f3 fnmadd.s, s, 0x40000000, 0x40400000, 0x3f800000, rne, 0xc0e00000, 0
  f3 fnmadd.s, s, 0x3f800800, 0x3f800800, 0xbf801000, rne, 0xb3800000, 0
program fsgnj.s norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op
  f2n fsgnj.s, s, 0x3f800000, 0xc0000000, 0xbf800000
  f2n fsgnj.s, s, 0xbf800000, 0x40000000, 0x3f800000
  f2n fsgnj.s, s, 0xbf800000, 0xc0000000, 0xbf800000
program fsgnjn.s norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op
  f2n fsgnjn.s, s, 0x3f800000, 0xc0000000, 0x3f800000
  f2n fsgnjn.s, s, S_SIGNALING, 0x40000000, 0xff800001
program fsgnjx.s norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op
  f2n fsgnjx.s, s, 0xbf800000, 0xc0000000, 0x3f800000
  f2n fsgnjx.s, s, 0x3f800000, 0x40000000, 0x3f800000
  f2n fsgnjx.s, s, 0xbf800000, 0x40000000, 0xbf800000
program fmin.s norm:fmin-s_fmax-s_op
  f2n fmin.s, s, 0x3f800000, 0x40000000, 0x3f800000
  f2n fmin.s, s, 0, 0x80000000, 0x80000000
  f2n fmin.s, s, S_NAN, 0x3f800000, 0x3f800000
  f2n fmin.s, s, S_SIGNALING, 0x3f800000, 0x3f800000, NV
  f2n fmin.s, s, 0xffc00000, 0xffc00000, S_NAN
program fmax.s norm:fmin-s_fmax-s_op
  f2n fmax.s, s, 0x3f800000, 0x40000000, 0x40000000
  f2n fmax.s, s, 0x80000000, 0, 0
  f2n fmax.s, s, 0x3f800000, S_NAN, 0x3f800000
  f2n fmax.s, s, 0x3f800000, S_SIGNALING, 0x3f800000, NV
program feq.s norm:feq-s_flt-s_fle-s_op
  fcmp feq.s, s, 0x3f800000, 0x3f800000, 1
  fcmp feq.s, s, 0, 0x80000000, 1
  fcmp feq.s, s, 0x3f800000, 0x40000000, 0
  fcmp feq.s, s, S_NAN, S_NAN, 0
  fcmp feq.s, s, S_SIGNALING, 0x3f800000, 0, NV
program flt.s norm:feq-s_flt-s_fle-s_op
  fcmp flt.s, s, 0x3f800000, 0x40000000, 1
  fcmp flt.s, s, 0x3f800000, 0x3f800000, 0
  fcmp flt.s, s, 0x40000000, 0xc0000000, 0
  fcmp flt.s, s, S_NAN, 0x3f800000, 0, NV
program fle.s norm:feq-s_flt-s_fle-s_op
  fcmp fle.s, s, 0x3f800000, 0x40000000, 1
  fcmp fle.s, s, 0x3f800000, 0x3f800000, 1
  fcmp fle.s, s, 0x40000000, 0xc0000000, 0
  fcmp fle.s, s, S_NAN, 0x3f800000, 0, NV
program fclass.s norm:fclass-s_op
  f1n fclass.s, x, s, 0xff800000, 0x001
  f1n fclass.s, x, s, 0xbf800000, 0x002
  f1n fclass.s, x, s, 0x80000001, 0x004
  f1n fclass.s, x, s, 0x80000000, 0x008
  f1n fclass.s, x, s, 0x00000000, 0x010
  f1n fclass.s, x, s, 0x00000001, 0x020
  f1n fclass.s, x, s, 0x3f800000, 0x040
  f1n fclass.s, x, s, 0x7f800000, 0x080
  f1n fclass.s, x, s, S_SIGNALING, 0x100
  f1n fclass.s, x, s, S_NAN, 0x200
program fcvt.w.s norm:fcvt-l-s_fcvt-w-s_op
  f1 fcvt.w.s, x, s, 0x3fc00000, rne, 2, NX
  f1 fcvt.w.s, x, s, 0x3fc00000, rtz, 1, NX
  f1 fcvt.w.s, x, s, 0xbfc00000, rdn, -2, NX
  f1 fcvt.w.s, x, s, 0x4f000000, rne, 0x7fffffff, NV
  f1 fcvt.w.s, x, s, 0xff800000, rne, 0xffffffff80000000, NV
  f1 fcvt.w.s, x, s, 0xffc00000, rne, 0x7fffffff, NV
program fcvt.wu.s norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op
  f1 fcvt.wu.s, x, s, 0x4f000000, rne, 0xffffffff80000000, 0
  f1 fcvt.wu.s, x, s, 0x4f800000, rne, -1, NV
  f1 fcvt.wu.s, x, s, 0xbf800000, rne, 0, NV
  f1 fcvt.wu.s, x, s, 0xbf000000, rtz, 0, NX
program fcvt.l.s norm:fcvt-l-s_fcvt-w-s_op
  f1 fcvt.l.s, x, s, 0x4f000000, rne, 0x80000000, 0
  f1 fcvt.l.s, x, s, 0x5f000000, rne, 0x7fffffffffffffff, NV
  f1 fcvt.l.s, x, s, 0xbfc00000, rtz, -1, NX
program fcvt.lu.s norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op
  f1 fcvt.lu.s, x, s, 0x5f000000, rne, 0x8000000000000000, 0
  f1 fcvt.lu.s, x, s, 0x5f800000, rne, -1, NV
  f1 fcvt.lu.s, x, s, 0xbf800000, rne, 0, NV
program fcvt.s.w norm:fcvt-s-w_fcvt-s-l_op
  f1 fcvt.s.w, s, x, 0x1000001, rne, 0x4b800000, NX
  f1 fcvt.s.w, s, x, 0x1000001, rup, 0x4b800001, NX
  f1 fcvt.s.w, s, x, 0xffffffff, rne, 0xbf800000, 0
program fcvt.s.wu norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op
  f1 fcvt.s.wu, s, x, -1, rne, 0x4f800000, NX
  f1 fcvt.s.wu, s, x, -1, rtz, 0x4f7fffff, NX
  f1 fcvt.s.wu, s, x, 0x700000001, rne, 0x3f800000, 0
program fcvt.s.l norm:fcvt-s-w_fcvt-s-l_op
  f1 fcvt.s.l, s, x, -1, rne, 0xbf800000, 0
  f1 fcvt.s.l, s, x, 0x100000001, rne, 0x4f800000, NX
program fcvt.s.lu norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op
  f1 fcvt.s.lu, s, x, -1, rne, 0x5f800000, NX
  f1 fcvt.s.lu, s, x, -1, rtz, 0x5f7fffff, NX
program fmv.x.w norm:fmv-x-w_op
  f1n fmv.x.w, x, s, 0x80000000, 0xffffffff80000000
  f1n fmv.x.w, x, d, 0x123456787f800001, 0x7f800001
program fmv.w.x norm:fmv-w-x_op
  f1n fmv.w.x, s, x, 0x1234567880000000, 0x80000000
  f1n fmv.w.x, s, x, S_SIGNALING, S_SIGNALING

program fadd.d norm:D_computational_instrs
  f2 fadd.d, d, 0x3ff0000000000000, 0x4000000000000000, rne, 0x4008000000000000, 0
  f2 fadd.d, d, 0x3ff0000000000000, 0x3ca0000000000000, rne, 0x3ff0000000000000, NX
  f2 fadd.d, d, 0x3ff0000000000000, 0x3ca0000000000000, rmm, 0x3ff0000000000001, NX
  f2 fadd.d, d, 0xbff0000000000000, 0xbca0000000000000, rdn, 0xbff0000000000001, NX
  f2 fadd.d, d, 0x7fefffffffffffff, 0x7fefffffffffffff, rne, D_INF, OF | NX
  f2 fadd.d, d, D_SIGNALING, 0x3ff0000000000000, rne, D_NAN, NV
program fsub.d norm:D_computational_instrs
  f2 fsub.d, d, 0x4008000000000000, 0x4000000000000000, rne, 0x3ff0000000000000, 0
  f2 fsub.d, d, D_INF, D_INF, rne, D_NAN, NV
program fmul.d norm:D_computational_instrs
  f2 fmul.d, d, 0x3ff8000000000000, 0x4000000000000000, rne, 0x4008000000000000, 0
  f2 fmul.d, d, 0x0010000000000000, 0x3fe0000000000000, rne, 0x0008000000000000, 0
  f2 fmul.d, d, 1, 0x3fe0000000000000, rup, 1, UF | NX
program fdiv.d norm:D_computational_instrs
  f2 fdiv.d, d, 0x3ff0000000000000, 0x4008000000000000, rne, 0x3fd5555555555555, NX
  f2 fdiv.d, d, 0x3ff0000000000000, 0x4008000000000000, rup, 0x3fd5555555555556, NX
  f2 fdiv.d, d, 0x3ff0000000000000, 0, rne, D_INF, DZ
program fsqrt.d norm:D_computational_instrs
  f1 fsqrt.d, d, d, 0x4010000000000000, rne, 0x4000000000000000, 0
  f1 fsqrt.d, d, d, 0x4000000000000000, rne, 0x3ff6a09e667f3bcd, NX
  f1 fsqrt.d, d, d, 0x4000000000000000, rtz, 0x3ff6a09e667f3bcc, NX
  f1 fsqrt.d, d, d, 0xbff0000000000000, rne, D_NAN, NV
program fmadd.d norm:D_computational_instrs
  f3 fmadd.d, d, 0x4000000000000000, 0x4008000000000000, 0x3ff0000000000000, rne, 0x401c000000000000, 0
  f3 fmadd.d, d, 0x3ff0000002000000, 0x3ff0000002000000, 0xbff0000004000000, rne, 0x3c90000000000000, 0
program fmsub.d norm:D_computational_instrs
  f3 fmsub.d, d, 0x4000000000000000, 0x4008000000000000, 0x3ff0000000000000, rne, 0x4014000000000000, 0
  f3 fmsub.d, d, 0x3ff0000002000000, 0x3ff0000002000000, 0x3ff0000004000000, rne, 0x3c90000000000000, 0
program fnmsub.d norm:D_computational_instrs
  f3 fnmsub.d, d, 0x4000000000000000, 0x4008000000000000, 0x3ff0000000000000, rne, 0xc014000000000000, 0
  f3 fnmsub.d, d, 0x3ff0000002000000, 0x3ff0000002000000, 0x3ff0000004000000, rne, 0xbc90000000000000, 0
program fnmadd.d norm:D_computational_instrs
  f3 fnmadd.d, d, 0x4000000000000000, 0x4008000000000000, 0x3ff0000000000000, rne, 0xc01c000000000000, 0
  f3 fnmadd.d, d, 0x3ff0000002000000, 0x3ff0000002000000, 0xbff0000004000000, rne, 0xbc90000000000000, 0
program fsgnj.d norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op
  f2n fsgnj.d, d, 0x3ff0000000000000, 0xc000000000000000, 0xbff0000000000000
  f2n fsgnj.d, d, 0xbff0000000000000, 0xc000000000000000, 0xbff0000000000000
program fsgnjn.d norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op
  f2n fsgnjn.d, d, 0x3ff0000000000000, 0xc000000000000000, 0x3ff0000000000000
  f2n fsgnjn.d, d, D_SIGNALING, 0x4000000000000000, 0xfff0000000000001
program fsgnjx.d norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op
  f2n fsgnjx.d, d, 0xbff0000000000000, 0xc000000000000000, 0x3ff0000000000000
  f2n fsgnjx.d, d, 0x3ff0000000000000, 0x4000000000000000, 0x3ff0000000000000
  f2n fsgnjx.d, d, 0xbff0000000000000, 0x4000000000000000, 0xbff0000000000000
program fmin.d norm:D_computational_instrs
  f2n fmin.d, d, 0x3ff0000000000000, 0x4000000000000000, 0x3ff0000000000000
  f2n fmin.d, d, 0, 0x8000000000000000, 0x8000000000000000
  f2n fmin.d, d, D_SIGNALING, 0x3ff0000000000000, 0x3ff0000000000000, NV
program fmax.d norm:D_computational_instrs
  f2n fmax.d, d, 0x3ff0000000000000, 0x4000000000000000, 0x4000000000000000
  f2n fmax.d, d, 0x8000000000000000, 0, 0
  f2n fmax.d, d, 0x3ff0000000000000, D_SIGNALING, 0x3ff0000000000000, NV
program feq.d norm:D_compare_instrs
  fcmp feq.d, d, 0x3ff0000000000000, 0x3ff0000000000000, 1
  fcmp feq.d, d, 0x3ff0000000000000, 0x4000000000000000, 0
  fcmp feq.d, d, D_NAN, D_NAN, 0
program flt.d norm:D_compare_instrs
  fcmp flt.d, d, 0x3ff0000000000000, 0x4000000000000000, 1
  fcmp flt.d, d, 0x3ff0000000000000, 0x3ff0000000000000, 0
  fcmp flt.d, d, D_NAN, 0x3ff0000000000000, 0, NV
program fle.d norm:D_compare_instrs
  fcmp fle.d, d, 0x3ff0000000000000, 0x4000000000000000, 1
  fcmp fle.d, d, 0x3ff0000000000000, 0x3ff0000000000000, 1
  fcmp fle.d, d, D_NAN, 0x3ff0000000000000, 0, NV
program fclass.d norm:fclass-d_op
  f1n fclass.d, x, d, 0xfff0000000000000, 0x001
  f1n fclass.d, x, d, 0xbff0000000000000, 0x002
  f1n fclass.d, x, d, 0x8000000000000001, 0x004
  f1n fclass.d, x, d, 0x8000000000000000, 0x008
  f1n fclass.d, x, d, 0x0000000000000000, 0x010
  f1n fclass.d, x, d, 0x0000000000000001, 0x020
  f1n fclass.d, x, d, 0x3ff0000000000000, 0x040
  f1n fclass.d, x, d, 0x7ff0000000000000, 0x080
  f1n fclass.d, x, d, D_SIGNALING, 0x100
  f1n fclass.d, x, d, D_NAN, 0x200
program fcvt.w.d norm:fcvt-w-d_fcvt-l-d_op
  f1 fcvt.w.d, x, d, 0x3ff8000000000000, rne, 2, NX
  f1 fcvt.w.d, x, d, 0xbff8000000000000, rtz, -1, NX
  f1 fcvt.w.d, x, d, 0x41e0000000000000, rne, 0x7fffffff, NV
program fcvt.wu.d norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op
  f1 fcvt.wu.d, x, d, 0x41e0000000000000, rne, 0xffffffff80000000, 0
  f1 fcvt.wu.d, x, d, 0x41f0000000000000, rne, -1, NV
  f1 fcvt.wu.d, x, d, 0xbff0000000000000, rne, 0, NV
program fcvt.l.d norm:fcvt-w-d_fcvt-l-d_op
  f1 fcvt.l.d, x, d, 0x41e0000000000000, rne, 0x80000000, 0
  f1 fcvt.l.d, x, d, 0x43e0000000000000, rne, 0x7fffffffffffffff, NV
program fcvt.lu.d norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op
  f1 fcvt.lu.d, x, d, 0x43e0000000000000, rne, 0x8000000000000000, 0
  f1 fcvt.lu.d, x, d, 0xbff0000000000000, rne, 0, NV
program fcvt.d.w norm:fcvt-d-w_fcvt-d-l_op
  f1n fcvt.d.w, d, x, 0x7ffffffff, 0xbff0000000000000
  f1n fcvt.d.w, d, x, 0x7fffffff, 0x41dfffffffc00000
program fcvt.d.wu norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op
  f1n fcvt.d.wu, d, x, -1, 0x41efffffffe00000
program fcvt.d.l norm:fcvt-d-w_fcvt-d-l_op
  f1 fcvt.d.l, d, x, -1, rne, 0xbff0000000000000, 0
  f1 fcvt.d.l, d, x, 0x20000000000001, rne, 0x4340000000000000, NX
  f1 fcvt.d.l, d, x, 0x100000000, rne, 0x41f0000000000000, 0
program fcvt.d.lu norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op
  f1 fcvt.d.lu, d, x, -1, rne, 0x43f0000000000000, NX
  f1 fcvt.d.lu, d, x, -1, rtz, 0x43efffffffffffff, NX
program fcvt.s.d norm:fcvt-s-d_fcvt-d-s_op
  f1 fcvt.s.d, s, d, 0x3ff8000000000000, rne, 0x3fc00000, 0
  f1 fcvt.s.d, s, d, 0x3ff0000010000000, rne, 0x3f800000, NX
  f1 fcvt.s.d, s, d, 0x3ff0000010000000, rup, 0x3f800001, NX
  f1 fcvt.s.d, s, d, 0x7fefffffffffffff, rne, S_INF, OF | NX
  f1 fcvt.s.d, s, d, D_SIGNALING, rne, S_NAN, NV
program fcvt.d.s norm:fcvt-s-d_fcvt-d-s_op
  f1n fcvt.d.s, d, s, 0x3fc00000, 0x3ff8000000000000
  f1n fcvt.d.s, d, s, 0x00000001, 0x36a0000000000000
  f1n fcvt.d.s, d, s, S_SIGNALING, D_NAN, NV
program fmv.x.d norm:fmv-x-d_op
  f1n fmv.x.d, x, d, 0x8123456789abcdef, 0x8123456789abcdef
  f1n fmv.x.d, x, s, 0x3f800000, 0xffffffff3f800000
program fmv.d.x norm:fmv-d-x_op
  f1n fmv.d.x, d, x, 0x8123456789abcdef, 0x8123456789abcdef
