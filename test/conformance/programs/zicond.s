# Zicond: conditional operations, as numbers, because the assembler is older. Expected values: the unprivileged manual, "Zicond
# Extension for Integer Conditional Operations".

.macro czero_eqz rd, rs1, rs2
  .insn r 0x33, 5, 7, \rd, \rs1, \rs2
.endm
.macro czero_nez rd, rs1, rs2
  .insn r 0x33, 7, 7, \rd, \rs1, \rs2
.endm

program czero.eqz norm:czero-eqz_op
  rr czero_eqz, 7, 0, 0
  rr czero_eqz, 7, 1, 7
  rr czero_eqz, -1, 0x100000000, -1
  rr czero_eqz, 0x8000000000000001, -1, 0x8000000000000001
  rr czero_eqz, 0, 3, 0

program czero.nez norm:czero-nez_op
  rr czero_nez, 7, 0, 7
  rr czero_nez, 7, 1, 0
  rr czero_nez, -1, 0x100000000, 0
  rr czero_nez, 0x8000000000000001, 0, 0x8000000000000001
