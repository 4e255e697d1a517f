/** What editors show of compressed instructions (C); see methods.ts. */

/** Compressed instructions by method name, with the name of their operand form. */
export interface CompressedForms {
  /** 16 bits for `addi rd, sp, imm`. */
  c_addi4spn: "stackAddress";
  /** 16 bits for `fld rd, offset(base)`. */
  c_fld: "compressedFloatLoad";
  /** 16 bits for `lw rd, offset(base)`. */
  c_lw: "compressedLoad";
  /** 16 bits for `ld rd, offset(base)`. */
  c_ld: "compressedLoad";
  /** 16 bits for `fsd rs2, offset(base)`. */
  c_fsd: "compressedFloatStore";
  /** 16 bits for `sw rs2, offset(base)`. */
  c_sw: "compressedStore";
  /** 16 bits for `sd rs2, offset(base)`. */
  c_sd: "compressedStore";
  /** 16 bits for `nop`. */
  c_nop: "hint";
  /** 16 bits for `addi rd, rd, imm`. */
  c_addi: "compressedImmediate";
  /** 16 bits for `addiw rd, rd, imm`. */
  c_addiw: "compressedImmediate";
  /** 16 bits for `li rd, imm`. */
  c_li: "compressedImmediate";
  /** 16 bits for `addi sp, sp, imm`. */
  c_addi16sp: "stackPointer";
  /** 16 bits for `lui rd, upper20`. */
  c_lui: "compressedUpper";
  /** 16 bits for `srli rd, rd, shamt`. */
  c_srli: "compressedSmallShift";
  /** 16 bits for `srai rd, rd, shamt`. */
  c_srai: "compressedSmallShift";
  /** 16 bits for `andi rd, rd, imm`. */
  c_andi: "compressedSmallImmediate";
  /** 16 bits for `sub rd, rd, rs2`. */
  c_sub: "compressedSmallPair";
  /** 16 bits for `xor rd, rd, rs2`. */
  c_xor: "compressedSmallPair";
  /** 16 bits for `or rd, rd, rs2`. */
  c_or: "compressedSmallPair";
  /** 16 bits for `and rd, rd, rs2`. */
  c_and: "compressedSmallPair";
  /** 16 bits for `subw rd, rd, rs2`. */
  c_subw: "compressedSmallPair";
  /** 16 bits for `addw rd, rd, rs2`. */
  c_addw: "compressedSmallPair";
  /** 16 bits for `j target`. */
  c_j: "compressedJump";
  /** 16 bits for `beqz rs, target`. */
  c_beqz: "compressedBranch";
  /** 16 bits for `bnez rs, target`. */
  c_bnez: "compressedBranch";
  /** 16 bits for `slli rd, rd, shamt`. */
  c_slli: "compressedShift";
  /** 16 bits for `fld rd, offset(sp)`. */
  c_fldsp: "stackFloatLoad";
  /** 16 bits for `lw rd, offset(sp)`. */
  c_lwsp: "stackLoad";
  /** 16 bits for `ld rd, offset(sp)`. */
  c_ldsp: "stackLoad";
  /** 16 bits for `jr rs`. */
  c_jr: "compressedJumpRegister";
  /** 16 bits for `mv rd, rs2`. */
  c_mv: "compressedPair";
  /** 16 bits for `ebreak`. */
  c_ebreak: "none";
  /** 16 bits for `jalr rs`. */
  c_jalr: "compressedJumpRegister";
  /** 16 bits for `add rd, rd, rs2`. */
  c_add: "compressedPair";
  /** 16 bits for `fsd rs2, offset(sp)`. */
  c_fsdsp: "stackFloatStore";
  /** 16 bits for `sw rs2, offset(sp)`. */
  c_swsp: "stackStore";
  /** 16 bits for `sd rs2, offset(sp)`. */
  c_sdsp: "stackStore";
}
