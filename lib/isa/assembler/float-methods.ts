/** What editors show of floating-point instructions (F and D); see methods.ts. */

/** Floating-point instructions by method name, with the name of their operand form. */
export interface FloatForms {
  /** Load a single-precision number from `base + offset`. */
  flw: "floatLoad";
  /** Store a single-precision number at `base + offset`. */
  fsw: "floatStore";
  /** `rd ← rs1 × rs2 + rs3`, rounded once. */
  fmadd_s: "floatFused";
  /** `rd ← rs1 × rs2 − rs3`, rounded once. */
  fmsub_s: "floatFused";
  /** `rd ← −(rs1 × rs2) + rs3`, rounded once. */
  fnmsub_s: "floatFused";
  /** `rd ← −(rs1 × rs2) − rs3`, rounded once. */
  fnmadd_s: "floatFused";
  /** `rd ← rs1 + rs2`, single precision. */
  fadd_s: "floatBinary";
  /** `rd ← rs1 − rs2`, single precision. */
  fsub_s: "floatBinary";
  /** `rd ← rs1 × rs2`, single precision. */
  fmul_s: "floatBinary";
  /** `rd ← rs1 ÷ rs2`, single precision. */
  fdiv_s: "floatBinary";
  /** `rd ←` the square root of `rs1`. */
  fsqrt_s: "floatUnary";
  /** `rs1` with the sign of `rs2`. */
  fsgnj_s: "floatPair";
  /** `rs1` with the opposite of the sign of `rs2`. */
  fsgnjn_s: "floatPair";
  /** `rs1` with its sign turned around if `rs2` is negative. */
  fsgnjx_s: "floatPair";
  /** The smaller number; a NaN gives way to the other operand. */
  fmin_s: "floatPair";
  /** The larger number; a NaN gives way to the other operand. */
  fmax_s: "floatPair";
  /** `rd ← 1 if rs1 = rs2, else 0`; 0 for a NaN. */
  feq_s: "floatCompare";
  /** `rd ← 1 if rs1 < rs2, else 0`; 0 for a NaN. */
  flt_s: "floatCompare";
  /** `rd ← 1 if rs1 ≤ rs2, else 0`; 0 for a NaN. */
  fle_s: "floatCompare";
  /** One bit for the class of a number: 0 is −∞, 4 is +0, 9 a quiet NaN. */
  fclass_s: "floatToInteger";
  /** A number as a 32-bit signed integer. */
  fcvt_w_s: "floatRoundToInteger";
  /** A 32-bit signed integer as a number. */
  fcvt_s_w: "floatFromInteger";
  /** A number as a 32-bit unsigned integer. */
  fcvt_wu_s: "floatRoundToInteger";
  /** A 32-bit unsigned integer as a number. */
  fcvt_s_wu: "floatFromInteger";
  /** A number as a 64-bit signed integer. */
  fcvt_l_s: "floatRoundToInteger";
  /** A 64-bit signed integer as a number. */
  fcvt_s_l: "floatFromInteger";
  /** A number as a 64-bit unsigned integer. */
  fcvt_lu_s: "floatRoundToInteger";
  /** A 64-bit unsigned integer as a number. */
  fcvt_s_lu: "floatFromInteger";
  /** The bits of a number into an integer register. */
  fmv_x_w: "floatToInteger";
  /** The bits of an integer register into a floating-point register. */
  fmv_w_x: "floatMoveFromInteger";
  /** Load a double-precision number from `base + offset`. */
  fld: "floatLoad";
  /** Store a double-precision number at `base + offset`. */
  fsd: "floatStore";
  /** `rd ← rs1 × rs2 + rs3`, rounded once. */
  fmadd_d: "floatFused";
  /** `rd ← rs1 × rs2 − rs3`, rounded once. */
  fmsub_d: "floatFused";
  /** `rd ← −(rs1 × rs2) + rs3`, rounded once. */
  fnmsub_d: "floatFused";
  /** `rd ← −(rs1 × rs2) − rs3`, rounded once. */
  fnmadd_d: "floatFused";
  /** `rd ← rs1 + rs2`, double precision. */
  fadd_d: "floatBinary";
  /** `rd ← rs1 − rs2`, double precision. */
  fsub_d: "floatBinary";
  /** `rd ← rs1 × rs2`, double precision. */
  fmul_d: "floatBinary";
  /** `rd ← rs1 ÷ rs2`, double precision. */
  fdiv_d: "floatBinary";
  /** `rd ←` the square root of `rs1`. */
  fsqrt_d: "floatUnary";
  /** `rs1` with the sign of `rs2`. */
  fsgnj_d: "floatPair";
  /** `rs1` with the opposite of the sign of `rs2`. */
  fsgnjn_d: "floatPair";
  /** `rs1` with its sign turned around if `rs2` is negative. */
  fsgnjx_d: "floatPair";
  /** The smaller number; a NaN gives way to the other operand. */
  fmin_d: "floatPair";
  /** The larger number; a NaN gives way to the other operand. */
  fmax_d: "floatPair";
  /** `rd ← 1 if rs1 = rs2, else 0`; 0 for a NaN. */
  feq_d: "floatCompare";
  /** `rd ← 1 if rs1 < rs2, else 0`; 0 for a NaN. */
  flt_d: "floatCompare";
  /** `rd ← 1 if rs1 ≤ rs2, else 0`; 0 for a NaN. */
  fle_d: "floatCompare";
  /** One bit for the class of a number: 0 is −∞, 4 is +0, 9 a quiet NaN. */
  fclass_d: "floatToInteger";
  /** A number as a 32-bit signed integer. */
  fcvt_w_d: "floatRoundToInteger";
  /** A 32-bit signed integer as a number. */
  fcvt_d_w: "floatWidenInteger";
  /** A number as a 32-bit unsigned integer. */
  fcvt_wu_d: "floatRoundToInteger";
  /** A 32-bit unsigned integer as a number. */
  fcvt_d_wu: "floatWidenInteger";
  /** A number as a 64-bit signed integer. */
  fcvt_l_d: "floatRoundToInteger";
  /** A 64-bit signed integer as a number. */
  fcvt_d_l: "floatFromInteger";
  /** A number as a 64-bit unsigned integer. */
  fcvt_lu_d: "floatRoundToInteger";
  /** A 64-bit unsigned integer as a number. */
  fcvt_d_lu: "floatFromInteger";
  /** The bits of a number into an integer register. */
  fmv_x_d: "floatToInteger";
  /** The bits of an integer register into a floating-point register. */
  fmv_d_x: "floatMoveFromInteger";
  /** Double precision to single. */
  fcvt_s_d: "floatUnary";
  /** Single precision to double, which is always exact. */
  fcvt_d_s: "floatWiden";
}
