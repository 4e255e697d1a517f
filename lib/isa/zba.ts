/** Zba: address generation. A shifted index, or an unsigned 32-bit one, is added to a base in one instruction. */
import { computing, type Insn } from "./insn.ts";

const registers = computing("registers");

const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);

/** Address generation. @spec unpriv §"Zba: Address generation" */
export const zba = {
  // norm:add_uw_enc
  "add.uw": registers("0000100 rs2 rs1 000 rd 0111011", "norm:add_uw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + unsignedWord(x[rs1]);
  }),
  // norm:sh1add_enc
  sh1add: registers("0010000 rs2 rs1 010 rd 0110011", "norm:sh1add_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (x[rs1] << 1n);
  }),
  // norm:sh2add_enc
  sh2add: registers("0010000 rs2 rs1 100 rd 0110011", "norm:sh2add_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (x[rs1] << 2n);
  }),
  // norm:sh3add_enc
  sh3add: registers("0010000 rs2 rs1 110 rd 0110011", "norm:sh3add_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (x[rs1] << 3n);
  }),
  // norm:sh1add_uw_enc
  "sh1add.uw": registers("0010000 rs2 rs1 010 rd 0111011", "norm:sh1add_uw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (unsignedWord(x[rs1]) << 1n);
  }),
  // norm:sh2add_uw_enc
  "sh2add.uw": registers("0010000 rs2 rs1 100 rd 0111011", "norm:sh2add_uw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (unsignedWord(x[rs1]) << 2n);
  }),
  // norm:sh3add_uw_enc
  "sh3add.uw": registers("0010000 rs2 rs1 110 rd 0111011", "norm:sh3add_uw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] + (unsignedWord(x[rs1]) << 3n);
  }),
  "slli.uw": computing("shift")(
    "000010 shamt[5:0] rs1 001 rd 0011011",
    "norm:slli_uw_op",
    ({ x }, { rd, rs1, imm }) => {
      x[rd] = unsignedWord(x[rs1]) << imm;
    },
  ),
} as const satisfies Record<string, Insn>;
