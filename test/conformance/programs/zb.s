# Zba, Zbb, Zbs: bit manipulation. Expected values: the unprivileged manual, "B Extension for Bit Manipulation".

program add.uw norm:add_uw_op
  rr add.uw, 0xffffffff80000000, 1, 0x80000001
  rr add.uw, 1, 0xffffffff80000000, 0xffffffff80000001
program sh1add norm:sh1add_op
  rr sh1add, 0x4000000000000001, 5, 0x8000000000000007
program sh2add norm:sh2add_op
  rr sh2add, 0x6000000000000001, 5, 0x8000000000000009
program sh3add norm:sh3add_op
  rr sh3add, 0x1000000000000001, 5, 0x800000000000000d
program sh1add.uw norm:sh1add_uw_op
  rr sh1add.uw, 0xfffffff080000001, 5, 0x100000007
program sh2add.uw norm:sh2add_uw_op
  rr sh2add.uw, 0xfffffff080000001, 5, 0x200000009
program sh3add.uw norm:sh3add_uw_op
  rr sh3add.uw, 0xfffffff080000001, 5, 0x40000000d
program slli.uw norm:slli_uw_op
  ri slli.uw, 0xfffffff080000001, 0, 0x80000001
  ri slli.uw, 0xfffffff080000001, 32, 0x8000000100000000
  ri slli.uw, 3, 63, 0x8000000000000000

program andn norm:andn_op
  rr andn, 0xff00ff, 0x0ff00f, 0xf000f0
program orn norm:orn_op
  rr orn, 0xff00ff, 0x0ff00f, 0xffffffffffff0fff
program xnor norm:xnor_op
  rr xnor, 0xff00ff, 0x0ff00f, 0xffffffffff0f0f0f
program clz norm:clz_op
  unary clz, 0, 64
  unary clz, 1, 63
  unary clz, -1, 0
  unary clz, 0x00000000ffff0000, 32
program clzw norm:clzw_op
  unary clzw, 0xffffffff00000000, 32
  unary clzw, 1, 31
  unary clzw, -1, 0
  unary clzw, 0x00010000, 15
program ctz norm:ctz_op
  unary ctz, 0, 64
  unary ctz, 1, 0
  unary ctz, 0x8000000000000000, 63
  unary ctz, 0xff00000000, 32
# QEMU 7.2 says 33 to the first line: it counts on into the upper half.
program ctzw norm:ctzw_op
  unary ctzw, 0xfffffffe00000000, 32
  unary ctzw, 1, 0
  unary ctzw, 0x80000000, 31
program cpop norm:cpop_op
  unary cpop, 0, 0
  unary cpop, -1, 64
  unary cpop, 0x8000000180000001, 4
program cpopw norm:cpopw_op
  unary cpopw, 0xffffffff00000000, 0
  unary cpopw, -1, 32
  unary cpopw, 0x8000000180000001, 2
program max norm:max_op
  rr max, -1, 1, 1
  rr max, 1, -1, 1
  rr max, 5, 6, 6
program maxu norm:maxu_op
  rr maxu, -1, 1, -1
  rr maxu, 1, -1, -1
  rr maxu, 5, 6, 6
program min norm:min_op
  rr min, -1, 1, -1
  rr min, 1, -1, -1
  rr min, 5, 6, 5
program minu norm:minu_op
  rr minu, -1, 1, 1
  rr minu, 1, -1, 1
  rr minu, 5, 6, 5
program sext.b norm:sext_b_op
  unary sext.b, 0x12345680, -128
  unary sext.b, 0x1234567f, 0x7f
program sext.h norm:sext_h_op
  unary sext.h, 0x12348000, 0xffffffffffff8000
  unary sext.h, 0x12347fff, 0x7fff
program zext.h norm:zext_h_op
  unary zext.h, 0x1234567889abcdef, 0xcdef
program rol norm:rol_op
  rr rol, 0x8000000000000001, 1, 3
  rr rol, 0x0123456789abcdef, 68, 0x123456789abcdef0
  rr rol, 0x0123456789abcdef, 0, 0x0123456789abcdef
program rolw norm:rolw_op
  rr rolw, 0xffffffff40000001, 1, 0xffffffff80000002
  rr rolw, 0x89abcdef, 36, 0xffffffff9abcdef8
  rr rolw, 0x189abcdef, 0, 0xffffffff89abcdef
program ror norm:ror_op
  rr ror, 3, 1, 0x8000000000000001
  rr ror, 0x0123456789abcdef, 68, 0xf0123456789abcde
program rori norm:rori_op
  ri rori, 3, 1, 0x8000000000000001
  ri rori, 0x0123456789abcdef, 60, 0x123456789abcdef0
program roriw norm:roriw_op
  ri roriw, 0xffffffff00000003, 1, 0xffffffff80000001
  ri roriw, 0x89abcdef, 4, 0xfffffffff89abcde
program rorw norm:rorw_op
  rr rorw, 0xffffffff00000003, 1, 0xffffffff80000001
  rr rorw, 0x89abcdef, 36, 0xfffffffff89abcde
program orc.b norm:orc_b_op
  unary orc.b, 0x0100800000ff0040, 0xff00ff0000ff00ff
program rev8 norm:rev8_op
  unary rev8, 0x0123456789abcdef, 0xefcdab8967452301

program bclr norm:bclr_op
  rr bclr, -1, 63, 0x7fffffffffffffff
  rr bclr, 5, 64, 4
  rr bclr, 4, 0, 4
program bclri norm:bclri_op
  ri bclri, -1, 63, 0x7fffffffffffffff
  ri bclri, 4, 1, 4
program bext norm:bext_op
  rr bext, 0x8000000000000000, 63, 1
  rr bext, 0x8000000000000000, 62, 0
  rr bext, 1, 64, 1
program bexti norm:bexti_op
  ri bexti, 0x8000000000000000, 63, 1
  ri bexti, 0x8000000000000000, 62, 0
program binv norm:binv_op
  rr binv, -1, 63, 0x7fffffffffffffff
  rr binv, 4, 64, 5
program binvi norm:binvi_op
  ri binvi, -1, 63, 0x7fffffffffffffff
  ri binvi, 4, 1, 6
program bset norm:bset_op
  rr bset, 0, 63, 0x8000000000000000
  rr bset, 5, 64, 5
program bseti norm:bseti_op
  ri bseti, 0, 63, 0x8000000000000000
  ri bseti, 5, 0, 5
