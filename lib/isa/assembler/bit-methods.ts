/** What editors show of bit manipulation (Zba, Zbb, Zbs) and of conditional operations (Zicond); see methods.ts. */

/** Bit manipulation by method name, with the name of its operand form. */
export interface BitForms {
  /** `rd ← rs2 + rs1 × 2`. */
  sh1add: "registers";
  /** `rd ← rs2 + (low 32 bits of rs1) × 2`. */
  sh1add_uw: "registers";
  /** `rd ← rs2 + rs1 × 4`. */
  sh2add: "registers";
  /** `rd ← rs2 + (low 32 bits of rs1) × 4`. */
  sh2add_uw: "registers";
  /** `rd ← rs2 + rs1 × 8`. */
  sh3add: "registers";
  /** `rd ← rs2 + (low 32 bits of rs1) × 8`. */
  sh3add_uw: "registers";
  /** `rd ← rs2 + low 32 bits of rs1`, zero-extended. */
  add_uw: "registers";
  /** `rd ← (low 32 bits of rs1) << shamt`, zero-extended first. */
  slli_uw: "shift";
  /** `rd ← rs1 and not rs2`. */
  andn: "registers";
  /** `rd ← rs1 or not rs2`. */
  orn: "registers";
  /** `rd ← not (rs1 xor rs2)`. */
  xnor: "registers";
  /** Count zeroes above the highest one; 64 for 0. */
  clz: "unary";
  /** Count zeroes above the highest one of the low 32 bits; 32 for 0. */
  clzw: "unary";
  /** Count zeroes below the lowest one; 64 for 0. */
  ctz: "unary";
  /** Count zeroes below the lowest one of the low 32 bits; 32 for 0. */
  ctzw: "unary";
  /** Count ones. */
  cpop: "unary";
  /** Count ones of the low 32 bits. */
  cpopw: "unary";
  /** `rd ←` the larger of `rs1` and `rs2`, signed. */
  max: "registers";
  /** `rd ←` the larger of `rs1` and `rs2`, unsigned. */
  maxu: "registers";
  /** `rd ←` the smaller of `rs1` and `rs2`, signed. */
  min: "registers";
  /** `rd ←` the smaller of `rs1` and `rs2`, unsigned. */
  minu: "registers";
  /** Sign-extend the low byte. */
  sext_b: "unary";
  /** Sign-extend the low 16 bits. */
  sext_h: "unary";
  /** Zero-extend the low 16 bits. */
  zext_h: "unary";
  /** Rotate `rs1` left by the low 6 bits of `rs2`. */
  rol: "registers";
  /** Rotate the low 32 bits of `rs1` left by the low 5 bits of `rs2`. */
  rolw: "registers";
  /** Rotate `rs1` right by the low 6 bits of `rs2`. */
  ror: "registers";
  /** Rotate `rs1` right by `shamt` (0…63). */
  rori: "shift";
  /** Rotate the low 32 bits of `rs1` right by `shamt` (0…31). */
  roriw: "shift";
  /** Rotate the low 32 bits of `rs1` right by the low 5 bits of `rs2`. */
  rorw: "registers";
  /** Each byte that is not zero becomes 0xff. */
  orc_b: "unary";
  /** Reverse the order of the bytes. */
  rev8: "unary";
  /** Clear bit `rs2` (mod 64) of `rs1`. */
  bclr: "registers";
  /** Clear bit `shamt` of `rs1`. */
  bclri: "shift";
  /** `rd ←` bit `rs2` (mod 64) of `rs1`. */
  bext: "registers";
  /** `rd ←` bit `shamt` of `rs1`. */
  bexti: "shift";
  /** Invert bit `rs2` (mod 64) of `rs1`. */
  binv: "registers";
  /** Invert bit `shamt` of `rs1`. */
  binvi: "shift";
  /** Set bit `rs2` (mod 64) of `rs1`. */
  bset: "registers";
  /** Set bit `shamt` of `rs1`. */
  bseti: "shift";
  /** `rd ← 0` if `rs2` is zero, else `rs1`. */
  czero_eqz: "registers";
  /** `rd ← 0` if `rs2` is not zero, else `rs1`. */
  czero_nez: "registers";
}
