# M: multiplication and division. Expected values: the unprivileged manual, "M Extension", with its table of division by
# zero and overflow.
.equ MOST_NEGATIVE, 0x8000000000000000

program mul norm:mul_op
  rr mul, 6, 7, 42
  rr mul, -6, 7, -42
  rr mul, 0x100000001, 0x100000001, 0x0000000200000001
  rr mul, MOST_NEGATIVE, -1, MOST_NEGATIVE

program mulh norm:mulh_mulhu_mulhsu_op
  rr mulh, -1, -1, 0
  rr mulh, -1, 1, -1
  rr mulh, MOST_NEGATIVE, MOST_NEGATIVE, 0x4000000000000000
  rr mulh, 0x100000000, 0x100000000, 1

program mulhsu norm:mulh_mulhu_mulhsu_op
  rr mulhsu, -1, -1, -1
  rr mulhsu, 1, -1, 0
  rr mulhsu, MOST_NEGATIVE, MOST_NEGATIVE, 0xc000000000000000

program mulhu norm:mulh_mulhu_mulhsu_op
  rr mulhu, -1, -1, 0xfffffffffffffffe
  rr mulhu, 1, -1, 0
  rr mulhu, MOST_NEGATIVE, MOST_NEGATIVE, 0x4000000000000000

program div norm:div_divu_op
  rr div, 20, 6, 3
  rr div, -20, 6, -3
  rr div, 20, -6, -3
  rr div, 7, 0, -1
  rr div, MOST_NEGATIVE, -1, MOST_NEGATIVE

program divu norm:div_divu_op
  rr divu, 20, 6, 3
  rr divu, -20, 6, 0x2aaaaaaaaaaaaaa7
  rr divu, 7, 0, -1
  rr divu, MOST_NEGATIVE, -1, 0

program rem norm:rem_remu_op
  rr rem, 0x500000007, 0x300000000, 0x200000007
  rr rem, 20, 6, 2
  rr rem, -20, 6, -2
  rr rem, 20, -6, 2
  rr rem, 7, 0, 7
  rr rem, MOST_NEGATIVE, -1, 0

program remu norm:rem_remu_op
  rr remu, 20, 6, 2
  rr remu, -20, 6, 2
  rr remu, 20, -6, 20
  rr remu, 7, 0, 7
  rr remu, MOST_NEGATIVE, -1, MOST_NEGATIVE

program mulw norm:mulw_op
  rr mulw, 0x10000, 0x8000, 0xffffffff80000000
  rr mulw, 0x500000003, 0x700000005, 15

program divw norm:divw_divuw_op
  rr divw, 0xf00000014, 6, 3
  rr divw, 0xffffffec, 6, -3
  rr divw, 7, 0x500000000, -1
  rr divw, 0x80000000, 0xffffffff, 0xffffffff80000000

program divuw norm:divw_divuw_op
  rr divuw, 0xf00000014, 6, 3
  rr divuw, 0xffffffec, 6, 0x2aaaaaa7
  rr divuw, 0xfffffffe, 1, -2
  rr divuw, 7, 0x500000000, -1
  rr divuw, 0x80000000, 0xffffffff, 0

program remw norm:remw_remuw_op
  rr remw, 0xf00000014, 6, 2
  rr remw, 0xffffffec, 6, -2
  rr remw, 0x80000007, 0x500000000, 0xffffffff80000007
  rr remw, 0x80000000, 0xffffffff, 0

program remuw norm:remw_remuw_op
  rr remuw, 0xf00000014, 6, 2
  rr remuw, 0xffffffec, 6, 2
  rr remuw, 0x80000007, 0x500000000, 0xffffffff80000007
  rr remuw, 0x80000000, 0xffffffff, 0xffffffff80000000
